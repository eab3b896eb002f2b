//! The C door: the eleven functions of the header.
//!
//! Each checks its pointers, calls one function of the core and writes the answer. Answers are emptied first, outside
//! the guard: operation 0, empty buffers, so that a host that forgets to look at the status frees nothing twice, in a
//! forked child and after a bug of ours too.

#![expect(unsafe_code, reason = "the C boundary")]

use core::ffi::c_char;
use std::time::Duration;

use connector_abi::{self as abi, Batch, Buffer, OperationHandle, Options, Progress, Status};
use entra_id_core::describe::describe;
use entra_id_core::error::Error;
use entra_id_core::operation::{Ending, Next, Operation, Request, State};

use super::answer::{self, Answer};
use super::buffer::{lend, take_back};
use super::guard::{BUG, guarded, status};
use super::incoming::{text, wishes};
use super::outgoing::{LogCallback, waker};
use super::registry::{self, Entry};
use super::signals::blocked;

// Each export has the type that the contract gives it.
const _: abi::ConnectorAbiVersionFn = ConnectorAbiVersion;
const _: abi::DescribeFn = Describe;
const _: abi::ImportAsyncFn = ImportAsync;
const _: abi::ExportAsyncFn = ExportAsync;
const _: abi::CheckAsyncFn = CheckAsync;
const _: abi::OperationNextFn = OperationNext;
const _: abi::OperationCancelFn = OperationCancel;
const _: abi::OperationProgressFn = OperationProgress;
const _: abi::OperationResultFn = OperationResult;
const _: abi::OperationReleaseFn = OperationRelease;
const _: abi::BufferReleaseFn = BufferRelease;

/// See the header.
#[unsafe(no_mangle)]
pub(super) extern "C" fn ConnectorAbiVersion() -> u32 {
    abi::CONNECTOR_ABI_VERSION
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn Describe(out_json: *mut Buffer) -> Status {
    // SAFETY: the host's promise in the header.
    let out_json = unsafe { answer::text("out_json", out_json) };
    status(|| {
        out_json?.put(lend(describe().into_bytes()));
        Ok(abi::CONNECTOR_OK)
    })
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn ImportAsync(
    config_json: *const c_char,
    config_json_len: usize,
    auth_json: *const c_char,
    auth_json_len: usize,
    options: *const Options,
    out_operation: *mut OperationHandle,
    out_error_json: *mut Buffer,
) -> Status {
    let input = Input { config: (config_json, config_json_len), auth: (auth_json, auth_json_len), options };
    // SAFETY: the host's promise in the header, passed on.
    unsafe { start(&input, out_operation, out_error_json, Operation::import) }
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn ExportAsync(
    config_json: *const c_char,
    config_json_len: usize,
    auth_json: *const c_char,
    auth_json_len: usize,
    options: *const Options,
    out_operation: *mut OperationHandle,
    out_error_json: *mut Buffer,
) -> Status {
    // Whatever was passed: the answer is that there is no export. Nothing is read, so nothing can be wrong with it.
    let _ = (config_json, config_json_len, auth_json, auth_json_len, options);
    // SAFETY: the host's promise in the header, passed on.
    unsafe { answer_start(out_operation, out_error_json, || Err(Operation::export())) }
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn CheckAsync(
    config_json: *const c_char,
    config_json_len: usize,
    auth_json: *const c_char,
    auth_json_len: usize,
    options: *const Options,
    out_operation: *mut OperationHandle,
    out_error_json: *mut Buffer,
) -> Status {
    let input = Input { config: (config_json, config_json_len), auth: (auth_json, auth_json_len), options };
    // SAFETY: the host's promise in the header, passed on.
    unsafe { start(&input, out_operation, out_error_json, Operation::check) }
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn OperationNext(
    operation: OperationHandle,
    timeout_ms: u32,
    out_batch: *mut Batch,
) -> Status {
    // SAFETY: the host's promise in the header.
    let batch = unsafe { answer::batch("out_batch", out_batch) };
    status(|| {
        let batch = batch?;
        let entry = registry::get(operation)?;
        entry.log.deliver(|| entry.operation.take_log());
        let timeout = (timeout_ms != abi::CONNECTOR_FOREVER).then(|| Duration::from_millis(timeout_ms.into()));
        let next = entry.operation.next(timeout);
        entry.log.deliver(|| entry.operation.take_log());
        Ok(match next {
            Next::Batch(next) => {
                let checkpoint = lend(next.checkpoint.unwrap_or_default().into_bytes());
                batch.put_batch(next.sequence, next.row_count, lend(next.rows), checkpoint);
                abi::CONNECTOR_OK
            }
            Next::Pending => abi::CONNECTOR_PENDING,
            Next::Busy => abi::CONNECTOR_E_BUSY,
            Next::Ended(ending) => {
                let (status, checkpoint) = ended(ending);
                batch.put_rows(0, Buffer::EMPTY, lend(checkpoint.into_bytes()));
                status
            }
        })
    })
}

/// The status of an ending, and its watermark.
pub(super) fn ended(ending: Ending) -> (Status, String) {
    match ending {
        Ending::End(watermark) => (abi::CONNECTOR_END, watermark.unwrap_or_default()),
        Ending::EndPartial(watermark) => (abi::CONNECTOR_END_PARTIAL, watermark.unwrap_or_default()),
        Ending::Failed(error) => (error.kind.status(), String::new()),
    }
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn OperationCancel(operation: OperationHandle) -> Status {
    status(|| {
        registry::get(operation)?.operation.cancel();
        Ok(abi::CONNECTOR_OK)
    })
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn OperationProgress(operation: OperationHandle, out_progress: *mut Progress) -> Status {
    // SAFETY: the host's promise in the header.
    let progress = unsafe { answer::progress("out_progress", out_progress) };
    status(|| {
        let (progress, struct_size) = progress?;
        progress.put(Progress { struct_size, ..counters(operation)? });
        Ok(abi::CONNECTOR_OK)
    })
}

/// The counters as the contract has them.
pub(super) fn counters(operation: OperationHandle) -> Result<Progress, Error> {
    let standing = registry::get(operation)?.operation.standing();
    Ok(Progress {
        state: match standing.state {
            State::Running => abi::CONNECTOR_STATE_RUNNING,
            State::Succeeded => abi::CONNECTOR_STATE_SUCCEEDED,
            State::Failed => abi::CONNECTOR_STATE_FAILED,
            State::Cancelled => abi::CONNECTOR_STATE_CANCELLED,
            State::Partial => abi::CONNECTOR_STATE_PARTIAL,
        },
        rows_fetched: standing.totals.rows_fetched,
        rows_delivered: standing.totals.rows_delivered,
        requests: standing.totals.requests,
        retries: standing.totals.retries,
        throttled_ms: standing.totals.throttled_ms,
        bytes_received: standing.totals.bytes_received,
        elapsed_ms: standing.elapsed.as_millis() as u64,
        ..Progress::empty()
    })
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn OperationResult(operation: OperationHandle, out_json: *mut Buffer) -> Status {
    // SAFETY: the host's promise in the header.
    let out_json = unsafe { answer::text("out_json", out_json) };
    status(|| {
        let out_json = out_json?;
        let entry = registry::get(operation)?;
        entry.log.deliver(|| entry.operation.take_log());
        out_json.put(lend(entry.operation.result()?.into_bytes()));
        Ok(abi::CONNECTOR_OK)
    })
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn OperationRelease(operation: OperationHandle) -> Status {
    status(|| {
        let entry = registry::remove(operation)?;
        entry.operation.release();
        entry.log.deliver(|| entry.operation.take_log());
        entry.log.forget();
        Ok(abi::CONNECTOR_OK)
    })
}

/// See the header.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn BufferRelease(buffer: *mut Buffer) {
    if buffer.is_null() || !buffer.is_aligned() {
        return;
    }
    // SAFETY: not null and aligned; the host promises a buffer this library filled, or an empty one.
    let released = entra_id_core::threads::caught(|| {
        // SAFETY: as above.
        let buffer = unsafe { &mut *buffer };
        // SAFETY: as above.
        unsafe { take_back(buffer) };
        Ok(())
    });
    debug_assert!(released.is_ok());
}

/// The arguments that the three starting functions share.
struct Input {
    config: (*const c_char, usize),
    auth: (*const c_char, usize),
    options: *const Options,
}

/// # Safety
/// The host's promises in the header for `ImportAsync`.
unsafe fn start(
    input: &Input,
    out_operation: *mut OperationHandle,
    out_error_json: *mut Buffer,
    begin: impl FnOnce(Request<'_>) -> Result<Operation, Error>,
) -> Status {
    let work = || {
        // SAFETY: the caller's promise for the config text.
        let config = unsafe { text("config_json", input.config.0, input.config.1) }?;
        // SAFETY: the caller's promise for the auth text.
        let auth = unsafe { text("auth_json", input.auth.0, input.auth.1) }?;
        // SAFETY: the caller's promise for the options.
        let wishes = unsafe { wishes(input.options) }?;
        let request = Request {
            config,
            auth,
            watermark: wishes.watermark.as_deref(),
            limits: wishes.limits,
            max_log_level: wishes.max_log_level,
            wake: waker(wishes.callbacks.as_ref()),
        };
        let operation = blocked(|| begin(request))?;
        Ok(Entry { operation, log: LogCallback::of(wishes.callbacks.as_ref()) })
    };
    // SAFETY: the caller's promise for the two answers.
    unsafe { answer_start(out_operation, out_error_json, work) }
}

/// Runs `work` and writes the handle or the error JSON.
///
/// # Safety
/// Each pointer that is not null and aligned points to its type and may be written during the call.
unsafe fn answer_start(
    out_operation: *mut OperationHandle,
    out_error_json: *mut Buffer,
    work: impl FnOnce() -> Result<Entry, Error>,
) -> Status {
    // SAFETY: the caller's promise.
    let operation = unsafe { answer::operation("out_operation", out_operation) };
    let error_json = (!out_error_json.is_null())
        // SAFETY: the caller's promise.
        .then(|| unsafe { answer::text("out_error_json", out_error_json) })
        .transpose();
    // NULL means that the text is not wanted; a pointer that cannot be one is a mistake like any other.
    let (error_json, misplaced) = match error_json {
        Ok(answer) => (answer, None),
        Err(error) => (None, Some(error)),
    };
    let outcome = guarded(|| {
        let operation: Answer<OperationHandle> = operation?;
        misplaced.map_or(Ok(()), Err)?;
        operation.put(registry::add(work()?));
        Ok(())
    });
    let Err(error) = outcome else { return abi::CONNECTOR_OK };
    if let Some(json) = error_json {
        // Printing an error is as safe as printing gets; should it panic all the same, the status still tells.
        match entra_id_core::threads::caught(|| Ok(error.to_json().to_string().into_bytes())) {
            Ok(text) => json.put(lend(text)),
            Err(_) => return BUG,
        }
    }
    error.kind.status()
}
