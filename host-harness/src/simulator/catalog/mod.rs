//! What properties a user and a group have: name, shape, where they are stored, which filter operators they know.
//!
//! A property is listed here even when this tenant never sets it: Graph tells "no such property" (400) from "not set".
//! Directory extensions are not listed; only the four of [`EXTENSIONS`] are registered in the tenant.

mod group;
mod user;

use serde_json::Value;

use super::kinds::identity::ObjectKind;

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
}

impl Property {
    const fn new(name: &'static str, shape: Shape, operators: &'static str) -> Property {
        Property { name, shape, operators, home: Home::Directory }
    }

    const fn kept(name: &'static str, shape: Shape, home: Home) -> Property {
        Property { name, shape, operators: "", home }
    }

    pub(crate) fn knows(&self, operator: &str) -> bool {
        self.operators.split(' ').any(|known| known == operator)
    }
}

/// The application that registered the directory extensions, without dashes as their names carry it.
const EXTENSION_OWNER: &str = "extension_7c9e66797425440de944be07fc1f90ae";

const EXTENSIONS: [(&str, Shape); 4] = [
    ("extension_7c9e66797425440de944be07fc1f90ae_costCenter", Shape::Text),
    ("extension_7c9e66797425440de944be07fc1f90ae_badge", Shape::Text),
    ("extension_7c9e66797425440de944be07fc1f90ae_isContractor", Shape::Flag),
    ("extension_7c9e66797425440de944be07fc1f90ae_projects", Shape::Texts),
];

static EXTENSION_PROPERTIES: [Property; 4] = [
    Property::new(EXTENSIONS[0].0, EXTENSIONS[0].1, "eq ne not in startswith"),
    Property::new(EXTENSIONS[1].0, EXTENSIONS[1].1, "eq ne not in startswith"),
    Property::new(EXTENSIONS[2].0, EXTENSIONS[2].1, "eq ne not"),
    Property::new(EXTENSIONS[3].0, EXTENSIONS[3].1, "any"),
];

/// The properties of a resource; devices and the like have just a display name here.
pub(crate) fn properties(kind: ObjectKind) -> &'static [Property] {
    match kind {
        ObjectKind::User => &user::PROPERTIES,
        ObjectKind::Group => &group::PROPERTIES,
        ObjectKind::Device | ObjectKind::ServicePrincipal | ObjectKind::OrgContact => &OTHER,
    }
}

static OTHER: [Property; 2] =
    [Property::new("id", Shape::Text, "eq"), Property::new("displayName", Shape::Text, "eq startswith")];

/// The directory extensions of a resource.
pub(crate) fn extensions(kind: ObjectKind) -> &'static [Property] {
    match kind {
        ObjectKind::User => &EXTENSION_PROPERTIES,
        ObjectKind::Group => &EXTENSION_PROPERTIES[..1],
        _ => &[],
    }
}

/// A property by its exact name.
pub(crate) fn property(kind: ObjectKind, name: &str) -> Option<&'static Property> {
    if name.starts_with(EXTENSION_OWNER) {
        return extensions(kind).iter().find(|property| property.name == name);
    }
    properties(kind).iter().find(|property| property.name == name)
}

/// What comes without `$select`.
pub(crate) fn defaults(kind: ObjectKind) -> Vec<&'static Property> {
    let names: &[&str] = match kind {
        ObjectKind::User => &user::DEFAULTS,
        ObjectKind::Group => &group::DEFAULTS,
        _ => &["id", "displayName"],
    };
    names.iter().filter_map(|name| property(kind, name)).collect()
}

/// Every property that can have a value in this tenant: what a truth row shows.
pub(crate) fn valued(kind: ObjectKind) -> impl Iterator<Item = &'static Property> {
    properties(kind)
        .iter()
        .chain(extensions(kind))
        .filter(|property| property.home == Home::Directory && property.shape != Shape::Navigation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_property() {
        assert_eq!(defaults(ObjectKind::User).len(), user::DEFAULTS.len());
        assert_eq!(defaults(ObjectKind::Group).len(), group::DEFAULTS.len());
    }

    #[test]
    fn names_are_unique() {
        for kind in ObjectKind::ALL {
            let mut names: Vec<_> = properties(kind).iter().map(|property| property.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }
}
