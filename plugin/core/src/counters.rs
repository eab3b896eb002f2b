//! What an operation has done so far, counted without locks: the source of progress and of the result's totals.
//!
//! Counters only grow. They are approximate while running and exact once the operation is over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Shared by all threads of one operation.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    rows_fetched: AtomicU64,
    rows_delivered: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    /// Microseconds: many waits are shorter than a millisecond.
    throttled_us: AtomicU64,
    bytes_received: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Upserts and Deletes made.
    pub rows_fetched: u64,
    /// Upserts and Deletes handed to the host.
    pub rows_delivered: u64,
    /// HTTP requests to Graph, retries included, token requests not; a `$batch` is one.
    pub requests: u64,
    /// Requests and batch items that repeated a failed one.
    pub retries: u64,
    /// Milliseconds that Graph's limit cost: waits it asked for, and those that kept requests below it. Counted once
    /// however many workers waited.
    pub throttled_ms: u64,
    /// Bytes of answers after decompression.
    pub bytes_received: u64,
}

impl Counters {
    /// Counters at zero.
    pub fn new() -> Counters {
        Counters::default()
    }

    /// Upserts and Deletes were made.
    pub fn fetched(&self, rows: u64) {
        self.inner.rows_fetched.fetch_add(rows, Ordering::Relaxed);
    }

    /// Upserts and Deletes were handed to the host.
    pub fn delivered(&self, rows: u64) {
        self.inner.rows_delivered.fetch_add(rows, Ordering::Relaxed);
    }

    /// A request goes out.
    pub fn request(&self) {
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// It repeats one that failed.
    pub fn retry(&self) {
        self.inner.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Graph asked for this wait, or its limit made it wise.
    pub fn throttled_for(&self, wait: Duration) {
        let microseconds = u64::try_from(wait.as_micros()).unwrap_or(u64::MAX);
        self.inner.throttled_us.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// Bytes came in.
    pub fn received(&self, bytes: u64) {
        self.inner.bytes_received.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The counters now.
    pub fn totals(&self) -> Totals {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            rows_fetched: get(&self.inner.rows_fetched),
            rows_delivered: get(&self.inner.rows_delivered),
            requests: get(&self.inner.requests),
            retries: get(&self.inner.retries),
            throttled_ms: get(&self.inner.throttled_us) / 1_000,
            bytes_received: get(&self.inner.bytes_received),
        }
    }
}
