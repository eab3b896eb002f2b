//! Where the host wants an answer: a pointer, checked and emptied before anything can fail.
//!
//! Written through the raw pointer and never borrowed: what stands there may be uninitialised, and a host that names
//! one place twice, or looks at it meanwhile, confuses itself and not the compiler's idea of who may write.

#![expect(unsafe_code, reason = "writes the host's memory")]

use connector_abi::{Batch, Buffer, OperationHandle, Progress};
use entra_id_core::error::Error;

use super::incoming::{bad_argument, misaligned, plausible};

/// A place that may be written until the export returns. `put` is safe because only the checks below make one.
#[derive(Debug)]
pub(super) struct Answer<T>(*mut T);

impl<T> Answer<T> {
    /// # Safety
    /// If `pointer` is not null and aligned, a `T` may be written there until the export returns.
    unsafe fn at(name: &str, pointer: *mut T) -> Result<Answer<T>, Error> {
        if pointer.is_null() {
            return Err(bad_argument(name, "is NULL"));
        }
        if !pointer.is_aligned() {
            return Err(misaligned(name));
        }
        Ok(Answer(pointer))
    }

    /// Answers.
    pub(super) fn put(&self, value: T) {
        // SAFETY: checked by `at`, whose caller promised the rest.
        unsafe { self.0.write(value) };
    }
}

/// # Safety
/// As for [`Answer::at`].
pub(super) unsafe fn text(name: &str, pointer: *mut Buffer) -> Result<Answer<Buffer>, Error> {
    // SAFETY: the caller's promise.
    let answer = unsafe { Answer::at(name, pointer) }?;
    answer.put(Buffer::EMPTY);
    Ok(answer)
}

/// # Safety
/// As for [`Answer::at`].
pub(super) unsafe fn operation(name: &str, pointer: *mut OperationHandle) -> Result<Answer<OperationHandle>, Error> {
    // SAFETY: the caller's promise.
    let answer = unsafe { Answer::at(name, pointer) }?;
    answer.put(0);
    Ok(answer)
}

/// Where a batch goes, empty until then. Its size and what is reserved stay the host's, `sequence` that of the last
/// batch.
///
/// # Safety
/// As for [`Answer::at`]; its `struct_size` is set.
pub(super) unsafe fn batch(name: &str, pointer: *mut Batch) -> Result<Answer<Batch>, Error> {
    // SAFETY: the caller's promise.
    let (answer, _) = unsafe { sized(name, pointer) }?;
    answer.put_rows(0, Buffer::EMPTY, Buffer::EMPTY);
    Ok(answer)
}

impl Answer<Batch> {
    /// Hands a batch over.
    pub(super) fn put_batch(&self, sequence: u64, row_count: u64, rows: Buffer, checkpoint: Buffer) {
        // SAFETY: checked by `at`, whose caller promised the rest.
        unsafe { (&raw mut (*self.0).sequence).write(sequence) };
        self.put_rows(row_count, rows, checkpoint);
    }

    /// Hands over what an ending brings.
    pub(super) fn put_rows(&self, row_count: u64, rows: Buffer, checkpoint: Buffer) {
        // SAFETY: checked by `at`, whose caller promised the rest.
        unsafe {
            (&raw mut (*self.0).row_count).write(row_count);
            (&raw mut (*self.0).rows).write(rows);
            (&raw mut (*self.0).checkpoint).write(checkpoint);
        }
    }
}

/// Counters, and the size the host gave them. Left as they are until there is something to say.
///
/// # Safety
/// As for [`Answer::at`]; its `struct_size` is set.
pub(super) unsafe fn progress(name: &str, pointer: *mut Progress) -> Result<(Answer<Progress>, u32), Error> {
    // SAFETY: the caller's promise.
    unsafe { sized(name, pointer) }
}

/// # Safety
/// As for [`Answer::at`]; `T` begins with its size, which is set.
unsafe fn sized<T>(name: &str, pointer: *mut T) -> Result<(Answer<T>, u32), Error> {
    // SAFETY: the caller's promise.
    let answer = unsafe { Answer::at(name, pointer) }?;
    // SAFETY: aligned for the whole, and begins with a `u32` by the caller's promise.
    let said = unsafe { pointer.cast::<u32>().read() };
    plausible::<T>(name, said)?;
    Ok((answer, said))
}
