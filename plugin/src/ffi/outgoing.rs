//! The host's callbacks, made safe to hold.
//!
//! `log` is called only from a host thread inside one of our calls, under a lock that OperationRelease takes too: that
//! is how Release can promise that none follows.

#![expect(unsafe_code, reason = "calls the host's functions")]

use core::ffi::{c_char, c_void};
use std::sync::{Mutex, PoisonError};

use connector_abi::Callbacks;
use entra_id_core::log::Level;
use entra_id_core::operation::Waker;

/// The host's `user_data`: opaque here, thread-safe by the host's promise in the header.
#[derive(Clone, Copy)]
struct UserData(*mut c_void);

// SAFETY: this library never reads through the pointer; the header says that the callbacks may be called from any of
// our threads, so the host has promised that what stands behind it can be used there.
unsafe impl Send for UserData {}

type LogFunction = unsafe extern "C" fn(*mut c_void, u32, *const c_char, usize);

/// Where log lines go.
pub(super) struct LogCallback {
    slot: Mutex<Option<(LogFunction, UserData)>>,
}

impl LogCallback {
    pub(super) fn of(callbacks: Option<&Callbacks>) -> LogCallback {
        LogCallback { slot: Mutex::new(callbacks.and_then(|c| Some((c.log?, UserData(c.user_data))))) }
    }

    /// Hands the lines over, unless the host has none of it.
    pub(super) fn deliver(&self, take: impl FnOnce() -> Vec<(Level, String)>) {
        let slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((log, user_data)) = *slot else { return };
        for (level, line) in take() {
            // SAFETY: the host gave this function for exactly this call; the text is valid during it; the slot's lock
            // is held, so Release, after which the host may free `user_data`, waits.
            unsafe { log(user_data.0, level as u32, line.as_ptr().cast(), line.len()) };
        }
    }

    /// No line is handed over any more. Waits for one that is being handed over.
    pub(super) fn forget(&self) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The host's wake-up as the queue calls it.
pub(super) fn waker(callbacks: Option<&Callbacks>) -> Option<Waker> {
    let callbacks = callbacks?;
    let (wake, user_data) = (callbacks.wake?, UserData(callbacks.user_data));
    Some(Box::new(move || {
        let UserData(pointer) = { user_data };
        // SAFETY: the host gave this function to be called from our threads until Release has returned; the queue
        // empties its slot in Release and holds the slot's lock during the call.
        unsafe { wake(pointer) };
    }))
}
