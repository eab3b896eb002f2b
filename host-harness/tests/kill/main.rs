//! Hosts that die: the real program, killed with SIGKILL at random points, locked out, or left without disk space.
//!
//! Whatever happens, three things hold. The store opens and SQLite finds it whole. Its watermark is never ahead of its
//! rows: the next run from there ends equal to the tenant. And whoever could not write says so in words.
//!
//! ```text
//! CONNECTOR_TEST_KILLS=300 cargo test -p host-harness --test kill -- --nocapture killed      # the long form
//! CONNECTOR_TEST_SEED=7    …                                                               # other points
//! ```
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so and stop")]

mod disk; // a full disk is an error and no damage
mod hosts; // a tenant, the program, stores
mod killed; // SIGKILL at random points
mod locked; // two hosts on one store
