//! What one object type has delivered, counted while it runs: the source of its `End` and of its line in the result.
//!
//! An `End` counts what came since its Begin, the result what came in the run: a type may send several sets (a Reconcile, a
//! round that was restarted). Several threads count at once, since members of groups are read concurrently.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::mapping::{Counts, Mode, Written};

/// The counts of one object type in this run.
#[derive(Debug)]
pub struct Tally {
    object_type: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    mode: Option<Mode>,
    open: bool,
    complete: bool,
    set: Written,
    before: Written,
    /// Scopes were left unread for another reason than hidden membership.
    lacking: bool,
    failure: Option<Error>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeTotals {
    /// Its name.
    pub object_type: &'static str,
    /// `Full` if any set was; `None`: it never began.
    pub mode: Option<Mode>,
    /// Whether its list was read to the end.
    pub complete: bool,
    /// Rows of the whole run.
    pub counts: Counts,
    /// Issue records.
    pub issues: u64,
}

impl Tally {
    /// Counts at zero.
    pub fn new(object_type: &'static str) -> Tally {
        Tally { object_type, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The object type counted here.
    pub fn object_type(&self) -> &'static str {
        self.object_type
    }

    /// A set begins: counts of the set start again.
    pub fn begin(&self, mode: Mode) {
        let mut state = self.lock();
        let set = std::mem::take(&mut state.set);
        state.before.add(set);
        state.open = true;
        state.complete = false;
        if state.mode != Some(Mode::Full) {
            state.mode = Some(mode);
        }
    }

    /// Whether a set was begun and not ended.
    pub fn is_open(&self) -> bool {
        self.lock().open
    }

    /// The set ends.
    pub fn end(&self, complete: bool) {
        let mut state = self.lock();
        state.open = false;
        state.complete = complete;
    }

    /// The run that this one resumed had finished the type.
    pub fn finished_before(&self) {
        self.lock().complete = true;
    }

    /// The type could not be read to its end.
    pub fn failed(&self, error: &Error) {
        self.lock().failure.get_or_insert_with(|| error.clone());
    }

    /// Why the type could not be read to its end.
    pub fn failure(&self) -> Option<Error> {
        self.lock().failure.clone()
    }

    /// Lines were written.
    pub fn wrote(&self, written: Written) {
        self.lock().set.add(written);
    }

    /// A scope was closed without having been read whole. `hidden`: only because its members are hidden.
    pub fn unread_scope(&self, hidden: bool) {
        let mut state = self.lock();
        state.set.counts.unread_scopes += 1;
        state.lacking |= !hidden;
    }

    /// Counts of the open set, for its End.
    pub fn set_counts(&self) -> Counts {
        self.lock().set.counts
    }

    /// Whether something is lacking although the type's list was whole.
    pub fn is_partial(&self) -> bool {
        let state = self.lock();
        state.lacking || state.set.errors + state.before.errors > 0
    }

    /// The counts now.
    pub fn totals(&self) -> TypeTotals {
        let state = self.lock();
        let mut all = state.before;
        all.add(state.set);
        TypeTotals {
            object_type: self.object_type,
            mode: state.mode,
            complete: state.complete,
            counts: all.counts,
            issues: all.issues,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_counts_its_set_and_the_result_the_run() {
        let tally = Tally::new("User");
        let one = Written { counts: Counts { upserts: 1, ..Counts::default() }, ..Written::default() };
        tally.begin(Mode::Full);
        tally.wrote(one);
        tally.end(true);
        tally.begin(Mode::Delta);
        tally.wrote(one);
        assert_eq!((tally.set_counts().upserts, tally.totals().counts.upserts), (1, 2));
        assert_eq!(tally.totals().mode, Some(Mode::Full));
    }

    #[test]
    fn hidden_members_alone_make_nothing_partial() {
        let tally = Tally::new("GroupMember");
        tally.unread_scope(true);
        assert!(!tally.is_partial());
        tally.unread_scope(false);
        assert!(tally.is_partial());
    }
}
