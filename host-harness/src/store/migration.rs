//! Stores of older layouts: how each becomes the next one.
//!
//! A step is one transaction, and the number of the layout is written in it: a process that is killed leaves the store
//! in the layout before or in the one after. The easy mistake: to let a step share its tables with `schema`. A step is
//! frozen with the layout it makes; `schema` goes on.

use anyhow::{Context, Result};
use rusqlite::Connection;

use super::schema::VERSION;

/// The steps; the first one makes layout 2 of layout 1.
const STEPS: [&str; 1] = [TO_2];

/// Layout 1 knew two ends of an edge and whether a node is deleted, in most stores also as what. The first three tables
/// came to layout 1 later: a store in which they are missing was not opened since.
const TO_2: &str = "
CREATE TABLE IF NOT EXISTS removal_count (
    type_id     INTEGER NOT NULL,
    by_id       INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    removed     INTEGER NOT NULL,
    settled     INTEGER NOT NULL,
    PRIMARY KEY (type_id, by_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS removal_shown (
    instance_id INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    up_to       INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    percent     INTEGER NOT NULL,
    PRIMARY KEY (instance_id, type_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scope_warning (
    type_id     INTEGER NOT NULL,
    node_id     INTEGER NOT NULL,
    PRIMARY KEY (type_id, node_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deleted_mark (
    node_id     INTEGER PRIMARY KEY,
    type_id     INTEGER NOT NULL,
    touch       INTEGER NOT NULL
);
DROP TABLE IF EXISTS removal_mark;

ALTER TABLE removal_shown RENAME TO removal_shown_1;
CREATE TABLE removal_shown (
    instance_id INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    up_to       INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    percent     INTEGER NOT NULL,
    half        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (instance_id, type_id)
) WITHOUT ROWID;
INSERT INTO removal_shown (instance_id, type_id, up_to, rows, percent)
    SELECT instance_id, type_id, up_to, rows, percent FROM removal_shown_1;
DROP TABLE removal_shown_1;

INSERT OR IGNORE INTO deleted_mark (node_id, type_id, touch)
    SELECT node.id, coalesce((SELECT type_id FROM object WHERE node_id = node.id), 0), 0 FROM node WHERE deleted;
ALTER TABLE node DROP COLUMN deleted;

ALTER TABLE object_type RENAME TO object_type_1;
CREATE TABLE object_type (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    class       TEXT NOT NULL,
    ends        TEXT NOT NULL,
    owned       INTEGER NOT NULL,
    listed      INTEGER NOT NULL DEFAULT 1,
    instance_id INTEGER NOT NULL REFERENCES instance (id)
);
INSERT INTO object_type (id, name, class, ends, owned, instance_id)
    SELECT id, name, class,
        (SELECT json_group_array(json_object('Attribute', value)) FROM json_each(json_array(from_attribute, to_attribute))
            WHERE value IS NOT NULL),
        scoped, instance_id FROM object_type_1;
DROP TABLE object_type_1;
CREATE VIEW counted_mark AS SELECT node_id FROM deleted_mark
    WHERE type_id NOT IN (SELECT id FROM object_type WHERE NOT listed);

DROP INDEX edge_by_member;
DROP INDEX edge_by_key;
ALTER TABLE edge RENAME TO edge_1;
CREATE TABLE edge (
    type_id     INTEGER NOT NULL,
    first_id    INTEGER NOT NULL,
    second_id   INTEGER NOT NULL,
    third_id    INTEGER NOT NULL,
    key         TEXT NOT NULL,
    attributes  TEXT NOT NULL,
    touch       INTEGER NOT NULL,
    PRIMARY KEY (type_id, first_id, second_id, third_id, key)
) WITHOUT ROWID;
INSERT INTO edge (type_id, first_id, second_id, third_id, key, attributes, touch)
    SELECT type_id, from_id, to_id, 0, key, attributes, touch FROM edge_1 ORDER BY type_id, from_id, to_id, key;
DROP TABLE edge_1;
CREATE INDEX edge_by_second ON edge (second_id) WHERE second_id <> 0;
CREATE INDEX edge_by_third ON edge (third_id) WHERE third_id <> 0;
CREATE UNIQUE INDEX edge_by_key ON edge (type_id, key) WHERE key <> '';
";

/// Brings a store of layout `from` to the layout of this program.
pub(super) fn migrate(connection: &Connection, from: i32) -> Result<()> {
    let done = usize::try_from(from - 1).unwrap_or_default();
    for (step, to) in STEPS.iter().zip(2..).skip(done) {
        let whole = format!("BEGIN IMMEDIATE; {step} PRAGMA user_version = {to}; COMMIT;");
        if let Err(error) = connection.execute_batch(&whole) {
            // A disk that is full has ended the transaction already.
            let _ = connection.execute_batch("ROLLBACK");
            return Err(error).with_context(|| {
                format!("the store could not be brought from layout {} to layout {to}; it is as it was", to - 1)
            });
        }
    }
    debug_assert_eq!(STEPS.len() + 1, VERSION.unsigned_abs() as usize, "a layout without its step");
    Ok(())
}
