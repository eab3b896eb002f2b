//! An operation as the test knows it: what it has promised so far, and what its callbacks have seen.
//!
//! Several threads call at once, so a flag is read *before* a call and judged *after* it: what was true before must
//! still hold, what became true meanwhile proves nothing.

use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use connector_abi::OperationHandle;

/// An operation that was started.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) handle: OperationHandle,
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug, Default)]
pub(super) struct Shared {
    /// OperationRelease has been called, perhaps without having returned.
    pub(super) releasing: AtomicBool,
    /// OperationRelease has returned CONNECTOR_OK.
    pub(super) released: AtomicBool,
    /// The final status that OperationNext has returned.
    pub(super) last: Mutex<Option<i32>>,
    /// The sequence numbers of its batches.
    pub(super) sequences: Mutex<Vec<u64>>,
    pub(super) pendings: AtomicU64,
    pub(super) wakes: AtomicU64,
    /// A callback broke its promise.
    broken: Mutex<Option<&'static str>>,
}

impl Shared {
    fn called(&self, well_formed: bool) {
        if self.released.load(Ordering::SeqCst) {
            self.blame("a callback after OperationRelease has returned");
        } else if !well_formed {
            self.blame("a log line that is no UTF-8 text of one line");
        }
    }

    fn blame(&self, what: &'static str) {
        if let Ok(mut broken) = self.broken.lock() {
            broken.get_or_insert(what);
        }
    }

    /// Judges what only the end shows.
    pub(super) fn close(&self) -> Result<(), String> {
        if let Some(what) = self.broken.lock().ok().and_then(|broken| *broken) {
            return Err(what.to_owned());
        }
        let mut sequences = self.sequences.lock().map_err(|e| e.to_string())?.clone();
        sequences.sort_unstable();
        if !sequences.iter().copied().eq(0..sequences.len() as u64) {
            return Err(format!("batches are numbered {sequences:?}"));
        }
        let (wakes, pendings) = (self.wakes.load(Ordering::SeqCst), self.pendings.load(Ordering::SeqCst));
        if wakes > pendings {
            return Err(format!("{wakes} wake-ups after {pendings} CONNECTOR_PENDING"));
        }
        Ok(())
    }
}

pub(super) unsafe extern "C" fn on_log(user_data: *mut c_void, _: u32, message: *const c_char, length: usize) {
    // SAFETY: `user_data` is the Shared given at the start, which the test keeps until it has judged the operation.
    let shared = unsafe { &*user_data.cast::<Shared>() };
    // SAFETY: the contract gives `length` readable bytes for the length of this call.
    let bytes = unsafe { std::slice::from_raw_parts(message.cast::<u8>(), length) };
    shared.called(std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\n')));
}

pub(super) unsafe extern "C" fn on_wake(user_data: *mut c_void) {
    // SAFETY: as above.
    let shared = unsafe { &*user_data.cast::<Shared>() };
    shared.wakes.fetch_add(1, Ordering::SeqCst);
    shared.called(true);
}
