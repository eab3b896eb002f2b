//! The answer to a `$batch` of twenty reads of members, split into its items and read: the way through the whole
//! pipeline, with the gate, the token and the composing of the request, and without a network.
//!
//!     cargo bench -p entra-id-core --features fuzzing --bench batch
//!
//! The feature opens the private layer; nothing that is shipped has it.

#![allow(missing_docs, unused_crate_dependencies, reason = "a benchmark")]

use std::fmt::Write as _;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher};
use entra_id_core::fuzz::BatchReader;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

const ITEMS: usize = 20;

fn main() {
    divan::main();
}

fn answer(members: usize) -> String {
    let mut text = String::from(r#"{"responses":["#);
    // In no order, as Graph has it.
    for item in (1..=ITEMS).rev() {
        let comma = if item == ITEMS { "" } else { "," };
        let _ = write!(
            text,
            r#"{comma}{{"id":"{item}","status":200,"headers":{{"Content-Type":"application/json","request-id":"{item}"}},"body":{{"value":["#
        );
        for member in 0..members {
            let comma = if member == 0 { "" } else { "," };
            let _ = write!(
                text,
                r##"{comma}{{"@odata.type":"#microsoft.graph.user","id":"{item:08x}-d9cb-469f-a165-{member:012x}"}}"##
            );
        }
        text.push_str("]}}");
    }
    text.push_str("]}");
    text
}

/// Members a group has; items are memberships.
#[divan::bench(args = [1, 20, 999])]
fn twenty_reads_of_members(bencher: Bencher<'_, '_>, members: usize) {
    let answer = answer(members);
    let reader = BatchReader::new(ITEMS, answer.clone().into_bytes());
    assert_eq!(reader.members(), ITEMS * members, "each item is read");
    let counted = bencher.counter(ItemsCount::new(ITEMS * members)).counter(BytesCount::of_str(&answer));
    counted.bench_local(|| reader.members());
}
