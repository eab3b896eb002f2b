//! Handles of operations: numbers looked up in a table, so that a stale one is an error and not a use after free.
//!
//! The upper half of a handle is random for each loaded copy of the library, so that a handle of one copy means nothing
//! to another; the lower half counts. No value is used twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connector_abi::OperationHandle;
use entra_id_core::error::Error;
use entra_id_core::operation::Operation;
use once_cell::sync::Lazy;

use super::incoming::bad_argument;
use super::outgoing::LogCallback;

/// What a handle stands for.
pub(super) struct Entry {
    pub(super) operation: Operation,
    pub(super) log: LogCallback,
}

struct Registry {
    next: AtomicU64,
    entries: Mutex<HashMap<OperationHandle, Arc<Entry>>>,
}

static REGISTRY: Lazy<Registry> =
    Lazy::new(|| Registry { next: AtomicU64::new(first_handle()), entries: Mutex::default() });

fn first_handle() -> OperationHandle {
    // The hasher's keys are the only random bits std gives; they differ for each copy, which is all that is needed.
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    (((random & 0x7fff_ffff) | 0x4000_0000) << 32) | 1
}

fn entries() -> MutexGuard<'static, HashMap<OperationHandle, Arc<Entry>>> {
    REGISTRY.entries.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Gives the entry a handle.
pub(super) fn add(entry: Entry) -> OperationHandle {
    let handle = REGISTRY.next.fetch_add(1, Ordering::Relaxed);
    entries().insert(handle, Arc::new(entry));
    handle
}

/// The entry of a handle that was not released.
pub(super) fn get(handle: OperationHandle) -> Result<Arc<Entry>, Error> {
    entries().get(&handle).cloned().ok_or_else(unknown)
}

/// Takes the entry away.
pub(super) fn remove(handle: OperationHandle) -> Result<Arc<Entry>, Error> {
    entries().remove(&handle).ok_or_else(unknown)
}

fn unknown() -> Error {
    bad_argument("operation", "is not one of this library's, or was released")
}

#[cfg(test)]
mod tests {
    use entra_id_core::error::Kind;

    use super::*;

    #[test]
    fn an_unknown_handle_is_an_error() {
        for handle in [0, 1, u64::MAX] {
            assert_eq!(get(handle).err().unwrap().kind, Kind::InvalidArgument);
            assert_eq!(remove(handle).err().unwrap().kind, Kind::InvalidArgument);
        }
    }
}
