//! The removal guard's counts, as the store keeps them.
//!
//! A row counts what the sets of one type (`by`) removed of another or of the same type. A group that leaves scope
//! takes its memberships along, so a membership may go by a set of groups or by a set of memberships. The guard judges
//! the sum, and each part is settled by the End of its own set, so the order of the two Ends does not matter.
//!
//! The easy mistake: to start a count again with a new Begin. A set that was stopped never ends, and if its successor
//! began at zero, an import repeated every hour would remove the store in portions.

use std::collections::HashMap;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension};

use super::guard::{RemovalGuard, RemovalStop};

/// What was counted of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    /// Rows of the type before the first of them went.
    pub(super) held: u64,
    /// Rows that went, by sets of any type.
    pub(super) removed: u64,
}

/// A run starts: the counts of sets that ended in an earlier run are over. What was shown shrinks with them, so that no
/// row is accepted twice.
pub(super) fn start(connection: &Connection, instance: i64) -> Result<()> {
    const OVER: &str = "settled AND by_id IN (SELECT id FROM object_type WHERE instance_id = ?1)";
    let transaction = connection.unchecked_transaction().context("the store could not be written")?;
    transaction.execute(
        &format!(
            "UPDATE removal_shown SET up_to = max(0, up_to - (SELECT coalesce(sum(removed), 0) FROM removal_count
                 WHERE removal_count.type_id = removal_shown.type_id AND {OVER})) WHERE instance_id = ?1"
        ),
        [instance],
    )?;
    transaction.execute(&format!("DELETE FROM removal_count WHERE {OVER}"), [instance])?;
    Ok(transaction.commit()?)
}

/// What was counted of a type so far.
pub(super) fn of(connection: &Connection, type_id: i64) -> Result<Option<Count>> {
    let mut statement =
        connection.prepare_cached("SELECT max(held), sum(removed) FROM removal_count WHERE type_id = ?1")?;
    let count =
        statement.query_row([type_id], |row| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?)))?;
    Ok(match count {
        (Some(held), Some(removed)) => Some(Count { held: held.unsigned_abs(), removed: removed.unsigned_abs() }),
        _ => None,
    })
}

/// Adds to what sets of `by` removed of a type.
pub(super) fn add(connection: &Connection, type_id: i64, by: i64, held: u64, removed: u64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO removal_count (type_id, by_id, held, removed, settled) VALUES (?1, ?2, ?3, ?4, 0)
             ON CONFLICT DO UPDATE SET removed = removed + excluded.removed, settled = 0",
        )?
        .execute((type_id, by, i64::try_from(held)?, i64::try_from(removed)?))?;
    Ok(())
}

/// A set ends: what its type removed is settled.
pub(super) fn settle(connection: &Connection, by: i64) -> Result<()> {
    connection.prepare_cached("UPDATE removal_count SET settled = 1 WHERE by_id = ?1")?.execute([by])?;
    Ok(())
}

/// Forgets a type's counts, where no guard is set.
pub(super) fn forget(connection: &Connection, type_id: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM removal_count WHERE type_id = ?1 OR by_id = ?1")?.execute([type_id])?;
    Ok(())
}

/// What the latest stop of the instance showed: the limits that were passed, and per type the count that may be
/// accepted.
pub(super) fn shown(connection: &Connection, instance: i64) -> Result<Option<(RemovalGuard, HashMap<i64, u64>)>> {
    let mut statement =
        connection.prepare("SELECT type_id, up_to, rows, percent, half FROM removal_shown WHERE instance_id = ?1")?;
    let mut rows = statement.query([instance])?;
    let (mut guard, mut types) = (None, HashMap::new());
    while let Some(row) = rows.next()? {
        let (type_id, up_to, limit): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        types.insert(type_id, up_to.unsigned_abs());
        let beyond = RemovalGuard::beyond(limit.unsigned_abs(), row.get(3)?);
        guard = Some(if row.get(4)? { beyond.or_half_of_a_small_type() } else { beyond });
    }
    Ok(guard.map(|guard| (guard, types)))
}

/// Remembers what a stop shows, in place of what the one before it did.
pub(super) fn show(connection: &Connection, instance: i64, stop: &RemovalStop) -> Result<()> {
    let transaction = connection.unchecked_transaction().context("the stop could not be remembered")?;
    forget_shown(&transaction, instance)?;
    for (name, rows) in &stop.types {
        // A type that is new in this run is not in the store any more; nothing of it could go.
        let type_id: Option<i64> =
            transaction.query_row("SELECT id FROM object_type WHERE name = ?1", [name], |row| row.get(0)).optional()?;
        let up_to = i64::try_from(rows.removed_before + rows.would_go)?;
        if let (Some(type_id), Some((limit, percent, half))) = (type_id, stop.guard.limits()) {
            transaction.execute(
                "INSERT INTO removal_shown (instance_id, type_id, up_to, rows, percent, half) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (instance, type_id, up_to, i64::try_from(limit).unwrap_or(i64::MAX), percent, half),
            )?;
        }
    }
    Ok(transaction.commit()?)
}

/// A run ended in order: what an earlier stop showed cannot be accepted any more.
pub(super) fn forget_shown(connection: &Connection, instance: i64) -> Result<()> {
    connection.execute("DELETE FROM removal_shown WHERE instance_id = ?1", [instance])?;
    Ok(())
}
