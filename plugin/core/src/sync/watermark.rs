//! What a host stores between runs: the two delta links, and what is needed to judge them and to go on.
//!
//! `u` and `g` are always delta links, byte for byte as Graph gave them, never taken apart or encoded anew: Graph answers a
//! mangled token with the words of an expired one. Page links are positions inside a round and stand in `x`, beside the
//! link the round began with, so that a dead page costs a round and not a Full set. `watermark_text.rs` writes all this down.

use super::lists::Lists;
use crate::error::{Document, Error, Kind, Problem};

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
