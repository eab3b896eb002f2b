//! Ids of groups and users that the next pages, or the next run, must look at again.
//!
//! *repair*: groups whose members could not be read. *confirm*: groups that were read because of a feed row, since
//! lists may lag behind the feed. *gone* and *restored*: see `restored.rs`. Nothing in a feed mentions such an object
//! again, so they must not be kept in memory alone: they travel in the watermark, and are therefore bounded.

use super::restored::{Gone, RestoredObjects};
use crate::mapping::ObjectId;
use crate::types::ObjectType;

/// Places that repair and confirm share.
pub(crate) const PLACES: usize = 500;

/// Runs after which a group that could not be read is also reported.
pub(crate) const OVERDUE: u8 = 5;

/// A group whose members could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair {
    /// The group.
    pub group: ObjectId,
    /// How often it has failed.
    pub failures: u8,
}

/// What a feed row says about an object's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// In the recycle bin.
    SoftDeleted,
    /// Gone for good.
    Purged,
    /// There.
    Live,
}

/// The lists of a watermark.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Oldest first.
    pub repair: Vec<Repair>,
    /// Oldest first.
    pub confirm: Vec<ObjectId>,
    /// `None` while memberships are recomputed.
    pub gone: Option<Gone>,
    /// Objects of *gone* that came back.
    pub restored: RestoredObjects,
    /// More groups are unread than there are places: the link must not move. Not kept.
    pub repairs_overflow: bool,
    /// More groups wait for a second read than there are places. Not kept.
    pub confirms_overflow: bool,
}

impl Lists {
    /// A set begins that reads everything: nothing is left over from before.
    pub fn nothing_left_over(&mut self) {
        self.repair.clear();
        self.confirm.clear();
    }

    /// Puts a group on the repair list, or counts one more failure. Repairs push confirms out.
    pub fn unread(&mut self, group: ObjectId) {
        if let Some(known) = self.repair.iter_mut().find(|r| r.group == group) {
            known.failures = known.failures.saturating_add(1);
        } else if self.repair.len() >= PLACES {
            self.repairs_overflow = true;
        } else {
            self.repair.push(Repair { group, failures: 1 });
            if self.repair.len() + self.confirm.len() > PLACES {
                self.confirm.pop();
                self.confirms_overflow = true;
            }
        }
    }

    /// Puts a group on the confirm list.
    pub fn to_confirm(&mut self, group: ObjectId) {
        if self.confirm.contains(&group) {
            return;
        }
        if self.repair.len() + self.confirm.len() >= PLACES {
            self.confirms_overflow = true;
        } else {
            self.confirm.push(group);
        }
    }

    /// The members of a group were read: nothing is left to repair.
    pub fn repaired(&mut self, group: ObjectId) {
        self.repair.retain(|r| r.group != group);
    }

    /// The second read of a group was done.
    pub fn confirmed(&mut self, group: ObjectId) {
        self.confirm.retain(|id| *id != group);
    }

    /// Nothing is to be read of this group any more.
    pub fn forget(&mut self, group: ObjectId) {
        self.repaired(group);
        self.confirmed(group);
    }

    /// How often reading this group has failed.
    pub fn failures(&self, group: ObjectId) -> u8 {
        self.repair.iter().find(|r| r.group == group).map_or(0, |r| r.failures)
    }

    /// The recycle bin was read and holds these. An object that a feed showed live meanwhile stays restored: the bin
    /// may lag.
    pub fn bin_holds(&mut self, ids: &[ObjectId]) {
        let Some(gone) = &mut self.gone else { return };
        if gone.incomplete {
            gone.rebuild(ids);
        } else {
            for id in ids {
                gone.insert(*id);
            }
        }
    }

    /// Whether the object was last seen in the recycle bin.
    pub fn is_gone(&self, id: ObjectId) -> bool {
        self.gone.as_ref().is_some_and(|gone| gone.holds(id))
    }

    /// Records what a feed row says. With `wakes` any live row is taken for that of a restored object.
    pub fn saw(&mut self, object_type: &'static ObjectType, id: ObjectId, sign: Sign, wakes: bool) {
        let Some(gone) = &mut self.gone else { return };
        match sign {
            Sign::SoftDeleted => {
                self.restored.remove(id);
                gone.insert(id);
            }
            Sign::Purged => {
                self.restored.remove(id);
                gone.remove(id);
            }
            Sign::Live => {
                let known = gone.remove(id);
                if known || wakes && !self.restored.all.iter().any(|restored| restored.id == id) {
                    self.restored.add(object_type, id);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::USER;

    fn id(n: u16) -> ObjectId {
        let mut bytes = [0; 16];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        ObjectId(bytes)
    }

    #[test]
    fn repairs_push_confirms_out_and_say_so() {
        let mut lists = Lists::default();
        (0..500).for_each(|n| lists.to_confirm(id(n)));
        assert!(!lists.confirms_overflow);
        lists.unread(id(1000));
        assert_eq!((lists.repair.len(), lists.confirm.len(), lists.confirms_overflow), (1, 499, true));
        lists.to_confirm(id(2000));
        assert!(!lists.confirm.contains(&id(2000)));
    }

    #[test]
    fn more_repairs_than_places_are_an_overflow_and_lose_none_that_were_there() {
        let mut lists = Lists::default();
        (0..501).for_each(|n| lists.unread(id(n)));
        assert!(lists.repairs_overflow && lists.repair.len() == 500 && lists.repair[0].group == id(0));
        lists.unread(id(0));
        assert_eq!(lists.failures(id(0)), 2);
    }

    #[test]
    fn object_that_comes_back_is_restored_once() {
        let mut lists = Lists { gone: Some(Gone::default()), ..Lists::default() };
        lists.saw(&USER, id(1), Sign::Live, false);
        assert!(lists.restored.all.is_empty(), "it was never gone");
        lists.saw(&USER, id(1), Sign::SoftDeleted, false);
        lists.saw(&USER, id(1), Sign::Live, false);
        lists.saw(&USER, id(1), Sign::Live, false);
        assert_eq!(lists.restored.all.iter().map(|restored| restored.id).collect::<Vec<_>>(), [id(1)]);
        lists.saw(&USER, id(1), Sign::Purged, false);
        assert!(lists.restored.all.is_empty());
    }

    #[test]
    fn any_live_row_counts_as_restored_where_the_bin_may_have_lagged() {
        let mut lists = Lists { gone: Some(Gone::default()), ..Lists::default() };
        lists.saw(&USER, id(1), Sign::Live, true);
        lists.saw(&USER, id(1), Sign::Live, true);
        assert_eq!(lists.restored.all.len(), 1);
    }
}
