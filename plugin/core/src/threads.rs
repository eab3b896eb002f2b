//! Threads of the connector: named, and never the host's problem.
//!
//! A panic becomes an error of the operation it hit, and of nothing else. Every thread runs inside [`caught`]: a panic
//! that left a thread unnoticed would leave its siblings waiting for it for ever. A thread that cannot be started is an
//! error too, not a panic.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use once_cell::sync::Lazy;

use crate::error::{Error, Kind};

thread_local! {
    static PANICKED_AT: Cell<Option<String>> = const { Cell::new(None) };
}

/// Keeps panics off the host's stderr: noted for the error instead. The hook is private to this library's own copy of
/// the standard library; a program that links this crate directly keeps its hook, since nothing here calls this by
/// itself.
pub fn quiet_panics() {
    static ONCE: Lazy<()> = Lazy::new(|| {
        std::panic::set_hook(Box::new(|info| {
            // A thread that is being torn down has no place to note it, and a panic in here would end the host.
            let place = info.location().map(|l| format!(" ({}:{})", l.file(), l.line()));
            let _ = PANICKED_AT.try_with(|at| at.set(place));
        }));
    });
    Lazy::force(&ONCE);
}

/// Runs `work`; a panic inside becomes `Kind::Internal`.
pub fn caught<R>(work: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    // What `work` shares with other threads is locks that forgive poison and atomics; the operation ends anyway.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(as_error(&*payload)))
}

/// The error for a panic's payload.
pub fn as_error(payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = PANICKED_AT.take().unwrap_or_default();
    Error::new(
        Kind::Internal,
        format!(
            "the connector hit a bug, this operation is over and the host is unharmed; please report: {}{place}",
            text.unwrap_or("panic without a message")
        ),
    )
}

/// Stack of every thread of the connector, whatever the host's environment says (`RUST_MIN_STACK`). The deepest filter
/// needs a tenth of it.
const STACK: usize = 2 * 1024 * 1024;

/// Starts a thread that ends by itself. Its name tells an operator's debugger whose it is.
pub fn spawned(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    match Builder::new().name(name.to_owned()).stack_size(STACK).spawn(work) {
        Ok(_detached) => Ok(()),
        Err(e) => Err(no_thread(e)),
    }
}

fn no_thread(cause: io::Error) -> Error {
    Error::new(Kind::OutOfMemory, "the operating system gave no thread; raise the limit of the host process")
        .with_cause(cause)
}

/// A thread of an operation that is joined before its scope ends.
pub type Started<'s> = io::Result<ScopedJoinHandle<'s, Result<(), Error>>>;

/// As [`spawned`], for a thread that is joined. A panic is caught on it, where its place is known.
pub fn named<'s, 'e: 's>(
    scope: &'s Scope<'s, 'e>,
    name: &str,
    work: impl FnOnce() -> Result<(), Error> + Send + 's,
) -> Started<'s> {
    Builder::new().name(name.to_owned()).stack_size(STACK).spawn_scoped(scope, || caught(work))
}

/// Waits for the thread; one that could not be started is an error of its own.
pub fn joined(thread: Started<'_>) -> Result<(), Error> {
    match thread {
        Ok(thread) => thread.join().unwrap_or_else(|payload| Err(as_error(&*payload))),
        Err(e) => Err(no_thread(e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_reported_as_a_bug_with_its_message() {
        let error = caught::<()>(|| panic!("index {} out of bounds", 7)).unwrap_err();
        assert!(error.kind == Kind::Internal && error.message.contains("index 7 out of bounds"));
    }
}
