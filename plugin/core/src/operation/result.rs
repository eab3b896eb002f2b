//! The result JSON, and what is noted for it while the operation runs.
//!
//! It is made when the host asks, from the ending that `next` told: a result that could be read earlier would differ
//! from the one read later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::stream::Ending;
use super::{Purpose, State, Tallies};
use crate::counters::Counters;
use crate::error::{Error, Kind};
use crate::mapping::Mode;
use crate::sync::Warning;

/// What the result is made of.
#[derive(Debug)]
pub(super) struct ResultNotes {
    purpose: Purpose,
    tallies: Tallies,
    counters: Counters,
    started: Instant,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    warnings: Vec<Warning>,
    over: Option<(Ending, Duration)>,
}

impl ResultNotes {
    pub(super) fn new(purpose: Purpose, tallies: Tallies, counters: Counters) -> ResultNotes {
        ResultNotes { purpose, tallies, counters, started: Instant::now(), notes: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The counts of the object types switched on.
    pub(super) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Adds warnings.
    pub(super) fn warn(&self, warnings: impl IntoIterator<Item = Warning>) {
        self.lock().warnings.extend(warnings);
    }

    /// The host was told the ending; the first one counts.
    pub(super) fn ended(&self, ending: &Ending) {
        let elapsed = self.started.elapsed();
        self.lock().over.get_or_insert_with(|| (ending.clone(), elapsed));
    }

    /// Stands still once the operation is over.
    pub(super) fn elapsed(&self) -> Duration {
        self.lock().over.as_ref().map_or_else(|| self.started.elapsed(), |(_, elapsed)| *elapsed)
    }

    pub(super) fn state(&self) -> State {
        match &self.lock().over {
            None => State::Running,
            Some((Ending::End(_), _)) => State::Succeeded,
            Some((Ending::EndPartial(_), _)) => State::Partial,
            Some((Ending::Failed(e), _)) if e.kind == Kind::Cancelled => State::Cancelled,
            Some((Ending::Failed(_), _)) => State::Failed,
        }
    }

    /// The JSON; `None` while the operation is not over.
    pub(super) fn to_json(&self, watermark: Option<String>) -> Option<String> {
        let notes = self.lock();
        let (ending, elapsed) = notes.over.as_ref()?;
        let (outcome, status, error) = match ending {
            Ending::End(_) => ("Succeeded", 1, None),
            Ending::EndPartial(_) => ("Partial", 3, None),
            Ending::Failed(e) if e.kind == Kind::Cancelled => ("Cancelled", e.kind.status(), Some(e)),
            Ending::Failed(e) => ("Failed", e.kind.status(), Some(e)),
        };
        let totals = self.counters.totals();
        let warnings: Vec<Value> = notes
            .warnings
            .iter()
            .map(|w| json!({"Code": w.code.name(), "ObjectType": w.object_type, "Message": w.message}))
            .collect();
        let result = json!({
            "Operation": if self.purpose == Purpose::Import { "Import" } else { "Check" },
            "Outcome": outcome,
            "Status": status,
            "Watermark": watermark,
            "Requests": totals.requests,
            "Retries": totals.retries,
            "ThrottledMs": totals.throttled_ms,
            "BytesReceived": totals.bytes_received,
            "ElapsedMs": elapsed.as_millis() as u64,
            "ObjectTypes": self.object_types(),
            "Warnings": warnings,
            "Error": error.map(Error::to_json),
        });
        Some(result.to_string())
    }

    fn object_types(&self) -> Value {
        let lines = self.tallies.iter().map(|tally| {
            let totals = tally.totals();
            let line = json!({
                "Mode": totals.mode.map(Mode::name),
                "Complete": totals.complete,
                "FinishedBefore": totals.finished_before,
                // Every object type of this version is read on every run.
                "NotDue": null,
                "Upserts": totals.counts.upserts,
                "Deletes": totals.counts.deletes,
                "LeftScope": totals.counts.left_scope,
                "UnreadScopes": totals.counts.unread_scopes,
                "Issues": totals.issues,
                "Error": tally.failure().as_ref().map(Error::to_json),
            });
            (totals.object_type.to_owned(), line)
        });
        Value::Object(lines.collect::<Map<_, _>>())
    }
}
