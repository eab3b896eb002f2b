//! The boundary: the only place that knows the contract. Beside the allocator that wipes, the only one with `unsafe`.
//!
//! Two doors over the same operations: [`exports`] for every language, [`rust_door`] for Rust hosts that use
//! abi_stable. Both check their arguments, run inside [`guard`], and hand out the same bytes.

mod answer;
mod buffer;
mod exports;
mod guard;
mod incoming;
mod outgoing;
mod pin;
mod registry;
mod rust_door;
mod signals;
#[cfg(test)]
mod tests;
