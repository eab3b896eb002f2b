//! The tenant: the computed base, what changed since, the log of how, and a replica that may lag behind.
//!
//! States are shared by reference and copied on write: a truth taken before a script stays what it was. The replica
//! lags by whole changes, never by half of one, and never behind the point that `settle` fixed; no read is older than
//! that.

pub(crate) mod agenda;
pub(crate) mod demo;
pub(crate) mod events;
pub(crate) mod log;
pub(crate) mod names;
pub(crate) mod random;
pub(crate) mod replica;
pub(crate) mod resolve;
pub(crate) mod state;
pub(crate) mod truth;
pub(crate) mod view;

use std::sync::Arc;

use anyhow::{Context, Result};

use self::log::Log;
use self::replica::{Replica, Snapshot};
use self::resolve::{Rules, resolve};
use self::state::{Presence, State, Step};
use self::view::View;
use super::base::Base;
use super::change::{Change, ChangeSummary};
use super::kinds::identity::ObjectRef;
use super::seed::stream;
use super::world::Lists;

/// One directory.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) base: Arc<Base>,
    pub(crate) log: Log,
    now: Arc<State>,
    replica: Replica,
    pub(crate) rules: Rules,
}

impl Tenant {
    pub(crate) fn new(base: Arc<Base>, rules: Rules, lists: &Lists) -> Tenant {
        let empty = Arc::new(State::default());
        let replica = Replica::new(Arc::clone(&empty), lists);
        Tenant { base, log: Log::default(), now: empty, replica, rules }
    }

    /// The tenant as delta queries and the truth see it.
    pub(crate) fn now(&self) -> View<'_> {
        View::new(&self.base, &self.now)
    }

    /// The tenant as one read of lists or members sees it. `roll` decides how old that is, when it varies.
    pub(crate) fn read(&self, roll: u64) -> Snapshot<'_> {
        Snapshot { base: &self.base, state: self.replica.read(&self.base, &self.log, &self.now, roll) }
    }

    /// What had become of an object when the log ended at a position.
    pub(crate) fn presence_at(&self, object: ObjectRef, position: u32) -> Presence {
        let told = self.log.of(object, 0, position).rev().find_map(|step| match step {
            Step::Create { .. } | Step::Restore { .. } => Some(Presence::Live),
            Step::SoftDelete { .. } => Some(Presence::SoftDeleted),
            Step::Purge { .. } => Some(Presence::Purged),
            Step::Update { .. }
            | Step::Link { .. }
            | Step::Unlink { .. }
            | Step::Append { .. }
            | Step::Rewrite { .. } => None,
        });
        told.unwrap_or(if self.base.is_deleted(object) { Presence::SoftDeleted } else { Presence::Live })
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.now)
    }

    /// Apply a script as a whole; an impossible change leaves everything as it was.
    pub(crate) fn apply(&mut self, changes: &[Change], at: u64) -> Result<ChangeSummary> {
        let mut draft = Draft::new(Arc::clone(&self.base), &self.now);
        let mut summary = ChangeSummary::default();
        let mut done_changes = Vec::new();
        for (nth, change) in changes.iter().enumerate() {
            let done = draft.apply(&self.rules, at, change).with_context(|| format!("change {nth}: {change:?}"))?;
            summary.created.extend(done.iter().filter_map(|step| match step {
                Step::Create { object, .. } => Some(self.base.ids.id(*object)),
                Step::Append { stream: of, event, .. } => Some(self.base.ids.event(stream(of.name()), event.number)),
                Step::Update { .. }
                | Step::SoftDelete { .. }
                | Step::Restore { .. }
                | Step::Purge { .. }
                | Step::Link { .. }
                | Step::Unlink { .. }
                | Step::Rewrite { .. } => None,
            }));
            *summary.counts.entry(change.kind()).or_default() += 1;
            done_changes.push(done);
        }
        self.now = Arc::new(draft.state);
        for steps in done_changes {
            for step in steps {
                self.log.push(step);
            }
            self.replica.changed(self.log.end());
        }
        self.replica.follow(&self.base, &self.log);
        Ok(summary)
    }

    /// Let lists and member reads catch up with every change so far.
    pub(crate) fn settle(&mut self) {
        self.replica.settle(&self.base, &self.log);
    }
}

/// A copy of a state that changes can be tried on.
#[derive(Debug)]
pub(crate) struct Draft {
    base: Arc<Base>,
    state: State,
}

impl Draft {
    pub(crate) fn new(base: Arc<Base>, state: &State) -> Draft {
        Draft { base, state: state.clone() }
    }

    pub(crate) fn view(&self) -> View<'_> {
        View::new(&self.base, &self.state)
    }

    pub(crate) fn apply(&mut self, rules: &Rules, at: u64, change: &Change) -> Result<Vec<Step>> {
        let steps = resolve(self.view(), rules, at, change)?;
        for step in &steps {
            self.state.apply(step, &self.base);
        }
        Ok(steps)
    }
}
