//! The removal guard: how much may go because nobody mentioned it, and what is said when that is too much.
//!
//! Deletes that the connector sends are not its business: the connector has `MaxDeletes` for those. What a newcomer gets
//! wrong: the two limits are joined by *and*. A small type loses more than a fifth of its rows on an ordinary day, and a
//! large one more than five hundred; both at once is rare enough to ask somebody.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Of each object type, so many removals are listed by name when a run is stopped.
pub(super) const LISTED: usize = 20;

/// How many rows of one object type may be removed for absence before an import is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemovalGuard {
    /// `None`: lifted.
    limit: Option<Limit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    rows: u64,
    percent: u8,
}

/// An import that was stopped because it would have removed more than the guard allows. Nothing listed here was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemovalStop {
    /// The object type that passed the limit.
    pub object_type: String,
    /// The limit.
    pub guard: RemovalGuard,
    /// What would have gone since the last checkpoint, per object type.
    pub types: BTreeMap<String, AbsentRows>,
}

/// Rows of one object type that a set did not mention.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AbsentRows {
    /// Rows the store held when the set began.
    pub held: u64,
    /// Removed on account of the set before the last checkpoint, within the limit.
    pub removed_before: u64,
    /// Rows that would have gone since then, as far as the set was read.
    pub would_go: u64,
    /// The first of these.
    pub listed: Vec<Removal>,
}

/// One row that would have gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Removal {
    /// SourceId of the object or edge.
    pub id: String,
    /// What an object is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What an edge connects: the end that is its scope, and the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<[RemovedEnd; 2]>,
}

/// An end of an edge that would have gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RemovedEnd {
    /// Its SourceId.
    pub id: String,
    /// What it is called, when the store holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl RemovalGuard {
    /// Stops an import that would remove more than so many rows *and* more than this part of an object type. 0 in one
    /// place leaves the decision to the other.
    pub const fn beyond(rows: u64, percent: u8) -> RemovalGuard {
        RemovalGuard { limit: Some(Limit { rows, percent }) }
    }

    /// Never stops an import.
    pub const fn lifted() -> RemovalGuard {
        RemovalGuard { limit: None }
    }

    pub(super) fn is_lifted(self) -> bool {
        self.limit.is_none()
    }

    pub(super) fn refuses(self, removed: u64, held: u64) -> bool {
        self.limit.is_some_and(|limit| {
            removed > limit.rows && u128::from(removed) * 100 > u128::from(held) * u128::from(limit.percent)
        })
    }
}

impl Default for RemovalGuard {
    /// More than 500 rows and more than 20 % of an object type.
    fn default() -> RemovalGuard {
        RemovalGuard::beyond(500, 20)
    }
}

impl fmt::Display for RemovalGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            None => f.write_str("any number of rows"),
            Some(Limit { rows, percent: 0 }) => write!(f, "{rows} rows"),
            Some(Limit { rows: 0, percent }) => write!(f, "{percent} % of the rows"),
            Some(Limit { rows, percent }) => write!(f, "{rows} rows and {percent} % of the rows"),
        }
    }
}

impl fmt::Display for RemovalStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.types.get(&self.object_type).cloned().unwrap_or_default();
        write!(
            f,
            "stopped by the removal guard: this import does not mention {} of {} rows of {} so far, and the guard stops \
             beyond {}; none of the rows listed was removed",
            rows.removed_before + rows.would_go,
            rows.held,
            self.object_type,
            self.guard
        )?;
        if rows.removed_before > 0 {
            write!(f, " ({} went with earlier checkpoints, within the limit)", rows.removed_before)?;
        }
        Ok(())
    }
}

impl std::error::Error for RemovalStop {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_limits_must_be_passed() {
        let guard = RemovalGuard::default();
        for (removed, held, refused) in
            [(500, 500, false), (501, 501, true), (501, 2505, false), (501, 2504, true), (5, 5, false)]
        {
            assert_eq!(guard.refuses(removed, held), refused, "{removed} of {held}");
        }
    }

    #[test]
    fn zero_leaves_the_decision_to_the_other_limit() {
        assert!(RemovalGuard::beyond(10, 0).refuses(11, 1_000_000));
        assert!(RemovalGuard::beyond(0, 5).refuses(1, 10) && !RemovalGuard::beyond(0, 5).refuses(5, 100));
        assert!(!RemovalGuard::lifted().refuses(u64::MAX, 1));
    }
}
