//! What all operations share that ask as one application in one tenant: Graph counts them together, so the gate and the
//! quota are theirs together, across the operations of this process.
//!
//! Nothing outlives the last of them: the connector keeps nothing between runs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use once_cell::sync::Lazy;

use super::clock::Clock;
use super::gate::Gate;
use super::quota::Quota;

/// Who asks where: Graph's origin, the tenant as configured, the application.
pub(crate) type Asker = (String, String, String);

static SHARED: Lazy<Mutex<HashMap<Asker, Weak<Shared>>>> = Lazy::new(Mutex::default);

/// One gate and one quota.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) gate: Gate,
    pub(crate) quota: Quota,
}

impl Shared {
    /// For one operation alone.
    pub(crate) fn new(clock: &dyn Clock) -> Arc<Shared> {
        Arc::new(Shared { gate: Gate::default(), quota: Quota::new(clock) })
    }

    /// Those of the operations under way that ask as the same application, or new ones.
    pub(crate) fn with_others(asker: Asker, clock: &dyn Clock) -> Arc<Shared> {
        let mut all = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, shared| shared.strong_count() > 0);
        if let Some(shared) = all.get(&asker).and_then(Weak::upgrade) {
            return shared;
        }
        let shared = Shared::new(clock);
        all.insert(asker, Arc::downgrade(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::graph::clock::SystemClock;

    fn asker(application: &str) -> Asker {
        ("https://graph.microsoft.com".to_owned(), "contoso.com".to_owned(), application.to_owned())
    }

    #[test]
    fn operations_of_one_application_wait_at_one_gate() {
        let hour = Duration::from_secs(3600);
        let one = Shared::with_others(asker("shared-a"), &SystemClock);
        one.gate.close(&SystemClock, hour);
        let another = Shared::with_others(asker("shared-a"), &SystemClock);
        let stranger = Shared::with_others(asker("shared-b"), &SystemClock);
        assert!(!another.gate.closed_for(&SystemClock).is_zero());
        assert!(stranger.gate.closed_for(&SystemClock).is_zero());
    }

    #[test]
    fn nothing_is_kept_once_the_last_operation_is_over() {
        let one = Shared::with_others(asker("shared-c"), &SystemClock);
        one.gate.close(&SystemClock, Duration::from_secs(3600));
        drop(one);
        assert!(Shared::with_others(asker("shared-c"), &SystemClock).gate.closed_for(&SystemClock).is_zero());
    }
}
