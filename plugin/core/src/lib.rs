//! The Entra ID connector below its C boundary. Layers, each using only what stands below it:
//!
//! ```text
//! operation   one import or check: threads, batches, checkpoints, result
//! read        one room per way of reading: what to ask, how its pages become records
//! sync        delta state machine, watermark
//! graph       Microsoft Graph as a protocol: retry → gate → quota → token → request id → permit → transport; batch
//! mapping     Graph's JSON → records; pure          model   Graph's JSON shapes
//! leaves: config, filter, types, describe, error, code, cancel, guid, latch, log, counters, named_file, percent,
//!         threads
//! ```
//!
//! No layer reaches sideways: `graph/` never names an object type, `read/` never sleeps, retries or reads a status
//! code, `mapping/` does no I/O. `tests/e2e/layering.rs` keeps these rules.

pub mod cancel;
pub mod code;
pub mod config;
pub mod counters;
pub mod describe;
pub mod error;
pub mod filter;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub mod graph;
pub mod guid;
pub mod latch;
pub mod log;
pub mod mapping;
pub mod model;
pub mod named_file;
pub mod operation;
pub mod percent;
pub mod read;
pub mod sync;
pub mod threads;
pub mod types;
