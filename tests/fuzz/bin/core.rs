//! The targets of `entra-id-core` under libFuzzer: one program, the target by the variable `FUZZ_TARGET`.
//!
//! One program instead of eight, since they would differ in a word and each takes a link of the whole HTTP stack.

#![no_main]

#[path = "../pieces.rs"]
mod pieces;

use std::sync::LazyLock;

use entra_id_core::fuzz::{TARGETS, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("FUZZ_TARGET is one of {}", known()))
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    // Bytes one time, pieces the other.
    if seed % 2 == 0 {
        fuzzer_mutate(data, size, max_size)
    } else {
        let mut dice = u64::from(seed);
        let made = pieces::exchange(&data[..size], |end| {
            // xorshift64*.
            dice ^= dice >> 12;
            dice ^= dice << 25;
            dice ^= dice >> 27;
            (dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
        });
        let length = made.len().min(max_size);
        data[..length].copy_from_slice(&made[..length]);
        length
    }
});
