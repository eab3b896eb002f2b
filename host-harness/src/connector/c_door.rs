//! The C door: every call of the contract with its pointers, and nothing else.
//!
//! The rules that keep it sound: inputs are copied by the connector before a call returns, outputs are released exactly
//! once by [`Lent`], and what a callback points at lives until `OperationRelease` has returned (the
//! [`super::Operation`] holds it).

#![expect(unsafe_code, reason = "calls across the C boundary")]

use std::ffi::{c_char, c_void};
use std::ops::Deref;
use std::path::Path;
use std::ptr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use connector_abi::functions::BufferReleaseFn;
use connector_abi::status::{CONNECTOR_END, CONNECTOR_END_PARTIAL, CONNECTOR_OK, CONNECTOR_PENDING, Status};
use connector_abi::structs::{Batch as RawBatch, Buffer, Callbacks, OperationHandle, Options, Progress};

use super::{Batch, Bytes, Door, HostSide, Job, LogLine, Next, Rows, StartError, StartRequest, status_name};
use crate::loader::{LoadError, RawFunctions, load};

/// A library behind its C functions.
#[derive(Debug)]
pub(super) struct CDoor {
    functions: RawFunctions,
}

/// Bytes lent by the connector, given back on drop.
#[derive(Debug)]
pub(super) struct Lent {
    buffer: Buffer,
    release: BufferReleaseFn,
}

// SAFETY: the contract says that buffers are plain bytes and may be released on any thread.
unsafe impl Send for Lent {}
// SAFETY: shared access only reads bytes nobody writes.
unsafe impl Sync for Lent {}

impl CDoor {
    pub(super) fn load(path: &Path) -> Result<CDoor, LoadError> {
        Ok(CDoor { functions: load(path)? })
    }

    fn lend(&self, buffer: Buffer) -> Lent {
        Lent { buffer, release: self.functions.BufferRelease }
    }
}

impl Door for CDoor {
    fn abi_version(&self) -> u32 {
        // SAFETY: takes nothing, never fails.
        unsafe { (self.functions.ConnectorAbiVersion)() }
    }

    fn describe(&self) -> Result<String> {
        let mut out = Buffer::EMPTY;
        // SAFETY: `out` is a valid, empty buffer.
        let status = unsafe { (self.functions.Describe)(&raw mut out) };
        let text = self.lend(out).text();
        if status != CONNECTOR_OK {
            bail!("Describe answered {}", status_name(status));
        }
        text
    }

    fn start(&self, job: Job, request: &StartRequest<'_>, host: &Arc<HostSide>) -> Result<OperationHandle, StartError> {
        let function = match job {
            Job::Import => self.functions.ImportAsync,
            Job::Export => self.functions.ExportAsync,
            Job::Check => self.functions.CheckAsync,
        };
        let callbacks = Callbacks {
            struct_size: size_of::<Callbacks>() as u32,
            max_log_level: request.log_level.unwrap_or(0),
            user_data: Arc::as_ptr(host).cast_mut().cast::<c_void>(),
            log: request.log_level.and(Some(on_log)),
            wake: request.wake.as_ref().and(Some(on_wake)),
        };
        let watermark = request.watermark.unwrap_or_default();
        let options = Options {
            struct_size: size_of::<Options>() as u32,
            flags: 0,
            watermark: if watermark.is_empty() { ptr::null() } else { watermark.as_ptr().cast::<c_char>() },
            watermark_len: watermark.len(),
            max_batch_rows: request.max_batch_rows,
            max_batch_bytes: request.max_batch_bytes,
            max_queued_batches: request.max_queued_batches,
            reserved: 0,
            callbacks: &raw const callbacks,
        };
        let mut operation: OperationHandle = 0;
        let mut error = Buffer::EMPTY;
        // SAFETY: all pointers are to live values with their true lengths; the connector copies them before it returns.
        // `user_data` points into `host`, which the Operation keeps until OperationRelease has returned.
        let status = unsafe {
            function(
                request.config.as_ptr().cast::<c_char>(),
                request.config.len(),
                request.auth.as_ptr().cast::<c_char>(),
                request.auth.len(),
                &raw const options,
                &raw mut operation,
                &raw mut error,
            )
        };
        let error_json = self.lend(error).text().unwrap_or_default();
        if status == CONNECTOR_OK { Ok(operation) } else { Err(StartError { status, error_json }) }
    }

    fn next(&self, operation: OperationHandle, timeout_ms: u32, _: &HostSide) -> Result<Next> {
        let mut batch = RawBatch::empty();
        // SAFETY: `batch` is a valid batch with its size and empty buffers.
        let status = unsafe { (self.functions.OperationNext)(operation, timeout_ms, &raw mut batch) };
        // Both are taken over at once, so that they go back whatever follows.
        let rows = self.lend(batch.rows);
        let checkpoint = self.lend(batch.checkpoint);
        let checkpoint = || checkpoint.text().map(|text| (!text.is_empty()).then_some(text)).context("checkpoint");
        Ok(match status {
            CONNECTOR_OK => Next::Batch(Batch {
                sequence: batch.sequence,
                row_count: batch.row_count,
                rows: Rows(Bytes::Lent(rows)),
                checkpoint: checkpoint()?,
            }),
            CONNECTOR_PENDING => Next::Pending,
            CONNECTOR_END => Next::End { checkpoint: checkpoint()? },
            CONNECTOR_END_PARTIAL => Next::EndPartial { checkpoint: checkpoint()? },
            failed if failed < 0 => Next::Failed(failed),
            other => bail!("OperationNext answered {other}, which no version 1 of the contract has"),
        })
    }

    fn cancel(&self, operation: OperationHandle) -> Status {
        // SAFETY: any number is allowed; an unknown one is an error, not undefined.
        unsafe { (self.functions.OperationCancel)(operation) }
    }

    fn progress(&self, operation: OperationHandle) -> Result<Progress, Status> {
        let mut progress = Progress::empty();
        // SAFETY: `progress` is valid and says its size.
        let status = unsafe { (self.functions.OperationProgress)(operation, &raw mut progress) };
        if status == CONNECTOR_OK { Ok(progress) } else { Err(status) }
    }

    fn result(&self, operation: OperationHandle) -> Result<String, Status> {
        let mut out = Buffer::EMPTY;
        // SAFETY: `out` is a valid, empty buffer.
        let status = unsafe { (self.functions.OperationResult)(operation, &raw mut out) };
        let text = self.lend(out).text();
        if status == CONNECTOR_OK { Ok(text.unwrap_or_default()) } else { Err(status) }
    }

    fn release(&self, operation: OperationHandle) -> Status {
        // SAFETY: any number is allowed; releasing twice is an error, not undefined.
        unsafe { (self.functions.OperationRelease)(operation) }
    }

    fn raw(&self) -> Option<&RawFunctions> {
        Some(&self.functions)
    }
}

impl Lent {
    fn text(&self) -> Result<String> {
        String::from_utf8(self.to_vec()).context("the connector handed out text that is not UTF-8")
    }
}

impl Deref for Lent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.buffer.data.is_null() {
            return &[];
        }
        // SAFETY: the connector promises `len` readable bytes at `data` until the buffer is released, which only `drop`
        // does.
        unsafe { std::slice::from_raw_parts(self.buffer.data, self.buffer.len) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: the buffer came from this library and is released once; empty ones are allowed.
        unsafe { (self.release)(&raw mut self.buffer) }
    }
}

unsafe extern "C" fn on_log(user_data: *mut c_void, level: u32, message: *const c_char, message_len: usize) {
    // SAFETY: `user_data` is the HostSide given at the start, alive until OperationRelease has returned.
    let host = unsafe { &*user_data.cast::<HostSide>() };
    // SAFETY: the contract gives `message_len` readable bytes for the length of this call.
    let bytes = unsafe { std::slice::from_raw_parts(message.cast::<u8>(), message_len) };
    host.log().push(LogLine { level, message: String::from_utf8_lossy(bytes).into_owned() });
}

unsafe extern "C" fn on_wake(user_data: *mut c_void) {
    // SAFETY: `user_data` is the HostSide given at the start, alive until OperationRelease has returned.
    let host = unsafe { &*user_data.cast::<HostSide>() };
    if let Some(wake) = &host.wake {
        wake();
    }
}
