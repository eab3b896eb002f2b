//! What a property is: name, shape, where it is stored, which filter operators it knows.
//!
//! A property is listed with its kind even when this tenant never sets it: Graph tells "no such property" (400) from
//! "not set". Of directory extensions only the four of [`EXTENSIONS`] are registered in the tenant.

use serde_json::Value;

use crate::simulator::workload::Workload;

/// The JSON shape of a property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Flag,
    Moment,
    Texts,
    /// An object or null.
    Structure,
    /// An array of objects, never null.
    Structures,
    /// A link to other objects; it is selected and expanded, and has no value of its own.
    Navigation,
}

impl Shape {
    pub(crate) fn is_collection(self) -> bool {
        matches!(self, Shape::Texts | Shape::Structures)
    }

    /// What a list shows for a property without a value: collections are empty, never null.
    pub(crate) fn nothing(self) -> Value {
        if self.is_collection() { Value::Array(Vec::new()) } else { Value::Null }
    }

    /// Whether a value may stand in a property of this shape.
    pub(crate) fn accepts(self, value: &Value) -> bool {
        match self {
            Shape::Text | Shape::Moment => value.is_string() || value.is_null(),
            Shape::Flag => value.is_boolean() || value.is_null(),
            Shape::Texts => match value {
                Value::Array(items) => items.iter().all(Value::is_string),
                other => other.is_null(),
            },
            Shape::Structure => value.is_object() || value.is_null(),
            Shape::Structures => value.is_array() || value.is_null(),
            Shape::Navigation => false,
        }
    }
}

/// Which service keeps a property; it decides what selecting it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The directory store: tracked by delta.
    Directory,
    /// Elsewhere (profile, mailbox): 501 in a list, 400 in a delta query.
    Elsewhere,
    /// The sign-in logs: lists only, in small pages.
    SignInLogs,
    /// Shown when a single object is read, null elsewhere.
    SingleReads,
}

/// One property of a resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    /// Filter operators in OData's words, separated by spaces; empty means not filterable.
    pub(crate) operators: &'static str,
    pub(crate) home: Home,
    /// The service whose limit a read that selects it counts towards.
    pub(crate) limited: Option<Workload>,
}

impl Property {
    pub(super) const fn new(name: &'static str, shape: Shape, operators: &'static str) -> Property {
        Property { name, shape, operators, home: Home::Directory, limited: None }
    }

    pub(super) const fn kept(name: &'static str, shape: Shape, home: Home) -> Property {
        Property { name, shape, operators: "", home, limited: None }
    }

    pub(super) const fn limited(name: &'static str, shape: Shape, workload: Workload) -> Property {
        Property { name, shape, operators: "", home: Home::Directory, limited: Some(workload) }
    }

    pub(crate) fn knows(&self, operator: &str) -> bool {
        self.operators.split(' ').any(|known| known == operator)
    }
}

/// The application that registered the directory extensions, without dashes as their names carry it.
pub(super) const EXTENSION_OWNER: &str = "extension_7c9e66797425440de944be07fc1f90ae";

/// Those registered in the tenant.
pub(super) static EXTENSIONS: [Property; 4] = [
    Property::new("extension_7c9e66797425440de944be07fc1f90ae_costCenter", Shape::Text, "eq ne not in startswith"),
    Property::new("extension_7c9e66797425440de944be07fc1f90ae_badge", Shape::Text, "eq ne not in startswith"),
    Property::new("extension_7c9e66797425440de944be07fc1f90ae_isContractor", Shape::Flag, "eq ne not"),
    Property::new("extension_7c9e66797425440de944be07fc1f90ae_projects", Shape::Texts, "any"),
];
