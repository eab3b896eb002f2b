//! Objects that were soft-deleted, and those of them that came back.
//!
//! Restoring an object brings no membership rows, so the groups of a restored object are asked for. That needs memory
//! of the soft-deleted ones, which travels in the watermark and is therefore bounded. The mistake that is easy to make
//! here is to drop what does not fit: a restored object that is not looked up stays without its access. What does not
//! fit is recorded as `incomplete` or `lost`, and more is then read instead.

use std::collections::{HashSet, VecDeque};

use super::fingerprint::hash_of;
use crate::mapping::ObjectId;
use crate::types::ObjectType;

/// Soft-deleted objects that a watermark names.
pub(crate) const GONE_PLACES: usize = 1500;

/// Soft-deleted objects that are kept although the recycle bin does not list them.
const RECENT: usize = 500;

/// Restored objects that a watermark names.
pub(crate) const RESTORED_PLACES: usize = 500;

/// Restored objects that one run looks up one by one. Beyond that, reading all memberships costs less.
const LOOK_UPS: usize = 2000;

/// 48 bits of an id. Two objects that share them cost one lookup too many.
pub(super) type ShortId = [u8; 6];

/// From the hash of the id: ids of one tenant may share their first bytes.
fn short(id: ObjectId) -> ShortId {
    let hash = hash_of(&id.0);
    let mut short = [0; 6];
    short.copy_from_slice(&(hash ^ (hash >> 48)).to_be_bytes()[2..]);
    short
}

/// The soft-deleted objects that hosts were told of and that are neither live nor purged since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gone {
    /// Oldest first.
    order: VecDeque<ShortId>,
    known: HashSet<ShortId>,
    /// Some did not fit: any live row may be that of a restored object.
    pub incomplete: bool,
}

impl Gone {
    /// From a watermark.
    pub(super) fn of(ids: impl IntoIterator<Item = ShortId>, incomplete: bool) -> Gone {
        let mut gone = Gone { incomplete, ..Gone::default() };
        ids.into_iter().for_each(|id| gone.add(id));
        gone
    }

    /// From a watermark that held whole ids.
    pub(super) fn of_ids(ids: impl IntoIterator<Item = ObjectId>) -> Gone {
        Gone::of(ids.into_iter().map(short), false)
    }

    /// For a watermark, oldest first.
    pub(super) fn ids(&self) -> impl Iterator<Item = ShortId> + '_ {
        self.order.iter().copied()
    }

    /// Whether the object is soft-deleted.
    pub fn holds(&self, id: ObjectId) -> bool {
        self.known.contains(&short(id))
    }

    fn add(&mut self, id: ShortId) {
        if !self.known.insert(id) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > GONE_PLACES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
            self.incomplete = true;
        }
    }

    pub(super) fn insert(&mut self, id: ObjectId) {
        self.add(short(id));
    }

    /// The recycle bin was read anew and holds these. Of what was known before, the newest are kept beside them: the
    /// bin's list may lag.
    pub(super) fn rebuild(&mut self, ids: &[ObjectId]) {
        let recent = self.order.len().saturating_sub(RECENT);
        let recent: Vec<ShortId> = self.order.iter().skip(recent).copied().collect();
        *self = Gone::of(ids.iter().copied().map(short).chain(recent), false);
    }

    /// Answers whether it was there.
    pub(super) fn remove(&mut self, id: ObjectId) -> bool {
        let id = short(id);
        let known = self.known.remove(&id);
        if known {
            self.order.retain(|other| *other != id);
        }
        known
    }
}

/// How far the lookups of a restored object have come. The list of its groups may be older than its restore, so it is
/// read in two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Not looked up yet.
    Pending,
    /// Looked up in this run. A resumed run is the same run.
    Done,
    /// Looked up in an earlier run, to be looked up for the second and last time.
    Again,
}

/// An object that came back from the recycle bin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// What it is.
    pub object_type: &'static ObjectType,
    /// Its id.
    pub id: ObjectId,
    /// How far its lookups have come.
    pub look: Look,
    /// A user whose row lacked attributes and that could not be read by id: to be read by the next run.
    pub thin: bool,
}

/// The restored objects of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoredObjects {
    /// Oldest first.
    pub all: Vec<Restored>,
    /// Restored objects were dropped, here or by a watermark: only reading all memberships finds theirs.
    pub lost: bool,
}

impl RestoredObjects {
    /// Adds an object that came back.
    pub(super) fn add(&mut self, object_type: &'static ObjectType, id: ObjectId) {
        if let Some(known) = self.all.iter_mut().find(|restored| restored.id == id) {
            known.look = Look::Pending;
        } else if self.all.len() >= LOOK_UPS {
            self.lost = true;
        } else {
            self.all.push(Restored { object_type, id, look: Look::Pending, thin: false });
        }
    }

    /// The object was deleted again.
    pub(super) fn remove(&mut self, id: ObjectId) {
        self.all.retain(|restored| restored.id != id);
    }

    /// The groups of an object were read. Nothing that stays on the list is due again in this run.
    pub fn looked_up(&mut self, id: ObjectId) {
        self.all.retain_mut(|restored| {
            if restored.id != id {
                return true;
            }
            let over = restored.look == Look::Again && !restored.thin;
            restored.look = Look::Done;
            !over
        });
    }

    /// Users whose row lacked attributes: `true` while their attributes are still to be read.
    pub fn set_thin(&mut self, id: ObjectId, thin: bool) {
        self.all.iter_mut().filter(|restored| restored.id == id).for_each(|restored| restored.thin = thin);
    }

    /// The run is over: the next one takes the second look.
    pub(super) fn run_is_over(&mut self) {
        for restored in &mut self.all {
            if restored.look == Look::Done {
                restored.look = Look::Again;
            }
        }
    }

    /// Whether a watermark cannot name them all.
    pub fn is_too_long(&self) -> bool {
        self.lost || self.all.len() > RESTORED_PLACES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::USER;

    fn id(n: u16) -> ObjectId {
        let mut bytes = [0; 16];
        bytes[14..].copy_from_slice(&n.to_be_bytes());
        ObjectId(bytes)
    }

    #[test]
    fn soft_deleted_object_beyond_the_places_makes_the_list_incomplete() {
        let mut gone = Gone::default();
        (0..1500).for_each(|n| gone.insert(id(n)));
        assert!(!gone.incomplete && gone.holds(id(0)));
        gone.insert(id(1500));
        assert!(gone.incomplete && !gone.holds(id(0)) && gone.holds(id(1500)));
    }

    #[test]
    fn recycle_bin_that_fits_again_makes_the_list_complete() {
        let mut gone = Gone::of_ids((0..1600).map(id));
        assert!(gone.incomplete);
        gone.rebuild(&[id(3), id(4)]);
        assert!(!gone.incomplete && gone.holds(id(3)) && gone.holds(id(1599)) && !gone.holds(id(500)));
    }

    #[test]
    fn restored_object_is_looked_up_in_two_runs() {
        let mut restored = RestoredObjects::default();
        restored.add(&USER, id(1));
        restored.looked_up(id(1));
        assert_eq!(restored.all[0].look, Look::Done, "the same run does not look twice");
        restored.run_is_over();
        assert_eq!(restored.all[0].look, Look::Again);
        restored.looked_up(id(1));
        assert!(restored.all.is_empty());
    }

    #[test]
    fn restored_user_with_missing_attributes_stays_until_it_was_read() {
        let mut restored = RestoredObjects::default();
        restored.add(&USER, id(1));
        restored.set_thin(id(1), true);
        restored.looked_up(id(1));
        restored.run_is_over();
        restored.looked_up(id(1));
        assert_eq!(restored.all[0].look, Look::Done, "once in each run");
        restored.run_is_over();
        restored.set_thin(id(1), false);
        restored.looked_up(id(1));
        assert!(restored.all.is_empty());
    }

    #[test]
    fn more_restored_objects_than_a_run_looks_up_are_lost_and_say_so() {
        let mut restored = RestoredObjects::default();
        (0..2000).for_each(|n| restored.add(&USER, id(n)));
        assert!(!restored.lost && restored.is_too_long());
        restored.add(&USER, id(2000));
        assert!(restored.lost);
    }
}
