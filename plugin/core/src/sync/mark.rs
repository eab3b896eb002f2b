//! What a watermark keeps of one object type: how far its last runs came, and where an interrupted one stands.
//!
//! A delta link is kept byte for byte as Graph gave it, never taken apart or encoded anew: Graph answers a mangled
//! token with the words of an expired one. A page link is a place inside a round and stands beside the link the round
//! began with, so that a dead page costs a round and not a Full set.

use crate::mapping::ObjectId;

/// The longest delta link that a watermark keeps, as JSON writes it. Graph's have some hundred bytes.
const MAX_LINK: usize = 8 * 1024;

/// Whether a watermark has room for this delta link.
pub(crate) fn has_room_for(link: &str) -> bool {
    json_length(link) <= MAX_LINK
}

/// The bytes of a text between its quotes in JSON.
pub(super) fn json_length(text: &str) -> usize {
    serde_json::to_string(text).map_or(usize::MAX, |json| json.len() - 2)
}

/// What is kept of one object type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeMark {
    /// The delta link; `None`: there has been no whole round yet, or the type has none.
    pub link: Option<String>,
    /// What the link was asked for; `None` in a watermark of just links.
    pub fingerprint: Option<String>,
    /// When Graph gave the link: seconds since 1970, by Graph's clock.
    pub at: Option<u64>,
    /// When the last Full set began, by Graph's clock.
    pub full: Option<u64>,
    /// Where an interrupted run stands.
    pub position: Option<Position>,
    /// Scopes before that position that were not read whole: a resumed run reads them first.
    pub unread: Vec<ObjectId>,
    /// What the next run does once more because of the last Full set.
    pub follow_up: FollowUp,
}

impl TypeMark {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == TypeMark::default()
    }
}

/// What a Full set leaves to the next run, because lists and the recycle bin may have lagged behind it. "Next" is a run
/// after one that ended: a resumed run is the same run, and the lag may not be over.
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
    pub(super) fn after_the_run(self) -> FollowUp {
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

/// What a run of an object type was doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// Walking the feed or the list.
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
