//! Whole imports beside two programs that others use, against the same simulated tenants: one Markdown table.
//!
//!     cargo bench -p host-harness --bench whole_runs                    every run once
//!     cargo bench -p host-harness --bench whole_runs -- 5               five times, in turn; medians by wall time
//!     cargo bench -p host-harness --bench whole_runs -- 5 latency       one scenario
//!
//! The peers run where they are installed (`tests/peers/README.md`): `target/peers`, or the folder that the environment
//! variable `PEERS` names. Simulator and importer are processes of their own, and every run has a fresh simulator.
//! Speeds are printed; a number of edges from the connector that is not the number that exists ends this program with
//! 1.

#[path = "../measured/mod.rs"]
mod measured;
mod ours;
mod peer;
mod run;
mod scenario;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use measured::{Measured, exit_code, say};
use run::Run;
use scenario::{SCENARIOS, Scenario};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    exit_code(match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["import", library] => ours::child(Path::new(library)),
        _ => measure(&arguments),
    })
}

fn measure(arguments: &[String]) -> Result<()> {
    let times = arguments.iter().find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(1).max(1);
    let wanted = arguments.iter().find(|argument| argument.parse::<usize>().is_err());
    let chosen = || SCENARIOS.iter().filter(|scenario| wanted.is_none_or(|wanted| wanted == scenario.name));
    ensure!(chosen().count() > 0, "scenarios: {}", SCENARIOS.map(|scenario| scenario.name).join(", "));
    say(run::HEAD);
    for scenario in chosen() {
        in_turn(scenario, times)?;
    }
    Ok(())
}

/// Every importer once, then every importer again: what else the machine does meets all of them.
fn in_turn(scenario: &Scenario, times: usize) -> Result<()> {
    let mut runs: Vec<Vec<Run>> = scenario.importers.iter().map(|_| Vec::new()).collect();
    for _ in 0..times {
        for (importer, runs) in scenario.importers.iter().zip(&mut runs) {
            if importer.is_installed() {
                let tenant = Measured::start(&scenario.world())?;
                let brought = importer.run(&tenant)?;
                runs.push(Run::of(brought, &tenant, importer)?);
            }
        }
    }
    let mut ours = None;
    for (importer, mut runs) in scenario.importers.iter().zip(runs) {
        runs.sort_by(|a, b| a.seconds().total_cmp(&b.seconds()));
        let median = runs.get(runs.len() / 2);
        let yardstick = *ours.get_or_insert(median.map_or(f64::NAN, Run::seconds));
        say(&run::line(scenario, importer, median, yardstick));
    }
    Ok(())
}
