//! What the reads of one object after the other say together: whether the service is down, and whether scopes that hide
//! their rows hide them from this application.
//!
//! A hidden scope that showed no row may be empty or unreadable, and Graph does not say which. One that shows a row
//! proves the permission, so scopes without rows wait for the end of the set.

use std::collections::BTreeSet;

use super::{Scope, hidden_issue};
use crate::error::Error;
use crate::mapping::{Mode, Records};
use crate::read::lookup::GIVE_UP_AFTER;
use crate::sync::SetWriter;

/// Hidden scopes whose records are queued together. A large tenant has tens of thousands, and all records of them at
/// once would take more memory than a batch.
const SETTLED_AT_ONCE: usize = 500;

/// The reads of one set so far.
#[derive(Debug)]
pub(in crate::read) struct Judgement {
    failures_in_a_row: u32,
    hidden_empty: BTreeSet<String>,
    hidden_seen: bool,
    /// Scopes that may wait for the end of the set.
    places: usize,
}

impl Judgement {
    /// Nothing was read yet; so many scopes may wait.
    pub(in crate::read) fn new(places: usize) -> Judgement {
        Judgement { failures_in_a_row: 0, hidden_empty: BTreeSet::new(), hidden_seen: false, places }
    }

    /// A scope could not be read. Answers whether the rest is not even to be tried.
    pub(in crate::read) fn failed(&mut self) -> bool {
        self.failures_in_a_row += 1;
        self.failures_in_a_row >= GIVE_UP_AFTER
    }

    /// A scope was read to its end. Answers whether its rows are all there are; otherwise it waits for the end of the
    /// set, or, where no more may wait, its Issue is in `records`. `sees_hidden`: the token proves the permission.
    pub(in crate::read) fn read(
        &mut self,
        scope: &Scope,
        sees_hidden: bool,
        writer: &SetWriter<'_>,
        records: &mut Records,
    ) -> bool {
        self.failures_in_a_row = 0;
        self.hidden_seen |= scope.hidden && scope.rows > 0;
        let shown = !scope.hidden || scope.rows > 0 || sees_hidden;
        if shown {
            // Its last read counts: an earlier one may have shown it empty.
            self.hidden_empty.remove(&scope.parent);
        } else if self.hidden_empty.len() < self.places {
            self.hidden_empty.insert(scope.parent.clone());
        } else {
            writer.tally.unread_scope(&scope.parent, true);
            hidden_issue(&scope.parent, records);
        }
        shown
    }

    /// Nothing of the scope is left to judge.
    pub(in crate::read) fn forget(&mut self, scope: &str) {
        self.hidden_empty.remove(scope);
    }

    /// Judges the scopes that waited, at the end of the set.
    pub(in crate::read) fn settle(&self, writer: &SetWriter<'_>, mode: Mode) -> Result<(), Error> {
        let mut scopes = self.hidden_empty.iter().peekable();
        while scopes.peek().is_some() {
            let mut records = writer.records(mode);
            for scope in scopes.by_ref().take(SETTLED_AT_ONCE) {
                if self.hidden_seen {
                    writer.tally.settled_scope(scope);
                    records.scope(scope, true, 0);
                } else {
                    writer.tally.unread_scope(scope, true);
                    hidden_issue(scope, &mut records);
                }
            }
            writer.push(records)?;
        }
        Ok(())
    }
}
