//! Edges: one to three ends by SourceId, and whatever else the record says.
//!
//! Most edges have no id of their own; their SourceId is those of their ends with `:` between them, and the ends alone
//! are the key. Every other edge keeps its SourceId as `key`, since several may connect the same objects. Easy to get
//! wrong: an end may change, so an edge may come as the one and be held as the other. Whether an edge is dormant is
//! nowhere written down: it follows from the marks of its ends, whenever those change.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Map, Value};

use super::nodes::{self, NOBODY, Nodes};
use super::object_rows::{Effect, merge, text};
use super::unchanged::Unchanged;
use crate::catalog::{MAX_ENDS, ObjectType};

/// What a record needs of its object type.
#[derive(Debug, Clone, Default)]
pub(super) struct EdgeType {
    pub(super) id: i64,
    /// The attributes that hold the ends; the scope's first.
    ends: Vec<String>,
    /// Whether a Scope closes the edges of each first end.
    scoped: bool,
}

/// What an Upsert says of an edge.
#[derive(Debug)]
pub(super) struct Upsert<'r> {
    pub(super) source_id: &'r str,
    /// The ends among them.
    pub(super) attributes: Map<String, Value>,
    /// Whether the attributes are the whole edge, and not a change of it.
    pub(super) image: bool,
    /// The store's clock.
    pub(super) touch: i64,
}

/// One edge, by its primary key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// [`NOBODY`] for an end that is null, and for those that the type does not have.
    pub(super) ends: [i64; MAX_ENDS],
    /// `''` where the SourceId is those of the ends.
    pub(super) own: String,
}

/// What a record says of an end.
#[derive(Debug, Default)]
enum Told {
    #[default]
    Absent,
    Null,
    Is(String),
}

impl EdgeType {
    /// Fails with words when an edge of the type has another number of ends than the contract allows.
    pub(super) fn new(id: i64, object_type: &ObjectType) -> Result<EdgeType> {
        let ends: Vec<String> = object_type.ends_from_scope().into_iter().map(|end| end.attribute).collect();
        ensure!(
            (1..=MAX_ENDS).contains(&ends.len()),
            "the connector broke the contract: edges have one to {MAX_ENDS} ends, {} has {}",
            object_type.name,
            ends.len()
        );
        Ok(EdgeType { id, ends, scoped: object_type.scope_attribute.is_some() })
    }
}

/// Applies an Upsert.
pub(super) fn upsert(
    connection: &Connection,
    nodes: &mut Nodes,
    unchanged: &mut Unchanged,
    edge_type: &EdgeType,
    Upsert { source_id, mut attributes, image, touch }: Upsert<'_>,
) -> Result<Effect> {
    let type_id = edge_type.id;
    let mut told: [Told; MAX_ENDS] = Default::default();
    for (told, name) in told.iter_mut().zip(&edge_type.ends) {
        *told = take_end(&mut attributes, name);
    }
    let composite = is_of_its_ends(source_id, &told[..edge_type.ends.len()]);
    let mut key = Key { ends: [NOBODY; MAX_ENDS], own: if composite { String::new() } else { source_id.to_owned() } };
    for (end, told) in key.ends.iter_mut().zip(&told) {
        if let Told::Is(id) = told {
            *end = nodes.of(connection, id)?;
        }
    }
    let (mut held, mut moved) = (None, false);
    let found = if composite {
        held = attributes_of(connection, type_id, &key)?;
        if held.is_none() { by_key(connection, type_id, source_id)? } else { None }
    } else {
        find(connection, edge_type, source_id)?
    };
    if let Some(found) = found {
        if !image {
            // An end that a change does not name is unchanged.
            let absent =
                key.ends.iter_mut().zip(&found.ends).zip(&told).filter(|(_, told)| matches!(told, Told::Absent));
            absent.for_each(|((end, found), _)| *end = *found);
        }
        if key.ends == found.ends {
            key.own.clone_from(&found.own);
        }
        held = attributes_of(connection, type_id, &found)?;
        if key != found {
            moved = true;
            remove(connection, type_id, &found)?;
            insert(connection, type_id, &key, held.as_deref().unwrap_or("{}"), touch)?;
        }
    }
    let Some(held) = held else {
        insert(connection, type_id, &key, &text(&attributes)?, touch)?;
        return Ok(Effect::Added);
    };
    let merged = if image { text(&attributes)? } else { merge(&held, &attributes)? };
    let [first, second, third] = key.ends;
    if merged == held {
        if moved {
            return Ok(Effect::Changed);
        }
        if key.own.is_empty() && edge_type.scoped && edge_type.ends.len() == 2 {
            unchanged.keep(connection, type_id, first, second, touch)?;
            return Ok(Effect::Unchanged);
        }
        connection
            .prepare_cached(
                "UPDATE edge SET touch = ?6
                 WHERE type_id = ?1 AND first_id = ?2 AND second_id = ?3 AND third_id = ?4 AND key = ?5",
            )?
            .execute((type_id, first, second, third, &key.own, touch))?;
        return Ok(Effect::Unchanged);
    }
    connection
        .prepare_cached(
            "UPDATE edge SET attributes = ?6, touch = ?7
             WHERE type_id = ?1 AND first_id = ?2 AND second_id = ?3 AND third_id = ?4 AND key = ?5",
        )?
        .execute((type_id, first, second, third, &key.own, merged, touch))?;
    Ok(Effect::Changed)
}

/// Applies a Delete, whatever its reason. True when there was an edge.
pub(super) fn delete(connection: &Connection, edge_type: &EdgeType, source_id: &str) -> Result<bool> {
    match find(connection, edge_type, source_id)? {
        Some(key) => remove(connection, edge_type.id, &key),
        None => Ok(false),
    }
}

/// Deletes every edge, of any type, that has the node at any end.
pub(super) fn delete_all_at(connection: &Connection, node: i64) -> Result<()> {
    for end in [
        "type_id IN (SELECT id FROM object_type) AND first_id = ?1",
        // In the words of the two indexes.
        "second_id = ?1 AND second_id <> 0",
        "third_id = ?1 AND third_id <> 0",
    ] {
        connection.prepare_cached(&format!("DELETE FROM edge WHERE {end}"))?.execute([node])?;
    }
    Ok(())
}

/// Deletes the edges *of* an object: of every type, those whose scope or only end it is.
pub(super) fn delete_owned(connection: &Connection, node: i64) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM edge WHERE first_id = ?1 AND type_id IN (SELECT id FROM object_type WHERE owned)")?
        .execute([node])?;
    Ok(())
}

/// The types whose edges are of the object at their first end.
pub(super) fn owned_types(connection: &Connection) -> Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM object_type WHERE owned ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many edges of a type are of one object.
pub(super) fn count_of(connection: &Connection, type_id: i64, first: i64) -> Result<u64> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM edge WHERE type_id = ?1 AND first_id = ?2")?;
    Ok(statement.query_row((type_id, first), |row| row.get(0)).map(i64::unsigned_abs)?)
}

/// The first edges of one object that nothing touched since `since`.
pub(super) fn untouched_of(
    connection: &Connection,
    type_id: i64,
    first: i64,
    since: i64,
    limit: usize,
) -> Result<Vec<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT first_id, second_id, third_id, key FROM edge WHERE type_id = ?1 AND first_id = ?2 AND touch < ?3 LIMIT ?4",
    )?;
    let rows = statement.query_map((type_id, first, since, i64::try_from(limit)?), key)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether every edge of one scope that nothing touched since `since` is among `known`, by its second end.
pub(super) fn all_untouched_are(
    connection: &Connection,
    type_id: i64,
    scope: i64,
    since: i64,
    known: &HashSet<i64>,
) -> Result<bool> {
    let mut statement = connection.prepare_cached(
        "SELECT second_id, key = '' AND third_id = 0 FROM edge WHERE type_id = ?1 AND first_id = ?2 AND touch < ?3",
    )?;
    let mut rows = statement.query((type_id, scope, since))?;
    while let Some(row) = rows.next()? {
        if !row.get::<_, bool>(1)? || !known.contains(&row.get(0)?) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Touches the edges of one scope that have these second ends, no third one and no id of their own.
pub(super) fn touch_all(
    connection: &Connection,
    type_id: i64,
    scope: i64,
    others: &HashSet<i64>,
    touch: i64,
) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "UPDATE edge SET touch = ?4
         WHERE type_id = ?1 AND first_id = ?2 AND second_id = ?3 AND third_id = 0 AND key = ''",
    )?;
    for other in others {
        statement.execute((type_id, scope, other, touch))?;
    }
    Ok(())
}

/// The first edges that [`delete_untouched`] would delete.
pub(super) fn untouched(connection: &Connection, type_id: i64, floor: i64, limit: usize) -> Result<Vec<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT first_id, second_id, third_id, key FROM edge WHERE type_id = ?1 AND touch < ?2 AND first_id NOT IN
            (SELECT node_id FROM scope_mark WHERE type_id = ?1) LIMIT ?3",
    )?;
    let rows = statement.query_map((type_id, floor, i64::try_from(limit)?), key)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Deletes the edges of one scope that nothing touched since `since`. Says how many.
pub(super) fn delete_untouched_of(connection: &Connection, type_id: i64, scope: i64, since: i64) -> Result<usize> {
    let mut statement =
        connection.prepare_cached("DELETE FROM edge WHERE type_id = ?1 AND first_id = ?2 AND touch < ?3")?;
    Ok(statement.execute((type_id, scope, since))?)
}

/// Deletes the edges of a type that nothing touched since `floor`, except those of scopes that were closed in the set:
/// a complete Scope has left only edges that came, touched or not, and after an incomplete one nothing is removed.
pub(super) fn delete_untouched(connection: &Connection, type_id: i64, floor: i64) -> Result<usize> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM edge WHERE type_id = ?1 AND touch < ?2 AND first_id NOT IN
            (SELECT node_id FROM scope_mark WHERE type_id = ?1)",
    )?;
    Ok(statement.execute((type_id, floor))?)
}

fn key(row: &Row<'_>) -> rusqlite::Result<Key> {
    Ok(Key { ends: [row.get(0)?, row.get(1)?, row.get(2)?], own: row.get(3)? })
}

fn take_end(attributes: &mut Map<String, Value>, name: &str) -> Told {
    match attributes.remove(name) {
        None => Told::Absent,
        Some(Value::String(id)) => Told::Is(id),
        Some(_) => Told::Null,
    }
}

/// Whether a SourceId is those of all ends with `:` between them. Not where one of these holds a `:` itself: then it
/// could be read in two ways.
fn is_of_its_ends(source_id: &str, ends: &[Told]) -> bool {
    let mut rest = Some(source_id);
    for (position, end) in ends.iter().enumerate() {
        let Told::Is(end) = end else { return false };
        rest = rest.and_then(|rest| if position == 0 { Some(rest) } else { rest.strip_prefix(':') });
        rest = rest.and_then(|rest| rest.strip_prefix(end.as_str()));
    }
    rest == Some("") && source_id.bytes().filter(|byte| *byte == b':').count() + 1 == ends.len()
}

/// The edge of that SourceId, if it is held.
fn find(connection: &Connection, edge_type: &EdgeType, source_id: &str) -> Result<Option<Key>> {
    let type_id = edge_type.id;
    let parts: Vec<&str> = source_id.splitn(MAX_ENDS + 1, ':').collect();
    if parts.len() == edge_type.ends.len() {
        let mut key = Key { ends: [NOBODY; MAX_ENDS], own: String::new() };
        let mut all_known = true;
        for (end, part) in key.ends.iter_mut().zip(parts) {
            match nodes::find(connection, part)? {
                Some(node) => *end = node,
                None => all_known = false,
            }
        }
        if all_known && attributes_of(connection, type_id, &key)?.is_some() {
            return Ok(Some(key));
        }
    }
    by_key(connection, type_id, source_id)
}

fn by_key(connection: &Connection, type_id: i64, source_id: &str) -> Result<Option<Key>> {
    let mut statement = connection.prepare_cached(
        "SELECT first_id, second_id, third_id, key FROM edge WHERE type_id = ?1 AND key = ?2 AND key <> ''",
    )?;
    Ok(statement.query_row((type_id, source_id), key).optional()?)
}

fn attributes_of(connection: &Connection, type_id: i64, key: &Key) -> Result<Option<String>> {
    let [first, second, third] = key.ends;
    let mut statement = connection.prepare_cached(
        "SELECT attributes FROM edge WHERE type_id = ?1 AND first_id = ?2 AND second_id = ?3 AND third_id = ?4 AND key = ?5",
    )?;
    Ok(statement.query_row((type_id, first, second, third, &key.own), |row| row.get(0)).optional()?)
}

fn insert(connection: &Connection, type_id: i64, key: &Key, attributes: &str, touch: i64) -> Result<()> {
    let [first, second, third] = key.ends;
    connection
        .prepare_cached(
            "INSERT INTO edge (type_id, first_id, second_id, third_id, key, attributes, touch)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((type_id, first, second, third, &key.own, attributes, touch))?;
    Ok(())
}

fn remove(connection: &Connection, type_id: i64, key: &Key) -> Result<bool> {
    let [first, second, third] = key.ends;
    let mut statement = connection.prepare_cached(
        "DELETE FROM edge WHERE type_id = ?1 AND first_id = ?2 AND second_id = ?3 AND third_id = ?4 AND key = ?5",
    )?;
    Ok(statement.execute((type_id, first, second, third, &key.own))? > 0)
}
