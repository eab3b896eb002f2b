//! Every export runs in here: a panic becomes a status, a forked child is told so.
//!
//! After a fork the child has our locks in whatever state they were and none of our threads; answering at all would be
//! luck. The process id at first use tells the two apart.

use std::sync::atomic::{AtomicU32, Ordering};

use connector_abi::{CONNECTOR_E_INTERNAL, Status};
use entra_id_core::error::{Error, Kind};
use entra_id_core::threads::{caught, quiet_panics};

use super::pin::pin;

static FIRST_USER: AtomicU32 = AtomicU32::new(0);

/// Whether this process is the one that used the library first.
fn is_first_user() -> bool {
    let me = std::process::id();
    match FIRST_USER.compare_exchange(0, me, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => true,
        Err(first) => first == me,
    }
}

/// Runs `work` behind the boundary.
pub(super) fn guarded<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    if !is_first_user() {
        return Err(Error::new(
            Kind::InvalidState,
            "this process was forked after the connector was first used; load it in the child instead (in Python: the \"spawn\" start method)",
        ));
    }
    pin();
    quiet_panics();
    caught(work)
}

/// As [`guarded`], for functions whose only answer is a status.
pub(super) fn status(work: impl FnOnce() -> Result<Status, Error>) -> Status {
    guarded(work).unwrap_or_else(|e| e.kind.status())
}

/// The last resort where there is not even a status to compute.
pub(super) const BUG: Status = CONNECTOR_E_INTERNAL;
