//! The queue by itself: when rows go out, when the host is woken, when a reader may ask for more.
//!
//! No test sleeps and looks. Every wait ends by the action of another thread, and a timeout only proves that nothing
//! happened.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::ThreadId;

use super::*;

fn stream(waker: impl Fn() + Send + 'static) -> Stream {
    Stream::new(Limits::default(), Counters::new(), Some(Notifier::start(Box::new(waker)).unwrap()))
}

#[test]
fn rows_that_came_while_a_batch_waited_do_not_wait_for_the_next_ones() {
    let stream = stream(|| ());
    let mut records = Records::new("User");
    records.scope("a", true, 0);
    for _ in 0..3 {
        stream.push(&records, None).unwrap();
    }
    for (sequence, row_count) in [(0, 1), (1, 2)] {
        let Next::Batch(batch) = stream.next(Some(Duration::ZERO)) else { panic!("batch {sequence} is held back") };
        assert_eq!((batch.sequence, batch.row_count), (sequence, row_count));
    }
    assert!(matches!(stream.next(Some(Duration::ZERO)), Next::Pending));
}

#[test]
fn the_fuller_the_queue_the_fewer_readers_are_worth_it_and_one_always_is() {
    let limits = Limits { queued: 4, ..Limits::default() };
    let worth = |readers| [0, 1, 2, 3, 4].map(|waiting| limits.worth(waiting, readers));
    assert_eq!((worth(8), worth(1)), ([8, 6, 4, 2, 1], [1; 5]));
}

/// Whether a second reader is admitted while one batch fills the queue, after `then` at the latest.
fn second_reader(then: impl FnOnce(&Stream)) -> Result<(), Error> {
    let limits = Limits { rows: 1, queued: 1, ..Limits::default() };
    let stream = Stream::new(limits, Counters::new(), None);
    let mut records = Records::new("User");
    records.scope("a", true, 0);
    stream.push(&records, None).unwrap();
    stream.admit(2).unwrap();
    let (asked, admitted) = channel();
    std::thread::scope(|threads| {
        threads.spawn(|| asked.send(stream.admit(2)).unwrap());
        let early = admitted.recv_timeout(Duration::from_millis(100));
        then(&stream);
        assert!(matches!(early, Err(RecvTimeoutError::Timeout)), "what it reads would only be held");
        admitted.recv().unwrap()
    })
}

#[test]
fn a_reader_waits_until_the_host_has_fetched_or_another_reader_is_done() {
    second_reader(|stream| _ = stream.next(None)).unwrap();
    second_reader(RecordSink::leave).unwrap();
}

#[test]
fn a_cancel_ends_the_wait_of_a_reader() {
    assert_eq!(second_reader(Stream::cancel).unwrap_err().kind, Kind::Cancelled);
}

/// A stream whose host has been answered Pending, and the threads on which its wake-up is called.
fn pending_host() -> (Stream, Receiver<ThreadId>) {
    let (called, calls) = channel();
    let stream = stream(move || called.send(std::thread::current().id()).unwrap());
    assert!(matches!(stream.next(Some(Duration::ZERO)), Next::Pending));
    (stream, calls)
}

#[test]
fn wake_after_push_and_after_cancel_comes_from_no_thread_of_the_caller() {
    let deliveries: [fn(&Stream); 2] = [
        |stream| {
            let mut records = Records::new("User");
            records.scope("a", true, 0);
            stream.push(&records, None).unwrap();
        },
        Stream::cancel,
    ];
    for deliver in deliveries {
        let (stream, calls) = pending_host();
        deliver(&stream);
        assert_ne!(calls.recv().unwrap(), std::thread::current().id());
    }
}

#[test]
fn cancel_of_host_that_was_not_answered_pending_brings_no_wake_up() {
    let (stream, calls) = pending_host();
    stream.cancel();
    calls.recv().unwrap();
    stream.cancel();
    stream.forget_waker();
    assert!(calls.recv().is_err(), "one Pending, one wake-up");
}

#[test]
fn wake_up_that_becomes_due_after_release_is_not_called() {
    let (stream, calls) = pending_host();
    stream.forget_waker();
    // As a worker does that took `armed` before the release and comes to the call after it.
    stream.announce(true);
    drop(stream);
    assert!(calls.recv().is_err());
}

#[test]
fn notifier_thread_ends_with_its_stream() {
    let (stream, calls) = pending_host();
    drop(stream);
    // The sender is the closure's, and the closure is the thread's.
    assert!(calls.recv().is_err());
}

#[test]
fn release_waits_for_a_wake_up_that_is_being_called() {
    let ((begun, begins), (go, goes), (forgot, forgotten)) = (channel(), channel::<()>(), channel());
    let stream = stream(move || {
        begun.send(()).unwrap();
        goes.recv().unwrap();
    });
    std::thread::scope(|threads| {
        stream.announce(true);
        begins.recv().unwrap();
        threads.spawn(|| {
            stream.forget_waker();
            forgot.send(()).unwrap();
        });
        let early = forgotten.recv_timeout(Duration::from_millis(200));
        go.send(()).unwrap();
        assert_eq!(early, Err(RecvTimeoutError::Timeout), "the host's data may be freed once Release returns");
        forgotten.recv().unwrap();
    });
}

#[test]
fn cancel_does_not_wait_for_a_wake_up_that_is_being_called() {
    let ((begun, begins), (go, goes)) = (channel(), channel::<()>());
    let stream = stream(move || {
        let _ = begun.send(());
        let _ = goes.recv();
    });
    stream.announce(true);
    begins.recv().unwrap();
    assert!(matches!(stream.next(Some(Duration::ZERO)), Next::Pending));
    // The wake-up waits for this thread, which must return to let it go on.
    stream.cancel();
    drop(go);
}
