//! What a correct import must hold, read from the tenant's state and not through anything HTTP touches.
//!
//! A truth is a snapshot: scripts applied later do not change it. Iterators compute one row at a time, so that a tenant
//! of any size can be compared. Edges that are hidden from the application are left out.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::events::{Reader, events, row};
use super::state::{Event, State};
use super::view::View;
use crate::simulator::base::Base;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::property::Property;
use crate::simulator::permissions::Permissions;
use crate::simulator::relations::Relation;
use crate::simulator::streams::Stream;
use crate::simulator::workload::Licences;

/// A snapshot of the live tenant.
#[derive(Debug, Clone)]
pub struct Truth {
    base: Arc<Base>,
    state: Arc<State>,
    permissions: Permissions,
    licences: Licences,
    /// Of the kinds that were narrowed down, the numbers that are left.
    kept: BTreeMap<Kind, Arc<HashSet<u32>>>,
}

/// A live object.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TruthObject {
    /// Graph's id.
    pub id: String,
    /// Graph's names and values; null, or an empty array, where there is none.
    pub attributes: Map<String, Value>,
}

/// An edge between a live parent and a live child.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthEdge {
    /// Of which relation.
    pub relation: Relation,
    /// The parent's id.
    pub parent: String,
    /// The child's id.
    pub child: String,
    /// The name of the child's kind: `User`, `Group`, `Device`, …
    pub child_type: &'static str,
}

/// An event of a stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TruthEvent {
    /// Graph's id.
    pub id: String,
    /// When it happened, in seconds since 1970.
    pub at: u64,
    /// From when on reads show it.
    pub visible: u64,
    /// Graph's names and values, as the application may see them.
    pub attributes: Map<String, Value>,
}

impl Truth {
    pub(crate) fn new(base: Arc<Base>, state: Arc<State>, permissions: Permissions, licences: Licences) -> Truth {
        Truth { base, state, permissions, licences, kept: BTreeMap::new() }
    }

    fn view(&self) -> View<'_> {
        View::new(&self.base, &self.state)
    }

    /// Live objects of a kind with every property they can have.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.rows(kind, kind.valued().filter(|property| property.name != "id").collect())
    }

    /// Live objects with these properties only; unknown names are left out.
    pub fn objects_selecting(
        &self,
        kind: Kind,
        properties: &[&str],
    ) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.rows(kind, properties.iter().filter_map(|name| kind.property(name)).collect())
    }

    fn rows(&self, kind: Kind, chosen: Vec<&'static Property>) -> impl Iterator<Item = TruthObject> + Send + use<> {
        let truth = self.clone();
        self.numbers(kind).map(move |number| {
            let object = ObjectRef { kind, number };
            TruthObject { id: truth.view().id(object), attributes: truth.view().row(object, &chosen) }
        })
    }

    fn numbers(&self, kind: Kind) -> impl Iterator<Item = u32> + Send + use<> {
        let truth = self.clone();
        (0..self.view().count(kind)).filter(move |number| {
            truth.view().is_live(ObjectRef { kind, number: *number })
                && truth.kept.get(&kind).is_none_or(|kept| kept.contains(number))
        })
    }

    /// Edges from live parents to live children.
    pub fn edges(&self, relation: Relation) -> impl Iterator<Item = TruthEdge> + Send + use<> {
        let truth = self.clone();
        let kind = relation.table().parent;
        self.numbers(kind).flat_map(move |number| {
            let view = truth.view();
            let hidden = view.hidden_behind(relation, number);
            let readable = hidden.is_none_or(|permission| truth.permissions.allow(&[permission]));
            let parent = view.id(ObjectRef { kind, number });
            let roster = view.children(relation, number);
            let children: Vec<_> = if readable { roster.shown_children().collect() } else { Vec::new() };
            let truth = truth.clone();
            children.into_iter().map(move |child| TruthEdge {
                relation,
                parent: parent.clone(),
                child: truth.view().id(child),
                child_type: child.kind.name(),
            })
        })
    }

    /// The events between two moments, both included and in seconds since 1970, newest first; also those that are not
    /// visible yet.
    pub fn events(&self, stream: Stream, from: u64, to: u64) -> Vec<TruthEvent> {
        let view = self.view();
        let reader = Reader { permissions: &self.permissions, licences: &self.licences };
        let event = |event: Event| {
            let mut attributes = row(view, stream, event, &reader);
            let id = attributes.remove("id").and_then(|id| id.as_str().map(str::to_owned)).unwrap_or_default();
            TruthEvent { id, at: event.at, visible: event.visible, attributes }
        };
        events(view, stream, from, to).map(event).collect()
    }

    /// This truth with the objects of a kind, and the edges from them, for which `keep` holds. Everything else stays.
    #[must_use]
    pub fn with_objects_where(&self, kind: Kind, keep: impl Fn(&TruthObject) -> bool) -> Truth {
        let ids = self.objects(kind).filter(|object| keep(object)).map(|object| object.id);
        let numbers = ids.filter_map(|id| self.base.ids.find(&id)).map(|object| object.number).collect();
        let mut kept = self.kept.clone();
        kept.insert(kind, Arc::new(numbers));
        Truth { kept, ..self.clone() }
    }

    /// How many live objects of a kind there are.
    pub fn count(&self, kind: Kind) -> u64 {
        self.numbers(kind).count() as u64
    }

    /// The truth as lines of JSON, each with its line end: objects that have endpoints of their own, then edges.
    pub fn lines(&self) -> impl Iterator<Item = String> + Send + use<> {
        let (objects, edges) = (self.clone(), self.clone());
        let served = Kind::ALL.iter().copied().filter(|kind| kind.table().served.is_some());
        let objects = served.flat_map(move |kind| {
            objects.objects(kind).map(move |row| {
                format!("{}\n", json!({"ObjectType": kind.name(), "id": row.id, "attributes": row.attributes}))
            })
        });
        let edges = Relation::ALL.iter().flat_map(move |relation| {
            edges.edges(*relation).map(|edge| {
                let table = edge.relation.table();
                let [parent, child, child_type] = table.ends;
                let line = json!({
                    "ObjectType": table.object_type, parent: edge.parent, child: edge.child, child_type: edge.child_type
                });
                format!("{line}\n")
            })
        });
        objects.chain(edges)
    }
}

/// A hash of a set of lines that does not depend on their order, for comparing sets too large to sort.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderFreeHash {
    sum: [u64; 4],
    count: u64,
}

impl OrderFreeHash {
    /// An empty set.
    pub fn new() -> OrderFreeHash {
        OrderFreeHash::default()
    }

    /// Count one line in. The same line twice is another set.
    pub fn add(&mut self, line: &str) {
        let digest = Sha256::digest(line.as_bytes());
        for (sum, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let mut word = [0; 8];
            word.copy_from_slice(bytes);
            *sum = sum.wrapping_add(u64::from_le_bytes(word));
        }
        self.count += 1;
    }

    /// How many lines were counted in.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The hash in hexadecimal digits.
    pub fn finish(&self) -> String {
        self.sum.iter().fold(String::new(), |mut text, word| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{word:016x}");
            text
        })
    }
}
