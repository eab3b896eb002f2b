//! What one object type has delivered, counted while it runs: the source of its `End` and of its line in the result.
//!
//! An `End` counts what came since its Begin, the result what came in the run: a type may send several sets (a
//! Reconcile, a round that was restarted). Several threads count at once, since members of groups are read
//! concurrently.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fingerprint::hash;

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
    finished_before: bool,
    /// The number of the set under way.
    number: u32,
    set: Written,
    before: Written,
    /// Scopes whose last word was that they are incomplete, by the hash of their id.
    unread: HashMap<u64, Unread>,
    /// The run that this one resumes left something unread.
    inherited: bool,
    failure: Option<Error>,
}

#[derive(Debug)]
struct Unread {
    /// Only because its members are hidden.
    hidden: bool,
    /// The number of the set that said so.
    set: u32,
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
    /// The run that this one resumed had finished it: nothing of it came in this run.
    pub finished_before: bool,
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

    /// A set begins: counts of the set start again. A set before it that has no End yet is void, and so is what it said
    /// of scopes. A fresh Full set reads everything, also what the interrupted run left unread.
    pub fn begin(&self, mode: Mode, resumed: bool) {
        let mut state = self.lock();
        let set = std::mem::take(&mut state.set);
        state.before.add(set);
        let number = state.number;
        if state.open {
            state.unread.retain(|_, unread| unread.set != number);
        }
        state.number += 1;
        state.inherited &= mode != Mode::Full || resumed;
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
        let mut state = self.lock();
        (state.complete, state.finished_before) = (true, true);
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

    /// The run that this one resumes left something of the type unread.
    pub fn inherits_lacking(&self) {
        self.lock().inherited = true;
    }

    /// A scope was closed without having been read whole. `hidden`: only because its members are hidden.
    pub fn unread_scope(&self, scope: &str, hidden: bool) {
        let mut state = self.lock();
        let set = state.number;
        state.unread.insert(hash(scope), Unread { hidden, set });
    }

    /// A scope was read whole, or is none any more: what was said of it before does not count.
    pub fn settled_scope(&self, scope: &str) {
        let mut state = self.lock();
        if !state.unread.is_empty() {
            state.unread.remove(&hash(scope));
        }
    }

    /// Counts of the open set, for its End.
    pub fn set_counts(&self) -> Counts {
        let state = self.lock();
        let unread = state.unread.values().filter(|unread| unread.set == state.number).count();
        Counts { unread_scopes: unread as u64, ..state.set.counts }
    }

    /// Whether something is lacking although the type's list was whole.
    pub fn is_partial(&self) -> bool {
        let state = self.lock();
        state.inherited
            || state.set.errors + state.before.errors > 0
            || state.unread.values().any(|unread| !unread.hidden)
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
            finished_before: state.finished_before,
            counts: Counts { unread_scopes: state.unread.len() as u64, ..all.counts },
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
        tally.begin(Mode::Full, false);
        tally.wrote(one);
        tally.end(true);
        tally.begin(Mode::Delta, false);
        tally.wrote(one);
        assert_eq!((tally.set_counts().upserts, tally.totals().counts.upserts), (1, 2));
        assert_eq!(tally.totals().mode, Some(Mode::Full));
    }

    #[test]
    fn hidden_members_alone_make_nothing_partial() {
        let tally = Tally::new("GroupMember");
        tally.unread_scope("a", true);
        assert!(!tally.is_partial());
        tally.unread_scope("b", false);
        assert!(tally.is_partial());
    }

    #[test]
    fn unread_scope_counts_by_its_last_word() {
        let tally = Tally::new("GroupMember");
        tally.begin(Mode::Full, false);
        tally.unread_scope("a", false);
        tally.unread_scope("a", false);
        tally.unread_scope("b", false);
        assert_eq!(tally.set_counts().unread_scopes, 2);
        tally.end(true);
        tally.begin(Mode::Delta, false);
        tally.settled_scope("a");
        assert_eq!((tally.set_counts().unread_scopes, tally.totals().counts.unread_scopes), (0, 1));
        tally.settled_scope("b");
        assert!(!tally.is_partial());
    }

    #[test]
    fn unread_scopes_of_a_voided_set_do_not_count() {
        let tally = Tally::new("GroupMember");
        tally.begin(Mode::Full, false);
        tally.unread_scope("a", false);
        tally.begin(Mode::Full, false);
        assert!(!tally.is_partial());
    }

    #[test]
    fn what_the_interrupted_run_left_unread_counts_until_everything_is_read_anew() {
        let tally = Tally::new("User");
        tally.inherits_lacking();
        tally.begin(Mode::Full, true);
        assert!(tally.is_partial());
        tally.begin(Mode::Full, false);
        assert!(!tally.is_partial());
    }
}
