//! How many requests of one operation may be under way at once: as many as are worth it, `MaxConcurrency` at most.
//!
//! A permit covers the wire only. A thread that waits for an open gate, or for the host to fetch what it has read,
//! holds none: otherwise a slow host would also stop the feeds whose page tokens age.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::window::Window;
use crate::cancel::Cancel;
use crate::error::Error;

/// A sleeper looks at the cancel flag this often; nothing else depends on it.
const CANCEL_CHECK: Duration = Duration::from_millis(200);

/// The permits of one operation.
#[derive(Debug)]
pub(crate) struct Permits {
    began: Instant,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug)]
struct State {
    out: usize,
    waiting: usize,
    window: Window,
}

/// Given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    permits: &'a Permits,
}

impl Permits {
    /// `most` requests at once, at least one. `now` is where time begins.
    pub(crate) fn new(most: usize, now: Instant) -> Permits {
        let state = State { out: 0, waiting: 0, window: Window::new(most) };
        Permits { began: now, state: Mutex::new(state), returned: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a permit, or for the cancel.
    pub(crate) fn take(&self, cancel: &Cancel) -> Result<Permit<'_>, Error> {
        let mut state = self.lock();
        if state.out >= state.window.width() {
            state.waiting += 1;
            while state.out >= state.window.width() {
                state = self.returned.wait_timeout(state, CANCEL_CHECK).unwrap_or_else(PoisonError::into_inner).0;
                if let Err(cancelled) = cancel.check() {
                    state.waiting -= 1;
                    return Err(cancelled);
                }
            }
            state.waiting -= 1;
        }
        state.out += 1;
        Ok(Permit { permits: self })
    }

    /// So many reads were answered in one request.
    pub(crate) fn answered(&self, now: Instant, reads: u32) {
        let seconds = now.saturating_duration_since(self.began).as_secs_f64();
        let mut state = self.lock();
        let (before, waiting) = (state.window.width(), state.waiting > 0);
        state.window.answered(seconds, reads, waiting);
        if state.window.width() > before {
            self.returned.notify_all();
        }
    }

    /// Graph has refused for the limit's sake.
    pub(crate) fn refused(&self) {
        self.lock().window.refused();
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.permits.lock().out -= 1;
        self.permits.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn never_more_than_the_count_are_out_at_once() {
        let (permits, cancel) = (Permits::new(3, Instant::now()), Cancel::new());
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
        assert_eq!(permits.lock().out, 0);
    }

    #[test]
    fn a_cancel_ends_the_wait_for_a_permit() {
        let (permits, cancel) = (Permits::new(1, Instant::now()), Cancel::new());
        let _held = permits.take(&cancel).unwrap();
        std::thread::scope(|threads| {
            let waiting = threads.spawn(|| permits.take(&cancel).is_err());
            cancel.cancel();
            assert!(waiting.join().unwrap());
        });
    }
}
