//! Memberships that come with the groups feed: the groups whose members are read all the same, and what becomes of them.
//!
//! Here only a removed row of the feed says that a group is gone. A group that cannot be read, whatever the reason, goes on
//! the repair list; one that was read because of a feed row goes on the confirm list, since lists may lag behind the feed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::importer::scopes::{Closing, GIVE_UP_AFTER, MembersReader, Outcome, Scope, hidden_issue, unread_issue};
use crate::importer::{Run, sees_hidden};
use crate::mapping::{Mode, ObjectId, Reason};
use crate::sync::{OVERDUE, Set, SetWriter};
use crate::types::GROUP_MEMBER;

/// The set of `GroupMember` that goes with a round of groups.
pub(super) struct Followed<'a> {
    pub(super) run: Run<'a>,
    pub(super) writer: SetWriter<'a>,
    /// The token proves the permission to read hidden members: a hidden group that shows none has none.
    sees_hidden: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures_in_a_row: u32,
    hidden_empty: BTreeSet<String>,
    hidden_seen: bool,
}

/// Hidden groups whose records are queued together. A large tenant has tens of thousands, and all records of them at
/// once would take more memory than a batch.
const SETTLED_AT_ONCE: usize = 500;

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
            writer: run.writer(GROUP_MEMBER.name),
            sees_hidden: sees_hidden(run.graph),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self, set: &Set) -> Result<(), Error> {
        *self.state() = State::default();
        let attributes: Vec<String> = GROUP_MEMBER.attributes.iter().map(|a| a.name.to_owned()).collect();
        self.writer.begin(set, Reason::Removed, &attributes, |_| {})
    }

    /// Reads these groups; each ends with a Scope.
    pub(super) fn read(&self, scopes: Vec<Scope>, mode: Mode, why: Why) -> Result<(), Error> {
        if scopes.is_empty() {
            return Ok(());
        }
        MembersReader { run: self.run, writer: self.writer, mode }.read_these(scopes, &Closer { of: self, mode, why })
    }

    /// A group that a feed row named and that cannot be read: the next run begins with it.
    pub(super) fn unread(&self, scope: &Scope, mode: Mode, error: &Error) -> Result<(), Error> {
        let mut failures = 0;
        if let Some(group) = ObjectId::parse(&scope.group) {
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
        self.writer.tally.unread_scope(&scope.group, false);
        unread_issue(&scope.group, error, &message, &mut records);
        records.scope(&scope.group, false, scope.rows);
        self.writer.push(records)
    }

    /// A group left the scope, or is gone: nothing of it is left to read.
    pub(super) fn forget(&self, group: ObjectId) {
        let group = group.to_string();
        self.state().hidden_empty.retain(|other| *other != group);
        self.writer.tally.settled_scope(&group);
    }

    /// Judges the hidden groups that showed no member, at the end of the set.
    pub(super) fn settle(&self, mode: Mode) -> Result<(), Error> {
        let state = std::mem::take(&mut *self.state());
        let mut groups = state.hidden_empty.iter().peekable();
        while groups.peek().is_some() {
            let mut records = self.writer.records(mode);
            for group in groups.by_ref().take(SETTLED_AT_ONCE) {
                if state.hidden_seen {
                    self.writer.tally.settled_scope(group);
                    records.scope(group, true, 0);
                } else {
                    self.writer.tally.unread_scope(group, true);
                    hidden_issue(group, &mut records);
                }
            }
            self.writer.push(records)?;
        }
        Ok(())
    }
}

struct Closer<'a, 'f> {
    of: &'f Followed<'a>,
    mode: Mode,
    why: Why,
}

impl Closing for Closer<'_, '_> {
    fn close(&self, scope: &Scope, outcome: Outcome) -> Result<(), Error> {
        let error = match outcome {
            Outcome::Whole => return self.whole(scope),
            Outcome::Gone(error) | Outcome::Unread(error) => error,
        };
        let give_up = {
            let mut state = self.of.state();
            state.failures_in_a_row += 1;
            state.failures_in_a_row >= GIVE_UP_AFTER
        };
        self.of.unread(scope, self.mode, &error)?;
        if give_up { Err(error) } else { Ok(()) }
    }
}

impl Closer<'_, '_> {
    fn whole(&self, scope: &Scope) -> Result<(), Error> {
        let shown = !scope.hidden || scope.rows > 0 || self.of.sees_hidden;
        let mut state = self.of.state();
        state.failures_in_a_row = 0;
        state.hidden_seen |= scope.hidden && scope.rows > 0;
        if shown {
            // Its last Scope counts: an earlier read may have shown it empty.
            state.hidden_empty.remove(&scope.group);
            self.of.writer.tally.settled_scope(&scope.group);
        } else {
            state.hidden_empty.insert(scope.group.clone());
        }
        drop(state);
        let writer = &self.of.writer;
        let mut records = writer.records(self.mode);
        records.scope(&scope.group, shown, scope.rows);
        writer.push(records)?;
        if let Some(group) = ObjectId::parse(&scope.group) {
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
