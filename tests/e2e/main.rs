//! End-to-end proof, always through the loaded library. One test binary, so that the library is found and built once.
//!
//! A test is three lines: a world, an import, a comparison. All mechanics live in `world`.

mod header; // the C header is what the Rust source says, in every C and C++; a C host runs
mod layering; // the rules of docs/architecture.md, read off the source
mod symbols; // what the library exports
