//! The scripts that wait for a request, and what a script amounts to in the tenant it meets.
//!
//! A script that is applied now is applied whole or not at all. One that waits meets a tenant nobody knew when it was
//! written, so each of its changes is tried alone; what has become impossible is left out and told afterwards.

use super::Tenant;
use super::demo::demo_changes;
use super::random::random_changes;
use crate::simulator::change::Change;
use crate::simulator::change::script::{ChangesDuring, Script};

/// The changes of a script, for the tenant as it is now.
pub(crate) fn changes(script: Script, tenant: &Tenant, now: u64) -> Vec<Change> {
    match script {
        Script::Changes(changes) => changes,
        Script::Demo { demo: true } => demo_changes(tenant, now),
        Script::Demo { demo: false } => Vec::new(),
        Script::Random { random } => random_changes(tenant, &random, now),
    }
}

/// The scripts that wait, and what could not be done of those that came due.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    requests: u64,
    /// Each with the count of requests after which it is due.
    waiting: Vec<(u64, Script)>,
    impossible: Vec<String>,
}

impl Agenda {
    /// `after_requests` counts from now.
    pub(crate) fn add(&mut self, during: ChangesDuring) {
        self.waiting.push((self.requests.saturating_add(during.after_requests), during.changes));
    }

    /// Count a request that has arrived; the scripts it has to wait for, in the order they were added.
    pub(crate) fn arrive(&mut self) -> Vec<Script> {
        let passed = self.requests;
        self.requests += 1;
        let (due, waiting) = std::mem::take(&mut self.waiting).into_iter().partition(|(after, _)| *after <= passed);
        self.waiting = waiting;
        due.into_iter().map(|(_, script)| script).collect()
    }

    /// Apply what is possible of a script.
    pub(crate) fn carry_out(&mut self, script: Script, tenant: &mut Tenant, now: u64) {
        for change in changes(script, tenant, now) {
            if let Err(error) = tenant.apply(std::slice::from_ref(&change), now) {
                self.impossible.push(format!("{error:#}"));
            }
        }
    }

    pub(crate) fn impossible(&self) -> &[String] {
        &self.impossible
    }

    /// How many scripts nothing has brought on yet.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}
