//! What a first import of users costs where latency is everything: the change feed walked, against lists read side by
//! side.
//!
//!     cargo bench -p host-harness --bench first_import                 50,000 users
//!     cargo bench -p host-harness --bench first_import -- 200000 5     so many, five times, in turn; with the medians
//!
//! 100 ms for each request, no limit of requests, users alone. The simulator runs in a process of its own and shares
//! the machine, and does not compress: where its processor is the limit, the ratio says less than it would with Graph.
//! Every way must bring everybody.

mod measured;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use host_harness::simulator::Exchange;
use measured::{Measured, exit_code, say};
use serde_json::json;

const WAYS: [(&str, u32); 3] = [("DeltaWalk", 8), ("Snapshot", 8), ("Snapshot", 32)];

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (users, times) = (numbers.next().unwrap_or(50_000), numbers.next().unwrap_or(1));
    exit_code(measure(users, times))
}

fn measure(users: u64, times: u64) -> Result<()> {
    let mut runs: [Vec<Run>; WAYS.len()] = Default::default();
    for _ in 0..times.max(1) {
        for (runs, (strategy, lanes)) in runs.iter_mut().zip(WAYS) {
            runs.push(run(users, strategy, lanes)?);
        }
    }
    say("| users | strategy | `MaxConcurrency` | requests | wall | rows/s | times as fast |");
    say("|---|---|---|---|---|---|---|");
    let [walks, ..] = &runs;
    for (runs, (strategy, lanes)) in runs.iter().zip(WAYS) {
        let seconds = median(runs.iter().map(|run| run.seconds));
        // Each against the walk of its own round.
        let ratio = median(runs.iter().zip(walks).map(|(run, walk)| walk.seconds / run.seconds));
        let requests = median(runs.iter().map(|run| run.requests as f64));
        say(&format!(
            "| {users} | `{strategy}` | {lanes} | {requests:.0} | {seconds:.1} s | {:.0} | {ratio:.1} |",
            users as f64 / seconds,
        ));
    }
    Ok(())
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

struct Run {
    seconds: f64,
    requests: usize,
}

fn run(users: u64, strategy: &str, lanes: u32) -> Result<Run> {
    let world = json!({
        "users": users, "groups": 1, "edges": 0, "largeGroup": null, "deletedUsers": 0, "latencyMs": 100, "gzip": false,
        "lists": {"shortPages": false}, "delta": {"emptyPages": false, "duplicates": false},
    });
    let measured = Measured::start(&world)?;
    let (_, seconds, result) = measured.import(&[
        ("ImportGroups", false.into()),
        ("ImportMemberships", false.into()),
        ("FullImportStrategy", strategy.into()),
        ("MaxConcurrency", lanes.into()),
    ])?;
    ensure!(result["Warnings"].as_array().is_none_or(Vec::is_empty), "warned: {}", result["Warnings"]);
    let upserts = result["ObjectTypes"]["User"]["Upserts"].as_u64();
    ensure!(upserts == Some(users), "{users} users exist, {upserts:?} came");
    let requests = measured.process.journal()?.iter().filter(|x: &&Exchange| x.status == Some(200)).count();
    Ok(Run { seconds, requests })
}
