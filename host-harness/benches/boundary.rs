//! A call across the boundary, through the loaded library: what `OperationNext` and `BufferRelease` cost when a batch
//! lies ready.
//!
//!     cargo bench -p host-harness --bench boundary
//!
//! Easy to get wrong: while an import runs, most of `OperationNext` is waiting. So the import is let run to its
//! end first, its batches all queued, and then they are taken, one for each measurement. Items are rows.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]

use std::sync::OnceLock;
use std::time::Duration;

use divan::Bencher;
use divan::counter::ItemsCount;
use host_harness::connector::{Connector, Next, Operation, StartRequest};
use host_harness::library::shipped_library;
use host_harness::simulator::{Simulator, World};
use serde_json::json;

const BATCHES: u32 = 100;

fn main() {
    divan::main();
}

fn connector() -> &'static Connector {
    static LOADED: OnceLock<Connector> = OnceLock::new();
    LOADED.get_or_init(|| Connector::load(&shipped_library().unwrap()).unwrap())
}

/// An import that is over, with more than so many batches of so many rows that nobody has fetched.
fn queued(rows: u32) -> Operation {
    let world = World { users: (BATCHES + 1) * rows, groups: 1, edges: 0, large_group: None, ..World::gentle() };
    let simulator = Simulator::start(world).unwrap();
    let origin = simulator.origin();
    let config = json!({
        "TenantId": simulator.tenant_id(), "GraphEndpoint": origin, "AuthorityHost": origin,
        "ImportGroups": false, "ImportMemberships": false,
    });
    let auth = json!({
        "Mode": "ClientSecret", "ClientId": simulator.client_id(), "ClientSecret": simulator.client_secret(),
    });
    let (config, auth) = (config.to_string(), auth.to_string());
    let request = StartRequest {
        config: &config,
        auth: &auth,
        max_batch_rows: rows,
        max_queued_batches: 1_000,
        ..StartRequest::default()
    };
    let operation = connector().import(&request).unwrap();
    while operation.progress().unwrap().rows_fetched < u64::from((BATCHES + 1) * rows) {
        std::thread::sleep(Duration::from_millis(10));
    }
    operation
}

/// A batch of so many rows: fetched, and given back.
#[divan::bench(args = [1, 100, 1_000], sample_count = BATCHES, sample_size = 1)]
fn next_and_release(bencher: Bencher<'_, '_>, rows: u32) {
    let mut operation = queued(rows);
    bencher.counter(ItemsCount::new(rows)).bench_local(|| {
        let fetched = operation.next(Duration::ZERO).unwrap();
        assert!(matches!(&fetched, Next::Batch(batch) if batch.row_count > 0), "{fetched:?}");
    });
}

/// Nothing but the way there and back, and a small text lent: the ending, which can be asked for again and again.
#[divan::bench]
fn next_of_an_ended_operation(bencher: Bencher<'_, '_>) {
    let mut operation = queued(1);
    while let Next::Batch(_) = operation.next(Duration::ZERO).unwrap() {}
    bencher.bench_local(|| {
        let ending = operation.next(Duration::ZERO).unwrap();
        assert!(matches!(ending, Next::End { .. }), "{ending:?}");
    });
}
