//! The one flag that ends an operation, and the only way to wait inside it.
//!
//! Nothing in the connector calls `thread::sleep`: a wait of an hour that Graph asked for must end within milliseconds
//! of a cancel, so every wait is a wait on this flag.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Kind};

/// Shared by the host's threads, which set it, and the operation's own, which obey it.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    inner: Arc<(Mutex<bool>, Condvar)>,
}

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        // A panic while a bool is written leaves a bool.
        self.inner.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the flag and ends every wait. Repeatable.
    pub fn cancel(&self) {
        *self.lock() = true;
        self.inner.1.notify_all();
    }

    /// Whether the flag is set.
    pub fn is_cancelled(&self) -> bool {
        *self.lock()
    }

    /// `Err(Kind::Cancelled)` once the flag is set.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::new(Kind::Cancelled, "the operation was cancelled")) } else { Ok(()) }
    }

    /// Waits for `duration`, or less when the flag is set meanwhile: then `Err(Kind::Cancelled)`.
    pub fn wait(&self, duration: Duration) -> Result<(), Error> {
        let end = Instant::now() + duration;
        let mut cancelled = self.lock();
        loop {
            if *cancelled {
                drop(cancelled);
                return self.check();
            }
            let Some(left) = end.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) else { return Ok(()) };
            cancelled = self.inner.1.wait_timeout(cancelled, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_of_an_hour_ends_with_the_cancel() {
        let cancel = Cancel::new();
        let waiting = {
            let cancel = cancel.clone();
            std::thread::spawn(move || cancel.wait(Duration::from_secs(3600)))
        };
        cancel.cancel();
        assert_eq!(waiting.join().unwrap().unwrap_err().kind, Kind::Cancelled);
    }

    #[test]
    fn a_short_wait_ends_by_itself() {
        assert!(Cancel::new().wait(Duration::from_millis(5)).is_ok());
    }
}
