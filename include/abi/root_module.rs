//! The second door: an `abi_stable` root module for hosts written in Rust.
//!
//! It hands out the same bytes as the C functions, over the same operations and the same handles, so the rules of the
//! header hold word for word. One thing differs from the usual practice with abi_stable:
//! `ConnectorModuleRef::load_from_directory` remembers the first library it loads, so a host with several connectors
//! must call `lib_header_from_path(path)?.init_root_module::<ConnectorModuleRef>()` for each file.

#![expect(clippy::expl_impl_clone_on_copy, reason = "written by abi_stable's derive")]

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::package_version_strings;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{ROption, RResult, RStr, RString, RVec};

use crate::status::Status;
use crate::structs::OperationHandle;

/// How an operation is run; zeros and `RNone` are defaults.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Default)]
pub struct RunOptions {
    /// From an earlier checkpoint, byte for byte; `RNone` or empty: full import.
    pub watermark: ROption<RString>,
    /// Records in a batch at most; 0: 1000.
    pub max_batch_rows: u32,
    /// Bytes in a batch at most; 0: 1 MiB.
    pub max_batch_bytes: u32,
    /// Batches that may wait for the host; 0: 4.
    pub max_queued_batches: u32,
    /// Lines above this level are not made; 0: `CONNECTOR_LOG_INFO`.
    pub max_log_level: u32,
}

/// Why an operation could not be started.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct Refusal {
    /// A negative status of the header.
    pub status: Status,
    /// The error JSON.
    pub error_json: RString,
}

/// What `next` brought.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Default)]
pub struct Delivery {
    /// A status of the header.
    pub status: Status,
    /// 0, 1, 2, … within the operation.
    pub sequence: u64,
    /// Records in `rows`.
    pub row_count: u64,
    /// NDJSON.
    pub rows: RVec<u8>,
    /// Empty, or a watermark that is good once everything so far is stored.
    pub checkpoint: RVec<u8>,
    /// Log lines since the last call, in order.
    pub log: RVec<LogLine>,
}

/// One log line.
#[repr(C)]
#[derive(StableAbi, Debug, Clone)]
pub struct LogLine {
    /// `CONNECTOR_LOG_…`
    pub level: u32,
    /// The text.
    pub message: RString,
}

/// Counters of an operation, at one moment; the header's `connector_progress` says what each counts.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy, Default)]
pub struct Counters {
    /// `CONNECTOR_STATE_…`
    pub state: u32,
    /// Upserts and Deletes made so far.
    pub rows_fetched: u64,
    /// Upserts and Deletes handed to the host so far.
    pub rows_delivered: u64,
    /// Requests sent to the service.
    pub requests: u64,
    /// Repeated requests.
    pub retries: u64,
    /// Time the service asked for, in milliseconds.
    pub throttled_ms: u64,
    /// Bytes of answers, after decompression.
    pub bytes_received: u64,
    /// Since the start, in milliseconds.
    pub elapsed_ms: u64,
    /// Upserts and Deletes expected in all; 0: unknown.
    pub total_rows_estimate: u64,
}

/// The root module. Fields are only ever appended after the last prefix field.
#[repr(C)]
#[derive(StableAbi, Debug)]
#[sabi(kind(Prefix(prefix_ref = ConnectorModuleRef)))]
#[sabi(missing_field(panic))]
pub struct ConnectorModule {
    /// As the header's ConnectorAbiVersion.
    pub abi_version: extern "C" fn() -> u32,
    /// As the header's Describe.
    pub describe: extern "C" fn() -> RString,
    /// As the header's ImportAsync.
    pub import:
        extern "C" fn(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<OperationHandle, Refusal>,
    /// As the header's ExportAsync.
    pub export:
        extern "C" fn(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<OperationHandle, Refusal>,
    /// As the header's CheckAsync.
    pub check:
        extern "C" fn(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<OperationHandle, Refusal>,
    /// As the header's OperationNext.
    pub next: extern "C" fn(operation: OperationHandle, timeout_ms: u32) -> Delivery,
    /// As the header's OperationCancel.
    pub cancel: extern "C" fn(operation: OperationHandle) -> Status,
    /// As the header's OperationProgress.
    pub progress: extern "C" fn(operation: OperationHandle) -> RResult<Counters, Status>,
    /// As the header's OperationResult.
    pub result: extern "C" fn(operation: OperationHandle) -> RResult<RString, Status>,
    /// As the header's OperationRelease.
    #[sabi(last_prefix_field)]
    pub release: extern "C" fn(operation: OperationHandle) -> Status,
}

impl RootModule for ConnectorModuleRef {
    abi_stable::declare_root_module_statics! {ConnectorModuleRef}

    const BASE_NAME: &'static str = "connector";
    const NAME: &'static str = "connector";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}
