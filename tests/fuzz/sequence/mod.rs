//! Sequences of calls of the C functions, made up from bytes: any order, any arguments, several threads.
//!
//! Two parties run it: `tests/e2e/sequences.rs` through the loaded library, and `tests/fuzz/bin/abi.rs` under
//! libFuzzer. Nothing here panics: the library under test may have silenced panics of the process, so what breaks a
//! promise of `include/connector.h` is an `Err` with words. Two threads never share an answer buffer, which would be
//! the host's bug and not the library's. Every argument here is one the header allows or one it says is answered with
//! an error.

#![allow(unsafe_code, reason = "calls the C functions as a careless host would")]

mod arguments;
mod calls;
mod operation;
mod server;

use std::sync::Mutex;

use connector_abi::functions::{
    BufferReleaseFn, CheckAsyncFn, ConnectorAbiVersionFn, DescribeFn, ExportAsyncFn, ImportAsyncFn, OperationCancelFn,
    OperationNextFn, OperationProgressFn, OperationReleaseFn, OperationResultFn,
};

use calls::Host;
use operation::Known;
pub(crate) use server::Server;

/// The eleven functions of the header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) version: ConnectorAbiVersionFn,
    pub(crate) describe: DescribeFn,
    pub(crate) import: ImportAsyncFn,
    pub(crate) export: ExportAsyncFn,
    pub(crate) check: CheckAsyncFn,
    pub(crate) next: OperationNextFn,
    pub(crate) cancel: OperationCancelFn,
    pub(crate) progress: OperationProgressFn,
    pub(crate) result: OperationResultFn,
    pub(crate) release: OperationReleaseFn,
    pub(crate) buffer_release: BufferReleaseFn,
}

/// Calls of one sequence at most.
const LONGEST: usize = 48;

/// One call: which, about which operation, and what decides its arguments.
#[derive(Debug, Clone, Copy)]
struct Step {
    call: u8,
    whom: u8,
    how: u8,
    more: u8,
}

/// Runs the sequence that `data` spells: a byte for the number of threads, four bytes a call, and behind the first `|`
/// what the server answers. Whatever was started is over and released in the end.
pub(crate) fn run(functions: &Functions, server: &Server, data: &[u8]) -> Result<(), String> {
    let bar = data.iter().position(|byte| *byte == b'|');
    let (calls, answers) = bar.map_or((data, &[][..]), |at| (&data[..at], &data[at + 1..]));
    server.script(answers);
    let Some((first, calls)) = calls.split_first() else { return Ok(()) };
    let threads = usize::from(first % 3) + 1;
    let step = |bytes: &[u8]| Step { call: bytes[0], whom: bytes[1], how: bytes[2], more: bytes[3] };
    let steps: Vec<Step> = calls.chunks_exact(4).take(LONGEST).map(step).collect();
    let known: Mutex<Vec<Known>> = Mutex::default();
    let host = Host { functions, server, known: &known };
    let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let own = |thread| steps.iter().skip(thread).step_by(threads).copied().collect::<Vec<Step>>();
        let started: Vec<_> = (1..threads)
            .map(|thread| (own(thread), host))
            .map(|(steps, host)| scope.spawn(move || steps.into_iter().try_for_each(|step| host.take(step))))
            .collect();
        let here = own(0).into_iter().try_for_each(|step| host.take(step));
        let joined =
            started.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a panic of the test".into())));
        joined.chain([here]).collect()
    });
    let left = host.release_all();
    outcomes.into_iter().chain([left]).collect()
}
