//! Ctrl-C as a flag that the engine's loop looks at.
//!
//! An import that is interrupted must end through the connector (`OperationCancel`), so that the run is recorded and
//! the last checkpoint stands. The second Ctrl-C ends the process at once; that is safe too, since the store is written
//! in transactions. What concerns the operating system is the `ctrlc` crate's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the handler.
static RAISED: AtomicBool = AtomicBool::new(false);

/// Asks a running import to stop. Clones are the same flag.
#[derive(Debug, Clone, Default)]
pub struct Interrupt {
    own: Arc<AtomicBool>,
    of_process: bool,
}

impl Interrupt {
    /// A flag that only [`Interrupt::raise`] sets.
    pub fn new() -> Interrupt {
        Interrupt::default()
    }

    /// A flag that Ctrl-C and a polite `kill` set as well, once.
    pub fn of_process() -> Interrupt {
        // Not `try_set_handler`: that gives up where the parent ignored the signal, as shells do for background jobs,
        // and an import would then not be stopped at all. Only a second call fails, and then the handler is there
        // already.
        let _ = ctrlc::set_handler(|| {
            if RAISED.swap(true, Ordering::SeqCst) {
                end_now();
            }
        });
        Interrupt { own: Arc::default(), of_process: true }
    }

    /// Sets the flag.
    pub fn raise(&self) {
        self.own.store(true, Ordering::SeqCst);
    }

    /// Whether the flag is set.
    pub fn is_raised(&self) -> bool {
        self.own.load(Ordering::SeqCst) || (self.of_process && RAISED.load(Ordering::SeqCst))
    }
}

#[expect(clippy::exit, reason = "asked for twice: the store is written in transactions, so this is safe")]
fn end_now() {
    std::process::exit(130);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag() {
        let interrupt = Interrupt::new();
        let clone = interrupt.clone();
        clone.raise();
        assert!(interrupt.is_raised() && !Interrupt::new().is_raised());
    }
}
