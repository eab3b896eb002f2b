//! What an import needs in memory, and that it does not grow: with ten times the users, with one huge group; and the
//! same with a host that takes its time, whose queue is always full.
//!
//!     cargo bench -p host-harness --bench memory                    all of them, some minutes
//!     cargo bench -p host-harness --bench memory -- large_group     one of them
//!
//! `VmHWM` of a host that discards the rows, in a process of its own, above what it was once the library was loaded.
//! More than 64 MiB, or a tenth more or less than the first line of the same `MembershipMode`, ends this program with
//! 1.

mod measured;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_harness::connector::{Connector, Next, StartRequest};
use measured::{Measured, exit_code, in_a_process, peak_memory, say};
use serde_json::{Value, json};

/// The most that is allowed, in KiB.
const MOST: u64 = 64 * 1024;

struct Scenario {
    name: &'static str,
    size: &'static str,
    /// Users, groups, memberships, members of the largest group.
    numbers: [u32; 4],
    mode: &'static str,
    /// Milliseconds that the host takes for each batch.
    pause: u64,
}

const SCENARIOS: [Scenario; 7] = [
    Scenario {
        name: "users",
        size: "100,000 users, 5,000 groups, 500,000 memberships",
        numbers: [100_000, 5_000, 500_000, 20_000],
        mode: "Recompute",
        pause: 0,
    },
    Scenario {
        name: "million",
        size: "1,000,000 users, 5,000 groups, 500,000 memberships",
        numbers: [1_000_000, 5_000, 500_000, 20_000],
        mode: "Recompute",
        pause: 0,
    },
    Scenario {
        name: "large_group",
        size: "100,000 users, 5,000 groups, one of 200,000 members, 700,000 memberships",
        numbers: [100_000, 5_000, 700_000, 200_000],
        mode: "Recompute",
        pause: 0,
    },
    Scenario {
        name: "slow_host",
        size: "100,000 users, 5,000 groups, 500,000 memberships; 20 ms for each batch",
        numbers: [100_000, 5_000, 500_000, 20_000],
        mode: "Recompute",
        pause: 20,
    },
    Scenario {
        name: "slow_million",
        size: "1,000,000 users, 5,000 groups, 500,000 memberships; 20 ms for each batch",
        numbers: [1_000_000, 5_000, 500_000, 20_000],
        mode: "Recompute",
        pause: 20,
    },
    Scenario {
        name: "users_by_delta",
        size: "100,000 users, 5,000 groups, 500,000 memberships",
        numbers: [100_000, 5_000, 500_000, 20_000],
        mode: "Delta",
        pause: 0,
    },
    Scenario {
        name: "million_by_delta",
        size: "1,000,000 users, 5,000 groups, 500,000 memberships",
        numbers: [1_000_000, 5_000, 500_000, 20_000],
        mode: "Delta",
        pause: 0,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    exit_code(match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["discard", library] => discard(Path::new(library)),
        _ => measure(&arguments),
    })
}

fn measure(wanted: &[String]) -> Result<()> {
    say("| tenant and host | `MembershipMode` | rows | wall | after loading | at the most | more |");
    say("| --- | --- | --- | --- | --- | --- | --- |");
    let mut first: Option<(&str, u64)> = None;
    let mut uneven = Vec::new();
    for scenario in SCENARIOS.iter().filter(|it| wanted.is_empty() || wanted.iter().any(|name| name == it.name)) {
        let more = scenario.run()?;
        match first {
            Some((mode, yardstick)) if mode == scenario.mode => {
                let ratio = more as f64 / yardstick as f64;
                if !(0.9..=1.1).contains(&ratio) {
                    uneven.push(format!("{}: {ratio:.2} of the first line's", scenario.name));
                }
            }
            _ => first = Some((scenario.mode, more)),
        }
    }
    ensure!(uneven.is_empty(), "memory follows the size: {}", uneven.join(", "));
    Ok(())
}

impl Scenario {
    /// Prints its line; answers KiB above what the host needed once the library was loaded.
    fn run(&self) -> Result<u64> {
        let [users, groups, edges, large] = self.numbers;
        let tenant = Measured::start(&json!({
            "users": users, "groups": groups, "edges": edges, "largeGroup": large, "journal": "off",
        }))?;
        let (config, auth) = tenant.documents(&[("MembershipMode", self.mode.into())]);
        let output = in_a_process("discard", &json!({"config": config, "auth": auth, "pause": self.pause}))?;
        ensure!(output.status.success(), "the host that discards rows failed");
        let said: Value = serde_json::from_slice(&output.stdout)?;
        let number = |name: &str| said[name].as_u64().with_context(|| format!("no {name}"));
        let (loaded, most) = (number("loaded")?, number("most")?);
        let more = most - loaded;
        say(&format!(
            "| {} | `{}` | {} | {:.1} s | {loaded} KiB | {most} KiB | **{more} KiB** |",
            self.size,
            self.mode,
            number("rows")?,
            number("ms")? as f64 / 1000.0,
        ));
        ensure!(more <= MOST, "more than {MOST} KiB");
        Ok(more)
    }
}

/// What the child does: the documents on stdin, one line on stdout.
fn discard(library: &Path) -> Result<()> {
    let texts: Value = serde_json::from_reader(std::io::stdin())?;
    let connector = Connector::load(library)?;
    connector.describe()?;
    let loaded = peak_memory()?;
    let since = Instant::now();
    let (config, auth) = (texts["config"].as_str().context("no config")?, texts["auth"].as_str().context("no auth")?);
    let pause = Duration::from_millis(texts["pause"].as_u64().unwrap_or(0));
    let mut operation = connector.import(&StartRequest { config, auth, ..StartRequest::default() })?;
    loop {
        match operation.next(Duration::from_secs(120))? {
            // The batch is the host's until the pause is over.
            Next::Batch(_batch) => std::thread::sleep(pause),
            Next::End { .. } => break,
            other => bail!("{other:?}"),
        }
    }
    let rows = operation.progress().map_err(|s| anyhow::anyhow!("status {s}"))?.rows_delivered;
    let ms = since.elapsed().as_millis() as u64;
    say(&json!({"loaded": loaded, "most": peak_memory()?, "rows": rows, "ms": ms}).to_string());
    Ok(())
}
