//! Changes to the tenant, as scripts name them, in code and in JSON.
//!
//! An object is named by its id or by `#n`, its number: `#0` is the first, and added objects count on from the last one
//! of the base tenant, recycle bin included. A script is applied whole or not at all.

pub(crate) mod script;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kinds::Kind;
use super::kinds::deed::Deed;
use super::relations::Relation;
use super::streams::Stream;

/// One change of the directory. In JSON: `{"change": "delete", "kind": "user", "object": "#12"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Change {
    /// A new object with these properties, and what its kind has at least.
    Add {
        /// What it is.
        kind: Kind,
        /// Graph's names and values.
        #[serde(default)]
        properties: Map<String, Value>,
    },
    /// New values for some properties; null clears one.
    Update {
        /// What it is.
        kind: Kind,
        /// Which object.
        object: String,
        /// Graph's names and values.
        properties: Map<String, Value>,
    },
    /// Two objects exchange the names by which they are found; nothing else of them.
    SwapNames {
        /// What both are.
        kind: Kind,
        /// Which object.
        object: String,
        /// With which.
        other: String,
    },
    /// Into the recycle bin, or gone at once, as the object's sort and the world decide. Its edges stay recorded while
    /// it is in the bin.
    Delete {
        /// What it is.
        kind: Kind,
        /// Which object.
        object: String,
    },
    /// Out of the recycle bin, with all edges.
    Restore {
        /// What it is.
        kind: Kind,
        /// Which object.
        object: String,
    },
    /// Gone for good, and out of all relations.
    Purge {
        /// What it is.
        kind: Kind,
        /// Which object.
        object: String,
    },
    /// A new edge.
    Link {
        /// Of which relation.
        relation: Relation,
        /// From which object.
        parent: String,
        /// To which object.
        child: String,
        /// What the child is; read from the id when `child` is one.
        #[serde(default)]
        child_kind: Kind,
    },
    /// One edge less.
    Unlink {
        /// Of which relation.
        relation: Relation,
        /// From which object.
        parent: String,
        /// To which object.
        child: String,
        /// What the child is; read from the id when `child` is one.
        #[serde(default)]
        child_kind: Kind,
    },
    /// A new event of a stream.
    Append {
        /// Of which stream.
        stream: Stream,
        /// Graph's names and values; what they do not say is drawn. It happens now unless they say when.
        #[serde(default)]
        properties: Map<String, Value>,
        /// Seconds from now until reads show it.
        #[serde(default)]
        delay_seconds: u64,
    },
    /// New values for some properties of an event.
    Rewrite {
        /// Of which stream.
        stream: Stream,
        /// The event's id.
        event: String,
        /// Graph's names and values.
        properties: Map<String, Value>,
    },
}

impl Change {
    /// A new object.
    pub fn add(kind: Kind, properties: Map<String, Value>) -> Change {
        Change::Add { kind, properties }
    }

    /// New values.
    pub fn update(kind: Kind, object: impl Into<String>, properties: Map<String, Value>) -> Change {
        Change::Update { kind, object: object.into(), properties }
    }

    /// Two objects exchange their names.
    pub fn swap_names(kind: Kind, object: impl Into<String>, other: impl Into<String>) -> Change {
        Change::SwapNames { kind, object: object.into(), other: other.into() }
    }

    /// Delete an object.
    pub fn delete(kind: Kind, object: impl Into<String>) -> Change {
        Change::Delete { kind, object: object.into() }
    }

    /// Bring an object back.
    pub fn restore(kind: Kind, object: impl Into<String>) -> Change {
        Change::Restore { kind, object: object.into() }
    }

    /// Delete an object for good.
    pub fn purge(kind: Kind, object: impl Into<String>) -> Change {
        Change::Purge { kind, object: object.into() }
    }

    /// A new edge to a child of a kind.
    pub fn link(relation: Relation, parent: impl Into<String>, child: impl Into<String>, child_kind: Kind) -> Change {
        Change::Link { relation, parent: parent.into(), child: child.into(), child_kind }
    }

    /// One edge less.
    pub fn unlink(relation: Relation, parent: impl Into<String>, child: impl Into<String>, child_kind: Kind) -> Change {
        Change::Unlink { relation, parent: parent.into(), child: child.into(), child_kind }
    }

    /// A new event, which reads show after a while.
    pub fn append(stream: Stream, properties: Map<String, Value>, delay_seconds: u64) -> Change {
        Change::Append { stream, properties, delay_seconds }
    }

    /// An event says something else from now on.
    pub fn rewrite(stream: Stream, event: impl Into<String>, properties: Map<String, Value>) -> Change {
        Change::Rewrite { stream, event: event.into(), properties }
    }

    /// What this change amounts to.
    pub fn kind(&self) -> ChangeKind {
        let of = ChangeKind::Object;
        match self {
            Change::Add { kind, .. } => of(*kind, Deed::Added),
            Change::Update { kind, properties, .. } => of(*kind, (kind.table().amounts_to)(properties)),
            Change::SwapNames { kind, .. } => of(*kind, Deed::NamesSwapped),
            Change::Delete { kind, .. } => of(*kind, Deed::Deleted),
            Change::Restore { kind, .. } => of(*kind, Deed::Restored),
            Change::Purge { kind, .. } => of(*kind, Deed::Purged),
            Change::Link { relation, .. } => ChangeKind::Edge(*relation, Deed::Added),
            Change::Unlink { relation, .. } => ChangeKind::Edge(*relation, Deed::Removed),
            Change::Append { stream, .. } => ChangeKind::Event(*stream, Deed::Added),
            Change::Rewrite { stream, .. } => ChangeKind::Event(*stream, Deed::Updated),
        }
    }
}

/// What a change amounts to, finer than its form: for counting what a script covered. In JSON and in words it is one
/// name: `userAdded`, `groupRenamed`, `memberRemoved`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum ChangeKind {
    /// Of an object.
    Object(Kind, Deed),
    /// Of an edge.
    Edge(Relation, Deed),
    /// Of an event.
    Event(Stream, Deed),
}

impl ChangeKind {
    /// Every kind that random scripts draw on their own account: of kinds and relations that have turns in them.
    pub fn all() -> Vec<ChangeKind> {
        let with_turns = |deeds: &[(Deed, &[u32])]| deeds.iter().any(|(_, turns)| !turns.is_empty());
        let kinds = Kind::ALL.iter().filter(|kind| with_turns(kind.table().deeds)).copied();
        let relations = Relation::ALL.iter().filter(|relation| with_turns(relation.table().deeds));
        let edges = relations.flat_map(|relation| {
            relation.table().deeds.iter().map(move |(deed, _)| ChangeKind::Edge(*relation, *deed))
        });
        kinds.flat_map(ChangeKind::of).chain(edges).collect()
    }

    /// Everything that scripts do to a kind.
    pub fn of(kind: Kind) -> impl Iterator<Item = ChangeKind> {
        kind.table().deeds.iter().map(move |(deed, _)| ChangeKind::Object(kind, *deed))
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChangeKind::Object(kind, deed) => write!(formatter, "{}{deed:?}", kind.name()),
            ChangeKind::Edge(relation, deed) => write!(formatter, "{}{deed:?}", relation.table().name),
            ChangeKind::Event(stream, deed) => write!(formatter, "{}{deed:?}", stream.name()),
        }
    }
}

impl From<ChangeKind> for String {
    fn from(kind: ChangeKind) -> String {
        let name = kind.to_string();
        name[..1].to_ascii_lowercase() + &name[1..]
    }
}

impl TryFrom<String> for ChangeKind {
    type Error = String;

    fn try_from(name: String) -> Result<ChangeKind, String> {
        let objects = Kind::ALL.iter().flat_map(|kind| Deed::ALL.map(|deed| ChangeKind::Object(*kind, deed)));
        let edges = Relation::ALL.iter().flat_map(|relation| Deed::ALL.map(|deed| ChangeKind::Edge(*relation, deed)));
        let events = Stream::ALL.iter().flat_map(|stream| Deed::ALL.map(|deed| ChangeKind::Event(*stream, deed)));
        let mut all = objects.chain(edges).chain(events);
        all.find(|kind| String::from(*kind) == name).ok_or_else(|| format!("there is no kind of change {name}"))
    }
}

/// What a script did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSummary {
    /// How many changes of each kind were applied.
    pub counts: BTreeMap<ChangeKind, u32>,
    /// The ids of added objects, in the order of the script.
    pub created: Vec<String>,
}

impl ChangeSummary {
    /// How many changes there were in all.
    pub fn total(&self) -> u32 {
        self.counts.values().sum()
    }
}
