//! The Entra ID connector as a loadable library: `libEntraId.so`, `EntraId.dll`, `libEntraId.dylib`.
//!
//! Only the boundary is here; what the connector does is `entra-id-core`. Do not put logic next to an
//! export: everything beyond checking pointers belongs in the core, where it is safe and can be tested in process.

#![allow(
    non_snake_case,
    reason = "the library file is EntraId by contract, and the crate is named after it; under test it is not checked"
)]

#[cfg(panic = "abort")]
compile_error!(
    "this library lives in other people's processes: it must be built with panic = \"unwind\", so that a bug becomes an error instead of ending the host"
);

mod ffi;
#[cfg(all(target_os = "linux", not(miri)))]
mod large_blocks;
mod wiping_allocator;
