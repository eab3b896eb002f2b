//! What a first import of users costs where latency is everything: the change feed walked, against lists read side by side.
//!
//!     cargo bench -p host-harness --bench first_import                 50,000 users
//!     cargo bench -p host-harness --bench first_import -- 200000       so many
//!
//! 100 ms for each request, no limit of requests, users alone. The simulator runs in a process of its own and shares the
//! machine: where its processor is the limit, the ratio says less than it would with Graph. Both ways must bring everybody.

mod measured;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use host_harness::simulator::Exchange;
use measured::{Measured, exit_code, say};
use serde_json::json;

fn main() -> ExitCode {
    let users = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(50_000);
    exit_code(measure(users))
}

fn measure(users: u64) -> Result<()> {
    say("  users  strategy   MaxConcurrency  requests  wall s  rows/s  times as fast");
    let mut walked = None;
    for (strategy, lanes) in [("DeltaWalk", 8), ("Snapshot", 8), ("Snapshot", 32)] {
        let world = json!({
            "users": users, "groups": 1, "edges": 0, "largeGroup": null, "deletedUsers": 0, "latencyMs": 100,
            "lists": {"shortPages": false}, "delta": {"emptyPages": false, "duplicates": false},
        });
        let measured = Measured::start(&world)?;
        let (rows, seconds, result) = measured.import(&[
            ("ImportGroups", false.into()),
            ("ImportMemberships", false.into()),
            ("FullImportStrategy", strategy.into()),
            ("MaxConcurrency", lanes.into()),
        ])?;
        ensure!(result["Warnings"].as_array().is_none_or(Vec::is_empty), "warned: {}", result["Warnings"]);
        let upserts = result["ObjectTypes"]["User"]["Upserts"].as_u64();
        ensure!(upserts == Some(users), "{users} users exist, {upserts:?} came");
        let requests = measured.process.journal()?.iter().filter(|x: &&Exchange| x.status == Some(200)).count();
        let walk = *walked.get_or_insert(seconds);
        say(&format!(
            "{users:>7}  {strategy:<9}  {lanes:>14}  {requests:>8}  {seconds:>6.1}  {:>6.0}  {:>13.1}",
            rows as f64 / seconds,
            walk / seconds,
        ));
    }
    Ok(())
}
