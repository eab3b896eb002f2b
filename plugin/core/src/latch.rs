//! A door between the threads of one operation that opens once.
//!
//! Waiting for another thread is not sleeping, but it must end with a cancel like every wait.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::cancel::Cancel;
use crate::error::Error;

/// Opens once, for everybody who waits.
#[derive(Debug, Default)]
pub struct Latch {
    open: Mutex<bool>,
    opened: Condvar,
}

/// A sleeper looks at the cancel flag this often; nothing else depends on it.
const CANCEL_CHECK: Duration = Duration::from_millis(200);

impl Latch {
    /// Opens it. Repeatable.
    pub fn open(&self) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }

    /// Waits until it is open, or for a cancel: then `Err(Kind::Cancelled)`.
    pub fn wait(&self, cancel: &Cancel) -> Result<(), Error> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while !*open {
            cancel.check()?;
            open = self.opened.wait_timeout(open, CANCEL_CHECK).unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_goes_on_when_it_opens_or_with_a_cancel() {
        let (latch, cancel) = (Latch::default(), Cancel::new());
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| latch.wait(&cancel));
            latch.open();
            assert!(waiting.join().unwrap().is_ok());
        });
        assert!(latch.wait(&cancel).is_ok(), "it stays open");
        cancel.cancel();
        assert!(Latch::default().wait(&cancel).is_err());
    }
}
