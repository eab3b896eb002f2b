//! `import`: one run of a connector into the store, told to an operator.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::{Context, Result};
use connector_abi::status::{CONNECTOR_LOG_DEBUG, CONNECTOR_LOG_INFO};

use super::args::Import;
use super::progress::Progress;
use super::table::{grouped, visible};
use super::{Console, connector, counts, outcome, problem, read};
use crate::connector::DoorKind;
use crate::delivery::Standing;
use crate::import::Engine;
use crate::interrupt::Interrupt;
use crate::report::{Outcome, RunReport};
use crate::secrets::Secrets;
use crate::store::RemovalGuard;

/// Issues shown in full; the rest is in `runs --run N --json`.
const ISSUES_SHOWN: usize = 20;

pub(super) fn run(import: &Import, console: &mut Console<'_>) -> Result<u8> {
    let library = connector(&import.connector)?.connector.path().to_owned();
    let config = read("ConfigJson", &import.documents.config)?;
    let auth = read("AuthJson", &import.documents.auth)?;
    let secrets = Secrets::in_folder(import.documents.secrets.clone().unwrap_or_else(Secrets::default_folder));
    let mut engine = Engine::new(library, &import.store.store)
        .through(DoorKind::from(import.connector.door))
        .with_secrets(secrets)
        .guarded_by(guard(import))
        .stopped_by(Interrupt::of_process());
    if import.accept_deletes {
        engine = engine.accepting_shown_removals();
    }
    if let Some(instance) = &import.instance {
        engine = engine.as_instance(instance);
    }
    if import.verbose > 0 {
        engine = engine.with_log(if import.verbose > 1 { CONNECTOR_LOG_DEBUG } else { CONNECTOR_LOG_INFO });
    }
    let mut copy = match &import.out {
        Some(path) => {
            Some(BufWriter::new(File::create(path).with_context(|| format!("cannot write {}", path.display()))?))
        }
        None => None,
    };
    let report = {
        let to = copy.as_mut().map(|file| file as &mut dyn Write);
        let mut progress =
            Progress::new("importing", console.terminal, console.err).copying(to).with_log(import.verbose > 0);
        engine.import_watched(&config, &auth, import.full, &mut progress)?
    };
    if let Some(mut copy) = copy {
        copy.flush()?;
    }
    if import.json {
        writeln!(console.out, "{}", report.to_json())?;
    } else {
        summary(&report, console.out)?;
    }
    complaints(&report, console.err)?;
    Ok(report.exit_code())
}

/// A limit that is named alone stands alone; with neither, the default holds.
fn guard(import: &Import) -> RemovalGuard {
    match (import.max_removals, import.max_removals_percent) {
        (None, None) => RemovalGuard::default(),
        (rows, percent) => RemovalGuard::beyond(rows.unwrap_or(0), percent.unwrap_or(0)),
    }
}

/// What the run did, per object type and in all.
pub(super) fn summary(report: &RunReport, out: &mut dyn Write) -> Result<()> {
    let from = report
        .watermark_from
        .as_ref()
        .map_or_else(|| "from scratch".to_owned(), |hash| format!("from watermark {hash}"));
    writeln!(
        out,
        "run {}: {} ({from}, {:.1} s)",
        report.run,
        report.outcome.name().to_lowercase(),
        report.elapsed.as_secs_f64()
    )?;
    if !report.delivery.is_empty() {
        counts::table(&report.tally.types, &report.delivery).print(out)?;
    }
    if report.outcome == Outcome::Succeeded && outcome::is_worth_a_word(&report.delivery) {
        outcome::standings(&report.delivery, out)?;
    }
    if !report.result.is_null() {
        writeln!(
            out,
            "{} requests, {} repeated, throttled {} s, {} received",
            grouped(report.counted("Requests")),
            grouped(report.counted("Retries")),
            report.counted("ThrottledMs").div_ceil(1000),
            indicatif::HumanBytes(report.counted("BytesReceived"))
        )?;
    }
    Ok(())
}

/// Everything an operator should read: warnings, issues, the error, and what is kept.
pub(super) fn complaints(report: &RunReport, err: &mut dyn Write) -> Result<()> {
    for warning in &report.warnings {
        writeln!(err, "warning: {warning}")?;
    }
    for warning in report.result["Warnings"].as_array().into_iter().flatten() {
        writeln!(
            err,
            "warning: {} ({})",
            visible(warning["Message"].as_str().unwrap_or_default()),
            warning["Code"].as_str().unwrap_or_default()
        )?;
    }
    for note in &report.tally.notes {
        writeln!(err, "warning: {}", visible(note))?;
    }
    if report.tally.unknown_records > 0 {
        writeln!(
            err,
            "warning: {} records of a kind this host does not know were skipped",
            report.tally.unknown_records
        )?;
    }
    for issue in report.tally.issues.iter().take(ISSUES_SHOWN) {
        let about = [&issue.object_type, &issue.scope, &issue.source_id]
            .into_iter()
            .flatten()
            .map(|it| visible(it))
            .collect::<Vec<_>>()
            .join(" ");
        let request = issue.request_id.as_ref().map_or_else(String::new, |id| format!(" [request {id}]"));
        writeln!(
            err,
            "{}: {about}: {} ({}){request}",
            issue.severity.to_lowercase(),
            visible(&issue.message),
            issue.code
        )?;
    }
    if report.tally.issue_count > ISSUES_SHOWN as u64 {
        writeln!(
            err,
            "… and {} more issues: runs --run {} --json",
            report.tally.issue_count - ISSUES_SHOWN as u64,
            report.run
        )?;
    }
    if let Some(error) = &report.host_error {
        writeln!(err, "error: {}", visible(error))?;
        if let Some(stop) = &report.removals {
            outcome::removals(stop, err)?;
        }
    } else if !report.error.is_null() && report.outcome != Outcome::Cancelled {
        problem::print(&report.error, report.status, err)?;
    }
    match report.outcome {
        Outcome::Cancelled => {
            writeln!(err, "stopped: what the last checkpoint covers is stored; the next import goes on from there")?;
        }
        Outcome::Failed if report.checkpoints > 0 => {
            writeln!(err, "what the last of {} checkpoints covers is stored", report.checkpoints)?;
            if report.delivery.values().any(|it| it.standing == Standing::Whole) {
                outcome::standings(&report.delivery, err)?;
            }
        }
        Outcome::Failed => writeln!(err, "the store is as it was")?,
        Outcome::Partial => {
            writeln!(err, "partial: something was not delivered")?;
            outcome::standings(&report.delivery, err)?;
            writeln!(
                err,
                "  everything else is up to date\n  what to do: mend what the issues name and import again, without \
                 --full: the watermark stands where the missing part is read then"
            )?;
        }
        Outcome::Succeeded => {}
    }
    Ok(())
}
