//! A small real engine for connector libraries, and a Microsoft Graph simulator to run them against.
//!
//! ```text
//! cli          the commands an operator types; `demo` shows all of it at once
//! import       the engine's loop: secrets → start → pull → store → result; report, delivery: what came of it
//! store        the mesh in SQLite, by the host rules of the contract
//! connector    a loaded library as safe Rust, over loader (dlopen)
//! library, discovery, secrets, catalog     leaves
//! simulator    Microsoft Graph; simulator_process: the same as a child
//! truth, compare   proof that a store equals its source
//! ```
//!
//! There is no knowledge of Entra here. The engine knows the contract only, and reads what it must know about an object
//! type from the connector's `Describe`.

pub mod catalog;
pub mod cli;
pub mod compare;
pub mod connector;
pub mod delivery;
pub mod discovery;
mod http_client;
pub mod import;
pub mod interrupt;
pub mod library;
pub mod loader;
pub mod report;
pub mod secrets;
pub mod simulator;
pub mod simulator_process;
pub mod store;
pub mod truth;
