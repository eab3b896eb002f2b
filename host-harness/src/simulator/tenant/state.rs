//! What changed since the base tenant, and nothing else: an overlay of altered objects and edited relations.
//!
//! A state is a fold over [`Step`]s. Applying the same steps to an empty state always gives the same tenant, which is how
//! the lagging replica of `World::lists` stays right: it is the same fold, a few steps behind. Positions in a parent's
//! slots never move while somebody pages through them: children that leave become holes, children that join go to the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::simulator::base::Base;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::relations::Relation;
use crate::simulator::streams::Stream;

/// Appended events are numbered from here on.
pub(crate) const APPENDED: u64 = 1 << 40;

/// One event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Event {
    /// When it happened, in seconds since 1970.
    pub(crate) at: u64,
    pub(crate) number: u64,
    /// From when on reads show it.
    pub(crate) visible: u64,
}

/// Whether an object is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Live,
    SoftDeleted,
    Purged,
}

/// The smallest change: what the log keeps and a feed reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Create { object: ObjectRef, fields: BTreeMap<&'static str, Value> },
    Update { object: ObjectRef, fields: BTreeMap<&'static str, Value> },
    SoftDelete { object: ObjectRef, at: u64 },
    Restore { object: ObjectRef },
    Purge { object: ObjectRef },
    Link { relation: Relation, parent: u32, child: ObjectRef },
    Unlink { relation: Relation, parent: u32, child: ObjectRef },
    Append { stream: Stream, event: Event, fields: Map<String, Value> },
    Rewrite { stream: Stream, number: u64, fields: Map<String, Value> },
}

impl Step {
    /// The object whose feed row this step concerns; an edge concerns the parent, and an event none.
    pub(crate) fn object(&self) -> Option<ObjectRef> {
        match self {
            Step::Create { object, .. }
            | Step::Update { object, .. }
            | Step::SoftDelete { object, .. }
            | Step::Restore { object }
            | Step::Purge { object } => Some(*object),
            Step::Link { relation, parent, .. } | Step::Unlink { relation, parent, .. } => {
                Some(ObjectRef { kind: relation.table().parent, number: *parent })
            }
            Step::Append { .. } | Step::Rewrite { .. } => None,
        }
    }
}

/// An event, and what its script said of it.
type Appended = (Event, Map<String, Value>);

/// The overlay.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    objects: HashMap<ObjectRef, Altered>,
    edges: HashMap<(Relation, u32), Edits>,
    /// Appended events in their order, with what they say.
    events: BTreeMap<Stream, Vec<Appended>>,
    /// What became of events, by their number.
    rewritten: HashMap<(Stream, u64), Map<String, Value>>,
    created: BTreeMap<Kind, u32>,
}

/// What is known of an object beyond the base tenant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Altered {
    pub(crate) created: bool,
    pub(crate) presence: Option<Presence>,
    pub(crate) deleted_at: Option<u64>,
    /// Null means cleared.
    pub(crate) fields: BTreeMap<&'static str, Value>,
}

/// What happened to a parent's children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    /// Base children that left.
    left: HashSet<ObjectRef>,
    /// Children that joined, in order; a hole where one left again.
    joined: Vec<Option<ObjectRef>>,
    joined_at: HashMap<ObjectRef, usize>,
}

impl Edits {
    pub(crate) fn has_left(&self, member: ObjectRef) -> bool {
        self.left.contains(&member)
    }

    pub(crate) fn has_joined(&self, member: ObjectRef) -> bool {
        self.joined_at.contains_key(&member)
    }

    pub(crate) fn joined_slots(&self) -> u32 {
        self.joined.len() as u32
    }

    pub(crate) fn joined(&self, slot: u32) -> Option<ObjectRef> {
        self.joined.get(slot as usize).copied().flatten()
    }
}

impl State {
    pub(crate) fn altered(&self, object: ObjectRef) -> Option<&Altered> {
        self.objects.get(&object)
    }

    pub(crate) fn altered_objects(&self) -> impl Iterator<Item = (ObjectRef, &Altered)> {
        self.objects.iter().map(|(object, altered)| (*object, altered))
    }

    pub(crate) fn edits(&self, relation: Relation, parent: u32) -> Option<&Edits> {
        self.edges.get(&(relation, parent))
    }

    pub(crate) fn created(&self, kind: Kind) -> u32 {
        self.created.get(&kind).copied().unwrap_or(0)
    }

    pub(crate) fn appended(&self, stream: Stream) -> impl Iterator<Item = Event> {
        self.events.get(&stream).into_iter().flatten().map(|(event, _)| *event)
    }

    /// What a script said of an event that it appended.
    pub(crate) fn appended_fields(&self, stream: Stream, number: u64) -> Option<&Map<String, Value>> {
        let nth = number.checked_sub(APPENDED)?;
        self.events.get(&stream)?.get(usize::try_from(nth).ok()?).map(|(_, fields)| fields)
    }

    pub(crate) fn rewritten(&self, stream: Stream, number: u64) -> Option<&Map<String, Value>> {
        self.rewritten.get(&(stream, number))
    }

    /// Apply one step. `base` says which edges are there before the first.
    pub(crate) fn apply(&mut self, step: &Step, base: &Base) {
        match step {
            Step::Create { object, fields } => {
                *self.created.entry(object.kind).or_default() += 1;
                let created = Altered { created: true, fields: fields.clone(), ..Altered::default() };
                self.objects.insert(*object, created);
            }
            Step::Update { object, fields } => {
                let altered = self.objects.entry(*object).or_default();
                altered.fields.extend(fields.iter().map(|(name, value)| (*name, value.clone())));
            }
            Step::SoftDelete { object, at } => {
                let altered = self.objects.entry(*object).or_default();
                altered.presence = Some(Presence::SoftDeleted);
                altered.deleted_at = Some(*at);
            }
            Step::Restore { object } => {
                let altered = self.objects.entry(*object).or_default();
                altered.presence = Some(Presence::Live);
                altered.deleted_at = None;
            }
            Step::Purge { object } => self.objects.entry(*object).or_default().presence = Some(Presence::Purged),
            Step::Append { stream, event, fields } => {
                self.events.entry(*stream).or_default().push((*event, fields.clone()));
            }
            Step::Rewrite { stream, number, fields } => {
                self.rewritten.entry((*stream, *number)).or_default().extend(fields.clone());
            }
            Step::Link { relation, parent, child } => {
                let edits = self.edges.entry((*relation, *parent)).or_default();
                if base.has_edge(*relation, *parent, *child) {
                    edits.left.remove(child);
                } else if !edits.has_joined(*child) {
                    edits.joined_at.insert(*child, edits.joined.len());
                    edits.joined.push(Some(*child));
                }
            }
            Step::Unlink { relation, parent, child } => {
                let edits = self.edges.entry((*relation, *parent)).or_default();
                if let Some(at) = edits.joined_at.remove(child) {
                    edits.joined[at] = None;
                } else if base.has_edge(*relation, *parent, *child) {
                    edits.left.insert(*child);
                }
            }
        }
    }
}
