//! `Retry-After`. Input: its value, and perhaps as a second part the answer's `Date`.
//!
//! Promises: decimals are what an independent reading makes of them; a date means the time from the answer to it; a
//! request throttled so waits at least as long as it says and no longer than a day, or gives up and says how long it
//! would have been.

use std::time::{Duration, SystemTime};

use super::parts;
use crate::error::Kind;
use crate::graph::Get;
use crate::graph::fuzzing::{graph, now, retry_after};

const DAY: Duration = Duration::from_secs(24 * 3600);
const RETRIES: u32 = 3;
/// Of the configuration that `graph` is made with.
const BASE: Duration = Duration::from_secs(5);

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (value, mut rest) = parts(text);
    let date = rest.next();
    let answered = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let wait = retry_after(value, answered);
    match (decimal(value.trim()), wait) {
        (Some(seconds), Some(wait)) => {
            let difference = (wait.as_secs_f64() - seconds).abs();
            assert!(difference <= 0.002 + seconds * 1e-9 || (seconds > 1e19 && wait > DAY), "{value}: {wait:?}");
        }
        (Some(_), None) => panic!("{value} is a wait"),
        (None, Some(wait)) => {
            let until = httpdate::parse_http_date(value.trim()).expect("neither a decimal nor a date");
            assert_eq!(wait, between(answered.unwrap_or_else(now), until), "{value}");
        }
        (None, None) => {}
    }
    // What cannot stand in a header never comes.
    if value.bytes().chain(date.unwrap_or_default().bytes()).all(|byte| (b' '..=b'~').contains(&byte)) {
        throttled(value, date, wait);
    }
}

/// Digits with at most one point or comma between them.
fn decimal(value: &str) -> Option<f64> {
    let plain = value.replacen(',', ".", 1);
    let shaped = plain.starts_with(|c: char| c.is_ascii_digit())
        && plain.ends_with(|c: char| c.is_ascii_digit())
        && plain.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && plain.matches('.').count() <= 1;
    if shaped { plain.parse().ok() } else { None }
}

fn between(from: SystemTime, to: SystemTime) -> Duration {
    to.duration_since(from).unwrap_or_default()
}

/// One request, throttled twice and then answered.
fn throttled(value: &str, date: Option<&str>, wait: Option<Duration>) {
    let headers: Vec<(&'static str, String)> = [("retry-after", Some(value)), ("date", date)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.to_owned())))
        .collect();
    let mut asked = 0;
    let (graph, clock) = graph(RETRIES, move |_, _| {
        asked += 1;
        if asked <= 2 { (429, headers.clone(), Vec::new()) } else { (200, Vec::new(), b"{}".to_vec()) }
    });
    let outcome = graph.get(&Get { link: graph.link("/things"), advanced: false }, |_| Ok(()));
    let waited: Duration = clock.waits().iter().sum();
    match outcome {
        Ok(()) => {
            let named = wait.map_or(3 * BASE, |wait| 2 * wait);
            assert!(waited >= named && waited <= 2 * DAY, "{value}: waited {waited:?}");
            assert!(wait.is_none_or(|wait| wait <= DAY));
        }
        Err(error) => {
            let wait = wait.expect("gave up without being told to wait");
            assert!(wait > DAY && waited.is_zero(), "{value}: gave up after {waited:?}: {error:?}");
            assert_eq!(error.error.kind, Kind::Throttled);
            let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            assert_eq!(error.error.retry_after_ms, millis, "{value}");
        }
    }
}
