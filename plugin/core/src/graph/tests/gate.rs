//! Two operations of one application at the gate that they share.

use super::*;
use crate::error::Kind;

fn with_retries(max_retries: u32) -> Connection {
    Connection { max_retries, ..connection("https://graph.microsoft.com", "https://login.microsoftonline.com") }
}

/// An operation that Graph has asked to wait for some `seconds`.
fn throttled(seconds: u64) -> World {
    let world = World::signed_in();
    world.graph.token().unwrap();
    world.graph.inner.pipeline.pause(Duration::from_secs(seconds), true).unwrap();
    world
}

#[test]
fn wait_at_a_gate_of_another_operation_is_logged_and_counted_once() {
    let first = throttled(60);
    let second = World::beside(&first, with_retries(5));
    second.reply(200, &[], "{}").reply(200, &[], "{}");
    second.get("/things").unwrap();
    second.get("/things").unwrap();
    assert_eq!((first.totals().throttled_ms, second.totals().throttled_ms), (60_000, 60_000));
    let logged = second.logged();
    assert_eq!(logged.matches("asked another operation of this application to wait").count(), 1, "{logged}");
    assert!(logged.contains("Warn Graph asked another") && logged.contains("for 60.0 s"), "{logged}");
    assert!(!first.logged().contains("another operation"));
}

#[test]
fn gate_that_is_closed_for_longer_meanwhile_counts_the_difference() {
    let first = throttled(60);
    let second = World::beside(&first, with_retries(5));
    second.reply(429, &[("retry-after", "90")], "").reply(200, &[], "{}");
    second.get("/things").unwrap();
    assert_eq!(second.totals().throttled_ms, 150_000);
    // Its own refusal has a line of its own.
    assert_eq!(second.logged().matches("asked another operation").count(), 1);
}

#[test]
fn short_wait_at_the_gate_is_counted_without_a_line() {
    let first = World::signed_in();
    first.graph.token().unwrap();
    first.graph.inner.pipeline.pause(Duration::from_millis(900), true).unwrap();
    let second = World::beside(&first, with_retries(5));
    second.reply(200, &[], "{}");
    second.get("/things").unwrap();
    assert_eq!(second.totals().throttled_ms, 900);
    assert!(!second.logged().contains("another operation"));
}

#[test]
fn operation_without_retries_ends_throttled_with_what_is_left() {
    let first = throttled(60);
    first.clock.advance(Duration::from_millis(20_500));
    let second = World::beside(&first, with_retries(0));
    let error = second.get("/things").unwrap_err().error;
    assert_eq!((error.kind, error.retry_after_ms), (Kind::Throttled, 39_500));
    assert!(error.message.contains("40 s are left") && error.message.contains("MaxRetries 0"), "{}", error.message);
    assert!(second.asked().is_empty());
    assert_eq!(second.waits(), [20.5], "it waits for nothing");
    first.clock.advance(Duration::from_secs(40));
    second.reply(200, &[], "{}");
    second.get("/things").unwrap();
}
