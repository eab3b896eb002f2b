//! `runs`: the run history.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::args::Runs;
use super::table::{Table, grouped, visible};
use super::{Console, counts, outcome};
use crate::connector::status_name;
use crate::store::{Mesh, Run, Tally};

pub(super) fn run(runs: &Runs, console: &mut Console<'_>) -> Result<u8> {
    let mesh = Mesh::open(&runs.store.store)?;
    if let Some(number) = runs.run {
        let run = mesh.runs(u32::MAX)?.into_iter().find(|run| run.id == number);
        let run = run.with_context(|| format!("the store has no run {number}"))?;
        return one(&run, runs.json, console);
    }
    let mut table = Table::new(&[
        "Run",
        "Instance",
        "Started (UTC)",
        "Seconds",
        "Import",
        "Outcome",
        "Changes",
        "Requests",
        "Watermark",
    ])
    .right(&[0, 3, 6, 7]);
    for run in mesh.runs(runs.limit)? {
        if runs.json {
            writeln!(console.out, "{}", run_json(&run))?;
            continue;
        }
        let tally = tally(&run);
        table.row([
            run.id.to_string(),
            run.instance.clone(),
            time(run.started_ms),
            run.ended_ms.map_or_else(
                || "-".to_owned(),
                |end| format!("{:.1}", Duration::from_millis((end - run.started_ms).unsigned_abs()).as_secs_f64()),
            ),
            if run.watermark_from.is_some() { "delta" } else { "full" }.to_owned(),
            run.outcome.clone(),
            grouped(tally.types.values().map(crate::store::TypeTally::changes).sum()),
            run.report
                .as_ref()
                .and_then(|it| it["Result"]["Requests"].as_u64())
                .map_or_else(|| "-".to_owned(), grouped),
            run.watermark_to.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    if !runs.json {
        table.print(console.out)?;
    }
    Ok(0)
}

fn one(run: &Run, as_json: bool, console: &mut Console<'_>) -> Result<u8> {
    if as_json {
        writeln!(console.out, "{}", run_json(run))?;
        return Ok(0);
    }
    writeln!(console.out, "run {} of {}, process {}: {}", run.id, run.instance, run.process, run.outcome)?;
    writeln!(console.out, "started   {} UTC", time(run.started_ms))?;
    if let Some(end) = run.ended_ms {
        writeln!(console.out, "ended     {} UTC", time(end))?;
    }
    if let Some(status) = run.status {
        writeln!(console.out, "status    {}", status_name(status))?;
    }
    let mark = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "none".to_owned());
    writeln!(console.out, "watermark {} -> {}", mark(&run.watermark_from), mark(&run.watermark_to))?;
    let tally = tally(run);
    let report = run.report.as_ref().unwrap_or(&Value::Null);
    let delivery = serde_json::from_value(report["Delivery"].clone()).unwrap_or_default();
    counts::table(&tally.types, &delivery).print(console.out)?;
    for issue in &tally.issues {
        writeln!(console.out, "{}: {} ({})", issue.severity.to_lowercase(), visible(&issue.message), issue.code)?;
    }
    for error in [&report["Error"]["Message"], &report["HostError"]] {
        if let Some(text) = error.as_str() {
            writeln!(console.out, "error: {}", visible(text))?;
        }
    }
    if let Ok(stop) = serde_json::from_value(report["Removals"].clone()) {
        outcome::removals(&stop, console.out)?;
    }
    if outcome::is_remarkable(&delivery) {
        writeln!(console.out, "what was not delivered:")?;
        outcome::standings(&delivery, console.out)?;
    }
    Ok(0)
}

fn tally(run: &Run) -> Tally {
    let told = run.report.as_ref().map(|report| report["Tally"].clone());
    told.and_then(|tally| serde_json::from_value(tally).ok()).unwrap_or_default()
}

fn run_json(run: &Run) -> Value {
    json!({"Run": run.id, "Instance": run.instance, "Process": run.process, "StartedMs": run.started_ms, "EndedMs": run.ended_ms,
        "Outcome": run.outcome, "Status": run.status, "Full": run.full, "WatermarkFrom": run.watermark_from,
        "WatermarkTo": run.watermark_to, "Report": run.report})
}

/// `2026-11-20 08:15:02` of milliseconds since 1970, by the civil calendar's own arithmetic.
pub(super) fn time(ms: i64) -> String {
    let at = UNIX_EPOCH + Duration::from_millis(ms.unsigned_abs());
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60)
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_are_civil_dates() {
        assert_eq!(time(0), "1970-01-01 00:00:00");
        assert_eq!(time(951_868_799_000), "2000-02-29 23:59:59");
        assert_eq!(time(1_795_248_902_123), "2026-11-21 08:15:02");
    }
}
