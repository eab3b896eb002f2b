//! Calls the host's wake-up, on a thread of its own.
//!
//! The other threads only note that a call is due, among them the host's own thread inside OperationCancel. So no call
//! of the host runs its wake-up, and a lock that the host holds while it cancels may be one that its wake-up takes. The
//! one mistake that is easy to make here: to call the wake-up with `due` locked. A wake-up may wait for the host.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::Waker;
use crate::error::Error;
use crate::threads::spawned;

/// The thread that calls the wake-up. It ends when this is dropped, or after [`Notifier::forget`].
pub(in crate::operation) struct Notifier {
    shared: Arc<Shared>,
}

struct Shared {
    due: Mutex<Due>,
    changed: Condvar,
    /// Locked during a call, so that `forget` can wait for it.
    waker: Mutex<Option<Waker>>,
}

#[derive(Default)]
struct Due {
    call: bool,
    over: bool,
}

impl Notifier {
    /// Starts the thread.
    pub(in crate::operation) fn start(waker: Waker) -> Result<Notifier, Error> {
        let shared =
            Arc::new(Shared { due: Mutex::default(), changed: Condvar::new(), waker: Mutex::new(Some(waker)) });
        let on_thread = Arc::clone(&shared);
        spawned("entra-wake", move || on_thread.run())?;
        Ok(Notifier { shared })
    }

    /// Has the wake-up called soon. Two that come before the call are one: the host fetches everything after it.
    pub(super) fn notify(&self) {
        self.shared.lock().call = true;
        self.shared.changed.notify_one();
    }

    /// After this, no wake-up is called. Waits for one that is being called.
    pub(super) fn forget(&self) {
        // Emptied before the thread is told, so that a call that is due does not begin now.
        *self.shared.waker.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.shared.end();
    }
}

impl Drop for Notifier {
    fn drop(&mut self) {
        self.shared.end();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.lock().over = true;
        self.changed.notify_one();
    }

    fn run(&self) {
        loop {
            let mut due = self.lock();
            while !due.call && !due.over {
                due = self.changed.wait(due).unwrap_or_else(PoisonError::into_inner);
            }
            if due.over {
                return;
            }
            due.call = false;
            drop(due);
            if let Some(wake) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
                wake();
            }
        }
    }
}
