//! Memberships that come with the groups feed: the groups whose members are read all the same, and what becomes of
//! them.
//!
//! Here only a removed row of the feed says that a group is gone. A group that cannot be read, whatever the reason,
//! goes on the repair list; one that was read because of a feed row goes on the confirm list, since lists may lag
//! behind the feed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::hidden::sees_hidden;
use super::scope::MEMBERS;
use crate::error::Error;
use crate::mapping::{Mode, ObjectId, Reason};
use crate::read::children::{ChildrenReader, Closing, Judgement, Reading, Scope, unread_issue};
use crate::read::run::Run;
use crate::sync::{OVERDUE, Set, SetWriter};
use crate::types::GROUP_MEMBER;

/// The set of `GroupMember` that goes with a round of groups.
pub(super) struct Followed<'a> {
    pub(super) run: Run<'a>,
    pub(super) writer: SetWriter<'a>,
    /// The token proves the permission to read hidden members: a hidden group that shows none has none.
    sees_hidden: bool,
    judgement: Mutex<Judgement>,
}

/// Why members of a group are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// A row of the feed named it: to be read once more in the next run.
    Feed,
    /// It stood on a list of the watermark.
    Again,
}

impl<'a> Followed<'a> {
    pub(super) fn new(run: Run<'a>) -> Followed<'a> {
        Followed {
            run,
            writer: run.writer(&GROUP_MEMBER),
            sees_hidden: sees_hidden(run.graph),
            judgement: Mutex::new(Judgement::new(usize::MAX)),
        }
    }

    fn judgement(&self) -> MutexGuard<'_, Judgement> {
        self.judgement.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, set: &Set) -> Result<(), Error> {
        *self.judgement() = Judgement::new(usize::MAX);
        let attributes: Vec<String> = GROUP_MEMBER.attributes.iter().map(|a| a.name.to_owned()).collect();
        self.writer.begin(set, Reason::Removed, &attributes, |_| {})
    }

    /// Reads these groups; each ends with a Scope.
    pub(super) fn read(&self, scopes: Vec<Scope>, mode: Mode, why: Why) -> Result<(), Error> {
        if scopes.is_empty() {
            return Ok(());
        }
        ChildrenReader { run: self.run, writer: self.writer, mode, source: &MEMBERS }
            .read_these(scopes, &Closer { of: self, mode, why })
    }

    /// A group that a feed row named and that cannot be read: the next run begins with it.
    pub(super) fn unread(&self, scope: &Scope, mode: Mode, error: &Error) -> Result<(), Error> {
        let mut failures = 0;
        if let Some(group) = ObjectId::parse(&scope.parent) {
            failures = self.writer.ledger.with(|mark| {
                mark.lists.unread(group);
                mark.lists.confirmed(group);
                mark.lists.failures(group)
            });
        }
        let message = if failures >= OVERDUE {
            format!(
                "not read in {failures} tries, and tried again with every import; look at this group: {}",
                error.message
            )
        } else {
            error.message.clone()
        };
        let mut records = self.writer.records(mode);
        self.writer.tally.unread_scope(&scope.parent, false);
        unread_issue(&scope.parent, error, &message, &mut records);
        records.scope(&scope.parent, false, scope.rows);
        self.writer.push(records)
    }

    /// A group left the scope, or is gone: nothing of it is left to read.
    pub(super) fn forget(&self, group: ObjectId) {
        let group = group.to_string();
        self.judgement().forget(&group);
        self.writer.tally.settled_scope(&group);
    }

    /// Judges the hidden groups that showed no member, at the end of the set.
    pub(super) fn settle(&self, mode: Mode) -> Result<(), Error> {
        self.judgement().settle(&self.writer, mode)
    }
}

struct Closer<'a, 'f> {
    of: &'f Followed<'a>,
    mode: Mode,
    why: Why,
}

impl Closing for Closer<'_, '_> {
    fn close(&self, scope: &Scope, outcome: Reading) -> Result<(), Error> {
        let error = match outcome {
            Reading::Whole => return self.whole(scope),
            Reading::Gone(error) | Reading::Unread(error) => error,
        };
        let give_up = self.of.judgement().failed();
        self.of.unread(scope, self.mode, &error)?;
        if give_up { Err(error) } else { Ok(()) }
    }
}

impl Closer<'_, '_> {
    fn whole(&self, scope: &Scope) -> Result<(), Error> {
        let writer = &self.of.writer;
        let mut records = writer.records(self.mode);
        let shown = self.of.judgement().read(scope, self.of.sees_hidden, writer, &mut records);
        if shown {
            writer.tally.settled_scope(&scope.parent);
        }
        records.scope(&scope.parent, shown, scope.rows);
        writer.push(records)?;
        if let Some(group) = ObjectId::parse(&scope.parent) {
            writer.ledger.with(|mark| {
                mark.lists.repaired(group);
                match self.why {
                    Why::Feed => mark.lists.to_confirm(group),
                    Why::Again => mark.lists.confirmed(group),
                }
            });
        }
        Ok(())
    }
}
