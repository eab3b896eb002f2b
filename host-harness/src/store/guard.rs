//! The removal guard: how much may go because the source no longer lists it or no longer has it in scope, and what is
//! said when that is too much.
//!
//! Deletes that the source reports are not its business: the connector has `MaxDeletes` for those. The easy mistake:
//! the two limits are joined by *and*. A small type loses more than a fifth of its rows on an ordinary day, and a large
//! one more than five hundred; both at once is rare enough to ask the operator. A small type that loses most of itself
//! passes neither by number, so it has a limit of its own: half, from ten rows on.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How many removals of each object type are listed by name when a run is stopped.
pub(super) const LISTED: usize = 20;

/// Rows from which on a type is guarded against losing more than half of them.
const SMALL: u64 = 10;

/// How many rows of one object type an import may remove, because they are absent or left scope, before it is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemovalGuard {
    /// `None`: lifted.
    limit: Option<Limit>,
    /// Whether half of a small type is a limit too.
    #[serde(default)]
    half: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Limit {
    rows: u64,
    percent: u8,
}

/// An import that was stopped because it would have removed more than the guard allows. Nothing listed here was
/// removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RemovalStop {
    /// The object type that passed the limit.
    pub object_type: String,
    /// The limit.
    pub guard: RemovalGuard,
    /// Whether everything was read while the removals were counted. If not, more may go.
    #[serde(default)]
    pub whole: bool,
    /// What would have gone since the last checkpoint, per object type.
    pub types: BTreeMap<String, AbsentRows>,
}

/// Rows of one object type that an import does not list any more or that left scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AbsentRows {
    /// Rows the store held before the first of them went.
    pub held: u64,
    /// Removed with earlier checkpoints, within the limit.
    pub removed_before: u64,
    /// Rows that would have gone since the last checkpoint.
    pub would_go: u64,
    /// The count that the operator had accepted, `removed_before` included; 0 when this type was not accepted.
    pub accepted: u64,
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
    /// The ends of an edge, that of its scope first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<RemovedEnd>,
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
    /// Stops an import that would remove more than `rows` rows *and* more than `percent` % of an object type. 0 in one
    /// place leaves the decision to the other.
    pub const fn beyond(rows: u64, percent: u8) -> RemovalGuard {
        RemovalGuard { limit: Some(Limit { rows, percent }), half: false }
    }

    /// Stops also an import that would remove more than half of a type that held at least ten rows.
    #[must_use]
    pub const fn or_half_of_a_small_type(self) -> RemovalGuard {
        RemovalGuard { half: true, ..self }
    }

    /// Never stops an import.
    pub const fn lifted() -> RemovalGuard {
        RemovalGuard { limit: None, half: false }
    }

    pub(super) fn is_lifted(self) -> bool {
        self.limit.is_none()
    }

    /// Rows, percent, and whether half of a small type is a limit too; `None`: lifted.
    pub(super) fn limits(self) -> Option<(u64, u8, bool)> {
        self.limit.map(|limit| (limit.rows, limit.percent, self.half))
    }

    pub(super) fn refuses(self, removed: u64, held: u64) -> bool {
        let more_than = |percent: u8| u128::from(removed) * 100 > u128::from(held) * u128::from(percent);
        self.half && held >= SMALL && more_than(50)
            || self.limit.is_some_and(|limit| removed > limit.rows && more_than(limit.percent))
    }
}

impl Default for RemovalGuard {
    /// More than 500 rows and more than 20 % of an object type, or more than half of one that held at least ten rows.
    fn default() -> RemovalGuard {
        RemovalGuard::beyond(500, 20).or_half_of_a_small_type()
    }
}

impl fmt::Display for RemovalGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            None => f.write_str("any number of rows"),
            Some(Limit { rows, percent: 0 }) => write!(f, "{rows} rows"),
            Some(Limit { rows: 0, percent }) => write!(f, "{percent} % of the rows"),
            Some(Limit { rows, percent }) => write!(f, "{rows} rows and {percent} % of the rows"),
        }?;
        if self.half { write!(f, ", or half of {SMALL} rows or more") } else { Ok(()) }
    }
}

impl fmt::Display for RemovalStop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.types.get(&self.object_type).cloned().unwrap_or_default();
        write!(
            f,
            "stopped by the removal guard: this import would remove {} of {} rows of {}{}, because the source no longer \
             lists them or they left scope; the guard stops beyond {}",
            rows.removed_before + rows.would_go,
            rows.held,
            self.object_type,
            if self.whole { "" } else { " as far as it was read" },
            self.guard
        )?;
        if rows.accepted > 0 {
            write!(f, ", and {} were accepted", rows.accepted)?;
        }
        f.write_str("; none of the rows listed was removed")?;
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
        for (removed, held, refused) in [(500, 1000, false), (501, 1002, true), (501, 2505, false), (501, 2504, true)] {
            assert_eq!(guard.refuses(removed, held), refused, "{removed} of {held}");
        }
    }

    #[test]
    fn more_than_half_of_ten_rows_or_more_is_too_much() {
        let guard = RemovalGuard::default();
        for (removed, held, refused) in [(9, 9, false), (5, 10, false), (6, 10, true), (10, 10, true), (30, 60, false)]
        {
            assert_eq!(guard.refuses(removed, held), refused, "{removed} of {held}");
        }
        assert!(!RemovalGuard::beyond(500, 20).refuses(10, 10) && !RemovalGuard::lifted().refuses(10, 10));
    }

    #[test]
    fn zero_leaves_the_decision_to_the_other_limit() {
        assert!(RemovalGuard::beyond(10, 0).refuses(11, 1_000_000));
        assert!(RemovalGuard::beyond(0, 5).refuses(1, 10) && !RemovalGuard::beyond(0, 5).refuses(5, 100));
        assert!(!RemovalGuard::lifted().refuses(u64::MAX, 1));
    }
}
