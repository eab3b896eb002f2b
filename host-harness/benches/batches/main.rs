//! `$batch` against single reads over HTTP/2: the members of 2,000 groups of about 50, at 5, 20 and 100 ms.
//!
//!     cargo bench -p host-harness --bench batches               every line once
//!     cargo bench -p host-harness --bench batches -- 5          five times each, with the median of the times
//!
//! All over TLS, one connection, with an access token as long as Microsoft's. An exchange takes the latency, a batch a
//! millisecond more for each item. Then 10,000 groups of about 20 at the limit of Graph's resource units, where what
//! counts is what a read costs. Each line has a simulator of its own; the system counts the processor's time of both
//! processes in hundredths of a second, on Linux alone.

#[path = "../measured/mod.rs"]
mod measured;
mod reader;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use measured::{Measured, exit_code, say};
use reader::{Form, Reader, Tally};

/// Characters of an access token of an application with a few permissions: a header that HTTP/2 does not compress,
/// since clients mark it as sensitive.
const TOKEN: usize = 1_500;

fn main() -> ExitCode {
    let times = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1);
    exit_code(measure(times))
}

/// Who reads, and how.
#[derive(Clone, Copy)]
enum Who {
    /// A client that does nothing else, with so many requests under way.
    Client(Form, usize),
    /// The connector: signs in, lists the groups, reads them in batches and hands over records.
    Connector(usize),
}

impl Who {
    fn name(self) -> String {
        match self {
            Who::Client(Form::Batch, requests) => format!("`$batch` of 20 | {requests} | {}", requests * 20),
            Who::Client(Form::Single, requests) => format!("single | {requests} | {requests}"),
            Who::Connector(requests) => {
                format!("the connector, `$batch` of 20 | up to {requests} | up to {}", requests * 20)
            }
        }
    }
}

fn measure(times: usize) -> Result<()> {
    let of = |form| [1, 8, 32, 100, 160].map(|requests| Who::Client(form, requests));
    let latency = [&of(Form::Batch)[..2], &of(Form::Single)[1..], &[Who::Connector(8)]].concat();
    say("2,000 groups of about 50, no limit:\n");
    head();
    for milliseconds in [5, 20, 100] {
        let world = world(2_000, 100_000, milliseconds, Value::Null);
        latency.iter().try_for_each(|who| line(&world, *who, times))?;
    }
    say("\n10,000 groups of about 20, 8,000 units in the bucket and 800 more every second:\n");
    head();
    let limit = json!({"unitsPer10Seconds": 8_000, "untilPercentFull": 10, "penaltyMs": 0, "retryAfter": "decimal"});
    let world = world(10_000, 200_000, 20, limit);
    let bound = [Who::Client(Form::Batch, 8), Who::Client(Form::Single, 32), Who::Client(Form::Single, 160)];
    bound.into_iter().chain([Who::Connector(8)]).try_for_each(|who| line(&world, who, times))
}

fn world(groups: u32, edges: u64, latency_ms: u64, throttling: Value) -> Value {
    json!({
        "users": 5_000, "groups": groups, "edges": edges, "largeGroup": null, "hiddenMembershipGroups": false,
        "deletedUsers": 0, "deletedGroups": 0, "devices": 0, "servicePrincipals": 0, "contacts": 0, "nestedGroups": false,
        "lists": {"shortPages": false}, "latencyMs": latency_ms, "throttling": throttling, "https": true, "journal": "off",
        "signIn": {"tokenEnding": "x".repeat(TOKEN)},
    })
}

fn head() {
    say(
        "| latency | form | requests at a time | reads at a time | wall | members/s | requests | 429 | units | sent | received | \
         CPU of the client | CPU of the simulator |",
    );
    say("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
}

/// What one run came to.
struct Run {
    seconds: f64,
    own: f64,
    simulator: f64,
    tally: Tally,
    sent: u64,
    received: u64,
}

fn line(world: &Value, who: Who, times: usize) -> Result<()> {
    let mut runs = (0..times.max(1)).map(|_| run(world, who)).collect::<Result<Vec<_>>>()?;
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let run = &runs[runs.len() / 2];
    let told = |known: bool, count: u64| if known { count.to_string() } else { "-".to_owned() };
    let client = matches!(who, Who::Client(..));
    say(&format!(
        "| {} ms | {} | {:.2} s | {:.0} | {} | {} | {} | {} KiB | {} KiB | {:.2} s | {:.2} s |",
        world["latencyMs"],
        who.name(),
        run.seconds,
        run.tally.members as f64 / run.seconds,
        run.tally.requests,
        told(client, run.tally.refused),
        told(client && !world["throttling"].is_null(), run.tally.units),
        run.sent / 1024,
        run.received / 1024,
        run.own,
        run.simulator,
    ));
    Ok(())
}

fn run(world: &Value, who: Who) -> Result<Run> {
    let measured = Measured::start(world)?;
    let simulator = measured.process.id();
    let reader = Reader::sign_in(&measured)?;
    let pages = reader.groups()?;
    let before = reader.info()?;
    let costs = (cpu(std::process::id())?, cpu(simulator)?);
    let (tally, seconds) = match who {
        Who::Client(form, requests) => {
            let since = Instant::now();
            let tally = reader.members(form, requests, pages)?;
            (tally, since.elapsed().as_secs_f64())
        }
        Who::Connector(requests) => {
            let keys =
                [("ImportUsers", false.into()), ("ImportGroups", false.into()), ("MaxConcurrency", requests.into())];
            let (members, seconds, result) = measured.import(&keys)?;
            (Tally { members, requests: result["Requests"].as_u64().unwrap_or(0), ..Tally::default() }, seconds)
        }
    };
    let (own, simulator) = (cpu(std::process::id())? - costs.0, cpu(simulator)? - costs.1);
    let after = reader.info()?;
    let edges = after["edges"].as_u64().context("no count of memberships")?;
    ensure!(tally.members == edges, "{edges} memberships exist, {} were read", tally.members);
    let bytes = |name: &str| {
        let count = |info: &Value| info["traffic"][name].as_u64().unwrap_or(0);
        count(&after) - count(&before)
    };
    let (sent, received) = (bytes("receivedBytes"), bytes("sentBytes"));
    Ok(Run { seconds, own, simulator, tally, sent, received })
}

/// Processor seconds of a process so far.
fn cpu(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).context("this benchmark needs Linux")?;
    // The name in parentheses may hold blanks.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Ok(fields.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0)
}
