//! Random sequences of calls of the C functions, through the loaded library: any order, any arguments, several threads.
//!
//! The sequences and their promises stand in `tests/fuzz/sequence/`, where an engine finds what is worth keeping; here
//! its corpus is replayed, and mutants of it. Threads take turns as they like, so a failure may need several runs to
//! come again.

use std::path::Path;

use crate::sequence::{Functions, Server, run};
use crate::world::connector;

/// Mutants of the corpus, and a seed of one's own, by these variables.
const CASES: (&str, u64) = ("CONNECTOR_FUZZ_SEQUENCES", 1500);
const SEED: (&str, u64) = ("CONNECTOR_FUZZ_SEED", 1);

fn number((name, default): (&str, u64)) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

fn functions() -> Functions {
    let connector = connector();
    let raw = connector.raw().unwrap();
    Functions {
        version: raw.ConnectorAbiVersion,
        describe: raw.Describe,
        import: raw.ImportAsync,
        export: raw.ExportAsync,
        check: raw.CheckAsync,
        next: raw.OperationNext,
        cancel: raw.OperationCancel,
        progress: raw.OperationProgress,
        result: raw.OperationResult,
        release: raw.OperationRelease,
        buffer_release: raw.BufferRelease,
    }
}

#[test]
fn no_sequence_of_calls_breaks_a_promise_of_the_header() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus/abi");
    let mut inputs: Vec<Vec<u8>> =
        std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    inputs.sort();
    assert!(inputs.len() >= 5, "this test would prove nothing");
    let (functions, server) = (functions(), Server::start().unwrap());
    let mut dice = number(SEED).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = move |end: usize| {
        // xorshift64*: the same mutants everywhere.
        dice ^= dice >> 12;
        dice ^= dice << 25;
        dice ^= dice >> 27;
        (dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    };
    for case in 0..inputs.len() + number(CASES) as usize {
        let input = inputs.get(case).cloned().unwrap_or_else(|| {
            let mut input = inputs[below(inputs.len())].clone();
            for _ in 0..=below(6) {
                let at = below(input.len().max(1));
                match below(3) {
                    0 => input.insert(at, below(256) as u8),
                    1 if !input.is_empty() => input[at] = below(256) as u8,
                    _ => {
                        let other = &inputs[below(inputs.len())];
                        let from = below(other.len().max(1));
                        input.splice(at..at, other[from..(from + 8).min(other.len())].iter().copied());
                    }
                }
            }
            input
        });
        if let Err(broken) = run(&functions, &server, &input) {
            panic!("{broken}; keep it as a file of tests/fuzz/corpus/abi: {}", input.escape_ascii());
        }
    }
}
