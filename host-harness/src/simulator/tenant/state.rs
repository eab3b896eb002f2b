//! What changed since the base tenant, and nothing else: an overlay of altered objects and edited memberships.
//!
//! A state is a fold over [`Step`]s. Applying the same steps to an empty state always gives the same tenant, which is how
//! the lagging replica of `World::lists` stays right: it is the same fold, a few steps behind. Positions in a group's
//! slots never move while somebody pages through them: members that leave become holes, members that join go to the end.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};

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
    Join { group: u32, member: ObjectRef },
    Leave { group: u32, member: ObjectRef },
}

impl Step {
    /// The object whose feed row this step concerns; a membership concerns the group.
    pub(crate) fn object(&self) -> ObjectRef {
        match self {
            Step::Create { object, .. }
            | Step::Update { object, .. }
            | Step::SoftDelete { object, .. }
            | Step::Restore { object }
            | Step::Purge { object } => *object,
            Step::Join { group, .. } | Step::Leave { group, .. } => ObjectRef::group(*group),
        }
    }
}

/// The overlay.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    objects: HashMap<ObjectRef, Altered>,
    memberships: HashMap<u32, Edits>,
    created_users: u32,
    created_groups: u32,
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

/// What happened to a group's members.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edits {
    /// Base members that left.
    left: HashSet<ObjectRef>,
    /// Members that joined, in order; a hole where one left again.
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

    pub(crate) fn edits(&self, group: u32) -> Option<&Edits> {
        self.memberships.get(&group)
    }

    pub(crate) fn created(&self, kind: ObjectKind) -> u32 {
        match kind {
            ObjectKind::User => self.created_users,
            ObjectKind::Group => self.created_groups,
            _ => 0,
        }
    }

    /// Apply one step. `base_member` says whether an object is in a group of the base tenant.
    pub(crate) fn apply(&mut self, step: &Step, base_member: impl Fn(u32, ObjectRef) -> bool) {
        match step {
            Step::Create { object, fields } => {
                match object.kind {
                    ObjectKind::User => self.created_users += 1,
                    ObjectKind::Group => self.created_groups += 1,
                    _ => {}
                }
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
            Step::Join { group, member } => {
                let edits = self.memberships.entry(*group).or_default();
                if base_member(*group, *member) {
                    edits.left.remove(member);
                } else if !edits.has_joined(*member) {
                    edits.joined_at.insert(*member, edits.joined.len());
                    edits.joined.push(Some(*member));
                }
            }
            Step::Leave { group, member } => {
                let edits = self.memberships.entry(*group).or_default();
                if let Some(at) = edits.joined_at.remove(member) {
                    edits.joined[at] = None;
                } else if base_member(*group, *member) {
                    edits.left.insert(*member);
                }
            }
        }
    }
}
