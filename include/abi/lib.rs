//! The contract between a connector library and the engine that loads it, ABI 1.0.
//!
//! The C spelling of everything here is `include/connector.h`, generated from these files and checked in; a test
//! compares the two. Nothing here knows a vendor: a connector for any directory can implement it. Easy to get wrong:
//! these are *declarations*. The functions of [`functions`] live in the connector library and are looked up by name; no
//! Rust program links against them.
//!
//! # Life of an operation
//!
//! [`functions::ConnectorAbiVersion`] first, [`functions::Describe`] any time, then [`functions::ImportAsync`] or
//! [`functions::CheckAsync`] → [`functions::OperationNext`] until it answers [`status::CONNECTOR_END`],
//! [`status::CONNECTOR_END_PARTIAL`] or a negative value → [`functions::OperationResult`] →
//! [`functions::OperationRelease`], exactly once for every operation that was started, also after a failure.
//!
//! # Rules that hold everywhere
//!
//! * 64-bit targets only. All text is UTF-8. Load with `dlopen(RTLD_NOW | RTLD_LOCAL)` or `LoadLibrary`, by full path,
//!   and never unload: the library pins itself, so freeing the handle is allowed and has no effect.
//! * Inputs are copied before a call returns; outputs belong to the connector until [`functions::BufferRelease`].
//! * Structs begin with `struct_size`, set by the caller; members are only ever appended, numbers never reused.
//! * Every function may be called from any thread at any time; [`functions::OperationNext`] by one thread at a time for
//!   each operation.
//! * Not after `fork()` in the child: a child answers [`status::CONNECTOR_E_INVALID_STATE`].

#![deny(missing_docs)]

pub mod functions;
#[cfg(feature = "abi-stable")]
pub mod root_module;
pub mod status;
pub mod structs;

pub use functions::*;
pub use status::*;
pub use structs::*;
