//! Edges: two ends by SourceId and whatever else the record says.
//!
//! Most edges have no id of their own; their SourceId is `<from>:<to>`, and the ends alone are the key. An edge with an id
//! of its own keeps it as `key`, since several may connect the same two objects. Whether an edge is dormant is nowhere
//! written down: it follows from the marks of its ends, whenever those change.

use std::collections::HashSet;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Map, Value};

use super::nodes::{self, NOBODY, Nodes};
use super::object_rows::{Effect, merge, text};
use super::record::Mode;
use super::unchanged::Unchanged;

/// What a record needs of its object type.
#[derive(Debug, Clone, Default)]
pub(super) struct EdgeType {
    pub(super) id: i64,
    /// The attributes that hold the ends; the scope's first.
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// Whether a Scope closes the edges of each `from`.
    pub(super) scoped: bool,
}

/// What an Upsert says of an edge.
#[derive(Debug)]
pub(super) struct Upsert<'r> {
    pub(super) source_id: &'r str,
    /// The ends among them.
    pub(super) attributes: Map<String, Value>,
    pub(super) mode: Mode,
    /// The store's clock.
    pub(super) touch: i64,
}

/// One edge, by its primary key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) from: i64,
    pub(super) to: i64,
    /// `''` for `<from>:<to>`.
    pub(super) own: String,
}

/// Applies an Upsert.
pub(super) fn upsert(
    connection: &Connection,
    nodes: &mut Nodes,
    unchanged: &mut Unchanged,
    edge_type: &EdgeType,
    Upsert { source_id, mut attributes, mode, touch }: Upsert<'_>,
) -> Result<Effect> {
    let from = take_end(&mut attributes, edge_type.from.as_deref());
    let to = take_end(&mut attributes, edge_type.to.as_deref());
    let composite = match (&from, &to) {
        (Some(from), Some(to)) => is_pair(source_id, from, to),
        _ => false,
    };
    let type_id = edge_type.id;
    let mut end = |id: Option<String>| id.map_or(Ok(NOBODY), |id| nodes.of(connection, &id));
    let mut key =
        Key { from: end(from)?, to: end(to)?, own: if composite { String::new() } else { source_id.to_owned() } };
    let mut held = None;
    if composite {
        held = attributes_of(connection, type_id, &key)?;
    } else if let Some(found) = by_key(connection, type_id, source_id)? {
        held = attributes_of(connection, type_id, &found)?;
        // An end that a change does not name is unchanged.
        key.from = if key.from == NOBODY { found.from } else { key.from };
        key.to = if key.to == NOBODY { found.to } else { key.to };
        if (key.from, key.to) != (found.from, found.to) {
            remove(connection, type_id, &found)?;
            insert(connection, type_id, &key, held.as_deref().unwrap_or("{}"), touch)?;
        }
    }
    let Some(held) = held else {
        insert(connection, type_id, &key, &text(&attributes)?, touch)?;
        return Ok(Effect::Added);
    };
    let image = matches!(mode, Mode::Full | Mode::Append);
    let merged = if image { text(&attributes)? } else { merge(&held, &attributes)? };
    if merged == held {
        if composite && edge_type.scoped {
            unchanged.keep(connection, type_id, key.from, key.to, touch)?;
            return Ok(Effect::Unchanged);
        }
        connection
            .prepare_cached(
                "UPDATE edge SET touch = ?5 WHERE type_id = ?1 AND from_id = ?2 AND to_id = ?3 AND key = ?4",
            )?
            .execute((type_id, key.from, key.to, &key.own, touch))?;
        return Ok(Effect::Unchanged);
    }
    connection
        .prepare_cached(
            "UPDATE edge SET attributes = ?5, touch = ?6 WHERE type_id = ?1 AND from_id = ?2 AND to_id = ?3 AND key = ?4",
        )?
        .execute((type_id, key.from, key.to, &key.own, merged, touch))?;
    Ok(Effect::Changed)
}

/// Applies a Delete, whatever its reason. True when there was an edge.
pub(super) fn delete(connection: &Connection, type_id: i64, source_id: &str) -> Result<bool> {
    if let Some((from, to)) = source_id.split_once(':')
        && let (Some(from), Some(to)) = (nodes::find(connection, from)?, nodes::find(connection, to)?)
        && remove(connection, type_id, &Key { from, to, own: String::new() })?
    {
        return Ok(true);
    }
    match by_key(connection, type_id, source_id)? {
        Some(key) => remove(connection, type_id, &key),
        None => Ok(false),
    }
}

/// Deletes every edge, of any type, that has the node at an end.
pub(super) fn delete_all_at(connection: &Connection, node: i64) -> Result<()> {
    connection.prepare_cached("DELETE FROM edge WHERE to_id = ?1")?.execute([node])?;
    connection
        .prepare_cached("DELETE FROM edge WHERE from_id = ?1 AND type_id IN (SELECT id FROM object_type)")?
        .execute([node])?;
    Ok(())
}

/// Deletes the edges of one group: those whose scope it is, of every type that has scopes.
pub(super) fn delete_scope(connection: &Connection, node: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM edge WHERE from_id = ?1 AND type_id IN (SELECT id FROM object_type WHERE scoped)")?
        .execute([node])?;
    Ok(())
}

/// The types whose edges come in scopes.
pub(super) fn scoped_types(connection: &Connection) -> Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM object_type WHERE scoped ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many edges of a type one scope has.
pub(super) fn count_of(connection: &Connection, type_id: i64, scope: i64) -> Result<u64> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM edge WHERE type_id = ?1 AND from_id = ?2")?;
    Ok(statement.query_row((type_id, scope), |row| row.get(0)).map(i64::unsigned_abs)?)
}

/// The first edges of one scope that nothing touched since `since`.
pub(super) fn untouched_of(
    connection: &Connection,
    type_id: i64,
    scope: i64,
    since: i64,
    limit: usize,
) -> Result<Vec<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT from_id, to_id, key FROM edge WHERE type_id = ?1 AND from_id = ?2 AND touch < ?3 LIMIT ?4",
    )?;
    let rows = statement.query_map((type_id, scope, since, i64::try_from(limit)?), key)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether every edge of one scope that nothing touched since `since` is among `known`, by its other end.
pub(super) fn all_untouched_are(
    connection: &Connection,
    type_id: i64,
    scope: i64,
    since: i64,
    known: &HashSet<i64>,
) -> Result<bool> {
    let mut statement = connection
        .prepare_cached("SELECT to_id, key = '' FROM edge WHERE type_id = ?1 AND from_id = ?2 AND touch < ?3")?;
    let mut rows = statement.query((type_id, scope, since))?;
    while let Some(row) = rows.next()? {
        if !row.get::<_, bool>(1)? || !known.contains(&row.get(0)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Touches the edges of one scope that have these other ends and no id of their own.
pub(super) fn touch_all(
    connection: &Connection,
    type_id: i64,
    scope: i64,
    others: &HashSet<i64>,
    touch: i64,
) -> Result<()> {
    let mut statement = connection
        .prepare_cached("UPDATE edge SET touch = ?4 WHERE type_id = ?1 AND from_id = ?2 AND to_id = ?3 AND key = ''")?;
    for other in others {
        statement.execute((type_id, scope, other, touch))?;
    }
    Ok(())
}

/// The first edges that [`delete_untouched`] would delete.
pub(super) fn untouched(connection: &Connection, type_id: i64, floor: i64, limit: usize) -> Result<Vec<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT from_id, to_id, key FROM edge WHERE type_id = ?1 AND touch < ?2 AND from_id NOT IN
            (SELECT node_id FROM scope_mark WHERE type_id = ?1) LIMIT ?3",
    )?;
    let rows = statement.query_map((type_id, floor, i64::try_from(limit)?), key)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes the edges of one scope that nothing touched since `since`. Says how many.
pub(super) fn delete_untouched_of(connection: &Connection, type_id: i64, scope: i64, since: i64) -> Result<usize> {
    let mut statement =
        connection.prepare_cached("DELETE FROM edge WHERE type_id = ?1 AND from_id = ?2 AND touch < ?3")?;
    Ok(statement.execute((type_id, scope, since))?)
}

/// Deletes the edges of a type that nothing touched since `floor`, except those of scopes that were closed in the set: a
/// complete Scope has left only edges that came, touched or not, and after an incomplete one nothing is removed.
pub(super) fn delete_untouched(connection: &Connection, type_id: i64, floor: i64) -> Result<usize> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM edge WHERE type_id = ?1 AND touch < ?2 AND from_id NOT IN
            (SELECT node_id FROM scope_mark WHERE type_id = ?1)",
    )?;
    Ok(statement.execute((type_id, floor))?)
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key { from: row.get(0)?, to: row.get(1)?, own: row.get(2)? })
}

fn take_end(attributes: &mut Map<String, Value>, name: Option<&str>) -> Option<String> {
    match attributes.remove(name?)? {
        Value::String(id) => Some(id),
        _ => None,
    }
}

fn is_pair(source_id: &str, from: &str, to: &str) -> bool {
    source_id.strip_prefix(from).and_then(|rest| rest.strip_prefix(':')) == Some(to)
}

fn attributes_of(connection: &Connection, type_id: i64, key: &Key) -> Result<Option<String>> {
    let mut statement = connection.prepare_cached(
        "SELECT attributes FROM edge WHERE type_id = ?1 AND from_id = ?2 AND to_id = ?3 AND key = ?4",
    )?;
    Ok(statement.query_row((type_id, key.from, key.to, &key.own), |row| row.get(0)).optional()?)
}

fn by_key(connection: &Connection, type_id: i64, source_id: &str) -> Result<Option<Key>> {
    let mut statement =
        connection.prepare_cached("SELECT from_id, to_id FROM edge WHERE type_id = ?1 AND key = ?2 AND key <> ''")?;
    let key = |row: &Row<'_>| Ok(Key { from: row.get(0)?, to: row.get(1)?, own: source_id.to_owned() });
    Ok(statement.query_row((type_id, source_id), key).optional()?)
}

fn insert(connection: &Connection, type_id: i64, key: &Key, attributes: &str, touch: i64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO edge (type_id, from_id, to_id, key, attributes, touch) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute((type_id, key.from, key.to, &key.own, attributes, touch))?;
    Ok(())
}

fn remove(connection: &Connection, type_id: i64, key: &Key) -> Result<bool> {
    let mut statement = connection
        .prepare_cached("DELETE FROM edge WHERE type_id = ?1 AND from_id = ?2 AND to_id = ?3 AND key = ?4")?;
    Ok(statement.execute((type_id, key.from, key.to, &key.own))? > 0)
}
