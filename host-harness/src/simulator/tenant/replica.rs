//! What lists, single reads, member reads and the recycle bin see: the tenant a few changes ago.
//!
//! Delta queries read the tenant itself, so a read may be older than the feed row that caused it. The lag counts
//! changes, not steps: nobody sees half of a purge. Two reads in a row may go backwards when the lag varies, as with
//! two replicas behind one address; a page of a list is a read of its own. [`Replica::settle`] fixes a floor under all
//! later reads.

use std::collections::VecDeque;
use std::sync::Arc;

use super::log::Log;
use super::state::State;
use super::view::View;
use crate::simulator::base::Base;
use crate::simulator::world::Lists;

/// The oldest state a read may see, and where the newer ones end in the log.
#[derive(Debug)]
pub(crate) struct Replica {
    lag: usize,
    varies: bool,
    oldest: Arc<State>,
    oldest_at: u32,
    /// The log's end after each change that is newer than `oldest`, at most `lag` of them.
    newer: VecDeque<u32>,
}

/// A state that one read sees from its first row to its last.
#[derive(Debug)]
pub(crate) struct Snapshot<'a> {
    pub(super) base: &'a Base,
    pub(super) state: Arc<State>,
}

impl Snapshot<'_> {
    pub(crate) fn view(&self) -> View<'_> {
        View::new(self.base, &self.state)
    }
}

impl Replica {
    pub(super) fn new(empty: Arc<State>, lists: &Lists) -> Replica {
        Replica {
            lag: lists.lag_changes as usize,
            varies: lists.varying_lag,
            oldest: empty,
            oldest_at: 0,
            newer: VecDeque::new(),
        }
    }

    /// One more change ends here.
    pub(super) fn changed(&mut self, end: u32) {
        if self.lag > 0 {
            self.newer.push_back(end);
        }
    }

    /// Let go of what no read may see any more.
    pub(super) fn follow(&mut self, base: &Base, log: &Log) {
        let surplus = self.newer.len().saturating_sub(self.lag);
        let passed = self.newer.drain(..surplus).next_back();
        if let Some(until) = passed {
            self.advance(base, log, until);
        }
    }

    /// No read is older than this, from now on.
    pub(super) fn settle(&mut self, base: &Base, log: &Log) {
        self.newer.clear();
        if self.lag > 0 {
            self.advance(base, log, log.end());
        }
    }

    pub(super) fn read(&self, base: &Base, log: &Log, now: &Arc<State>, roll: u64) -> Arc<State> {
        if self.lag == 0 {
            return Arc::clone(now);
        }
        let seen = if self.varies { (roll % (self.newer.len() as u64 + 1)) as usize } else { 0 };
        match seen.checked_sub(1).and_then(|last| self.newer.get(last)) {
            None => Arc::clone(&self.oldest),
            Some(until) if *until == log.end() => Arc::clone(now),
            Some(until) => {
                let mut state = State::clone(&self.oldest);
                replay(&mut state, base, log, self.oldest_at, *until);
                Arc::new(state)
            }
        }
    }

    fn advance(&mut self, base: &Base, log: &Log, until: u32) {
        replay(Arc::make_mut(&mut self.oldest), base, log, self.oldest_at, until);
        self.oldest_at = until.max(self.oldest_at);
    }
}

fn replay(state: &mut State, base: &Base, log: &Log, from: u32, until: u32) {
    for step in (from..until).filter_map(|at| log.step(at)) {
        state.apply(step, base);
    }
}
