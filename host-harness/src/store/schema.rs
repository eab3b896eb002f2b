//! The tables, and how a store is opened.
//!
//! Objects carry no deletion marks. A mark belongs to a *SourceId* (`node`),
//! because the contract wants it remembered for ids the host never held, and because edges ask it of both their ends.
//! And `touch`: a number that only grows, written into every row a record touches. "What this set did not touch" and
//! "what has not come since the group's previous Scope" are both a comparison with it (see `sets`).

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, OpenFlags};

use super::lock::Lock;
use super::migration;

/// Written as SQLite's `user_version`. A store of an older layout is migrated, one of a newer layout is refused.
pub(super) const VERSION: i32 = 2;
/// Written as SQLite's `application_id`: "mesh".
const APPLICATION: i32 = 0x6d65_7368;

const TABLES: &str = "
CREATE TABLE instance (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    connector   TEXT NOT NULL,
    watermark   TEXT
);
CREATE TABLE object_type (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    class       TEXT NOT NULL,
    -- JSON array: the ends of an edge as Describe has them, the scope's first.
    ends        TEXT NOT NULL,
    -- Whether an edge is of the object at its first end: that end is its scope, or its only one.
    owned       INTEGER NOT NULL,
    -- 0: the latest Result of its instance did not list it, so its deleted marks do not count.
    listed      INTEGER NOT NULL DEFAULT 1,
    instance_id INTEGER NOT NULL REFERENCES instance (id)
);
-- Every SourceId that was ever an object, an end of an edge or the subject of a delete.
CREATE TABLE node (
    id          INTEGER PRIMARY KEY,
    source_id   TEXT NOT NULL UNIQUE
);
-- What each node with a deleted mark was deleted as (0: not known), and when the mark came last.
CREATE TABLE deleted_mark (
    node_id     INTEGER PRIMARY KEY,
    type_id     INTEGER NOT NULL,
    touch       INTEGER NOT NULL
);
CREATE VIEW counted_mark AS SELECT node_id FROM deleted_mark
    WHERE type_id NOT IN (SELECT id FROM object_type WHERE NOT listed);
CREATE TABLE object (
    id          INTEGER PRIMARY KEY,
    node_id     INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    external_id TEXT,
    -- JSON object, keys sorted, no nulls: an attribute that is null or unknown is not there.
    attributes  TEXT NOT NULL,
    hidden      INTEGER NOT NULL DEFAULT 0,
    touch       INTEGER NOT NULL,
    UNIQUE (node_id, type_id)
);
-- The nodes of the ends, 0 for one that is null or that the type does not have. A row with three columns for them costs
-- a first import two thirds of what a table of ends would, and the store a quarter of its size (a trial with 400,000
-- edges).
-- key: the SourceId, or '' where that is the SourceIds of all ends with ':' between them.
-- attributes: without those that hold the ends.
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
CREATE INDEX edge_by_second ON edge (second_id) WHERE second_id <> 0;
CREATE INDEX edge_by_third ON edge (third_id) WHERE third_id <> 0;
CREATE UNIQUE INDEX edge_by_key ON edge (type_id, key) WHERE key <> '';
-- The set of each object type that is under way or was the last one.
CREATE TABLE set_mark (
    type_id     INTEGER PRIMARY KEY,
    set_id      TEXT NOT NULL,
    mode        TEXT NOT NULL,
    floor       INTEGER NOT NULL
);
-- The last Scope of each object in that set.
CREATE TABLE scope_mark (
    type_id     INTEGER NOT NULL,
    node_id     INTEGER NOT NULL,
    touch       INTEGER NOT NULL,
    complete    INTEGER NOT NULL,
    PRIMARY KEY (type_id, node_id)
) WITHOUT ROWID;
-- Scopes of the set under way about which the last Issue was a Warning: unread, but no reason to call a run partial.
CREATE TABLE scope_warning (
    type_id     INTEGER NOT NULL,
    node_id     INTEGER NOT NULL,
    PRIMARY KEY (type_id, node_id)
) WITHOUT ROWID;
CREATE TABLE clock (now INTEGER NOT NULL);
INSERT INTO clock VALUES (1);
CREATE TABLE run (
    id              INTEGER PRIMARY KEY,
    instance_id     INTEGER NOT NULL REFERENCES instance (id),
    process         INTEGER NOT NULL,
    started_ms      INTEGER NOT NULL,
    ended_ms        INTEGER,
    outcome         TEXT NOT NULL,
    status          INTEGER,
    full            INTEGER NOT NULL,
    watermark_from  TEXT,
    watermark_to    TEXT,
    report          TEXT
);
-- The removal guard's counts: rows of type_id that sets of by_id removed, and how many rows of type_id there were before.
-- settled: the set that removed them has its End, so the count does not outlive the run.
CREATE TABLE removal_count (
    type_id     INTEGER NOT NULL,
    by_id       INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    removed     INTEGER NOT NULL,
    settled     INTEGER NOT NULL,
    PRIMARY KEY (type_id, by_id)
) WITHOUT ROWID;
-- What the latest stop of an instance showed: up to which count the operator may accept, and the limits that were passed.
CREATE TABLE removal_shown (
    instance_id INTEGER NOT NULL,
    type_id     INTEGER NOT NULL,
    up_to       INTEGER NOT NULL,
    rows        INTEGER NOT NULL,
    percent     INTEGER NOT NULL,
    half        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (instance_id, type_id)
) WITHOUT ROWID;
";

/// Opens or makes the store at `path` for writing.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("cannot open the store {}", path.display()))?;
    configure(&connection)?;
    let version: i32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    if version == 0 && is_empty(&connection)? {
        // One batch, one transaction: a process killed here leaves an empty file, which is made anew.
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; BEGIN; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; {TABLES} COMMIT;"
        ))?;
    } else {
        check(&connection, version, path)?;
        migration::migrate(&connection, version)?;
    }
    // The transaction is the unit of truth, and WAL keeps it whole when the process is killed. After a power failure
    // the last ones may be gone, rows and watermark together.
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 16777216;")?;
    Ok(connection)
}

/// Opens the store at `path` for reading beside a writer. A store of an older layout is migrated first, which needs the
/// writer's lock.
pub(super) fn open_to_read(path: &Path) -> Result<Connection> {
    if !path.is_file() {
        bail!("there is no store at {}: an import makes it", path.display());
    }
    // Not read-only: the last reader of a WAL store tidies it up. `query_only` keeps it from writing rows.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .with_context(|| format!("cannot open the store {}", path.display()))?;
    configure(&connection)?;
    let version: i32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|error| not_a_store(path, error))?;
    check(&connection, version, path)?;
    if version < VERSION {
        let path = std::path::absolute(path).with_context(|| path.display().to_string())?;
        let _lock = Lock::take(&path)?;
        // Another process may have migrated it meanwhile.
        migration::migrate(&connection, connection.pragma_query_value(None, "user_version", |row| row.get(0))?)?;
    }
    connection.execute_batch("PRAGMA query_only = ON;")?;
    Ok(connection)
}

fn configure(connection: &Connection) -> Result<()> {
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn check(connection: &Connection, version: i32, path: &Path) -> Result<()> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION {
        bail!("{} is a database, but not a store of this program; name another file with --store", path.display());
    }
    if version > VERSION {
        bail!(
            "the store {} has layout {version}, this program knows layouts up to {VERSION}: a newer version of it wrote the \
             store; use that one, or import into a new store",
            path.display()
        );
    }
    Ok(())
}

fn is_empty(connection: &Connection) -> Result<bool> {
    Ok(connection.query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| row.get(0))?)
}

fn not_a_store(path: &Path, error: rusqlite::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("{} is not a store", path.display()))
}
