//! Scripts of changes, and when they happen: now, or when a request of an import under way arrives.
//!
//! A script that is applied now is applied whole or not at all. One that waits meets a tenant nobody knew when it was
//! written, so each of its changes is tried alone; what has become impossible is left out and told afterwards.

use serde::{Deserialize, Serialize};

use super::Tenant;
use super::change::Change;
use super::demo::demo_changes;
use super::random::random_changes;

/// Changes, named or drawn. In JSON: a list of changes, `{"demo": true}`, or `{"random": {"seed": 1, "count": 50}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Script {
    /// These.
    Changes(Vec<Change>),
    /// The script of the demonstration.
    Demo {
        /// Nothing happens when false.
        demo: bool,
    },
    /// Valid changes for the tenant as it is when the script is applied.
    Random {
        /// What to draw.
        random: Draw,
    },
}

/// What to draw from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The same seed draws the same changes for the same tenant.
    pub seed: u64,
    /// About how many changes.
    pub count: usize,
}

impl Script {
    /// Changes that are drawn when the script is applied.
    pub fn random(seed: u64, count: usize) -> Script {
        Script::Random { random: Draw { seed, count } }
    }

    /// The changes, for the tenant as it is now.
    pub(crate) fn changes(self, tenant: &Tenant, now: u64) -> Vec<Change> {
        match self {
            Script::Changes(changes) => changes,
            Script::Demo { demo: true } => demo_changes(tenant, now),
            Script::Demo { demo: false } => Vec::new(),
            Script::Random { random } => random_changes(tenant, random.seed, random.count, now),
        }
    }
}

impl From<Vec<Change>> for Script {
    fn from(changes: Vec<Change>) -> Script {
        Script::Changes(changes)
    }
}

/// Changes that wait for a request. In JSON: `{"afterRequests": 12, "changes": [...]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangesDuring {
    /// How many requests to Graph pass first; the next one is answered when the changes are there. A batch is one
    /// request; requests for tokens do not count.
    pub after_requests: u64,
    /// What happens.
    pub changes: Script,
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
        for change in script.changes(tenant, now) {
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
