//! Where a feed stands after a whole round.

use crate::sync::{FollowUp, TypeMark};

/// The feed's place after a whole round. The time of the last Full set is kept through Delta rounds; `full` says
/// whether this one was, and what that leaves to the next run.
pub(in crate::read) fn settle(mark: &mut TypeMark, moved: TypeMark, full: Option<FollowUp>) {
    let began = moved.full.or(mark.full).or(moved.at);
    let follow_up = full.unwrap_or(mark.follow_up.after_a_round());
    *mark = TypeMark { full: began, follow_up, ..moved };
}
