//! Each of the eleven functions, called, and what the header promises of the answer.

use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use connector_abi::*;
use serde_json::Value;

use super::arguments::{Wishes, auth, config};
use super::operation::{Known, Shared};
use super::server::Server;
use super::{Functions, Step};

const LONGEST_WATERMARK: usize = 256 * 1024;

#[derive(Clone, Copy)]
pub(super) struct Host<'a> {
    pub(super) functions: &'a Functions,
    pub(super) server: &'a Server,
    pub(super) known: &'a Mutex<Vec<Known>>,
}

/// The promise, in words where it does not hold.
fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// A place for an answer: live and aligned, NULL, or not aligned; `None`: the answer itself.
fn place<T>(answer: &mut T, spare: &mut [u64; 16], how: u8) -> (*mut T, bool) {
    match how % 16 {
        0 => (ptr::null_mut(), false),
        1 => (spare.as_mut_ptr().cast::<u8>().wrapping_add(3).cast(), false),
        _ => (answer, true),
    }
}

impl Host<'_> {
    pub(super) fn take(self, step: Step) -> Result<(), String> {
        match step.call % 16 {
            0 => self.describe(step),
            1..=3 => self.start(self.functions.import, step, false),
            4 => self.start(self.functions.check, step, false),
            5 => self.start(self.functions.export, step, true),
            6 | 7 => self.next(step),
            8 | 9 => self.drain(step),
            10 => self.about(step, self.functions.cancel),
            11 => self.progress(step),
            12 => self.result(step),
            13 => self.release(step),
            14 => self.buffers(step),
            _ => {
                // SAFETY: takes nothing.
                let version = unsafe { (self.functions.version)() };
                must(version == CONNECTOR_ABI_VERSION, || format!("version {version:#x}"))
            }
        }
    }

    /// An operation, or a number that is none.
    fn whom(self, step: Step) -> Result<(u64, Option<Known>), String> {
        let known = self.known.lock().map_err(|e| e.to_string())?;
        let picked = known.get(usize::from(step.whom) % known.len().max(1)).cloned();
        Ok(match (step.whom, picked) {
            (250.., Some(known)) => (known.handle ^ (1 << 40), None),
            (245.., _) => ([0, 1, u64::MAX, 1 << 63, 77][usize::from(step.whom - 245) % 5], None),
            (_, Some(known)) => (known.handle, Some(known)),
            (_, None) => (0, None),
        })
    }

    /// Holds a status against what is known of the operation; `before` was read before the call.
    fn judge(status: Status, known: Option<&Known>, before: Before, what: &str) -> Result<(), String> {
        must(STATUS_NAMES.iter().any(|(known, _, _)| *known == status), || format!("{what}: {status} is no status"))?;
        must(status != CONNECTOR_E_INTERNAL, || format!("{what}: a bug was caught inside"))?;
        let unknown = status == CONNECTOR_E_INVALID_ARGUMENT;
        match known {
            None => must(unknown, || format!("{what}: {status} for a number that is no operation")),
            Some(_) if before.released => must(unknown, || format!("{what}: {status} for a released operation")),
            Some(known) if !known.shared.releasing.load(Ordering::SeqCst) => {
                must(!unknown, || format!("{what}: refused, with good arguments"))
            }
            Some(_) => Ok(()),
        }
    }

    fn describe(self, step: Step) -> Result<(), String> {
        let (mut out, mut spare) = (Buffer::EMPTY, [0; 16]);
        let (pointer, good) = place(&mut out, &mut spare, step.how);
        // SAFETY: the pointer is one the header allows, or one it answers with an error.
        let status = unsafe { (self.functions.describe)(pointer) };
        let expected = if good { CONNECTOR_OK } else { CONNECTOR_E_INVALID_ARGUMENT };
        must(status == expected, || format!("Describe: {status}"))?;
        let text = self.taken(out)?;
        must(!good || json(&text)?["Name"] == "EntraId", || "Describe names somebody else".to_owned())
    }

    /// The bytes of a buffer, given back twice, which is harmless.
    fn taken(self, mut buffer: Buffer) -> Result<Vec<u8>, String> {
        let hollow = buffer.data.is_null();
        must(hollow == (buffer.len == 0), || format!("a buffer of {} bytes at {:?}", buffer.len, buffer.data))?;
        let bytes = if hollow {
            Vec::new()
        } else {
            // SAFETY: the library promises `len` readable bytes until the buffer is released.
            unsafe { std::slice::from_raw_parts(buffer.data, buffer.len) }.to_vec()
        };
        for _ in 0..2 {
            // SAFETY: the buffer came from this library and is emptied by the first release.
            unsafe { (self.functions.buffer_release)(&raw mut buffer) };
            let empty = buffer.data.is_null() && buffer.len == 0 && buffer.owner.is_null();
            must(empty, || "BufferRelease left something".to_owned())?;
        }
        Ok(bytes)
    }

    fn start(self, function: ImportAsyncFn, step: Step, export: bool) -> Result<(), String> {
        let shared = Arc::new(Shared::default());
        let (config, auth) = (config(step.how, self.server), auth(step.whom));
        let wishes = Wishes::of(step.more, step.whom.rotate_left(4), self.server, &shared);
        let (mut operation, mut error) = (77, Buffer::EMPTY);
        let (mut spare, mut other) = ([0; 16], [0; 16]);
        let (out, out_good) = place(&mut operation, &mut spare, step.more.rotate_left(4) ^ 5);
        let (out_error, error_good) = place(&mut error, &mut other, step.more ^ 5);
        // NULL says that no text is wanted; elsewhere it would be a mistake.
        let placed = out_good && (error_good || out_error.is_null());
        // SAFETY: each pointer is one the header allows, or one it answers with an error; all of them live.
        let status =
            unsafe { function(config.data, config.len, auth.data, auth.len, wishes.pointer(), out, out_error) };
        let error = self.taken(error)?;
        let good = placed && !export && !(config.wrong || auth.wrong || wishes.wrong);
        must(status <= CONNECTOR_OK && status != CONNECTOR_E_INTERNAL, || format!("a start answered {status}"))?;
        must(good || status != CONNECTOR_OK, || "a start with a wrong argument".to_owned())?;
        // A check tells in a record what it thinks of a watermark; an import does not begin.
        let import = step.call % 16 <= 3;
        must(!(good && import && wishes.no_watermark) || status == CONNECTOR_E_INVALID_WATERMARK, || {
            format!("an import from no watermark: {status}")
        })?;
        // The places come first, as everywhere: an answer that cannot be given is no answer.
        must(placed || status == CONNECTOR_E_INVALID_ARGUMENT, || {
            format!("a start with no place for an answer: {status}")
        })?;
        must(!(export && placed) || status == CONNECTOR_E_NOT_SUPPORTED, || format!("ExportAsync: {status}"))?;
        if status == CONNECTOR_OK {
            must(error.is_empty() && operation != 0, || "a start without an operation".to_owned())?;
            let known = Known { handle: operation, shared };
            self.known.lock().map_err(|e| e.to_string())?.push(known);
            return Ok(());
        }
        must(!good || status == CONNECTOR_E_INVALID_WATERMARK, || {
            format!("a start was refused with {status}: {}", String::from_utf8_lossy(&error))
        })?;
        must(!out_good || operation == 0, || format!("operation {operation} of a failed start"))?;
        must(error.is_empty() != error_good, || "an error without words, or words without a place".to_owned())?;
        if !error_good {
            return Ok(());
        }
        let (error, code) = (json(&error)?, STATUS_NAMES.iter().find(|(known, _, _)| *known == status));
        must(error["Status"] == status && code.is_some_and(|(_, _, code)| error["Code"] == *code), || {
            format!("status {status}, and {error}")
        })
    }

    fn next(self, step: Step) -> Result<(), String> {
        self.once(step).map(drop)
    }

    /// Until there is nothing more, or often enough.
    fn drain(self, step: Step) -> Result<(), String> {
        for _ in 0..=step.more % 64 {
            let good = Step { how: 2, more: 20, ..step };
            if !matches!(self.once(good)?, CONNECTOR_OK | CONNECTOR_PENDING) {
                break;
            }
        }
        Ok(())
    }

    fn once(self, step: Step) -> Result<Status, String> {
        let (handle, known) = self.whom(step)?;
        let (mut batch, mut spare) = (Batch::empty(), [0; 16]);
        if step.how % 16 == 2 && step.how & 16 == 16 {
            batch.struct_size = u32::from(step.more) % size_of::<Batch>() as u32;
        }
        let sized = batch.struct_size as usize == size_of::<Batch>();
        let (pointer, placed) = place(&mut batch, &mut spare, step.how);
        let before = Before::of(known.as_ref())?;
        // SAFETY: the pointer is one the header allows, or one it answers with an error; any number may be a handle.
        let status = unsafe { (self.functions.next)(handle, u32::from(step.more) % 50, pointer) };
        if !(placed && sized) {
            must(status == CONNECTOR_E_INVALID_ARGUMENT, || format!("OperationNext: {status} for a bad batch"))?;
            return Ok(status);
        }
        let (rows, checkpoint) = (self.taken(batch.rows)?, self.taken(batch.checkpoint)?);
        Self::judge(status, known.as_ref(), before, "OperationNext")?;
        let lines: Vec<&[u8]> = rows.split_inclusive(|byte| *byte == b'\n').collect();
        must(lines.len() as u64 == batch.row_count, || format!("{} lines, {} told", lines.len(), batch.row_count))?;
        for line in &lines {
            must(line.ends_with(b"\n") && json(line)?.is_object(), || "a row that is no line of JSON".to_owned())?;
        }
        must(rows.is_empty() || status == CONNECTOR_OK, || format!("rows with {status}"))?;
        let ends = matches!(status, CONNECTOR_OK | CONNECTOR_END | CONNECTOR_END_PARTIAL);
        must(checkpoint.is_empty() || (ends && json(&checkpoint)?.is_object()), || {
            format!("a checkpoint with {status}")
        })?;
        must(checkpoint.len() <= LONGEST_WATERMARK, || format!("a watermark of {} bytes", checkpoint.len()))?;
        let Some(known) = known else { return Ok(status) };
        let own = matches!(status, CONNECTOR_E_BUSY | CONNECTOR_E_INVALID_ARGUMENT);
        match status {
            CONNECTOR_OK => known.shared.sequences.lock().map_err(|e| e.to_string())?.push(batch.sequence),
            CONNECTOR_PENDING => drop(known.shared.pendings.fetch_add(1, Ordering::SeqCst)),
            _ if own => {}
            last => drop(known.shared.last.lock().map_err(|e| e.to_string())?.get_or_insert(last)),
        }
        let interrupted = known.shared.releasing.load(Ordering::SeqCst);
        must(own || interrupted || before.last.is_none_or(|last| last == status), || {
            format!("OperationNext: {status} after the final {:?}", before.last)
        })?;
        Ok(status)
    }

    fn about(self, step: Step, function: OperationCancelFn) -> Result<(), String> {
        let (handle, known) = self.whom(step)?;
        let before = Before::of(known.as_ref())?;
        // SAFETY: any number may be a handle.
        let status = unsafe { function(handle) };
        Self::judge(status, known.as_ref(), before, "OperationCancel")?;
        must(matches!(status, CONNECTOR_OK | CONNECTOR_E_INVALID_ARGUMENT), || format!("OperationCancel: {status}"))
    }

    fn progress(self, step: Step) -> Result<(), String> {
        let (handle, known) = self.whom(step)?;
        let (mut progress, mut spare) = (Progress::empty(), [0; 16]);
        if step.how % 16 == 2 {
            progress.struct_size = u32::from(step.more) % size_of::<Progress>() as u32;
        }
        let sized = progress.struct_size as usize == size_of::<Progress>();
        let (pointer, placed) = place(&mut progress, &mut spare, step.how);
        let before = Before::of(known.as_ref())?;
        // SAFETY: the pointer is one the header allows, or one it answers with an error.
        let status = unsafe { (self.functions.progress)(handle, pointer) };
        if !(placed && sized) {
            return must(status == CONNECTOR_E_INVALID_ARGUMENT, || format!("OperationProgress: {status}"));
        }
        Self::judge(status, known.as_ref(), before, "OperationProgress")?;
        let sane = progress.state <= CONNECTOR_STATE_PARTIAL
            && progress.rows_delivered <= progress.rows_fetched
            && progress.retries <= progress.requests;
        must(sane, || format!("{progress:?}"))
    }

    fn result(self, step: Step) -> Result<(), String> {
        let (handle, known) = self.whom(step)?;
        let (mut out, mut spare) = (Buffer::EMPTY, [0; 16]);
        let (pointer, placed) = place(&mut out, &mut spare, step.how);
        let before = Before::of(known.as_ref())?;
        // SAFETY: the pointer is one the header allows, or one it answers with an error.
        let status = unsafe { (self.functions.result)(handle, pointer) };
        let text = self.taken(out)?;
        if !placed {
            return must(status == CONNECTOR_E_INVALID_ARGUMENT, || format!("OperationResult: {status}"));
        }
        Self::judge(status, known.as_ref(), before, "OperationResult")?;
        must(text.is_empty() != (status == CONNECTOR_OK), || format!("{status} and {} bytes", text.len()))?;
        match (status, before.last) {
            (CONNECTOR_OK, Some(last)) => {
                let result = json(&text)?;
                must(result["Status"] == last, || format!("OperationNext ended with {last}, and {result}"))
            }
            (CONNECTOR_E_INVALID_STATE, Some(last)) => Err(format!("no result after {last}")),
            _ => Ok(()),
        }
    }

    fn release(self, step: Step) -> Result<(), String> {
        let (handle, known) = self.whom(step)?;
        self.let_go(handle, known.as_ref())
    }

    fn let_go(self, handle: u64, known: Option<&Known>) -> Result<(), String> {
        let before = Before::of(known)?;
        let first = known.is_some_and(|known| !known.shared.releasing.swap(true, Ordering::SeqCst));
        // SAFETY: any number may be a handle.
        let status = unsafe { (self.functions.release)(handle) };
        must(matches!(status, CONNECTOR_OK | CONNECTOR_E_INVALID_ARGUMENT), || format!("OperationRelease: {status}"))?;
        must(status != CONNECTOR_OK || (known.is_some() && !before.released), || "released twice".to_owned())?;
        if let Some(known) = known.filter(|_| status == CONNECTOR_OK) {
            let again = known.shared.released.swap(true, Ordering::SeqCst);
            must(!again, || "released twice at once".to_owned())?;
        }
        // Of two at once either may be the one that does it.
        let _ = first;
        Ok(())
    }

    fn buffers(self, step: Step) -> Result<(), String> {
        let (mut empty, mut spare) = (Buffer::EMPTY, [0; 16]);
        let (pointer, _) = place(&mut empty, &mut spare, step.how);
        // SAFETY: NULL, an empty buffer, or a pointer that is not aligned, which is left alone.
        unsafe { (self.functions.buffer_release)(pointer) };
        must(spare == [0; 16], || "BufferRelease wrote".to_owned())
    }

    /// Releases what no call has, and judges every operation at its end.
    pub(super) fn release_all(self) -> Result<(), String> {
        let known = self.known.lock().map_err(|e| e.to_string())?.clone();
        let mut outcome = Ok(());
        for known in &known {
            let released = known.shared.released.load(Ordering::SeqCst);
            let last = if released { Ok(()) } else { self.let_go(known.handle, Some(known)) };
            outcome = outcome.and(last).and_then(|()| {
                must(known.shared.released.load(Ordering::SeqCst), || "an operation nobody can release".to_owned())?;
                known.shared.close()
            });
        }
        let mut handles: Vec<u64> = known.iter().map(|known| known.handle).collect();
        handles.sort_unstable();
        outcome.and(must(handles.windows(2).all(|pair| pair[0] != pair[1]), || "a handle used twice".to_owned()))
    }
}

/// What was known of an operation before a call.
#[derive(Clone, Copy)]
struct Before {
    released: bool,
    last: Option<Status>,
}

impl Before {
    fn of(known: Option<&Known>) -> Result<Before, String> {
        let Some(known) = known else { return Ok(Before { released: false, last: None }) };
        let last = *known.shared.last.lock().map_err(|e| e.to_string())?;
        Ok(Before { released: known.shared.released.load(Ordering::SeqCst), last })
    }
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("{error}: {}", String::from_utf8_lossy(bytes)))
}
