//! SourceIds and their deleted marks.
//!
//! Objects and the ends of edges meet here, by SourceId alone, so that an edge may come before its ends and a mark may
//! stand on an id that was never an object. A node is never removed: a mark must outlive the object it speaks of.

use std::collections::HashMap;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension};

/// The node of an end that a record did not tell.
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

/// Sets or takes away the deleted mark: with it, every edge at this node is dormant.
pub(super) fn mark(connection: &Connection, node: i64, deleted: bool) -> Result<()> {
    connection
        .prepare_cached("UPDATE node SET deleted = ?2 WHERE id = ?1 AND deleted <> ?2")?
        .execute((node, deleted))?;
    Ok(())
}
