//! How many requests of one operation may be under way at once: `MaxConcurrency`.
//!
//! A permit covers the wire only. A thread that waits for an open gate, or for the host to fetch what it has read, holds
//! none: otherwise a slow host would also stop the feeds whose page tokens age.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::cancel::Cancel;
use crate::error::Error;

/// A sleeper looks at the cancel flag this often; nothing else depends on it.
const CANCEL_CHECK: Duration = Duration::from_millis(200);

/// The permits of one operation.
#[derive(Debug)]
pub(crate) struct Permits {
    free: Mutex<usize>,
    returned: Condvar,
}

/// Given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    permits: &'a Permits,
}

impl Permits {
    /// `count` requests at once, at least one.
    pub(crate) fn new(count: usize) -> Permits {
        Permits { free: Mutex::new(count.max(1)), returned: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit, or for the cancel.
    pub(crate) fn take(&self, cancel: &Cancel) -> Result<Permit<'_>, Error> {
        let mut free = self.lock();
        while *free == 0 {
            free = self.returned.wait_timeout(free, CANCEL_CHECK).unwrap_or_else(PoisonError::into_inner).0;
            cancel.check()?;
        }
        *free -= 1;
        Ok(Permit { permits: self })
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        *self.permits.lock() += 1;
        self.permits.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn never_more_than_the_count_are_out_at_once() {
        let (permits, cancel) = (Permits::new(3), Cancel::new());
        let (out, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|threads| {
            for _ in 0..12 {
                threads.spawn(|| {
                    for _ in 0..50 {
                        let _permit = permits.take(&cancel).unwrap();
                        most.fetch_max(out.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        std::thread::yield_now();
                        out.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 3);
        assert_eq!(*permits.lock(), 3);
    }

    #[test]
    fn a_cancel_ends_the_wait_for_a_permit() {
        let (permits, cancel) = (Permits::new(1), Cancel::new());
        let _held = permits.take(&cancel).unwrap();
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| permits.take(&cancel).is_err());
            cancel.cancel();
            assert!(waiting.join().unwrap());
        });
    }
}
