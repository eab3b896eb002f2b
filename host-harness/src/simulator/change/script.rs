//! Scripts of changes, and when they happen: now, or when a request of an import under way arrives.

use serde::{Deserialize, Serialize};

use super::Change;
use crate::simulator::kinds::Kind;

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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// The same seed draws the same changes for the same tenant.
    pub seed: u64,
    /// About how many changes.
    pub count: usize,
    /// Kinds to change beside those that every script changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Kind>,
}

impl Script {
    /// Changes that are drawn when the script is applied.
    pub fn random(seed: u64, count: usize) -> Script {
        Script::Random { random: Draw { seed, count, also: Vec::new() } }
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
