//! Sequences of calls of the C functions under libFuzzer, with the boundary's own source compiled into this program.
//!
//! By path and not by `dlopen`, so that one set of coverage counters and one address sanitizer see both sides. The
//! functions are reached by their C names all the same. `tests/e2e/sequences.rs` runs the same sequences through the
//! loaded library.

#![no_main]
#![allow(non_snake_case, reason = "the names of the contract")]

#[path = "../../../plugin/src/ffi/mod.rs"]
mod ffi;
#[path = "../sequence/mod.rs"]
mod sequence;

use std::sync::LazyLock;

use connector_abi::functions as abi;
use libfuzzer_sys::fuzz_target;
use sequence::{Functions, Server};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start().expect("a port of this machine"));

static FUNCTIONS: Functions = Functions {
    version: abi::ConnectorAbiVersion,
    describe: abi::Describe,
    import: abi::ImportAsync,
    export: abi::ExportAsync,
    check: abi::CheckAsync,
    next: abi::OperationNext,
    cancel: abi::OperationCancel,
    progress: abi::OperationProgress,
    result: abi::OperationResult,
    release: abi::OperationRelease,
    buffer_release: abi::BufferRelease,
};

fuzz_target!(|data: &[u8]| {
    if let Err(broken) = sequence::run(&FUNCTIONS, &SERVER, data) {
        // The library has silenced panics of this program, as it does in a host.
        eprintln!("broken promise: {broken}");
        std::process::abort();
    }
});
