//! Sets: what lies between a Begin and an End of one object type, and the scopes inside.
//!
//! Every row a record touches is stamped with the store's clock, which ticks at each Begin and each Scope. So
//! "touched by this set" means `touch >= floor`, where floor is the clock at the set's *first* Begin, kept over kills
//! and resumes; and "came since the group's previous Scope" means `touch >=` the clock after it. Easy to get wrong: a
//! resumed set keeps its floor but not its place in a group, because an unfinished group is read anew.

use std::collections::HashSet;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension};

use super::record::{Absence, Mode};

/// The set of an object type that is under way.
#[derive(Debug, Clone)]
pub(super) struct OpenSet {
    pub(super) mode: Mode,
    pub(super) absence: Absence,
    /// Clock at the set's first Begin; `None` when it was resumed and that Begin never reached this store.
    pub(super) floor: Option<i64>,
    /// Clock at its latest Begin.
    pub(super) begin: i64,
    /// What the records since that Begin came to, to compare with the End.
    pub(super) upserts: u64,
    pub(super) deletes: u64,
    pub(super) left_scope: u64,
}

/// Opens a set. A set of the same type that has no End is void from here on: nothing is removed on its account.
pub(super) fn begin(
    connection: &Connection,
    clock: &mut i64,
    type_id: i64,
    set_id: &str,
    mode: Mode,
    resumed: bool,
    absence: Absence,
) -> Result<OpenSet> {
    *clock += 1;
    let mark: Option<(String, String, i64)> = connection
        .prepare_cached("SELECT set_id, mode, floor FROM set_mark WHERE type_id = ?1")?
        .query_row([type_id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let continued =
        mark.filter(|(id, held, _)| resumed && id == set_id && held == mode.name()).map(|(.., floor)| floor);
    let floor = if resumed { continued } else { Some(*clock) };
    if continued.is_none() {
        connection.prepare_cached("DELETE FROM scope_mark WHERE type_id = ?1")?.execute([type_id])?;
        connection.prepare_cached("DELETE FROM scope_warning WHERE type_id = ?1")?.execute([type_id])?;
        connection
            .prepare_cached("INSERT OR REPLACE INTO set_mark (type_id, set_id, mode, floor) VALUES (?1, ?2, ?3, ?4)")?
            // A set whose first Begin is not known here must not be known after the next kill either.
            .execute((type_id, if floor.is_some() { set_id } else { "" }, mode.name(), *clock))?;
    }
    Ok(OpenSet { mode, absence, floor, begin: *clock, upserts: 0, deletes: 0, left_scope: 0 })
}

/// The clock below which edges of this group are to be removed at its Scope, if any are.
pub(super) fn scope_removes_below(
    connection: &Connection,
    type_id: i64,
    set: &OpenSet,
    group: i64,
    complete: bool,
) -> Result<Option<i64>> {
    if !complete || !matches!(set.mode, Mode::Full | Mode::Delta) {
        return Ok(None);
    }
    let previous: Option<i64> = connection
        .prepare_cached("SELECT touch FROM scope_mark WHERE type_id = ?1 AND node_id = ?2")?
        .query_row((type_id, group), |row| row.get(0))
        .optional()?;
    Ok(Some(previous.unwrap_or(0).max(set.begin)))
}

/// Closes the rows of one group: what comes after belongs to its next Scope.
pub(super) fn close_scope(
    connection: &Connection,
    clock: &mut i64,
    type_id: i64,
    group: i64,
    complete: bool,
) -> Result<()> {
    *clock += 1;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO scope_mark (type_id, node_id, touch, complete) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((type_id, group, *clock, complete))?;
    Ok(())
}

/// Remembers whether the last Issue about a scope was a mere Warning. A resumed set does not repeat its Issues.
pub(super) fn keep_issue(connection: &Connection, type_id: i64, group: i64, warning: bool) -> Result<()> {
    let sql = if warning {
        "INSERT OR IGNORE INTO scope_warning (type_id, node_id) VALUES (?1, ?2)"
    } else {
        "DELETE FROM scope_warning WHERE type_id = ?1 AND node_id = ?2"
    };
    connection.prepare_cached(sql)?.execute((type_id, group))?;
    Ok(())
}

/// The groups whose last Scope in the type's latest set was incomplete.
pub(super) fn unread(connection: &Connection, type_id: i64) -> Result<HashSet<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT node_id FROM scope_mark WHERE type_id = ?1 AND NOT complete")?;
    let rows = statement.query_map([type_id], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The scopes of the type's latest set about which the last Issue was a mere Warning.
pub(super) fn warned(connection: &Connection, type_id: i64) -> Result<HashSet<i64>> {
    let mut statement = connection.prepare_cached("SELECT node_id FROM scope_warning WHERE type_id = ?1")?;
    let rows = statement.query_map([type_id], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl OpenSet {
    /// The clock below which rows are to be removed at this End, if any are.
    pub(super) fn removes_below(&self, complete: bool) -> Option<i64> {
        self.floor.filter(|_| complete && self.mode == Mode::Full)
    }
}

/// The store's clock.
pub(super) fn clock(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("SELECT now FROM clock", [], |row| row.get(0))?)
}

/// Writes the clock back, in the transaction of the rows it stamped.
pub(super) fn keep_clock(connection: &Connection, now: i64) -> Result<()> {
    connection.prepare_cached("UPDATE clock SET now = ?1")?.execute([now])?;
    Ok(())
}
