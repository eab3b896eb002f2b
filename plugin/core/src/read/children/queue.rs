//! Groups on their way from the list to the threads that read their members.
//!
//! Bounded at the lister's end, so that a tenant's groups are never held whole. A group whose members take several
//! pages comes back and goes to the front: what was begun is finished first. `take` waits for a full batch while groups
//! are still being listed, because a `$batch` of twenty costs one round trip, like one of three. For the same reason
//! the groups of a batch come back together: one by one, each would be a request of its own to the next idle reader.

use std::collections::{HashSet, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cancel::Cancel;
use crate::error::Error;
use crate::graph::{LARGEST_BATCH, Link, SeenLinks};
use crate::sync::RESTARTS;

/// Groups waiting at most; some 100 bytes each.
const CAPACITY: usize = 4000;

/// A group that has had so many pages is taken for one that has many more.
const LONG: usize = 3;

/// A sleeper looks at the cancel flag this often; nothing else depends on it.
const CANCEL_CHECK: Duration = Duration::from_millis(200);

/// One object whose children are being read.
#[derive(Debug)]
pub(in crate::read) struct Scope {
    /// Its id, as records carry it.
    pub(in crate::read) parent: String,
    /// `visibility` is `HiddenMembership`.
    pub(in crate::read) hidden: bool,
    /// Which page of the list of groups it stood on.
    pub(in crate::read) page: usize,
    /// Edges delivered so far.
    pub(in crate::read) rows: u64,
    /// The next page; `None` before the first.
    pub(super) next: Option<Link>,
    /// Next links so far: one that comes again would never end.
    pub(super) seen: SeenLinks,
    /// How often its pages were begun again.
    pub(super) restarts: u32,
}

impl Scope {
    /// A group that nothing has been read of.
    pub(in crate::read) fn new(parent: String, hidden: bool) -> Scope {
        Scope { parent, hidden, page: 0, next: None, rows: 0, seen: SeenLinks::default(), restarts: 0 }
    }

    /// To its first page again, unless that has been done as often as a walk may be begun again. Rows that come twice
    /// are the same rows; what was delivered stays counted.
    pub(super) fn begin_again(&mut self) -> bool {
        let may = self.restarts < RESTARTS;
        if may {
            (self.next, self.seen, self.restarts) = (None, SeenLinks::default(), self.restarts + 1);
        }
        may
    }

    /// On this page of the list.
    #[must_use]
    pub(in crate::read) fn on_page(self, page: usize) -> Scope {
        Scope { page, ..self }
    }
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Scope>,
    /// Groups waiting or in hand. A list that repeats a group must not have it read twice at once: the Scope of one
    /// read would close rows of the other, and its own Scope would then take them away.
    present: HashSet<String>,
    in_hand: usize,
    listed: bool,
    closed: bool,
}

/// The queue.
#[derive(Debug)]
pub(in crate::read) struct ScopeQueue {
    state: Mutex<State>,
    changed: Condvar,
    cancel: Cancel,
}

impl ScopeQueue {
    pub(super) fn new(cancel: Cancel) -> ScopeQueue {
        ScopeQueue { state: Mutex::default(), changed: Condvar::new(), cancel }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>, Error> {
        self.cancel.check()?;
        Ok(self.changed.wait_timeout(state, CANCEL_CHECK).unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Adds a page of groups, waiting for room. Answers how many were there already; `None`: the readers have given up.
    pub(in crate::read) fn offer(&self, scopes: Vec<Scope>) -> Result<Option<usize>, Error> {
        let mut state = self.lock();
        while state.waiting.len() >= CAPACITY && !state.closed {
            state = self.wait(state)?;
        }
        let mut repeated = 0;
        for scope in scopes {
            if state.present.insert(scope.parent.clone()) {
                state.waiting.push_back(scope);
            } else {
                repeated += 1;
            }
        }
        self.changed.notify_all();
        Ok((!state.closed).then_some(repeated))
    }

    /// All groups have been offered.
    pub(in crate::read) fn listed(&self) {
        self.lock().listed = true;
        self.changed.notify_all();
    }

    /// Nothing more will be read: an error ended it.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Up to [`LARGEST_BATCH`] groups to read a page of each; empty when all is read.
    pub(super) fn take(&self) -> Result<Vec<Scope>, Error> {
        let mut state = self.lock();
        loop {
            let nothing_will_come = state.listed && state.in_hand == 0 && state.waiting.is_empty();
            if state.closed || nothing_will_come {
                self.changed.notify_all();
                return Ok(Vec::new());
            }
            let one_long = state.has_one_long();
            if one_long || state.waiting.len() >= LARGEST_BATCH || (state.listed && !state.waiting.is_empty()) {
                let count = if one_long { 1 } else { state.waiting.len().min(LARGEST_BATCH) };
                let taken: Vec<_> = state.waiting.drain(..count).collect();
                state.in_hand += taken.len();
                self.changed.notify_all();
                return Ok(taken);
            }
            state = self.wait(state)?;
        }
    }

    /// Groups of one batch that have more pages.
    pub(super) fn give_back(&self, scopes: Vec<Scope>) {
        let mut state = self.lock();
        state.in_hand -= scopes.len();
        for scope in scopes.into_iter().rev() {
            state.waiting.push_front(scope);
        }
        self.changed.notify_all();
    }

    /// A group is done.
    pub(super) fn done(&self, scope: &Scope) {
        let mut state = self.lock();
        state.in_hand -= 1;
        state.present.remove(&scope.parent);
        self.changed.notify_all();
    }
}

impl State {
    /// A single group of many pages comes first: each of its pages waits for the one before, and in a batch for the
    /// pace of nineteen others too. Several of them share a batch.
    fn has_one_long(&self) -> bool {
        let long = |place: usize| self.waiting.get(place).is_some_and(|scope| scope.seen.count() > LONG);
        long(0) && !long(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Origin;

    fn scope(group: &str) -> Scope {
        Scope::new(group.to_owned(), false)
    }

    fn queue(groups: usize) -> ScopeQueue {
        let queue = ScopeQueue::new(Cancel::new());
        queue.offer((0..groups).map(|n| scope(&n.to_string())).collect()).unwrap();
        queue
    }

    #[test]
    fn twenty_are_taken_at_most_and_the_rest_later() {
        let queue = queue(23);
        queue.listed();
        assert_eq!(queue.take().unwrap().len(), 20);
        assert_eq!(queue.take().unwrap().len(), 3);
    }

    #[test]
    fn a_group_with_more_pages_comes_first_and_keeps_the_readers() {
        let queue = queue(22);
        queue.listed();
        let mut first = queue.take().unwrap();
        queue.give_back(vec![first.remove(0)]);
        assert_eq!(queue.take().unwrap()[0].parent, "0");
        (0..22).for_each(|n| queue.done(&scope(&n.to_string())));
        assert!(queue.take().unwrap().is_empty());
    }

    #[test]
    fn groups_of_a_batch_come_back_as_one_and_in_their_order() {
        let queue = queue(25);
        queue.listed();
        let mut first = queue.take().unwrap();
        queue.give_back(first.drain(..3).collect());
        let groups: Vec<_> = queue.take().unwrap().into_iter().map(|scope| scope.parent).collect();
        assert_eq!(groups, ["0", "1", "2", "20", "21", "22", "23", "24"]);
    }

    #[test]
    fn one_group_of_many_pages_is_read_alone_and_several_share_a_batch() {
        let graph = Origin::parse("https://graph.microsoft.com", "GraphEndpoint").unwrap();
        let has_had_three_pages = |mut scope: Scope| {
            (1..=4).for_each(|page| _ = scope.seen.first_time(&graph.link(&format!("/members?$skiptoken={page}"))));
            scope
        };
        let queue = queue(45);
        let mut first = queue.take().unwrap();
        queue.give_back(vec![has_had_three_pages(first.remove(0))]);
        let alone = queue.take().unwrap();
        assert_eq!(alone.iter().map(|scope| &*scope.parent).collect::<Vec<_>>(), ["0"]);
        queue.give_back(vec![has_had_three_pages(first.remove(0))]);
        queue.give_back(alone);
        assert_eq!(queue.take().unwrap().len(), 20, "both, and eighteen that nobody has begun");
    }

    #[test]
    fn a_group_that_the_list_repeats_is_not_read_twice_at_once() {
        let queue = queue(3);
        queue.offer(vec![scope("1"), scope("3")]).unwrap();
        queue.listed();
        assert_eq!(queue.take().unwrap().len(), 4);
        queue.offer(vec![scope("1")]).unwrap();
        queue.done(&scope("1"));
        queue.offer(vec![scope("1")]).unwrap();
        assert_eq!(queue.take().unwrap().len(), 1, "once it is done it may be read again");
    }

    #[test]
    fn readers_wait_for_the_last_group_in_hand() {
        let queue = queue(1);
        queue.listed();
        let taken = queue.take().unwrap();
        std::thread::scope(|s| {
            let other = s.spawn(|| queue.take().unwrap().len());
            queue.give_back(taken);
            assert_eq!(other.join().unwrap(), 1);
        });
    }

    #[test]
    fn a_cancel_and_a_close_end_every_wait() {
        let cancel = Cancel::new();
        let queue = ScopeQueue::new(cancel.clone());
        std::thread::scope(|s| {
            let reader = s.spawn(|| queue.take().is_err());
            cancel.cancel();
            assert!(reader.join().unwrap());
        });
        let queue = self::queue(CAPACITY);
        std::thread::scope(|s| {
            let lister = s.spawn(|| queue.offer(vec![scope("x")]).unwrap());
            queue.close();
            assert_eq!(lister.join().unwrap(), None);
        });
    }
}
