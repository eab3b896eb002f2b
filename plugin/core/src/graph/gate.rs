//! One instant before which no worker of the operation sends anything to Graph.
//!
//! All requests of an app in a tenant draw on one bucket, and requests sent while throttled make the wait longer
//! (`concepts/throttling.md`, "Best practices to handle throttling"): a wait per worker would let seven others go on
//! knocking. The gate only ever moves later; what it moved by is the time Graph really cost us.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock::Clock;
use crate::cancel::Cancel;
use crate::error::Error;

/// Shared by the workers of one operation.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    not_before: Mutex<Option<Instant>>,
}

impl Gate {
    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        // A panic while an instant is written leaves an instant.
        self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the gate closed for `wait` from now.
    pub(crate) fn close(&self, clock: &dyn Clock, wait: Duration) -> Closed {
        let now = clock.now();
        let opens = now + wait;
        let mut not_before = self.lock();
        let before = not_before.filter(|instant| *instant > now).unwrap_or(now);
        if opens <= before {
            return Closed { at: now, opens: before, later: Duration::ZERO };
        }
        *not_before = Some(opens);
        Closed { at: now, opens, later: opens - before }
    }

    /// How long it stays closed.
    pub(crate) fn closed_for(&self, clock: &dyn Clock) -> Duration {
        self.lock().map_or(Duration::ZERO, |instant| instant.saturating_duration_since(clock.now()))
    }

    /// Waits until it is open, however often it is closed meanwhile. `closed` gets the present and the instant at which
    /// it opens before each wait; its error ends the wait.
    pub(crate) fn pass(
        &self,
        clock: &dyn Clock,
        cancel: &Cancel,
        mut closed: impl FnMut(Instant, Instant) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            cancel.check()?;
            let opens = *self.lock();
            let now = clock.now();
            let Some(opens) = opens.filter(|opens| *opens > now) else { return Ok(()) };
            closed(now, opens)?;
            clock.wait(cancel, opens - now)?;
        }
    }
}

/// What became of a gate that was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed {
    /// When that was.
    pub(crate) at: Instant,
    /// When it opens.
    pub(crate) opens: Instant,
    /// How much later that is because of this call: nothing if another worker was told to wait longer.
    pub(crate) later: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::graph::clock::{SystemClock, TestClock};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_open_gate_makes_nobody_wait() {
        let clock = TestClock::new();
        Gate::default().pass(&*clock, &Cancel::new(), |_, _| panic!("it is open")).unwrap();
        assert!(clock.waits().is_empty());
    }

    #[test]
    fn two_workers_told_the_same_wait_cost_it_once() {
        let (clock, gate) = (TestClock::new(), Gate::default());
        assert_eq!(gate.close(&*clock, 10 * SECOND).later, 10 * SECOND);
        assert_eq!(gate.close(&*clock, 10 * SECOND).later, Duration::ZERO);
        assert_eq!(gate.close(&*clock, 12 * SECOND).later, 2 * SECOND);
    }

    #[test]
    fn a_shorter_wait_does_not_open_it_earlier() {
        let (clock, gate) = (TestClock::new(), Gate::default());
        gate.close(&*clock, 10 * SECOND);
        assert_eq!(gate.close(&*clock, SECOND).later, Duration::ZERO);
        assert_eq!(gate.closed_for(&*clock), 10 * SECOND);
    }

    #[test]
    fn a_gate_that_has_opened_counts_from_now_again() {
        let (clock, gate) = (TestClock::new(), Gate::default());
        gate.close(&*clock, SECOND);
        clock.advance(60 * SECOND);
        assert_eq!(gate.close(&*clock, SECOND).later, SECOND);
    }

    #[test]
    fn a_cancel_ends_the_wait_at_the_gate() {
        let (gate, cancel) = (Gate::default(), Cancel::new());
        gate.close(&SystemClock, 3600 * SECOND);
        let error = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.pass(&SystemClock, &cancel, |_, _| Ok(())));
            cancel.cancel();
            waiting.join().unwrap().unwrap_err()
        });
        assert_eq!(error.kind, Kind::Cancelled);
    }
}
