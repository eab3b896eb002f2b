//! How close the connector comes to what Graph's resource units allow: it is told no limit, and has to find it.
//!
//!     cargo bench -p host-harness --bench limits                every limit once
//!     cargo bench -p host-harness --bench limits -- 5           five times each, with the median
//!
//! 20,000 users, 10,000 groups of about 20, one group of 20,000, 20 ms. The simulator, in a process of its own, charges
//! what Graph publishes, out of a bucket of ten seconds' worth. Ideal is the time in which the bucket, full at the
//! start, refills what was charged beyond its content. Ratios are printed; wrong counts end this program with 1.

mod measured;

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyhow::{Result, ensure};
use host_harness::simulator::{Exchange, Route};
use host_harness::simulator_process::SimulatorProcess;
use measured::{Measured, exit_code, say};
use serde_json::json;

/// Members of one page, as the connector asks for them.
const PAGE: u64 = 999;

fn main() -> ExitCode {
    let times = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(1);
    exit_code(measure(times))
}

fn measure(times: usize) -> Result<()> {
    say("units/s  header  wall s  ideal s  ratio  rows/s  units   item answers 2xx / pages  429 of items");
    for (units, tells_load) in [(800, true), (800, false), (350, true), (1_200, true)] {
        let mut runs = (0..times.max(1)).map(|_| run(units, tells_load)).collect::<Result<Vec<_>>>()?;
        runs.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
        say(&runs[runs.len() / 2].line(units, tells_load));
    }
    Ok(())
}

/// What one import came to.
struct Outcome {
    seconds: f64,
    ideal: f64,
    rows: u64,
    units: u64,
    answered: u64,
    pages: u64,
    refused: u64,
}

impl Outcome {
    fn ratio(&self) -> f64 {
        self.seconds / self.ideal
    }

    fn line(&self, units: u32, tells_load: bool) -> String {
        format!(
            "{units:>7}  {:>6}  {:>6.1}  {:>7.1}  {:>5.3}  {:>6.0}  {:>6}  {:>11} / {:<10}  {:>5.2} %",
            if tells_load { "yes" } else { "no" },
            self.seconds,
            self.ideal,
            self.ratio(),
            self.rows as f64 / self.seconds,
            self.units,
            self.answered,
            self.pages,
            self.refused as f64 * 100.0 / (self.refused + self.answered) as f64,
        )
    }
}

fn run(units: u32, tells_load: bool) -> Result<Outcome> {
    let world = json!({
        "users": 20_000, "groups": 10_000, "edges": 200_000, "largeGroup": 20_000, "latencyMs": 20,
        "hiddenMembershipGroups": false, "lists": {"shortPages": false}, "journalCapacity": 1_000_000,
        "throttling": {"unitsPer10Seconds": units * 10, "untilPercentFull": 10, "penaltyMs": 0, "tellsLoad": tells_load, "retryAfter": "decimal"},
    });
    let measured = Measured::start(&world)?;
    let (rows, seconds, _) = measured.import(&[])?;
    let journal = measured.process.journal()?;
    let asked = |x: &&Exchange| !matches!(x.route, Route::Token | Route::OpenId | Route::Control);
    let charged: u64 = journal.iter().filter(asked).map(|x| u64::from(x.units)).sum();
    // The last page of a group may be asked for alone, and is then no item of a batch.
    let of_items = |good: bool| {
        let wanted = Some(if good { 200 } else { 429 });
        let items = journal.iter().flat_map(|x| &x.items).filter(|item| item.status == wanted).count();
        (items + journal.iter().filter(|x| x.route == Route::MEMBERS && x.status == wanted).count()) as u64
    };
    let pages = member_pages(&measured.process)?;
    ensure!(of_items(true) == pages, "{pages} pages of members exist, {} were answered", of_items(true));
    ensure!(charged > u64::from(units) * 10, "the bucket was never empty");
    let ideal = (charged as f64 - f64::from(units) * 10.0) / f64::from(units);
    Ok(Outcome { seconds, ideal, rows, units: charged, answered: of_items(true), pages, refused: of_items(false) })
}

/// How many pages of members there are: an empty group has one.
fn member_pages(process: &SimulatorProcess) -> Result<u64> {
    let mut members = BTreeMap::<String, u64>::new();
    for row in process.truth()? {
        let row = row?;
        match row.object_type.as_str() {
            "Group" => {
                members.entry(row.source_id).or_default();
            }
            "GroupMember" => *members.entry(row.text("groupId").to_owned()).or_default() += 1,
            _ => {}
        }
    }
    Ok(members.values().map(|count| count.div_ceil(PAGE).max(1)).sum())
}
