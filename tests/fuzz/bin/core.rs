//! The targets of `entra-id-core` under libFuzzer: one program, the target by the variable `FUZZ_TARGET`.
//!
//! One program instead of eight, since they would differ in a word and each takes a link of the whole HTTP stack.

#![no_main]

use std::sync::LazyLock;

use entra_id_core::fuzz::{TARGETS, Target};
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
    TARGETS.iter().find(|target| target.name == name).unwrap_or_else(|| panic!("FUZZ_TARGET is one of {}", known()))
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
