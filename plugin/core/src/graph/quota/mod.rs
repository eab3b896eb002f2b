//! The pace at which an application may ask in a tenant, learnt from answers and kept by all its workers.
//!
//! [`limit`] decides, this file waits. The gate (`super::gate`) is something else: it obeys a Retry-After; this keeps
//! requests from being refused at all, since one that is refused costs a round trip and makes the wait longer.

mod limit;
#[cfg(test)]
mod simulation;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock::Clock;
use crate::cancel::Cancel;
use crate::error::Error;
use limit::Limit;

pub(crate) use limit::Charge;

/// Shared by all workers that ask as one application in one tenant.
#[derive(Debug)]
pub(crate) struct Quota {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: Limit,
    /// What a read is charged, as answers have shown lately.
    units_a_read: f64,
}

/// How much the latest answer counts in what a read is expected to be charged.
const LATEST: f64 = 0.2;

impl Quota {
    /// Nothing is known yet.
    pub(crate) fn new(clock: &dyn Clock) -> Quota {
        Quota { began: clock.now(), state: Mutex::new(State { limit: Limit::default(), units_a_read: 1.0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in between leaves numbers, and wrong ones are corrected by the next answers.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seconds(&self, at: Instant) -> f64 {
        at.saturating_duration_since(self.began).as_secs_f64()
    }

    /// Waits until so many reads may go together; a single one goes before batches that wait. Answers what that cost
    /// the run: a wait that others share counts once.
    pub(crate) fn admit(&self, reads: u32, clock: &dyn Clock, cancel: &Cancel) -> Result<Duration, Error> {
        let now = self.seconds(clock.now());
        let (start, cost) = {
            let mut state = self.state();
            let units = f64::from(reads) * state.units_a_read;
            state.limit.admit(now, units, reads == 1)
        };
        if start > now {
            clock.wait(cancel, Duration::from_secs_f64(start - now))?;
        }
        Ok(Duration::from_secs_f64(cost))
    }

    /// An answer has come to what was sent at `sent`.
    pub(crate) fn answered(&self, sent: Instant, clock: &dyn Clock, charge: Charge) {
        let (sent, now) = (self.seconds(sent), self.seconds(clock.now()));
        let mut state = self.state();
        if charge.answered > 0 && charge.units > 0.0 {
            let each = charge.units / f64::from(charge.answered);
            state.units_a_read += LATEST * (each - state.units_a_read);
        }
        state.limit.answer(sent, now, charge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::clock::TestClock;

    #[test]
    fn nobody_waits_before_a_limit_shows() {
        let (clock, cancel) = (TestClock::new(), Cancel::new());
        let quota = Quota::new(&*clock);
        for _ in 0..100 {
            quota.admit(20, &*clock, &cancel).unwrap();
            quota.answered(clock.now(), &*clock, Charge { units: 40.0, answered: 20, ..Charge::default() });
        }
        assert!(clock.waits().is_empty());
    }

    #[test]
    fn after_the_first_sign_everybody_waits_and_a_cancel_ends_it() {
        let (clock, cancel) = (TestClock::new(), Cancel::new());
        let quota = Quota::new(&*clock);
        quota.admit(20, &*clock, &cancel).unwrap();
        clock.advance(Duration::from_secs(1));
        let sign = Charge { units: 40.0, answered: 20, used: Some(0.81), ..Charge::default() };
        quota.answered(clock.now(), &*clock, sign);
        quota.admit(1, &*clock, &cancel).unwrap();
        assert!(clock.waits().len() == 2 && clock.waits()[1] > Duration::from_millis(100));
        cancel.cancel();
        quota.answered(clock.now(), &*clock, sign);
        assert!((0..100).any(|_| quota.admit(20, &*clock, &cancel).is_err()));
    }
}
