//! `demo`: everything at once, with no network, no tenant and no flags.
//!
//! A simulated tenant in a child process; the connector library placed in a `Connectors/` folder and loaded from there;
//! a full import; a change script; a delta import; after each the store compared with the tenant row by row. The same
//! once more into a store of its own, with memberships from the change feed, so that the two modes can be compared.
//! What makes it more than a show: it fails (exit code 1) when a row differs, and when a second run did not start from
//! the stored delta links.

mod proof;
mod stage;

use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Console;
use super::args::Demo;
use super::import::complaints;
use super::progress::Progress;
use super::table::{Table, grouped};
use crate::compare::{Differences, compare};
use crate::connector::DoorKind;
use crate::import::Engine;
use crate::interrupt::Interrupt;
use crate::report::{Outcome, RunReport};
use crate::simulator_process::SimulatorProcess;
use crate::store::TypeTally;
use crate::truth;
use stage::Stage;

/// One import and what came of it.
struct Act {
    report: RunReport,
    differences: Differences,
    /// Of a run that had a watermark: why it may be no delta import.
    doubts: Vec<String>,
}

/// One membership mode, with a store of its own.
struct Play {
    engine: Engine,
    config: String,
    mode: &'static str,
}

/// What all imports share.
struct Played<'p> {
    stage: &'p Stage,
    simulator: &'p SimulatorProcess,
    connector: &'p str,
}

pub(super) fn run(demo: &Demo, console: &mut Console<'_>) -> Result<u8> {
    let mut stage = Stage::set(demo.keep.as_deref())?;
    let library = stage.place_library(DoorKind::from(demo.door))?;
    writeln!(
        console.err,
        "loaded {} {} from {}",
        library.catalog.name,
        library.catalog.version,
        library.connector.path().display()
    )?;

    let simulator = SimulatorProcess::start(&std::env::current_exe()?, simulator_arguments(demo))?;
    stage.write_documents(simulator.origin(), &simulator.tenant()?)?;
    let engine_for = |store| {
        Engine::new(library.connector.path(), store)
            .through(DoorKind::from(demo.door))
            .with_secrets(stage.secrets())
            .stopped_by(Interrupt::of_process())
    };
    let plays = [
        Play { engine: engine_for(stage.store()), config: stage.config().to_owned(), mode: "memberships recomputed" },
        Play {
            engine: engine_for(stage.followed_store()),
            config: stage.followed_config()?,
            mode: "memberships by delta",
        },
    ];
    let tenant = Played { stage: &stage, simulator: &simulator, connector: &library.catalog.name };
    let full =
        plays.iter().map(|play| act("full import ", play, None, &tenant, console)).collect::<Result<Vec<_>>>()?;
    // Before the journal is read, which is larger than all the imports need.
    let memory = proof::peak_memory();
    let changes = simulator.change(&json!({"demo": true}))?;
    writeln!(console.err, "changed the tenant: {}", in_words(&changes["summary"]))?;
    let delta = plays.iter().map(|play| {
        let stored = play.engine.mesh()?.watermark(tenant.connector)?.context("the full import left no watermark")?;
        act("delta import", play, Some(&stored), &tenant, console)
    });
    let delta = delta.collect::<Result<Vec<_>>>()?;
    simulator.stop()?;

    let mut is_proved = true;
    for ((play, full), delta) in plays.iter().zip(&full).zip(&delta) {
        writeln!(console.out, "{}", play.mode)?;
        table(full, delta).print(console.out)?;
        for (name, act) in [("full import", full), ("delta import", delta)] {
            writeln!(console.out, "after the {name}: {}", act.differences)?;
        }
        for doubt in &delta.doubts {
            writeln!(console.out, "the delta import is not what it should be: {doubt}")?;
        }
        if delta.doubts.is_empty() {
            writeln!(console.out, "the delta import called the stored delta links and listed no users again")?;
        }
        writeln!(console.out)?;
        is_proved &= full.differences.is_empty() && delta.differences.is_empty() && delta.doubts.is_empty();
    }
    writeln!(console.out, "peak memory of this process, full imports: {memory}")?;
    writeln!(console.out, "database: {}", stage.store().display())?;
    writeln!(console.out, "look at it: host-harness show --store {}", stage.store().display())?;
    if !is_proved {
        bail!("the store is not equal to the tenant, or the delta import was none");
    }
    Ok(0)
}

fn simulator_arguments(demo: &Demo) -> Vec<String> {
    let mut arguments = Vec::new();
    let numbers = [
        ("users", u64::from(demo.users)),
        ("groups", u64::from(demo.groups)),
        ("edges", demo.edges),
        ("seed", demo.seed),
    ];
    for (name, number) in numbers {
        arguments.extend([format!("--{name}"), number.to_string()]);
    }
    if let Some(journal) = &demo.journal {
        arguments.extend(["--journal".to_owned(), journal.display().to_string()]);
    }
    arguments
}

fn act(
    title: &str,
    play: &Play,
    watermark: Option<&str>,
    tenant: &Played<'_>,
    console: &mut Console<'_>,
) -> Result<Act> {
    let Played { stage, simulator, .. } = tenant;
    let engine = &play.engine;
    writeln!(console.err, "{}, {}", title.trim_end(), play.mode)?;
    let before = match watermark {
        Some(_) => simulator.journal()?.last().map_or(0, |exchange| exchange.sequence),
        None => 0,
    };
    let report = {
        let mut progress = Progress::new(title, console.terminal, console.err);
        engine.import_watched(&play.config, stage.auth(), false, &mut progress)?
    };
    complaints(&report, console.err)?;
    if report.outcome != Outcome::Succeeded {
        let store = engine.store_path().display();
        bail!("the {} ended {}; the database is {store}", title.trim_end(), report.outcome.name());
    }
    let doubts = match watermark {
        Some(watermark) => {
            let exchanges = simulator.journal()?;
            proof::of_delta(watermark, exchanges.iter().filter(|exchange| exchange.sequence > before))
        }
        None => Vec::new(),
    };
    let differences = compare(&engine.mesh()?, simulator.truth()?)?;
    Ok(Act { report, differences, doubts })
}

/// A change summary as `3 add user, 1 purge user`.
fn in_words(summary: &Value) -> String {
    let counts = summary["counts"].as_object().or_else(|| summary.as_object());
    let words = counts.into_iter().flatten().filter_map(|(kind, count)| {
        let count = count.as_u64().filter(|count| *count > 0)?;
        let spaced = kind
            .chars()
            .flat_map(|letter| letter.is_uppercase().then_some(' ').into_iter().chain(letter.to_lowercase()));
        Some(format!("{count} {}", spaced.collect::<String>().trim()))
    });
    words.collect::<Vec<_>>().join(", ")
}

fn per_second(rows: u64, elapsed: Duration) -> u64 {
    rows * 1000 / u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn table(full: &Act, delta: &Act) -> Table {
    let mut table = Table::new(&["", "full import", "delta import"]).right(&[1, 2]);
    let both = |cell: &dyn Fn(&Act) -> String| [cell(full), cell(delta)];
    let mut line = |name: &str, cells: [String; 2]| {
        let [full, delta] = cells;
        table.row([name.to_owned(), full, delta]);
    };
    for object_type in truth::by_default() {
        let of = |act: &Act| act.report.tally.types.get(object_type).cloned().unwrap_or_default();
        line(
            object_type,
            both(&|act| {
                act.differences.compared.get(object_type).map_or_else(|| "0".to_owned(), |count| grouped(*count))
            }),
        );
        line("  mode", both(&|act| of(act).modes.join("+")));
        line("  changes", both(&|act| grouped(TypeTally::changes(&of(act)))));
    }
    line("records", both(&|act| grouped(act.report.rows())));
    line("requests", both(&|act| grouped(act.report.counted("Requests"))));
    line("seconds", both(&|act| format!("{:.2}", act.report.elapsed.as_secs_f64())));
    line("records/s", both(&|act| grouped(per_second(act.report.rows(), act.report.elapsed))));
    line("equal to the tenant", both(&|act| if act.differences.is_empty() { "yes" } else { "NO" }.to_owned()));
    table
}
