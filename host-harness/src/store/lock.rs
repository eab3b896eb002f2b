//! One writer for each store.
//!
//! The lock is SQLite's own lock on a file beside the store, `mesh.db.lock`, held as an open exclusive transaction. A
//! lock *file* that is made and removed would outlive a killed process; this one is the operating system's and goes
//! with it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, ErrorCode};

/// Held for as long as the value lives.
#[derive(Debug)]
pub(super) struct Lock {
    _held: Connection,
}

impl Lock {
    /// Takes the lock of the store at `path`, or says that another process has it.
    pub(super) fn take(path: &Path) -> Result<Lock> {
        let file = beside(path);
        let connection = Connection::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
        connection.busy_timeout(Duration::ZERO)?;
        match connection.execute_batch("PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE;") {
            Ok(()) => Ok(Lock { _held: connection }),
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::DatabaseBusy => bail!(
                "another import is writing to {}: wait for it, or name another store with --store",
                path.display()
            ),
            Err(error) => Err(error).with_context(|| format!("cannot lock {}", file.display())),
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".lock");
    PathBuf::from(name)
}
