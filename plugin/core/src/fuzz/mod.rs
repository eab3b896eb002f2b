//! Fuzz targets: one small function for each text that comes from outside, taking bytes and asserting promises.
//!
//! Behind the feature `fuzzing`, which nothing that is shipped switches on (`tests/e2e/layering.rs` keeps that), since
//! the targets need private parts. Safe Rust hardly crashes, so crashes are not enough to look for. Each target holds
//! an *oracle*: the same answer twice, an independent reading of the same bytes, a law between two inputs, a canary
//! that must not come out. `tests/fuzz/` runs them with an engine, `replay.rs` replays its corpus, and mutants of it,
//! in plain tests.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a promise that does not hold stops the engine, which is how it finds out"
)]

mod auth;
mod batch;
mod batch_reader;
mod canary;
mod config;
mod filter;
mod json;
mod link;
mod page;
#[cfg(test)]
mod replay;
mod retry_after;
mod watermark;

pub use batch_reader::BatchReader;

/// A function that an engine feeds.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of its folder in `tests/fuzz/corpus/`.
    pub name: &'static str,
    /// Takes any bytes; panics where a promise does not hold.
    pub run: fn(&[u8]),
}

/// Every target of this package. The sequences of calls of the C functions are fuzzed through the library.
pub const TARGETS: &[Target] = &[
    Target { name: "config", run: config::run },
    Target { name: "auth", run: auth::run },
    Target { name: "watermark", run: watermark::run },
    Target { name: "page", run: page::run },
    Target { name: "batch", run: batch::run },
    Target { name: "filter", run: filter::run },
    Target { name: "retry_after", run: retry_after::run },
    Target { name: "link", run: link::run },
];

/// Between the parts of an input that has several.
const PART: char = '\x1e';

/// The first part of an input, and the others.
fn parts(text: &str) -> (&str, impl Iterator<Item = &str>) {
    let mut parts = text.split(PART);
    (parts.next().unwrap_or_default(), parts)
}
