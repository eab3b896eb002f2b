//! Reads a store: objects, edges, runs. Beside a running import it sees what the last checkpoint committed.
//!
//! Easy to get wrong: a hidden object and a dormant edge are *there*. They are left out of everything that asks
//! for what is visible, and they come back by themselves when a mark goes.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Map, Value};

use super::runs::{self, Run, WholeRun};
use super::schema;
use crate::catalog::{End, MAX_ENDS};

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
    /// The source's own id, or those of its ends with `:` between them.
    pub source_id: String,
    /// The SourceIds of its ends, that of its scope first. Empty for an end that is null.
    pub ends: Vec<String>,
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
    /// The ends of its edges, the scope's first.
    pub ends: Vec<End>,
    /// Whether the latest Result of that instance listed it. If not, its rows are as its last End left them, and the
    /// deleted marks that it set do not count.
    pub switched_on: bool,
    /// For one that is switched off: the latest run that delivered it whole.
    pub as_of: Option<WholeRun>,
    /// Visible objects, or edges that are not dormant.
    pub visible: u64,
    /// Hidden objects, or dormant edges.
    pub kept: u64,
}

const OBJECTS: &str = "SELECT object_type.name, node.source_id, external_id, attributes, hidden
    FROM object JOIN node ON node.id = object.node_id JOIN object_type ON object_type.id = object.type_id";

/// Rule 7: an edge is dormant while any of its ends carries a mark that counts.
const DORMANT: &str = "EXISTS (SELECT 1 FROM counted_mark WHERE node_id IN (first_id, second_id, third_id))";

/// The columns that [`Ends::edge`] reads.
fn edges() -> String {
    format!(
        "SELECT object_type.name, ends, key, attributes, {DORMANT}, coalesce(a.source_id, ''), coalesce(b.source_id, ''),
            coalesce(c.source_id, '')
        FROM edge JOIN object_type ON object_type.id = edge.type_id
        LEFT JOIN node a ON a.id = first_id LEFT JOIN node b ON b.id = second_id LEFT JOIN node c ON c.id = third_id"
    )
}

impl Mesh {
    /// Opens the store at `path`.
    pub fn open(path: &Path) -> Result<Mesh> {
        Ok(Mesh { connection: schema::open_to_read(path)? })
    }

    /// Its object types, by name.
    pub fn types(&self) -> Result<Vec<StoredType>> {
        let mut statement = self.connection.prepare(
            "SELECT object_type.id, object_type.name, class, ends, listed, instance.name, instance.id FROM object_type
             JOIN instance ON instance.id = object_type.instance_id ORDER BY object_type.name",
        )?;
        let mut rows = statement.query([])?;
        let mut types = Vec::new();
        while let Some(row) = rows.next()? {
            let class: String = row.get(2)?;
            let sql = if class == "Edge" {
                format!("SELECT count(*), coalesce(sum({DORMANT}), 0) FROM edge WHERE type_id = ?1")
            } else {
                "SELECT count(*), coalesce(sum(hidden), 0) FROM object WHERE type_id = ?1".to_owned()
            };
            let id: i64 = row.get(0)?;
            let (all, kept): (i64, i64) =
                self.connection.query_row(&sql, [id], |counts| Ok((counts.get(0)?, counts.get(1)?)))?;
            let (switched_on, name): (bool, String) = (row.get(4)?, row.get(1)?);
            let as_of =
                if switched_on { None } else { runs::last_whole(&self.connection, row.get(6)?, &name, i64::MAX)? };
            types.push(StoredType {
                as_of,
                name,
                class,
                instance: row.get(5)?,
                ends: ends(row.get_ref(3)?.as_str()?)?,
                switched_on,
                visible: (all - kept).unsigned_abs(),
                kept: kept.unsigned_abs(),
            });
        }
        Ok(types)
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

    /// The SourceIds of objects that are called that: by SourceId, ExternalId or `displayName`. Ids are compared byte
    /// for byte; only where none is equal, one that is the same in lower case is taken, since GUIDs are often typed in
    /// upper case.
    pub fn named(&self, name: &str) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT node.source_id FROM object JOIN node ON node.id = object.node_id
             WHERE node.source_id = ?1 OR external_id = ?1 OR attributes ->> 'displayName' = ?1",
        )?;
        let mut found = |name: &str| statement.query_map([name], |row| row.get(0))?.collect::<Result<Vec<_>, _>>();
        let exact = found(name)?;
        Ok(if exact.is_empty() { found(&name.to_lowercase())? } else { exact })
    }

    /// Calls `each` with every edge of a type, or of all, dormant ones too.
    pub fn each_edge(&self, object_type: Option<&str>, mut each: impl FnMut(Edge) -> Result<()>) -> Result<()> {
        let sql = format!(
            "{} WHERE ?1 IS NULL OR object_type.name = ?1 ORDER BY object_type.name, first_id, second_id, third_id, key",
            edges()
        );
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([object_type])?;
        let mut ends = Ends::default();
        while let Some(row) = rows.next()? {
            each(ends.edge(row)?)?;
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

    /// The edges that have this object at their first end, which is their scope where they have one; dormant ones too.
    pub fn edges_of(&self, source_id: &str) -> Result<Vec<Edge>> {
        let sql = format!(
            "{} WHERE edge.type_id IN (SELECT id FROM object_type) AND first_id = (SELECT id FROM node WHERE source_id = ?1)",
            edges()
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([source_id])?;
        let (mut found, mut ends) = (Vec::new(), Ends::default());
        while let Some(row) = rows.next()? {
            found.push(ends.edge(row)?);
        }
        Ok(found)
    }

    /// One edge, dormant or not.
    pub fn edge(&self, object_type: &str, source_id: &str) -> Result<Option<Edge>> {
        const NODE: &str = "(SELECT id FROM node WHERE source_id =";
        let edges = edges();
        // Most edges have no id of their own: their SourceId is those of their ends.
        let by_ends = format!(
            "{edges} WHERE edge.type_id = (SELECT id FROM object_type WHERE name = ?1) AND key = ''
             AND first_id = {NODE} ?2) AND second_id = iif(?3 IS NULL, 0, {NODE} ?3))
             AND third_id = iif(?4 IS NULL, 0, {NODE} ?4))"
        );
        let mut parts = source_id.splitn(MAX_ENDS, ':').map(Some).chain(std::iter::repeat(None));
        let mut statement = self.connection.prepare_cached(&by_ends)?;
        let mut rows = statement.query((object_type, parts.next(), parts.next(), parts.next()))?;
        if let Some(row) = rows.next()? {
            return Ends::default().edge(row).map(Some);
        }
        let by_key = format!(
            "{edges} WHERE edge.type_id = (SELECT id FROM object_type WHERE name = ?1) AND key = ?2 AND key <> ''"
        );
        let mut statement = self.connection.prepare_cached(&by_key)?;
        let mut rows = statement.query((object_type, source_id))?;
        rows.next()?.map(|row| Ends::default().edge(row)).transpose()
    }

    /// Whether a SourceId carries a deleted mark that counts.
    pub fn is_marked(&self, source_id: &str) -> Result<bool> {
        let sql = "SELECT 1 FROM counted_mark JOIN node ON node.id = node_id WHERE source_id = ?1";
        Ok(self.connection.prepare_cached(sql)?.exists([source_id])?)
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

/// The ends of the object type that was read last: edges come type by type.
#[derive(Default)]
struct Ends {
    text: String,
    ends: Vec<End>,
}

impl Ends {
    fn edge(&mut self, row: &Row<'_>) -> Result<Edge> {
        let text = row.get_ref(1)?.as_str()?;
        if self.text != text {
            (self.text, self.ends) = (text.to_owned(), ends(text)?);
        }
        let key: String = row.get(2)?;
        let mut attributes = attributes(row.get_ref(3)?.as_str()?)?;
        let ids = (5..).take(self.ends.len()).map(|column| row.get(column)).collect::<Result<Vec<String>, _>>()?;
        for (end, id) in self.ends.iter().zip(&ids).filter(|(_, id)| !id.is_empty()) {
            attributes.insert(end.attribute.clone(), Value::String(id.clone()));
        }
        let source_id = if key.is_empty() { ids.join(":") } else { key };
        Ok(Edge { object_type: row.get(0)?, source_id, ends: ids, attributes, dormant: row.get(4)? })
    }
}

fn ends(text: &str) -> Result<Vec<End>> {
    serde_json::from_str(text).context("the ends of an object type in the store are damaged")
}

fn attributes(text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).context("attributes in the store are damaged")
}
