//! Reads a store: objects, edges, runs. Beside a running import it sees what the last checkpoint committed.
//!
//! Easy to get wrong: a hidden object and a dormant edge are *there*. They are left out of everything that asks
//! for what is visible, and they come back by themselves when a mark goes.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Map, Value};

use super::runs::{self, Run};
use super::schema;

/// A store, for reading.
#[derive(Debug)]
pub struct Mesh {
    connection: Connection,
}

/// An object or event.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// `User`, …
    pub object_type: String,
    /// The source's own id.
    pub source_id: String,
    /// What the configuration chose as id.
    pub external_id: Option<String>,
    /// Attributes that are neither null nor unknown.
    pub attributes: Map<String, Value>,
    /// Soft-deleted, or absent from a whole set: kept, not shown.
    pub hidden: bool,
}

/// An edge.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// `GroupMember`, …
    pub object_type: String,
    /// Its own id, or `<from>:<to>`.
    pub source_id: String,
    /// The end that is the scope, where edges have one. Empty when it was not told.
    pub from: String,
    /// The other end. Empty when it was not told.
    pub to: String,
    /// All attributes, those that hold the ends included.
    pub attributes: Map<String, Value>,
    /// An end of it carries a deleted mark: kept, not shown.
    pub dormant: bool,
}

/// An object type of this store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredType {
    /// `User`, …
    pub name: String,
    /// `Object`, `Edge`, `Event`.
    pub class: String,
    /// The instance that imports it.
    pub instance: String,
    /// Visible objects, or edges that are not dormant.
    pub visible: u64,
    /// Hidden objects, or dormant edges.
    pub kept: u64,
}

const OBJECTS: &str = "SELECT object_type.name, node.source_id, external_id, attributes, hidden
    FROM object JOIN node ON node.id = object.node_id JOIN object_type ON object_type.id = object.type_id";

const EDGES: &str = "SELECT object_type.name, coalesce(f.source_id, ''), coalesce(t.source_id, ''), key, attributes,
        coalesce(f.deleted, 0) OR coalesce(t.deleted, 0), from_attribute, to_attribute
    FROM edge JOIN object_type ON object_type.id = edge.type_id
    LEFT JOIN node f ON f.id = edge.from_id LEFT JOIN node t ON t.id = edge.to_id";

impl Mesh {
    /// Opens the store at `path`.
    pub fn open(path: &Path) -> Result<Mesh> {
        Ok(Mesh { connection: schema::open_to_read(path)? })
    }

    /// Its object types, by name.
    pub fn types(&self) -> Result<Vec<StoredType>> {
        let mut statement = self.connection.prepare(
            "SELECT object_type.id, object_type.name, class, instance.name FROM object_type
             JOIN instance ON instance.id = object_type.instance_id ORDER BY object_type.name",
        )?;
        let found = statement
            .query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?)))?;
        found
            .map(|row| {
                let (id, name, class, instance) = row?;
                let sql = if class == "Edge" {
                    "SELECT count(*), coalesce(sum(coalesce(f.deleted, 0) OR coalesce(t.deleted, 0)), 0) FROM edge
                     LEFT JOIN node f ON f.id = from_id LEFT JOIN node t ON t.id = to_id WHERE type_id = ?1"
                } else {
                    "SELECT count(*), coalesce(sum(hidden), 0) FROM object WHERE type_id = ?1"
                };
                let (all, kept) =
                    self.connection.query_row(sql, [id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
                Ok(StoredType {
                    name,
                    class,
                    instance,
                    visible: (all - kept).unsigned_abs(),
                    kept: kept.unsigned_abs(),
                })
            })
            .collect()
    }

    /// Calls `each` with every object of a type, or of all, in order of SourceId; hidden ones too.
    pub fn each_object(&self, object_type: Option<&str>, mut each: impl FnMut(Object) -> Result<()>) -> Result<()> {
        let sql =
            format!("{OBJECTS} WHERE ?1 IS NULL OR object_type.name = ?1 ORDER BY object_type.name, node.source_id");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([object_type])?;
        while let Some(row) = rows.next()? {
            each(object(row)?)?;
        }
        Ok(())
    }

    /// The visible objects of a type, in order of SourceId.
    pub fn objects(&self, object_type: &str) -> Result<Vec<Object>> {
        let mut visible = Vec::new();
        self.each_object(Some(object_type), |object| {
            if !object.hidden {
                visible.push(object);
            }
            Ok(())
        })?;
        Ok(visible)
    }

    /// One object, visible or not.
    pub fn object(&self, object_type: &str, source_id: &str) -> Result<Option<Object>> {
        let sql = format!("{OBJECTS} WHERE node.source_id = ?1 AND object_type.name = ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([source_id, object_type])?;
        rows.next()?.map(object).transpose()
    }

    /// The SourceIds of objects that are called that: by SourceId, ExternalId or `displayName`.
    pub fn named(&self, name: &str) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT node.source_id FROM object JOIN node ON node.id = object.node_id
             WHERE node.source_id = lower(?1) OR node.source_id = ?1 OR external_id = ?1 OR attributes ->> 'displayName' = ?1",
        )?;
        let found = statement.query_map([name], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Calls `each` with every edge of a type, or of all, dormant ones too.
    pub fn each_edge(&self, object_type: Option<&str>, mut each: impl FnMut(Edge) -> Result<()>) -> Result<()> {
        let sql =
            format!("{EDGES} WHERE ?1 IS NULL OR object_type.name = ?1 ORDER BY object_type.name, from_id, to_id, key");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([object_type])?;
        while let Some(row) = rows.next()? {
            each(edge(row)?)?;
        }
        Ok(())
    }

    /// The edges of a type that are not dormant.
    pub fn edges(&self, object_type: &str) -> Result<Vec<Edge>> {
        let mut visible = Vec::new();
        self.each_edge(Some(object_type), |edge| {
            if !edge.dormant {
                visible.push(edge);
            }
            Ok(())
        })?;
        Ok(visible)
    }

    /// The edges of one group, dormant ones too.
    pub fn edges_of(&self, source_id: &str) -> Result<Vec<Edge>> {
        let sql = format!(
            "{EDGES} WHERE edge.type_id IN (SELECT id FROM object_type) AND from_id = (SELECT id FROM node WHERE source_id = ?1)"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([source_id])?;
        let mut edges = Vec::new();
        while let Some(row) = rows.next()? {
            edges.push(edge(row)?);
        }
        Ok(edges)
    }

    /// One edge between two objects that has no id of its own, dormant or not.
    pub fn edge(&self, object_type: &str, from: &str, to: &str) -> Result<Option<Edge>> {
        let sql = format!(
            "{EDGES} WHERE edge.type_id = (SELECT id FROM object_type WHERE name = ?1) AND key = ''
             AND from_id = (SELECT id FROM node WHERE source_id = ?2) AND to_id = (SELECT id FROM node WHERE source_id = ?3)"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([object_type, from, to])?;
        rows.next()?.map(edge).transpose()
    }

    /// Whether a SourceId carries a deleted mark.
    pub fn is_marked(&self, source_id: &str) -> Result<bool> {
        let mark =
            self.connection.query_row("SELECT deleted FROM node WHERE source_id = ?1", [source_id], |row| row.get(0));
        Ok(mark.optional()?.unwrap_or(false))
    }

    /// The watermark of an instance.
    pub fn watermark(&self, instance: &str) -> Result<Option<String>> {
        let found =
            self.connection.query_row("SELECT watermark FROM instance WHERE name = ?1", [instance], |row| row.get(0));
        Ok(found.optional()?.flatten())
    }

    /// The latest runs, newest first.
    pub fn runs(&self, limit: u32) -> Result<Vec<Run>> {
        runs::latest(&self.connection, limit)
    }
}

fn object(row: &Row<'_>) -> Result<Object> {
    Ok(Object {
        object_type: row.get(0)?,
        source_id: row.get(1)?,
        external_id: row.get(2)?,
        attributes: attributes(row.get_ref(3)?.as_str()?)?,
        hidden: row.get(4)?,
    })
}

fn edge(row: &Row<'_>) -> Result<Edge> {
    let (from, to, key): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let mut attributes = attributes(row.get_ref(4)?.as_str()?)?;
    for (column, end) in [(6, &from), (7, &to)] {
        if let (Some(name), false) = (row.get::<_, Option<String>>(column)?, end.is_empty()) {
            attributes.insert(name, Value::String(end.clone()));
        }
    }
    let source_id = if key.is_empty() { format!("{from}:{to}") } else { key };
    Ok(Edge { object_type: row.get(0)?, source_id, from, to, attributes, dormant: row.get(5)? })
}

fn attributes(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).context("attributes in the store are damaged")
}
