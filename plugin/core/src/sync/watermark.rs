//! What a host stores between runs: the two delta links, and what is needed to judge them and to go on.
//!
//! `u` and `g` are always delta links, byte for byte as Graph gave them, never taken apart or encoded anew: Graph answers a
//! mangled token with the words of an expired one. Page links are positions inside a round and stand in `x`, beside the
//! link the round began with, so that a dead page costs a round and not a Full set. `watermark_text.rs` writes all this down.

use super::lists::{Lists, PLACES};
use crate::error::{Document, Error, Kind, Problem};
use crate::mapping::ObjectId;

/// No watermark is longer, whatever the tenant.
pub(super) const MAX_LENGTH: usize = 64 * 1024;

/// The longest delta link that fits a watermark beside full lists. Graph's have some hundred bytes.
pub(crate) const MAX_LINK: usize = 12 * 1024;

/// Which feed a link belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// `u`.
    Users,
    /// `g`.
    Groups,
}

/// One feed's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedMark {
    /// The delta link; `None`: there has been no whole round yet.
    pub link: Option<String>,
    /// What the link was asked for; `None` in a watermark of just links.
    pub fingerprint: Option<String>,
    /// When Graph gave the link: seconds since 1970, by Graph's clock.
    pub at: Option<u64>,
    /// When the last Full set of this feed began, by Graph's clock.
    pub full: Option<u64>,
    /// Where an interrupted run stands.
    pub position: Option<Position>,
    /// What the next run does once more because of the last Full set.
    pub follow_up: FollowUp,
}

/// What a Full set leaves to the next run, because lists and the recycle bin may have lagged behind it. "Next" is a run after
/// one that ended: a resumed run is the same run, and the lag may not be over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FollowUp {
    /// Nothing.
    #[default]
    Nothing,
    /// The feed was walked in full by the run under way: the next run reads the recycle bin again.
    BinNextRun,
    /// The recycle bin is to be read again.
    Bin,
    /// It was read again; until the round ends, any live row may be that of an object which the bin did not show.
    Wakes,
    /// Lists were read in full by the run under way: the next run reads in full every group that its feed mentions.
    ReadsNextRun,
    /// Every group that the feed mentions is read in full.
    Reads,
}

impl FollowUp {
    /// The run under way has ended.
    fn after_the_run(self) -> FollowUp {
        match self {
            FollowUp::BinNextRun => FollowUp::Bin,
            FollowUp::ReadsNextRun => FollowUp::Reads,
            other => other,
        }
    }

    /// A Delta round of the feed has ended.
    #[must_use]
    pub fn after_a_round(self) -> FollowUp {
        match self {
            FollowUp::Bin | FollowUp::Wakes | FollowUp::Reads => FollowUp::Nothing,
            other => other,
        }
    }
}

impl FeedMark {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == FeedMark::default()
    }
}

/// What a feed's run was doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// Walking the feed.
    #[default]
    Walk,
    /// Reconcile: reading the members of all groups in scope.
    Members,
    /// Reconcile: reading the list of groups.
    Groups,
    /// Reconcile: walking the feed from the old link, on top of both.
    Drain,
}

/// A place inside a round: everything before `page` has been delivered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// What was asked for.
    pub fingerprint: String,
    /// What is being walked.
    pub stage: Stage,
    /// The Full set under way.
    pub set: Option<String>,
    /// The page to go on with; `None`: the first.
    pub page: Option<String>,
    /// When the Full set, or the Reconcile, began; by Graph's clock.
    pub since: Option<u64>,
}

/// Where a run that recomputes memberships stands: the oldest page of groups that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersMark {
    /// Which groups were asked for.
    pub fingerprint: String,
    /// The Full set under way.
    pub set: String,
    /// The page of the list of groups to go on with; `None`: the first.
    pub page: Option<String>,
    /// Groups before that page that were not read whole: a resumed run reads them first.
    pub unread: Vec<ObjectId>,
}

/// What a run starts from or leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watermark {
    /// Directory GUID, lower case; `None` in a watermark of just links.
    pub tenant: Option<String>,
    /// Graph origin; `None` in a watermark of just links.
    pub origin: Option<String>,
    /// The users feed.
    pub users: FeedMark,
    /// The groups feed.
    pub groups: FeedMark,
    /// Recomputed memberships under way.
    pub members: Option<MembersMark>,
    /// What the run under way asks for, all in all; `None` once it is over.
    pub asked: Option<String>,
    /// Object types that it has finished.
    pub done: Vec<String>,
    /// Object types of which it left something unread that no list here names: it is Partial, also once resumed.
    pub lacking: Vec<String>,
    /// Ids to look at again.
    pub lists: Lists,
}

impl Watermark {
    /// A feed's place.
    pub fn feed(&self, key: Key) -> &FeedMark {
        match key {
            Key::Users => &self.users,
            Key::Groups => &self.groups,
        }
    }

    /// A feed's place, to move it.
    pub fn feed_mut(&mut self, key: Key) -> &mut FeedMark {
        match key {
            Key::Users => &mut self.users,
            Key::Groups => &mut self.groups,
        }
    }

    /// Something of this object type was left unread that no list names.
    pub fn lacks(&mut self, object_type: &str) {
        if !self.lacking.iter().any(|name| name == object_type) {
            self.lacking.push(object_type.to_owned());
        }
    }

    /// The members of a group were not read whole by the set that recomputes memberships. Answers whether there was room to
    /// name it.
    pub fn members_unread(&mut self, group: &str) -> bool {
        let (Some(members), Some(group)) = (&mut self.members, ObjectId::parse(group)) else { return false };
        let known = members.unread.contains(&group);
        if !known && members.unread.len() < PLACES {
            members.unread.push(group);
            return true;
        }
        known
    }

    /// They were read after all.
    pub fn members_read(&mut self, group: &str) {
        if let Some(members) = &mut self.members
            && !members.unread.is_empty()
        {
            let group = ObjectId::parse(group);
            members.unread.retain(|unread| Some(*unread) != group);
        }
    }

    /// A fresh Full set of a feed begins: what was known of it is void. A link that was made for another selection is dropped
    /// with it, since the rows of this set are stored from now on, whether or not its End is reached.
    pub fn full_set_begins(&mut self, key: Key, object_type: &str, fingerprint: &str) {
        self.lacking.retain(|name| name != object_type);
        let mark = self.feed_mut(key);
        mark.position = None;
        if mark.fingerprint.as_deref() != Some(fingerprint) {
            *mark = FeedMark::default();
        }
        if key == Key::Groups {
            // Everything is about to be read: nothing is left over from before.
            self.lists.repair.clear();
            self.lists.confirm.clear();
        }
    }

    /// The watermark of a run that has ended: nothing in it asks to be resumed, and the next run is a run of its own.
    pub(super) fn after_the_run(mut self) -> Watermark {
        self.asked = None;
        self.done.clear();
        self.lacking.clear();
        self.lists.restored.run_is_over();
        for key in [Key::Users, Key::Groups] {
            let mark = self.feed_mut(key);
            mark.follow_up = mark.follow_up.after_the_run();
        }
        self
    }
}

/// `InvalidWatermark` with one problem.
pub(super) fn invalid(path: &str, found: impl Into<String>, expected: impl Into<String>) -> Error {
    let (found, expected) = (found.into(), expected.into());
    let message = format!(
        "the watermark cannot be used: found {found}, expected {expected}; import in full, without a watermark"
    );
    let mut error = Error::new(Kind::InvalidWatermark, message);
    error.problems.push(Problem {
        document: Document::Watermark,
        path: path.to_owned(),
        found,
        expected,
        nearest: None,
    });
    error
}
