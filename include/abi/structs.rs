//! The structs that cross the boundary: plain, 64-bit, size first.
//!
//! The layout is frozen: never add a member in the middle and never reuse `reserved`. Members are
//! appended, and each side reads or writes at most the other's `struct_size`. The sizes are asserted at the end.

use core::ffi::{c_char, c_void};
use core::ptr;

/// A running or finished operation. 0 is never valid; values are never reused in a process, so a stale one is answered
/// with CONNECTOR_E_INVALID_ARGUMENT.
pub type OperationHandle = u64;

/// Bytes owned by the connector: give them back with BufferRelease, once, from any thread, also after the operation is
/// gone. Not NUL-terminated. Zero-initialise before use; {NULL, 0, NULL} is the empty buffer.
#[repr(C)]
#[derive(Debug)]
pub struct Buffer {
    /// The bytes, or NULL when empty.
    pub data: *const u8,
    /// How many.
    pub len: usize,
    /// Private to the connector.
    pub owner: *mut c_void,
}

/// Receives one log line on a host thread that is inside a function of this contract; `message` is valid during the
/// call only. Must not throw, unwind, longjmp or call back into the connector.
pub type LogFn =
    Option<unsafe extern "C" fn(user_data: *mut c_void, level: u32, message: *const c_char, message_len: usize)>;

/// Says that OperationNext has something now: a batch, the end, an error or a cancel. Called on a thread of the
/// connector and on no thread of the host, also after OperationCancel; at most once for each CONNECTOR_PENDING
/// returned; never after OperationRelease has returned. Do nothing in it but set an event. Must not throw, unwind,
/// longjmp or call back into the connector.
pub type WakeFn = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// Callbacks of the host; every member but the size may be zero. Copied while the operation is started; `user_data`
/// must stay valid until OperationRelease has returned.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Callbacks {
    /// `sizeof(connector_callbacks)` in the host's build.
    pub struct_size: u32,
    /// Lines above this level are not made. 0 means CONNECTOR_LOG_INFO.
    pub max_log_level: u32,
    /// Handed back to both callbacks.
    pub user_data: *mut c_void,
    /// Log lines, on the host's own threads.
    pub log: LogFn,
    /// Wake-up for hosts that do not wait inside OperationNext.
    pub wake: WakeFn,
}

/// How an operation is run. NULL in its place means all defaults and a full import.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// `sizeof(connector_options)` in the host's build.
    pub struct_size: u32,
    /// 0. Anything else is answered with CONNECTOR_E_NOT_SUPPORTED.
    pub flags: u32,
    /// From an earlier checkpoint, byte for byte; NULL or length 0: full import.
    pub watermark: *const c_char,
    /// Its length in bytes, or CONNECTOR_NUL_TERMINATED.
    pub watermark_len: usize,
    /// Records in a batch at most; 0: 1000.
    pub max_batch_rows: u32,
    /// Bytes in a batch at most; 0: 1 MiB. One larger record is delivered alone.
    pub max_batch_bytes: u32,
    /// Batches that may wait for the host; 0: 4. The connector stops reading when it is reached.
    pub max_queued_batches: u32,
    /// 0.
    pub reserved: u32,
    /// Callbacks of the host, or NULL.
    pub callbacks: *const Callbacks,
}

/// One batch of records. OperationNext overwrites `rows` and `checkpoint` without releasing what stood there: release
/// both before the next call. Both are empty on CONNECTOR_PENDING and on errors, `rows` is empty on both ENDs.
#[repr(C)]
#[derive(Debug)]
pub struct Batch {
    /// In: `sizeof(connector_batch)` in the host's build.
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// 0, 1, 2, ... within the operation.
    pub sequence: u64,
    /// Records in `rows`.
    pub row_count: u64,
    /// NDJSON: `row_count` objects, each followed by one LF.
    pub rows: Buffer,
    /// Empty, or a watermark that is good once everything up to and including this batch is stored. At most 256 KiB.
    pub checkpoint: Buffer,
}

/// Counters of an operation, at one moment.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// In: `sizeof(connector_progress)` in the host's build.
    pub struct_size: u32,
    /// One of CONNECTOR_STATE_RUNNING, _SUCCEEDED, _FAILED, _CANCELLED, _PARTIAL.
    pub state: u32,
    /// Upserts and Deletes made so far.
    pub rows_fetched: u64,
    /// Upserts and Deletes handed to the host so far.
    pub rows_delivered: u64,
    /// Requests sent to the service, retries included, token requests not.
    pub requests: u64,
    /// Of these, how many repeated one that had failed.
    pub retries: u64,
    /// Time for which the service told the connector to wait, in milliseconds.
    pub throttled_ms: u64,
    /// Bytes of answers, after decompression.
    pub bytes_received: u64,
    /// Since the operation was started, in milliseconds; stands still once it is over.
    pub elapsed_ms: u64,
    /// Upserts and Deletes expected in all; 0: unknown.
    pub total_rows_estimate: u64,
}

impl Buffer {
    /// The empty buffer.
    pub const EMPTY: Buffer = Buffer { data: ptr::null(), len: 0, owner: ptr::null_mut() };
}

impl Batch {
    /// A batch as a host hands it in.
    ///
    /// ```
    /// let batch = connector_abi::Batch::empty();
    /// assert_eq!(batch.struct_size as usize, size_of::<connector_abi::Batch>());
    /// assert!(batch.rows.data.is_null());
    /// ```
    pub const fn empty() -> Batch {
        Batch {
            struct_size: size_of::<Batch>() as u32,
            reserved: 0,
            sequence: 0,
            row_count: 0,
            rows: Buffer::EMPTY,
            checkpoint: Buffer::EMPTY,
        }
    }
}

impl Progress {
    /// Counters as a host hands them in.
    pub const fn empty() -> Progress {
        Progress {
            struct_size: size_of::<Progress>() as u32,
            state: 0,
            rows_fetched: 0,
            rows_delivered: 0,
            requests: 0,
            retries: 0,
            throttled_ms: 0,
            bytes_received: 0,
            elapsed_ms: 0,
            total_rows_estimate: 0,
        }
    }
}

// The layout is part of the contract; tests/c/constants.c prints the same numbers in C.
const _: () = {
    assert!(size_of::<usize>() == 8, "the contract is for 64-bit targets");
    assert!(size_of::<Buffer>() == 24);
    assert!(size_of::<Callbacks>() == 32);
    assert!(size_of::<Options>() == 48);
    assert!(size_of::<Batch>() == 72);
    assert!(size_of::<Progress>() == 72);
};
