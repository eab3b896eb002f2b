//! The mesh: objects, edges, run history and watermarks in SQLite, kept by the host rules of the contract.
//!
//! ```text
//! schema  tables           migration older layouts        record  one line, read         sets  Begin, Scope, End
//! nodes   SourceIds, marks object_rows, edge_rows         apply   all of it, one transaction per checkpoint
//! lock    one writer       instances, runs, tally         mesh    reading
//! absence what a set did not mention goes                 guard   unless that is too much (removal_counts)
//! ```
//!
//! Most deletes hide and do not delete: see `object_rows` for objects, and `edge_rows` for why a dormant
//! edge is not marked as such.

mod absence;
mod apply;
mod edge_rows;
mod guard;
mod instances;
mod lock;
mod mesh;
mod migration;
mod nodes;
mod object_rows;
mod record;
mod removal_counts;
mod runs;
mod schema;
mod sets;
mod tally;
mod unchanged;

#[cfg(test)]
mod claims;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rusqlite::Connection;
use serde_json::Value;

use crate::catalog::Catalog;
use lock::Lock;

pub use apply::Applier;
pub use guard::{AbsentRows, Removal, RemovalGuard, RemovalStop, RemovedEnd};
pub use mesh::{Edge, Mesh, Object, StoredType};
pub use record::{Issue, Mode};
pub use runs::{Run, WholeRun, hash as watermark_hash};
pub use tally::{Tally, TypeTally};

/// A store, for writing. There is one writer at a time, in whatever process.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    _lock: Lock,
}

/// An instance of a connector in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance(i64);

impl Store {
    /// Opens or makes the store at `path`; its folder must exist. Fails with words while another process writes to it.
    pub fn open(path: &Path) -> Result<Store> {
        let path: PathBuf = std::path::absolute(path).with_context(|| path.display().to_string())?;
        let lock = Lock::take(&path)?;
        Ok(Store { connection: schema::open(&path)?, _lock: lock })
    }

    /// The instance of that name, made when it is new.
    pub fn instance(&self, name: &str, connector: &str) -> Result<Instance> {
        instances::open(&self.connection, name, connector).map(Instance)
    }

    /// The watermark of an instance.
    pub fn watermark(&self, instance: Instance) -> Result<Option<String>> {
        instances::watermark(&self.connection, instance.0)
    }

    /// Fails with words when another instance imports this object type into the store.
    pub fn may_import(&self, instance: Instance, object_type: &str) -> Result<()> {
        instances::may_import(&self.connection, instance.0, object_type)
    }

    /// Starts to apply the records of a run.
    pub fn applier<'s>(&'s self, instance: Instance, catalog: &'s Catalog) -> Result<Applier<'s>> {
        Applier::new(&self.connection, instance.0, catalog)
    }

    /// The latest run before `run` that delivered this object type whole.
    pub fn last_whole(&self, instance: Instance, object_type: &str, run: i64) -> Result<Option<WholeRun>> {
        runs::last_whole(&self.connection, instance.0, object_type, run)
    }

    /// Remembers that a run starts; answers its number.
    pub fn begin_run(&self, instance: Instance, full: bool, watermark: Option<&str>) -> Result<i64> {
        runs::begin(&self.connection, instance.0, full, watermark)
    }

    /// Notes which object types the Result of a run lists. A type that is not among them is switched off: it is shown
    /// as its last End left it, and the deleted marks that it set do not count.
    pub fn keep_listed(&self, instance: Instance, listed: &[&str]) -> Result<()> {
        instances::keep_listed(&self.connection, instance.0, listed)
    }

    /// Remembers how a run ended; without a status when it was the host that failed.
    pub fn end_run(
        &self,
        run: i64,
        outcome: &str,
        status: Option<i32>,
        watermark: Option<&str>,
        report: &Value,
    ) -> Result<()> {
        runs::end(&self.connection, run, outcome, status, watermark, report)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Leaves one file behind instead of two. A reader may be in the way; then the next writer does it.
        let _ = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
    }
}
