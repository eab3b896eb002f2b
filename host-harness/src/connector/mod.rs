//! A loaded connector as safe Rust: start an operation, pull batches until it ends, read the result, drop it.
//!
//! There are two ways in, the C functions and the abi_stable module, and one shape over both. Easy to get
//! wrong: `next` must be called until it answers something final, and only then is there a result; dropping an
//! [`Operation`] cancels and releases it, so nothing has to be cleaned up by hand.

mod c_door;
#[cfg(test)]
pub(crate) mod fake;
mod rust_door;

use std::fmt;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use connector_abi::status::{CONNECTOR_FOREVER, STATUS_NAMES, Status};
use connector_abi::structs::{OperationHandle, Progress};

use crate::loader::{LoadError, RawFunctions};
use c_door::CDoor;
use rust_door::RustDoor;
pub use rust_door::root_module;

/// Which of a connector's two doors the host goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DoorKind {
    /// The C functions of `include/connector.h`: the contract proper.
    #[default]
    C,
    /// The abi_stable root module, for hosts written in Rust. It has no wake callback.
    AbiStable,
}

/// A connector library, loaded for the rest of the process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connector {
    path: PathBuf,
    door: Arc<dyn Door>,
}

/// What an operation is started with. `Default` means: full import, the connector's own sizes, no callbacks.
#[derive(Clone, Default)]
pub struct StartRequest<'a> {
    /// ConfigJson.
    pub config: &'a str,
    /// AuthJson, its secrets already resolved.
    pub auth: &'a str,
    /// From an earlier checkpoint; `None` or empty: full import.
    pub watermark: Option<&'a str>,
    /// Records in a batch at most; 0: the connector's default.
    pub max_batch_rows: u32,
    /// Bytes in a batch at most; 0: the connector's default.
    pub max_batch_bytes: u32,
    /// Batches that may wait for the host; 0: the connector's default.
    pub max_queued_batches: u32,
    /// Collect log lines up to this level (`CONNECTOR_LOG_…`); `None`: no log.
    pub log_level: Option<u32>,
    /// Called from a connector thread when there is something to fetch. C door only.
    pub wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// An operation that could not be started.
#[derive(Debug, Clone)]
pub struct StartError {
    /// A negative status of the contract.
    pub status: Status,
    /// The connector's error JSON.
    pub error_json: String,
}

/// One log line of the connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// `CONNECTOR_LOG_…`
    pub level: u32,
    /// The text.
    pub message: String,
}

/// One batch of records. The bytes go back to the connector when it is dropped.
#[derive(Debug)]
pub struct Batch {
    /// 0, 1, 2, … within the operation.
    pub sequence: u64,
    /// Lines in `rows`.
    pub row_count: u64,
    /// NDJSON.
    pub rows: Rows,
    /// A watermark that is good once everything so far is stored.
    pub checkpoint: Option<String>,
}

/// The bytes of a batch, wherever they are owned.
#[derive(Debug)]
pub struct Rows(Bytes);

#[derive(Debug)]
enum Bytes {
    Lent(c_door::Lent),
    Owned(abi_stable::std_types::RVec<u8>),
}

/// What [`Operation::next`] brought.
#[derive(Debug)]
pub enum Next {
    /// Records.
    Batch(Batch),
    /// Nothing within the timeout.
    Pending,
    /// Over, everything was delivered.
    End {
        /// The new watermark.
        checkpoint: Option<String>,
    },
    /// Over in order, but something was not delivered.
    EndPartial {
        /// A watermark that moved only for what was delivered.
        checkpoint: Option<String>,
    },
    /// A negative status. Final, except `CONNECTOR_E_BUSY` and `CONNECTOR_E_INVALID_ARGUMENT`.
    Failed(Status),
}

/// A running or finished operation; dropping it cancels and releases it.
#[derive(Debug)]
pub struct Operation {
    door: Arc<dyn Door>,
    handle: OperationHandle,
    /// Callbacks write here until `release` has returned, so it must be dropped after it: see `Drop`.
    host: Arc<HostSide>,
}

/// Ends an operation from any thread. Harmless once the operation is gone: a stale handle is only an error.
#[derive(Debug, Clone)]
pub struct CancelHandle {
    door: Arc<dyn Door>,
    handle: OperationHandle,
}

/// Which of the three starting functions is meant.
#[derive(Debug, Clone, Copy)]
enum Job {
    Import,
    Export,
    Check,
}

/// What the callbacks of one operation reach.
struct HostSide {
    log: Mutex<Vec<LogLine>>,
    wake: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// The contract's functions over handles, without pointers.
trait Door: fmt::Debug + Send + Sync {
    fn abi_version(&self) -> u32;
    fn describe(&self) -> Result<String>;
    fn start(&self, job: Job, request: &StartRequest<'_>, host: &Arc<HostSide>) -> Result<OperationHandle, StartError>;
    fn next(&self, operation: OperationHandle, timeout_ms: u32, host: &HostSide) -> Result<Next>;
    fn cancel(&self, operation: OperationHandle) -> Status;
    fn progress(&self, operation: OperationHandle) -> Result<Progress, Status>;
    fn result(&self, operation: OperationHandle) -> Result<String, Status>;
    fn release(&self, operation: OperationHandle) -> Status;
    fn raw(&self) -> Option<&RawFunctions>;
}

impl Connector {
    /// Loads the library at `path` through the C door.
    pub fn load(path: &Path) -> Result<Connector, LoadError> {
        Connector::load_through(path, DoorKind::C)
    }

    /// Loads the library at `path` through the given door.
    pub fn load_through(path: &Path, door: DoorKind) -> Result<Connector, LoadError> {
        let door: Arc<dyn Door> = match door {
            DoorKind::C => Arc::new(CDoor::load(path)?),
            DoorKind::AbiStable => Arc::new(RustDoor::load(path)?),
        };
        Ok(Connector { path: path.to_owned(), door })
    }

    /// The file it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `(major, minor)` of the contract the library implements.
    pub fn abi_version(&self) -> (u32, u32) {
        let version = self.door.abi_version();
        (version >> 16, version & 0xffff)
    }

    /// The connector's description of itself, as JSON.
    pub fn describe(&self) -> Result<String> {
        self.door.describe()
    }

    /// Starts an import.
    pub fn import(&self, request: &StartRequest<'_>) -> Result<Operation, StartError> {
        self.start(Job::Import, request)
    }

    /// Starts an export. Connectors that import only refuse it.
    pub fn export(&self, request: &StartRequest<'_>) -> Result<Operation, StartError> {
        self.start(Job::Export, request)
    }

    /// Starts a connection test.
    pub fn check(&self, request: &StartRequest<'_>) -> Result<Operation, StartError> {
        self.start(Job::Check, request)
    }

    /// The C functions themselves, for tests that misuse them on purpose. `None` through the abi_stable door.
    pub fn raw(&self) -> Option<&RawFunctions> {
        self.door.raw()
    }

    fn start(&self, job: Job, request: &StartRequest<'_>) -> Result<Operation, StartError> {
        let host = Arc::new(HostSide { log: Mutex::default(), wake: request.wake.clone() });
        let handle = self.door.start(job, request, &host)?;
        Ok(Operation { door: Arc::clone(&self.door), handle, host })
    }
}

impl Operation {
    /// Waits up to `timeout` for the next batch. `Duration::MAX` waits for ever. An error here means that the library
    /// broke the contract.
    pub fn next(&mut self, timeout: Duration) -> Result<Next> {
        let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(CONNECTOR_FOREVER);
        self.door.next(self.handle, timeout_ms, &self.host)
    }

    /// A handle that ends this operation from another thread.
    pub fn cancel_handle(&self) -> CancelHandle {
        CancelHandle { door: Arc::clone(&self.door), handle: self.handle }
    }

    /// Asks the operation to stop; returns at once.
    pub fn cancel(&self) {
        self.door.cancel(self.handle);
    }

    /// Counters, now.
    pub fn progress(&self) -> Result<Progress, Status> {
        self.door.progress(self.handle)
    }

    /// The result JSON, once [`Operation::next`] has answered something final.
    pub fn result_json(&self) -> Result<String, Status> {
        self.door.result(self.handle)
    }

    /// Log lines since the last call, oldest first.
    pub fn take_log(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.host.log())
    }

    /// The handle's number, for tests that use [`Connector::raw`] beside it.
    pub fn handle(&self) -> OperationHandle {
        self.handle
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        // Cancels what still runs. No callback comes after this call, so `host` may go.
        self.door.release(self.handle);
    }
}

impl CancelHandle {
    /// Asks the operation to stop; returns at once; repeatable.
    pub fn cancel(&self) {
        self.door.cancel(self.handle);
    }
}

impl HostSide {
    fn log(&self) -> std::sync::MutexGuard<'_, Vec<LogLine>> {
        // A panic while a line is pushed leaves a shorter log, nothing worse.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for HostSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostSide").finish_non_exhaustive()
    }
}

impl fmt::Debug for StartRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // AuthJson holds resolved secrets.
        f.debug_struct("StartRequest").finish_non_exhaustive()
    }
}

impl Deref for Rows {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Lent(lent) => lent,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the connector refused to start: {}", status_name(self.status))
    }
}

impl std::error::Error for StartError {}

/// The name of a status in the header, or its number.
pub fn status_name(status: Status) -> String {
    let known = STATUS_NAMES.iter().find(|(number, ..)| *number == status);
    known.map_or_else(|| format!("status {status}"), |(_, name, _)| (*name).to_owned())
}

#[cfg(test)]
mod tests;
