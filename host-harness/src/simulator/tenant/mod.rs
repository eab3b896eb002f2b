//! The tenant: the computed base, what changed since, the log of how, and a replica that may lag behind.
//!
//! States are shared by reference and copied on write: a truth taken before a script stays what it was.

pub(crate) mod change;
pub(crate) mod demo;
pub(crate) mod log;
pub(crate) mod random;
pub(crate) mod resolve;
pub(crate) mod state;
pub(crate) mod truth;
pub(crate) mod view;

use std::sync::Arc;

use anyhow::{Context, Result};

use self::change::{Change, ChangeSummary};
use self::log::Log;
use self::resolve::{Rules, resolve};
use self::state::{State, Step};
use self::view::View;
use super::base::Base;
use super::base::identity::{ObjectKind, ObjectRef};

/// One directory.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) base: Arc<Base>,
    pub(crate) log: Log,
    now: Arc<State>,
    /// What lists and member reads see.
    replica: Arc<State>,
    replica_at: u32,
    lag: u32,
    pub(crate) rules: Rules,
}

impl Tenant {
    pub(crate) fn new(base: Arc<Base>, rules: Rules, lag: u32) -> Tenant {
        let empty = Arc::new(State::default());
        Tenant { base, log: Log::default(), now: Arc::clone(&empty), replica: empty, replica_at: 0, lag, rules }
    }

    /// The tenant as delta queries and the truth see it.
    pub(crate) fn now(&self) -> View<'_> {
        View::new(&self.base, &self.now)
    }

    /// The tenant as lists and member reads see it.
    pub(crate) fn replica(&self) -> View<'_> {
        View::new(&self.base, if self.lag == 0 { &self.now } else { &self.replica })
    }

    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.now)
    }

    /// Apply a script as a whole; an impossible change leaves everything as it was.
    pub(crate) fn apply(&mut self, changes: &[Change], at: u64) -> Result<ChangeSummary> {
        let mut draft = Draft::new(Arc::clone(&self.base), &self.now);
        let mut summary = ChangeSummary::default();
        let mut steps = Vec::new();
        for (nth, change) in changes.iter().enumerate() {
            let done = draft.apply(&self.rules, at, change).with_context(|| format!("change {nth}: {change:?}"))?;
            summary.created.extend(done.iter().filter_map(|step| match step {
                Step::Create { object, .. } => Some(self.base.ids.id(*object)),
                _ => None,
            }));
            *summary.counts.entry(change.kind()).or_default() += 1;
            steps.extend(done);
        }
        self.now = Arc::new(draft.state);
        for step in steps {
            self.log.push(step);
        }
        self.let_replica_follow(self.log.end().saturating_sub(self.lag));
        Ok(summary)
    }

    /// Let lists and member reads catch up with every change so far.
    pub(crate) fn settle(&mut self) {
        self.let_replica_follow(self.log.end());
    }

    fn let_replica_follow(&mut self, until: u32) {
        if self.lag == 0 || until <= self.replica_at {
            return;
        }
        let replica = Arc::make_mut(&mut self.replica);
        for at in self.replica_at..until {
            if let Some(step) = self.log.step(at) {
                replica.apply(step, |group, member| base_member(&self.base, group, member));
            }
        }
        self.replica_at = until;
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
            self.state.apply(step, |group, member| base_member(&self.base, group, member));
        }
        Ok(steps)
    }
}

fn base_member(base: &Base, group: u32, member: ObjectRef) -> bool {
    group < base.count(ObjectKind::Group)
        && member.number < base.count(member.kind)
        && base.memberships.size(group) > 0
        && base.memberships.layout(group).slot_of(member).is_some()
}
