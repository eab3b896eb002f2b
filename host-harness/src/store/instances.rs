//! Connector instances: who imports what into this store, and how far each has come.
//!
//! Rows belong to the mesh; watermark, runs and object types belong to an instance. Two instances that import the same
//! object type would each remove what the other brought, so the second is refused.

use anyhow::{Result, bail};
use rusqlite::{Connection, OptionalExtension};

use crate::catalog::ObjectType;

/// The instance of that name, made when it is new. One that was made by another connector is refused.
pub(super) fn open(connection: &Connection, name: &str, connector: &str) -> Result<i64> {
    let held: Option<(i64, String)> = connection
        .query_row("SELECT id, connector FROM instance WHERE name = ?1", [name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match held {
        Some((id, held)) if held == connector => Ok(id),
        Some((_, held)) => bail!(
            "the instance {name} of this store belongs to the connector {held}, not {connector}: name another with --instance"
        ),
        None => {
            connection.execute("INSERT INTO instance (name, connector) VALUES (?1, ?2)", (name, connector))?;
            Ok(connection.last_insert_rowid())
        }
    }
}

/// The watermark of an instance.
pub(super) fn watermark(connection: &Connection, instance: i64) -> Result<Option<String>> {
    Ok(connection.query_row("SELECT watermark FROM instance WHERE id = ?1", [instance], |row| row.get(0))?)
}

/// Writes the watermark, in the transaction of the rows it covers.
pub(super) fn keep_watermark(connection: &Connection, instance: i64, watermark: &str) -> Result<()> {
    connection.prepare_cached("UPDATE instance SET watermark = ?2 WHERE id = ?1")?.execute((instance, watermark))?;
    Ok(())
}

/// Whether the instance may import this object type: yes, unless another one does.
pub(super) fn may_import(connection: &Connection, instance: i64, object_type: &str) -> Result<()> {
    let owner: Option<String> = connection
        .query_row(
            "SELECT instance.name FROM object_type JOIN instance ON instance.id = object_type.instance_id
             WHERE object_type.name = ?1 AND instance.id <> ?2",
            (object_type, instance),
            |row| row.get(0),
        )
        .optional()?;
    if let Some(owner) = owner {
        bail!(
            "{object_type} is imported into this store by the instance {owner}: two instances would remove each other's \
             rows; switch {object_type} off here, use --instance {owner}, or name another store with --store"
        );
    }
    Ok(())
}

/// Notes which of the instance's object types a Result lists. Deleted marks of the others do not count until they begin
/// again or are listed again.
pub(super) fn keep_listed(connection: &Connection, instance: i64, listed: &[&str]) -> Result<()> {
    connection.execute(
        "UPDATE object_type SET listed = name IN (SELECT value FROM json_each(?2)) WHERE instance_id = ?1",
        (instance, serde_json::to_string(listed)?),
    )?;
    Ok(())
}

/// The object type's number in this store, taken into the instance's possession. It is switched on, since it begins.
pub(super) fn claim(connection: &Connection, instance: i64, object_type: &ObjectType) -> Result<i64> {
    may_import(connection, instance, &object_type.name)?;
    let ends = serde_json::to_string(&object_type.ends_from_scope())?;
    connection.execute(
        "INSERT INTO object_type (name, class, ends, owned, instance_id) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (name) DO UPDATE SET class = excluded.class, ends = excluded.ends, owned = excluded.owned, listed = 1",
        (&object_type.name, object_type.class.name(), ends, object_type.is_of_its_first_end(), instance),
    )?;
    Ok(connection.query_row("SELECT id FROM object_type WHERE name = ?1", [&object_type.name], |row| row.get(0))?)
}
