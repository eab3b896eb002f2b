//! SourceIds and their deleted marks.
//!
//! Objects and the ends of edges meet here, by SourceId alone, so that an edge may come before its ends and a mark may
//! stand on an id that was never an object. A node is never removed: a mark must outlive the object it speaks of.

use std::collections::HashMap;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension};

/// The node of an end that is null.
pub(super) const NOBODY: i64 = 0;

/// How many SourceIds are remembered in memory: enough for the ends of edges of a mid-sized tenant, some 10 MiB.
const REMEMBERED: usize = 100_000;

/// The nodes of a store, for one writer.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    ids: HashMap<Box<str>, i64>,
}

impl Nodes {
    /// The node of a SourceId, made when it is new.
    pub(super) fn of(&mut self, connection: &Connection, source_id: &str) -> Result<i64> {
        if let Some(id) = self.ids.get(source_id) {
            return Ok(*id);
        }
        let id = if let Some(id) = find(connection, source_id)? {
            id
        } else {
            connection.prepare_cached("INSERT INTO node (source_id) VALUES (?1)")?.execute([source_id])?;
            connection.last_insert_rowid()
        };
        if self.ids.len() == REMEMBERED {
            self.ids.clear();
        }
        self.ids.insert(source_id.into(), id);
        Ok(id)
    }
}

/// The node of a SourceId, if there is one.
pub(super) fn find(connection: &Connection, source_id: &str) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT id FROM node WHERE source_id = ?1")?;
    Ok(statement.query_row([source_id], |row| row.get(0)).optional()?)
}

/// Sets the deleted mark: while it counts, every edge at this node is dormant. `type_id`: what was deleted; the mark
/// counts while that type is switched on. `touch`: the store's clock.
pub(super) fn mark(connection: &Connection, node: i64, type_id: i64, touch: i64) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO deleted_mark (node_id, type_id, touch) VALUES (?1, ?2, ?3)")?
        .execute((node, type_id, touch))?;
    Ok(())
}

/// Takes the deleted mark away.
pub(super) fn unmark(connection: &Connection, node: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM deleted_mark WHERE node_id = ?1")?.execute([node])?;
    Ok(())
}

/// The nodes that were marked as objects of the type before `floor`, and not since.
pub(super) fn marked_before(connection: &Connection, type_id: i64, floor: i64) -> Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT node_id FROM deleted_mark WHERE type_id = ?1 AND touch < ?2")?;
    let rows = statement.query_map((type_id, floor), |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
