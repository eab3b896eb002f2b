//! Ctrl-C as a flag that the engine's loop looks at.
//!
//! An import that is interrupted must end through the connector (`OperationCancel`), so that the run is recorded and the
//! last checkpoint stands. The second Ctrl-C ends the process at once; that is safe too, since the store is written in
//! transactions. Everything that concerns the operating system is in [`Interrupt::of_process`].

#![expect(unsafe_code, reason = "the system's call for a signal handler; std has none")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set by the handler; nothing else is allowed inside one.
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
        system::install();
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

#[cfg(unix)]
mod system {
    use super::{Ordering, RAISED};
    use std::ffi::c_int;

    const SIGINT: c_int = 2;
    const SIGTERM: c_int = 15;
    const SIG_DFL: usize = 0;

    unsafe extern "C" {
        fn signal(number: c_int, handler: usize) -> usize;
    }

    extern "C" fn on_signal(number: c_int) {
        RAISED.store(true, Ordering::SeqCst);
        // SAFETY: `signal` is async-signal-safe; the next one has its usual effect.
        unsafe { signal(number, SIG_DFL) };
    }

    pub(super) fn install() {
        let handler = on_signal as extern "C" fn(c_int) as usize;
        for number in [SIGINT, SIGTERM] {
            // SAFETY: the handler only stores to an atomic and calls `signal`, both allowed in a handler.
            unsafe { signal(number, handler) };
        }
    }
}

#[cfg(windows)]
mod system {
    use super::{Ordering, RAISED};

    type Handler = unsafe extern "system" fn(u32) -> i32;

    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn SetConsoleCtrlHandler(handler: Option<Handler>, add: i32) -> i32;
    }

    unsafe extern "system" fn on_control(_: u32) -> i32 {
        // Handled the first time; the second time the default handler ends the process.
        i32::from(!RAISED.swap(true, Ordering::SeqCst))
    }

    pub(super) fn install() {
        // SAFETY: the handler is a function of this program and only touches an atomic.
        unsafe { SetConsoleCtrlHandler(Some(on_control), 1) };
    }
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
