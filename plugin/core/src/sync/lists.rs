//! Ids of groups and users that the next pages, or the next run, must look at again.
//!
//! *repair*: groups whose members could not be read. *confirm*: groups that were read because of a feed row, since lists may
//! lag behind the feed. *gone*: objects sent as soft-deleted and not since as live or purged; *restored*: those of them that
//! came back, whose edges no feed row brings. A newcomer would keep these in memory: nothing mentions such a group again, so
//! what is lost with a process is wrong for ever. They travel in the watermark, and are therefore bounded.

use crate::mapping::ObjectId;

/// Places that repair and confirm share, and places of *gone*.
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

/// Which kind of object came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A user.
    User,
    /// A group.
    Group,
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
    /// Oldest first; `None` where nobody keeps count (memberships are recomputed).
    pub gone: Option<Vec<ObjectId>>,
    /// Oldest first.
    pub restored: Vec<(Who, ObjectId)>,
    /// More groups are unread than there are places: the link must not move. Not kept.
    pub repairs_overflow: bool,
    /// More groups wait for a second read than there are places. Not kept.
    pub confirms_overflow: bool,
}

impl Lists {
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

    /// Takes note of what a feed row says.
    pub fn saw(&mut self, who: Who, id: ObjectId, sign: Sign) {
        let Some(gone) = &mut self.gone else { return };
        let known = gone.iter().position(|known| *known == id);
        match sign {
            Sign::SoftDeleted => {
                self.restored.retain(|(_, back)| *back != id);
                if known.is_none() {
                    if gone.len() >= PLACES {
                        gone.remove(0);
                    }
                    gone.push(id);
                }
            }
            Sign::Purged => {
                self.restored.retain(|(_, back)| *back != id);
                known.map(|at| gone.remove(at));
            }
            Sign::Live => {
                if let Some(at) = known {
                    gone.remove(at);
                    if self.restored.len() < PLACES {
                        self.restored.push((who, id));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn an_object_that_comes_back_is_restored_once() {
        let mut lists = Lists { gone: Some(Vec::new()), ..Lists::default() };
        lists.saw(Who::User, id(1), Sign::Live);
        assert!(lists.restored.is_empty(), "it was never gone");
        lists.saw(Who::User, id(1), Sign::SoftDeleted);
        lists.saw(Who::User, id(1), Sign::Live);
        lists.saw(Who::User, id(1), Sign::Live);
        assert_eq!(lists.restored, [(Who::User, id(1))]);
        lists.saw(Who::User, id(1), Sign::Purged);
        assert!(lists.restored.is_empty());
    }

    #[test]
    fn the_oldest_of_the_gone_leaves_first() {
        let mut lists = Lists { gone: Some(Vec::new()), ..Lists::default() };
        (0..501).for_each(|n| lists.saw(Who::User, id(n), Sign::SoftDeleted));
        let gone = lists.gone.unwrap();
        assert_eq!((gone.len(), gone[0]), (500, id(1)));
    }
}
