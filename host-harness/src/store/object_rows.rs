//! Objects and events: one row for each (ObjectType, SourceId).
//!
//! A soft-deleted object keeps its row, hidden, since a later Upsert of a delta may carry only what changed since then.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value};

use super::{edge_rows, nodes};

/// What an Upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Added,
    Changed,
    Unchanged,
}

/// One object, as a record names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) type_id: i64,
    pub(super) node: i64,
}

/// Applies an Upsert. `image`: the attributes are the whole row, and not a change of it.
pub(super) fn upsert(
    connection: &Connection,
    key: Key,
    external_id: Option<&str>,
    attributes: &Map<String, Value>,
    image: bool,
    touch: i64,
) -> Result<Effect> {
    let held = connection
        .prepare_cached("SELECT id, external_id, attributes, hidden FROM object WHERE node_id = ?1 AND type_id = ?2")?
        .query_row((key.node, key.type_id), |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<String>>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, bool>(3)?,
            ))
        })
        .optional()?;
    let Some((id, held_external, held_attributes, hidden)) = held else {
        connection
            .prepare_cached(
                "INSERT INTO object (node_id, type_id, external_id, attributes, touch) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((key.node, key.type_id, external_id, text(attributes)?, touch))?;
        return Ok(Effect::Added);
    };
    let merged = if image { text(attributes)? } else { merge(&held_attributes, attributes)? };
    // Null on a change means "unchanged".
    let external_id = if image { external_id } else { external_id.or(held_external.as_deref()) };
    if !hidden && merged == held_attributes && external_id == held_external.as_deref() {
        connection.prepare_cached("UPDATE object SET touch = ?2 WHERE id = ?1")?.execute((id, touch))?;
        return Ok(Effect::Unchanged);
    }
    connection
        .prepare_cached("UPDATE object SET external_id = ?2, attributes = ?3, hidden = 0, touch = ?4 WHERE id = ?1")?
        .execute((id, external_id, merged, touch))?;
    Ok(Effect::Changed)
}

/// SoftDeleted: hides the object and remembers the mark, also for an object that was never here. True when it was
/// visible.
pub(super) fn soft_delete(connection: &Connection, key: Key, touch: i64) -> Result<bool> {
    nodes::mark(connection, key.node, key.type_id, touch)?;
    let changed = connection
        .prepare_cached("UPDATE object SET hidden = 1 WHERE node_id = ?1 AND type_id = ?2 AND hidden = 0")?
        .execute((key.node, key.type_id))?;
    Ok(changed > 0)
}

/// Purged: the object goes, the edges that are there go, the mark stays. True when there was an object.
pub(super) fn purge(connection: &Connection, key: Key, touch: i64) -> Result<bool> {
    nodes::mark(connection, key.node, key.type_id, touch)?;
    edge_rows::delete_all_at(connection, key.node)?;
    delete(connection, key)
}

/// LeftScope: the object goes and the edges *of* it; edges where it is a member stay, and its mark is taken away. True
/// when there was an object.
pub(super) fn leave_scope(connection: &Connection, key: Key) -> Result<bool> {
    wake(connection, key.node)?;
    delete(connection, key)
}

/// Removes the mark of an id that may or may not be deleted, and the edges of it. A hidden object stays hidden: if it
/// is restored, a Delta set may bring only what changed.
pub(super) fn wake(connection: &Connection, node: i64) -> Result<()> {
    nodes::unmark(connection, node)?;
    edge_rows::delete_owned(connection, node)
}

/// Whether the store shows the object.
pub(super) fn is_visible(connection: &Connection, key: Key) -> Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM object WHERE node_id = ?1 AND type_id = ?2 AND hidden = 0")?;
    Ok(statement.exists((key.node, key.type_id))?)
}

/// Visible objects of the type that nothing touched since `floor`.
pub(super) fn untouched(connection: &Connection, type_id: i64, floor: i64) -> Result<Vec<Key>> {
    let mut statement =
        connection.prepare_cached("SELECT node_id FROM object WHERE type_id = ?1 AND touch < ?2 AND hidden = 0")?;
    let rows = statement.query_map((type_id, floor), |row| Ok(Key { type_id, node: row.get(0)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn delete(connection: &Connection, key: Key) -> Result<bool> {
    let mut statement = connection.prepare_cached("DELETE FROM object WHERE node_id = ?1 AND type_id = ?2")?;
    Ok(statement.execute((key.node, key.type_id))? > 0)
}

/// Attributes as they are stored: keys sorted, nulls left out, so that equal attributes are equal texts.
pub(super) fn text(attributes: &Map<String, Value>) -> Result<String> {
    let sorted: BTreeMap<&String, &Value> = attributes.iter().filter(|(_, value)| !value.is_null()).collect();
    Ok(serde_json::to_string(&sorted)?)
}

/// A change on top of what is held: absent is unchanged, null is cleared.
pub(super) fn merge(held: &str, change: &Map<String, Value>) -> Result<String> {
    if change.is_empty() {
        return Ok(held.to_owned());
    }
    let mut merged: Map<String, Value> = serde_json::from_str(held).context("attributes in the store are damaged")?;
    merged.extend(change.iter().map(|(name, value)| (name.clone(), value.clone())));
    text(&merged)
}
