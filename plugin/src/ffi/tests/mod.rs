//! The exports over operations that tests script: every line of the boundary without a socket, so that Miri can run it.
//!
//! `.ci/miri` does. The functions are the exported ones, called as a host calls them; only how an operation starts
//! differs (`Operation::scripted`). Texts and structs are allocated to the byte, so that one byte read too many is
//! seen.

#![expect(unsafe_code, reason = "calls the exports")]

mod pointers;

use core::ffi::{c_char, c_void};
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, TryRecvError, channel};

use connector_abi::*;
use entra_id_core::log::Level;
use entra_id_core::operation::{Ending, Limits, Operation, Script};

use super::exports::{
    BufferRelease, CheckAsync, Describe, ExportAsync, ImportAsync, OperationCancel, OperationNext, OperationProgress,
    OperationRelease, OperationResult,
};
use super::guard::guarded;
use super::outgoing::{LogCallback, waker};
use super::registry::{self, Entry};

/// Starts what `work` says, under a handle.
fn scripted(
    limits: Limits,
    callbacks: Option<&Callbacks>,
    work: impl FnOnce(&Script) -> Ending + Send + 'static,
) -> OperationHandle {
    let operation = Operation::scripted(limits, waker(callbacks), work).unwrap();
    let handle = guarded(|| Ok(registry::add(Entry { operation, log: LogCallback::of(callbacks) }))).unwrap();
    // Inside the library a panic says nothing on stderr; a test that fails should.
    drop(std::panic::take_hook());
    handle
}

fn narrow() -> Limits {
    Limits { rows: 1, queued: 1, ..Limits::default() }
}

/// Delivers numbers until the host has had enough of them, or up to `most`.
fn counting(most: u64) -> impl FnOnce(&Script) -> Ending + Send + 'static {
    move |script| {
        for n in 0..most {
            script.log.write(Level::Info, || format!("number {n}"));
            if let Err(error) = script.deliver(&n, (n % 3 == 2).then_some("mark")) {
                return Ending::Failed(error);
            }
        }
        Ending::End(Some("the end".to_owned()))
    }
}

/// A text that was lent, given back.
fn taken(mut buffer: Buffer) -> String {
    let bytes = if buffer.data.is_null() {
        Vec::new()
    } else {
        // SAFETY: lent with this length and not released yet.
        unsafe { std::slice::from_raw_parts(buffer.data, buffer.len) }.to_vec()
    };
    // SAFETY: lent once, released once; the second call gets it emptied.
    unsafe { BufferRelease(&raw mut buffer) };
    // SAFETY: as above.
    unsafe { BufferRelease(&raw mut buffer) };
    String::from_utf8(bytes).unwrap()
}

/// One call, and the rows and the checkpoint it brought.
fn next(operation: OperationHandle, timeout_ms: u32) -> (Status, String, String) {
    let mut batch = Batch::empty();
    // SAFETY: the batch is live and says its size.
    let status = unsafe { OperationNext(operation, timeout_ms, &raw mut batch) };
    (status, taken(batch.rows), taken(batch.checkpoint))
}

fn result(operation: OperationHandle) -> (Status, String) {
    let mut json = Buffer::EMPTY;
    // SAFETY: the buffer is live.
    let status = unsafe { OperationResult(operation, &raw mut json) };
    (status, taken(json))
}

fn cancel(operation: OperationHandle) -> Status {
    // SAFETY: any number is allowed.
    unsafe { OperationCancel(operation) }
}

fn release(operation: OperationHandle) -> Status {
    // SAFETY: any number is allowed.
    unsafe { OperationRelease(operation) }
}

#[test]
fn records_come_in_order_then_the_end_for_ever() {
    let operation = scripted(narrow(), None, counting(7));
    assert_eq!(result(operation).0, CONNECTOR_E_INVALID_STATE);
    let mut rows = String::new();
    let mut status = CONNECTOR_OK;
    while status == CONNECTOR_OK {
        let (answered, text, _) = next(operation, CONNECTOR_FOREVER);
        status = answered;
        rows += &text;
    }
    assert_eq!(rows, "0\n1\n2\n3\n4\n5\n6\n");
    for _ in 0..2 {
        assert_eq!(next(operation, 0), (CONNECTOR_END, String::new(), "the end".to_owned()));
    }
    assert!(result(operation).1.contains("Succeeded"));
    let mut progress = Progress::empty();
    // SAFETY: live, and says its size.
    assert_eq!(unsafe { OperationProgress(operation, &raw mut progress) }, CONNECTOR_OK);
    assert_eq!(progress.state, CONNECTOR_STATE_SUCCEEDED);
    assert_eq!((cancel(operation), release(operation)), (CONNECTOR_OK, CONNECTOR_OK));
    assert_eq!((cancel(operation), release(operation)), (CONNECTOR_E_INVALID_ARGUMENT, CONNECTOR_E_INVALID_ARGUMENT));
    assert_eq!(
        (next(operation, 0).0, result(operation).0),
        (CONNECTOR_E_INVALID_ARGUMENT, CONNECTOR_E_INVALID_ARGUMENT)
    );
}

#[test]
fn a_cancel_ends_a_wait_and_the_worker_behind_it() {
    let (ended, ends) = channel();
    let operation = scripted(Limits::default(), None, move |script| {
        let waited = script.cancel.wait(std::time::Duration::from_secs(3600));
        ended.send(waited.is_err()).unwrap();
        Ending::End(None)
    });
    std::thread::scope(|threads| {
        let inside = threads.spawn(|| next(operation, CONNECTOR_FOREVER).0);
        assert_eq!(cancel(operation), CONNECTOR_OK);
        assert_eq!(inside.join().unwrap(), CONNECTOR_E_CANCELLED);
    });
    assert!(ends.recv().unwrap(), "the worker's wait of an hour ended too");
    assert_eq!(next(operation, 0).0, CONNECTOR_E_CANCELLED);
    assert_eq!(release(operation), CONNECTOR_OK);
}

#[test]
fn a_release_without_draining_ends_a_worker_that_stands_before_a_full_queue() {
    let (ended, ends) = channel();
    let operation = scripted(narrow(), None, move |script| {
        let mut n = 0;
        while script.deliver(&n, None).is_ok() {
            n += 1;
        }
        ended.send(()).unwrap();
        Ending::End(None)
    });
    assert_eq!(next(operation, CONNECTOR_FOREVER).1, "0\n");
    assert_eq!(release(operation), CONNECTOR_OK);
    ends.recv().unwrap();
}

#[test]
fn a_second_next_is_busy_and_bytes_outlive_their_operation() {
    let (go, goes) = channel::<()>();
    let operation = scripted(Limits::default(), None, move |script| {
        goes.recv().unwrap();
        script.deliver(&"late", None).map_or_else(Ending::Failed, |()| Ending::End(None))
    });
    let mut kept = std::thread::scope(|threads| {
        let first = threads.spawn(|| {
            let mut batch = Batch::empty();
            // SAFETY: the batch is live and says its size.
            let status = unsafe { OperationNext(operation, CONNECTOR_FOREVER, &raw mut batch) };
            assert_eq!(status, CONNECTOR_OK);
            // As numbers: pointers of a host may go to any thread, and Rust would not let these.
            (batch.rows.data.expose_provenance(), batch.rows.len, batch.rows.owner.expose_provenance())
        });
        while next(operation, 0).0 == CONNECTOR_PENDING {
            std::thread::yield_now();
        }
        assert_eq!(next(operation, 0).0, CONNECTOR_E_BUSY);
        go.send(()).unwrap();
        let (data, len, owner) = first.join().unwrap();
        Buffer { data: ptr::with_exposed_provenance(data), len, owner: ptr::with_exposed_provenance_mut(owner) }
    });
    assert_eq!(release(operation), CONNECTOR_OK);
    assert_eq!(taken(std::mem::replace(&mut kept, Buffer::EMPTY)), "\"late\"\n");
    // SAFETY: empty, null and no address at all are harmless.
    unsafe {
        BufferRelease(&raw mut kept);
        BufferRelease(ptr::null_mut());
        BufferRelease(ptr::without_provenance_mut(1));
    }
}

/// What stands behind a host's `user_data`.
struct Host {
    wakes: Mutex<Sender<()>>,
    lines: Mutex<Vec<String>>,
}

unsafe extern "C" fn on_wake(user_data: *mut c_void) {
    // SAFETY: the tests pass a `Host` that lives until OperationRelease has returned.
    let host = unsafe { &*user_data.cast::<Host>() };
    let _ = host.wakes.lock().unwrap().send(());
}

unsafe extern "C" fn on_log(user_data: *mut c_void, _: u32, message: *const c_char, message_len: usize) {
    // SAFETY: as above; the text is valid during the call.
    let (host, text) =
        unsafe { (&*user_data.cast::<Host>(), std::slice::from_raw_parts(message.cast::<u8>(), message_len)) };
    host.lines.lock().unwrap().push(String::from_utf8(text.to_vec()).unwrap());
}

#[test]
fn every_pending_is_followed_by_one_wake_up_and_host_data_may_be_freed_after_release() {
    let (woken, wakes) = channel();
    for drained in [true, false] {
        let host = Box::into_raw(Box::new(Host { wakes: Mutex::new(woken.clone()), lines: Mutex::default() }));
        let callbacks = Callbacks {
            struct_size: size_of::<Callbacks>() as u32,
            max_log_level: CONNECTOR_LOG_DEBUG,
            user_data: host.cast(),
            log: Some(on_log),
            wake: Some(on_wake),
        };
        let operation = scripted(narrow(), Some(&callbacks), counting(9));
        let mut rows = 0;
        loop {
            match next(operation, 0).0 {
                CONNECTOR_OK => rows += 1,
                CONNECTOR_PENDING => wakes.recv().unwrap(),
                CONNECTOR_END => break,
                other => panic!("{other}"),
            }
            if !drained && rows == 3 {
                break;
            }
        }
        assert_eq!(release(operation), CONNECTOR_OK);
        assert!(wakes.try_recv().is_err(), "one wake-up for each Pending and no more");
        // SAFETY: made by `into_raw` above, and no callback follows a release.
        let host = unsafe { Box::from_raw(host) };
        assert_eq!(host.lines.lock().unwrap()[..3], ["number 0", "number 1", "number 2"]);
    }
}

/// What stands behind the `user_data` of a host that goes on asking while it releases.
struct Hasty {
    released: AtomicBool,
    late: AtomicBool,
}

unsafe extern "C" fn on_hasty_log(user_data: *mut c_void, _: u32, _: *const c_char, _: usize) {
    // SAFETY: the test's `Hasty` outlives every call.
    let host = unsafe { &*user_data.cast::<Hasty>() };
    host.late.fetch_or(host.released.load(Ordering::SeqCst), Ordering::SeqCst);
}

#[test]
fn no_log_line_is_handed_over_after_release_by_a_thread_that_was_inside() {
    for _ in 0..if cfg!(miri) { 3 } else { 300 } {
        let host = Hasty { released: AtomicBool::new(false), late: AtomicBool::new(false) };
        let callbacks = Callbacks {
            struct_size: size_of::<Callbacks>() as u32,
            max_log_level: CONNECTOR_LOG_DEBUG,
            user_data: (&raw const host).cast_mut().cast(),
            log: Some(on_hasty_log),
            wake: None,
        };
        let (enough, is_enough) = channel::<()>();
        // Its worker has lines for whoever asks, before the release and after it.
        let operation = scripted(Limits::default(), Some(&callbacks), move |script| {
            while is_enough.try_recv() == Err(TryRecvError::Empty) {
                script.log.write(Level::Info, || "a line".to_owned());
                std::thread::yield_now();
            }
            Ending::End(None)
        });
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| while next(operation, 0).0 != CONNECTOR_E_INVALID_ARGUMENT {});
            }
            next(operation, 1);
            assert_eq!(release(operation), CONNECTOR_OK);
            host.released.store(true, Ordering::SeqCst);
        });
        drop(enough);
        assert!(!host.late.load(Ordering::SeqCst), "the host may have freed what its callback uses");
    }
}

#[test]
fn a_panic_is_the_end_of_its_operation_and_of_no_other() {
    let (go, goes) = channel::<()>();
    let spared = scripted(Limits::default(), None, move |script| {
        goes.recv().unwrap();
        script.deliver(&1, None).map_or_else(Ending::Failed, |()| Ending::End(None))
    });
    let hit = scripted(narrow(), None, |script| {
        script.deliver(&1, None).unwrap();
        script.deliver(&2, None).unwrap();
        panic!("a planted bug {}", 7)
    });
    for row in ["1\n", "2\n"] {
        assert_eq!(next(hit, CONNECTOR_FOREVER), (CONNECTOR_OK, row.to_owned(), String::new()), "what came before it");
    }
    for _ in 0..2 {
        assert_eq!(next(hit, CONNECTOR_FOREVER).0, CONNECTOR_E_INTERNAL);
    }
    assert!(result(hit).1.contains("a planted bug 7"));
    assert_eq!(release(hit), CONNECTOR_OK);
    go.send(()).unwrap();
    assert_eq!(next(spared, CONNECTOR_FOREVER).0, CONNECTOR_OK);
    assert_eq!(next(spared, CONNECTOR_FOREVER).0, CONNECTOR_END);
    assert_eq!(release(spared), CONNECTOR_OK);
}

/// An export in which the core panics, as a process of its own would show it.
#[cfg(not(miri))]
#[test]
fn a_panic_is_reported_with_its_place_and_writes_nothing() {
    const ALONE: &str = "ENTRA_ID_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "ffi::tests::a_panic_is_reported_with_its_place_and_writes_nothing";
        let alone = std::process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8_lossy(&alone.stdout), String::from_utf8_lossy(&alone.stderr));
        assert!(alone.status.success() && out.contains("1 passed") && err.is_empty(), "{out}{err}");
        return;
    }
    let inside = guarded::<()>(|| panic!("a planted bug")).unwrap_err();
    let operation = Operation::scripted(Limits::default(), None, |_| panic!("another")).unwrap();
    let behind = match operation.next(None) {
        entra_id_core::operation::Next::Ended(Ending::Failed(error)) => error,
        other => unreachable!("{other:?}"),
    };
    for error in [inside, behind] {
        assert!(
            error.kind == entra_id_core::error::Kind::Internal && error.message.contains("ffi/tests/mod.rs:"),
            "{}",
            error.message
        );
    }
}

#[test]
fn handles_survive_a_race_of_every_function_with_the_release() {
    for _ in 0..if cfg!(miri) { 2 } else { 50 } {
        let operation = scripted(narrow(), None, counting(40));
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    while !matches!(next(operation, 1).0, CONNECTOR_E_INVALID_ARGUMENT) {
                        result(operation);
                    }
                });
            }
            threads.spawn(|| while cancel(operation) == CONNECTOR_OK {});
            std::thread::yield_now();
            assert_eq!(release(operation), CONNECTOR_OK);
        });
        assert_ne!(scripted(narrow(), None, counting(0)), operation, "no value is used twice");
    }
}
