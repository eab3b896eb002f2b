//! Time as the rest of `graph/` sees it: what time it is, and how to wait.
//!
//! A trait, so that tests let an hour of Retry-After pass without waiting. Nothing else in `graph/` may ask the system
//! for the time or sleep; a wait that does not go through here could not be cancelled.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::cancel::Cancel;
use crate::error::Error;

/// Where time comes from.
pub(crate) trait Clock: Send + Sync + Debug {
    /// For measuring and for deadlines.
    fn now(&self) -> Instant;
    /// For comparing with dates in answers.
    fn date(&self) -> SystemTime;
    /// Waits, or ends early with `Kind::Cancelled`.
    fn wait(&self, cancel: &Cancel, duration: Duration) -> Result<(), Error>;
}

/// The machine's own.
#[derive(Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn date(&self) -> SystemTime {
        SystemTime::now()
    }

    fn wait(&self, cancel: &Cancel, duration: Duration) -> Result<(), Error> {
        cancel.wait(duration)
    }
}

/// What time it is where the answers come from: the last `Date` header, and how long ago that was.
#[derive(Debug, Default)]
pub(crate) struct ServerClock {
    last: Mutex<Option<(SystemTime, Instant)>>,
}

impl ServerClock {
    /// An answer was dated.
    pub(crate) fn note(&self, date: Option<SystemTime>, clock: &dyn Clock) {
        if let Some(date) = date {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, clock.now()));
        }
    }

    /// Now; this machine's time until there was an answer.
    pub(crate) fn now(&self, clock: &dyn Clock) -> SystemTime {
        match *self.last.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((date, at)) => date + clock.now().saturating_duration_since(at),
            None => clock.date(),
        }
    }
}

/// A clock that tests turn: a wait is over at once, and the clock shows that it happened.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct TestClock {
    start: Instant,
    waits: std::sync::Mutex<Vec<Duration>>,
}

#[cfg(test)]
impl TestClock {
    pub(crate) fn new() -> std::sync::Arc<TestClock> {
        std::sync::Arc::new(TestClock { start: Instant::now(), waits: std::sync::Mutex::default() })
    }

    /// Every wait so far, oldest first.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, duration: Duration) {
        self.waits.lock().unwrap().push(duration);
    }
}

#[cfg(test)]
impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + self.waits().iter().sum::<Duration>()
    }

    fn date(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn wait(&self, cancel: &Cancel, duration: Duration) -> Result<(), Error> {
        cancel.check()?;
        self.advance(duration);
        Ok(())
    }
}
