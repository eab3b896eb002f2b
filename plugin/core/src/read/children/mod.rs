//! Members of groups, read through `$batch`: who is in each group, and how its Scope closes.
//!
//! `reader` reads pages of members and delivers edges; what a group's end means (delivered whole, gone, not readable)
//! is decided by a [`Closing`], since recomputed memberships and followed ones decide differently. Reads carry
//! `ConsistencyLevel: eventual` and `$count=true`, because plain ones leave service principals out without a word.

mod judgement;
mod queue;
mod reader;

use crate::code::Code;
use crate::error::Error;
use crate::mapping::{Issue, Records};
use crate::types::ObjectType;

pub(super) use judgement::Judgement;
pub(super) use queue::{Scope, ScopeQueue};
pub(super) use reader::ChildrenReader;

/// What is read of each object.
#[derive(Debug)]
pub(super) struct Source {
    /// The collection of the objects, `/groups`.
    pub(super) parents: &'static str,
    /// Behind the object's id: `members?$select=id`.
    pub(super) children: &'static str,
    /// The edges that its rows become.
    pub(super) object_type: &'static ObjectType,
}

/// How the reading of one group ended.
#[derive(Debug)]
pub(super) enum Reading {
    /// All its members were delivered.
    Whole,
    /// Neither its members nor the group itself are there.
    Gone(Error),
    /// Its members could not be read to the end; what was delivered is true.
    Unread(Error),
}

/// Decides what the end of a group's reading means, and writes its Scope.
pub(super) trait Closing: Sync {
    /// An error ends all reading.
    fn close(&self, scope: &Scope, outcome: Reading) -> Result<(), Error>;
}

/// Writes the Issue of a group whose members could not be read.
pub(super) fn unread_issue(group: &str, error: &Error, message: &str, records: &mut Records) {
    records.issue(&Issue {
        scope: Some(group),
        source_id: None,
        code: Code::MembersUnread,
        message,
        request_id: error.request_id(),
    });
}

/// Writes the Issue of a group that hides its members and showed none.
pub(super) fn hidden_issue(group: &str, records: &mut Records) {
    records.issue(&Issue {
        scope: Some(group),
        source_id: None,
        code: Code::HiddenMembership,
        message: "the group hides its members and none came: grant the application permission Member.Read.Hidden to read them; nothing was removed",
        request_id: None,
    });
}
