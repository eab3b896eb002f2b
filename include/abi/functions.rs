//! The functions a connector library exports, as C prototypes and as types for `dlsym` / `GetProcAddress`.
//!
//! Nobody links against the `extern` block: cbindgen prints it as the header's prototypes, and the connector's crate
//! holds each of its exports to the `…Fn` type beside it. Do not call these from Rust; load the
//! library and use the pointer types.

#![expect(unsafe_code, reason = "declarations of the C boundary")]

use core::ffi::c_char;

use crate::status::Status;
use crate::structs::{Batch, Buffer, OperationHandle, Options, Progress};

unsafe extern "C" {
    /// (major << 16) | minor of the contract the library implements. Call it first and refuse another major version,
    /// naming both.
    ///
    /// Ownership: nothing is allocated. Threads: any. Returns: never fails.
    pub fn ConnectorAbiVersion() -> u32;

    /// What the connector is: name, version, capabilities, JSON Schemas of ConfigJson and AuthJson, object types with
    /// their attributes and permissions, as one JSON text. No I/O.
    ///
    /// Ownership: release *out_json. Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT for NULL.
    pub fn Describe(out_json: *mut Buffer) -> Status;

    /// Starts an import and returns at once, without network I/O. Faults that need no network come back here with
    /// *out_operation 0 and an error JSON; all others come out of OperationNext and OperationResult. A thread of the
    /// connector reads the documents while this one waits, so 64 KiB of stack are enough for the caller.
    ///
    /// Ownership: all inputs are copied; each non-zero operation needs one OperationRelease; release *out_error_json
    /// (it may be NULL when the text is not wanted). A length must not go beyond the caller's own buffer.
    /// Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT; CONNECTOR_E_NOT_SUPPORTED;
    /// CONNECTOR_E_INVALID_CONFIG; CONNECTOR_E_INVALID_WATERMARK; CONNECTOR_E_INVALID_STATE; CONNECTOR_E_NETWORK (no
    /// certificate authorities on this machine); CONNECTOR_E_OUT_OF_MEMORY (no thread); CONNECTOR_E_INTERNAL.
    pub fn ImportAsync(
        config_json: *const c_char,
        config_json_len: usize,
        auth_json: *const c_char,
        auth_json_len: usize,
        options: *const Options,
        out_operation: *mut OperationHandle,
        out_error_json: *mut Buffer,
    ) -> Status;

    /// As ImportAsync, in the other direction. A connector that imports only answers CONNECTOR_E_NOT_SUPPORTED with
    /// operation 0 and an error JSON that says what the engine should do instead.
    pub fn ExportAsync(
        config_json: *const c_char,
        config_json_len: usize,
        auth_json: *const c_char,
        auth_json_len: usize,
        options: *const Options,
        out_operation: *mut OperationHandle,
        out_error_json: *mut Buffer,
    ) -> Status;

    /// Starts a connection test, same shape as ImportAsync. Its records say, for each object type that is switched on,
    /// whether a token can be had, the permission is granted and what must be done about each failure. Ends with
    /// CONNECTOR_END when no record failed, CONNECTOR_END_PARTIAL when one did, negative when nothing could be checked.
    pub fn CheckAsync(
        config_json: *const c_char,
        config_json_len: usize,
        auth_json: *const c_char,
        auth_json_len: usize,
        options: *const Options,
        out_operation: *mut OperationHandle,
        out_error_json: *mut Buffer,
    ) -> Status;

    /// Waits up to timeout_ms (0: does not wait; CONNECTOR_FOREVER) for the next batch.
    ///
    /// Ownership: release out_batch->rows and out_batch->checkpoint. Threads: one at a time for each operation; another
    /// one gets CONNECTOR_E_BUSY. Returns: CONNECTOR_OK with a batch; CONNECTOR_PENDING; CONNECTOR_END or
    /// CONNECTOR_END_PARTIAL with the new watermark in checkpoint; negative: failed, and the last checkpoint stays
    /// good. Both ENDs and every negative value but CONNECTOR_E_BUSY and CONNECTOR_E_INVALID_ARGUMENT are final and
    /// repeat.
    pub fn OperationNext(operation: OperationHandle, timeout_ms: u32, out_batch: *mut Batch) -> Status;

    /// Asks the operation to stop and returns at once; may be repeated. A thread inside OperationNext returns
    /// CONNECTOR_E_CANCELLED; batches that were not fetched are dropped. A wake-up that is due comes on a thread of the
    /// connector, so the caller may hold a lock that the wake callback takes.
    ///
    /// Threads: any. Returns: CONNECTOR_OK, also when the operation is over; CONNECTOR_E_INVALID_ARGUMENT.
    pub fn OperationCancel(operation: OperationHandle) -> Status;

    /// Counters of the operation, now.
    ///
    /// Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT.
    pub fn OperationProgress(operation: OperationHandle, out_progress: *mut Progress) -> Status;

    /// The result JSON: outcome, watermark, counts, warnings, error.
    ///
    /// Ownership: release *out_json. Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_STATE until OperationNext
    /// has returned an END or a final error; CONNECTOR_E_INVALID_ARGUMENT.
    pub fn OperationResult(operation: OperationHandle, out_json: *mut Buffer) -> Status;

    /// Cancels what still runs and forgets the operation. Brings no wake-up. Does not wait for the network, only for a
    /// callback that is being called right now; afterwards none is called. Do not hold a lock that the wake callback
    /// takes: one that is being called would wait for the lock, and this function for the callback.
    ///
    /// Threads: any. Returns: CONNECTOR_OK; CONNECTOR_E_INVALID_ARGUMENT the second time.
    pub fn OperationRelease(operation: OperationHandle) -> Status;

    /// Frees the bytes and empties the struct, so that twice is harmless; copies of the struct are not tracked. NULL
    /// and empty buffers are fine.
    ///
    /// Threads: any.
    pub fn BufferRelease(buffer: *mut Buffer);
}

/// Type of ConnectorAbiVersion.
pub type ConnectorAbiVersionFn = unsafe extern "C" fn() -> u32;
/// Type of Describe.
pub type DescribeFn = unsafe extern "C" fn(out_json: *mut Buffer) -> Status;
/// Type of ImportAsync.
pub type ImportAsyncFn = unsafe extern "C" fn(
    config_json: *const c_char,
    config_json_len: usize,
    auth_json: *const c_char,
    auth_json_len: usize,
    options: *const Options,
    out_operation: *mut OperationHandle,
    out_error_json: *mut Buffer,
) -> Status;
/// Type of ExportAsync.
pub type ExportAsyncFn = ImportAsyncFn;
/// Type of CheckAsync.
pub type CheckAsyncFn = ImportAsyncFn;
/// Type of OperationNext.
pub type OperationNextFn =
    unsafe extern "C" fn(operation: OperationHandle, timeout_ms: u32, out_batch: *mut Batch) -> Status;
/// Type of OperationCancel.
pub type OperationCancelFn = unsafe extern "C" fn(operation: OperationHandle) -> Status;
/// Type of OperationProgress.
pub type OperationProgressFn = unsafe extern "C" fn(operation: OperationHandle, out_progress: *mut Progress) -> Status;
/// Type of OperationResult.
pub type OperationResultFn = unsafe extern "C" fn(operation: OperationHandle, out_json: *mut Buffer) -> Status;
/// Type of OperationRelease.
pub type OperationReleaseFn = unsafe extern "C" fn(operation: OperationHandle) -> Status;
/// Type of BufferRelease.
pub type BufferReleaseFn = unsafe extern "C" fn(buffer: *mut Buffer);

/// The names a connector library exports for C hosts, exactly these.
pub const EXPORTS: &[&str] = &[
    "BufferRelease",
    "CheckAsync",
    "ConnectorAbiVersion",
    "Describe",
    "ExportAsync",
    "ImportAsync",
    "OperationCancel",
    "OperationNext",
    "OperationProgress",
    "OperationRelease",
    "OperationResult",
];
