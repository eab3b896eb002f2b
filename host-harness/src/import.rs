//! The engine: one import from AuthJson to a watermark in the store.
//!
//! Secrets are resolved, the stored watermark is loaded, batches are pulled, applied and committed with the checkpoints
//! they carry, and the run is recorded. Easy to get wrong: a failed run is no `Err`. `Err` means that nothing was
//! started; everything after that is a [`RunReport`], and what its checkpoints cover is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use connector_abi::status::{CONNECTOR_E_BUSY, CONNECTOR_E_INTERNAL, CONNECTOR_END, CONNECTOR_END_PARTIAL, Status};
use connector_abi::structs::Progress;
use serde_json::Value;

use crate::connector::{DoorKind, LogLine, Next, Operation, StartError, StartRequest};
use crate::delivery::{self, Delivery};
use crate::discovery::Identified;
use crate::interrupt::Interrupt;
use crate::report::{Outcome, RunReport};
use crate::secrets::Secrets;
use crate::store::{Applier, Mesh, RemovalGuard, Store, watermark_hash};

/// How long one pull waits: long enough to cost nothing, short enough for Ctrl-C and for progress.
const PULL: Duration = Duration::from_millis(250);
/// Log lines that a report keeps; the watcher sees them all.
const LOG_KEPT: usize = 10_000;
/// How often progress is reported at most.
const PROGRESS: Duration = Duration::from_millis(100);

/// What an operator is told who accepts removals that no run has shown.
const NOTHING_SHOWN: &str = "there are no removals to accept: since the last import that ended in order, none was stopped \
                             by the removal guard; it holds in this one too";

/// A connector, a store, and how imports between them are run.
#[derive(Debug, Clone)]
pub struct Engine {
    library: PathBuf,
    store: PathBuf,
    door: DoorKind,
    instance: Option<String>,
    secrets: Secrets,
    batch_rows: u32,
    log_level: Option<u32>,
    guard: RemovalGuard,
    accept_shown_removals: bool,
    interrupt: Interrupt,
}

/// Looks on while an import runs. An `Err` ends it on the spot, as a crash would: nothing after the last checkpoint
/// stays.
pub trait Watch {
    /// Now and then, and once at the end.
    fn progress(&mut self, progress: &Snapshot) -> Result<()> {
        let _ = progress;
        Ok(())
    }

    /// Each batch, before it is applied.
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let _ = rows;
        Ok(())
    }

    /// Each checkpoint, after it was committed.
    fn committed(&mut self, watermark: &str) -> Result<()> {
        let _ = watermark;
        Ok(())
    }

    /// Once, when the removal guard is passed: nothing is stored from here on, the rest is only counted.
    fn held_back(&mut self) -> Result<()> {
        Ok(())
    }

    /// Each log line of the connector.
    fn log(&mut self, line: &LogLine) -> Result<()> {
        let _ = line;
        Ok(())
    }
}

/// Looks on without a word.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// Where an import stands.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot {
    /// Records applied.
    pub records: u64,
    /// The connector's counters.
    pub counters: Progress,
    /// Since the start.
    pub elapsed: Duration,
}

impl Engine {
    /// Imports from the connector in `library` into the store at `store`, which is made when it is not there.
    pub fn new(library: impl Into<PathBuf>, store: impl Into<PathBuf>) -> Engine {
        Engine {
            library: library.into(),
            store: store.into(),
            door: DoorKind::C,
            instance: None,
            secrets: Secrets::in_folder(Secrets::default_folder()),
            batch_rows: 0,
            log_level: None,
            guard: RemovalGuard::default(),
            accept_shown_removals: false,
            interrupt: Interrupt::new(),
        }
    }

    /// Goes through this door.
    #[must_use]
    pub fn through(mut self, door: DoorKind) -> Engine {
        self.door = door;
        self
    }

    /// Runs as the instance of this name; without it the connector's name is the instance's.
    #[must_use]
    pub fn as_instance(mut self, name: impl Into<String>) -> Engine {
        self.instance = Some(name.into());
        self
    }

    /// Takes secrets from here.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Engine {
        self.secrets = secrets;
        self
    }

    /// Asks for batches of so many records at most.
    #[must_use]
    pub fn with_batch_rows(mut self, rows: u32) -> Engine {
        self.batch_rows = rows;
        self
    }

    /// Collects the connector's log up to this level.
    #[must_use]
    pub fn with_log(mut self, level: u32) -> Engine {
        self.log_level = Some(level);
        self
    }

    /// Stops an import that would remove more rows than this, because the source no longer lists them or they left
    /// scope; without it [`RemovalGuard::default`] holds. A stopped run is read to its end, so that its report names
    /// the whole number in [`RunReport::removals`]. It is `Failed`, and what its checkpoints cover is kept.
    #[must_use]
    pub fn guarded_by(mut self, guard: RemovalGuard) -> Engine {
        self.guard = guard;
        self
    }

    /// Accepts the removals that the latest stopped import showed, per object type, and no more: a run that would
    /// remove more is stopped again and shows the new number. The limits are those of the stopped import. Without such
    /// an import the guard holds, and the report has a warning.
    #[must_use]
    pub fn accepting_shown_removals(mut self) -> Engine {
        self.accept_shown_removals = true;
        self
    }

    /// Stops when this flag is raised.
    #[must_use]
    pub fn stopped_by(mut self, interrupt: Interrupt) -> Engine {
        self.interrupt = interrupt;
        self
    }

    /// The store's file.
    pub fn store_path(&self) -> &Path {
        &self.store
    }

    /// The store, for reading.
    pub fn mesh(&self) -> Result<Mesh> {
        Mesh::open(&self.store)
    }

    /// Runs an import; `full` leaves the stored watermark aside.
    pub fn import(&self, config_json: &str, auth_json: &str, full: bool) -> Result<RunReport> {
        self.import_watched(config_json, auth_json, full, &mut Unwatched)
    }

    /// Runs an import under somebody's eyes.
    pub fn import_watched(
        &self,
        config_json: &str,
        auth_json: &str,
        full: bool,
        watch: &mut dyn Watch,
    ) -> Result<RunReport> {
        let identified = Identified::load(&self.library, self.door)?;
        let catalog = &identified.catalog;
        let store = Store::open(&self.store)?;
        let instance = store.instance(self.instance.as_deref().unwrap_or(&catalog.name), &catalog.name)?;
        // Before anything is asked of the source. A configuration that is no JSON is for the connector to refuse.
        if let Ok(config) = serde_json::from_str::<Value>(config_json) {
            for object_type in catalog.switched_on(&config) {
                store.may_import(instance, &object_type.name)?;
            }
        }
        let resolved = self.secrets.resolve(auth_json)?;
        let stored = store.watermark(instance)?;
        let watermark = stored.as_deref().filter(|_| !full);
        let run = store.begin_run(instance, full, watermark)?;
        let mut report = RunReport {
            run,
            outcome: Outcome::Failed,
            status: CONNECTOR_E_INTERNAL,
            result: Value::Null,
            error: Value::Null,
            host_error: None,
            removals: None,
            delivery: BTreeMap::new(),
            tally: crate::store::Tally::default(),
            checkpoints: 0,
            watermark_from: watermark.map(watermark_hash),
            watermark_to: None,
            elapsed: Duration::ZERO,
            log: Vec::new(),
            warnings: resolved.warnings.clone(),
        };
        let request = StartRequest {
            config: config_json,
            auth: &resolved.auth_json,
            watermark,
            max_batch_rows: self.batch_rows,
            log_level: self.log_level,
            ..StartRequest::default()
        };
        let started = Instant::now();
        match identified.connector.import(&request) {
            Ok(operation) => {
                let mut applier = store.applier(instance, catalog)?.guarded_by(self.guard);
                if self.accept_shown_removals && !applier.accept_shown_removals()? {
                    report.warnings.push(NOTHING_SHOWN.to_owned());
                }
                self.pull(operation, &mut applier, watch, started, &mut report);
            }
            Err(StartError { status, error_json }) => {
                report.status = status;
                report.error = serde_json::from_str(&error_json).unwrap_or(Value::Null);
            }
        }
        report.elapsed = started.elapsed();
        report.outcome = if report.host_error.is_some() { Outcome::Failed } else { Outcome::of(report.status) };
        report.delivery = delivery::of(&report.tally, report.status, &report.result, catalog);
        if report.outcome == Outcome::Succeeded && report.delivery.values().any(Delivery::lacks_scopes) {
            report.outcome = Outcome::Partial;
        }
        for (object_type, it) in report.delivery.iter_mut().filter(|(_, it)| it.is_of_an_earlier_run()) {
            it.last_whole = store.last_whole(instance, object_type, run)?;
        }
        if let Some(listed) = report.result["ObjectTypes"].as_object().filter(|listed| !listed.is_empty()) {
            store.keep_listed(instance, &listed.keys().map(String::as_str).collect::<Vec<_>>())?;
        }
        let left = store.watermark(instance)?;
        report.watermark_to = left.as_deref().map(watermark_hash);
        let status = report.host_error.is_none().then_some(report.status);
        store
            .end_run(run, report.outcome.name(), status, left.as_deref(), &report.to_json())
            .context("the run could not be recorded")?;
        Ok(report)
    }

    /// Pulls the operation to its end. Whatever happens, `report` says it.
    fn pull(
        &self,
        mut operation: Operation,
        applier: &mut Applier<'_>,
        watch: &mut dyn Watch,
        started: Instant,
        report: &mut RunReport,
    ) {
        let ended = self.batches(&mut operation, applier, watch, started, report);
        if let Err(error) = &ended {
            operation.cancel();
            report.host_error = Some(format!("{error:#}"));
        } else {
            report.result =
                operation.result_json().ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Value::Null);
        }
        if applier.is_held_back() {
            // Why the count is not whole, if it is not.
            let then = report.host_error.take();
            let then = then.or_else(|| report.result["Error"]["Message"].as_str().map(str::to_owned));
            match applier.stop(matches!(ended, Ok(CONNECTOR_END))) {
                Ok(stop) => {
                    report.host_error =
                        Some(then.map_or_else(|| stop.to_string(), |then| format!("{stop}; then: {then}")));
                    report.removals = Some(stop);
                }
                Err(error) => report.host_error = Some(format!("{error:#}")),
            }
        } else if let Ok(status) = ended {
            report.status = status;
            report.error = report.result["Error"].clone();
        }
        report.tally = applier.tally().clone();
        report.log.extend(operation.take_log());
    }

    fn batches(
        &self,
        operation: &mut Operation,
        applier: &mut Applier<'_>,
        watch: &mut dyn Watch,
        started: Instant,
        report: &mut RunReport,
    ) -> Result<Status> {
        let mut reported = Instant::now();
        let mut sequence = 0;
        loop {
            if self.interrupt.is_raised() {
                operation.cancel();
            }
            let next = operation.next(PULL)?;
            for line in operation.take_log() {
                watch.log(&line)?;
                if report.log.len() < LOG_KEPT {
                    report.log.push(line);
                }
            }
            let over = match next {
                Next::Pending | Next::Failed(CONNECTOR_E_BUSY) => None,
                Next::Batch(batch) => {
                    anyhow::ensure!(
                        batch.sequence == sequence,
                        "the connector broke the contract: batch {} where {sequence} was due",
                        batch.sequence
                    );
                    sequence += 1;
                    watch.rows(&batch.rows)?;
                    let held_back = applier.is_held_back();
                    applier.apply(&batch.rows)?;
                    if applier.is_held_back() {
                        if !held_back {
                            watch.held_back()?;
                        }
                    } else if let Some(checkpoint) = &batch.checkpoint {
                        applier.commit(Some(checkpoint))?;
                        report.checkpoints += 1;
                        watch.committed(checkpoint)?;
                    }
                    None
                }
                Next::End { checkpoint } => Some((CONNECTOR_END, checkpoint)),
                Next::EndPartial { checkpoint } => Some((CONNECTOR_END_PARTIAL, checkpoint)),
                Next::Failed(status) => return Ok(status),
            };
            if over.is_some() || reported.elapsed() >= PROGRESS {
                reported = Instant::now();
                let counters = operation.progress().unwrap_or(Progress::empty());
                watch.progress(&Snapshot { records: applier.records(), counters, elapsed: started.elapsed() })?;
            }
            if let Some((status, checkpoint)) = over {
                if applier.is_held_back() {
                    return Ok(status);
                }
                applier.commit_end(checkpoint.as_deref())?;
                if let Some(checkpoint) = &checkpoint {
                    report.checkpoints += 1;
                    watch.committed(checkpoint)?;
                }
                return Ok(status);
            }
        }
    }
}

#[cfg(test)]
mod tests;
