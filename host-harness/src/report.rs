//! What is known about a run when it is over.
//!
//! Two accounts stand side by side on purpose: the connector's (`result`) and the host's own (`tally`). Where they
//! differ the host says so in `tally.notes`.

use std::collections::BTreeMap;
use std::time::Duration;

use connector_abi::status::{CONNECTOR_E_CANCELLED, CONNECTOR_END, CONNECTOR_END_PARTIAL, Status};
use serde_json::{Value, json};

use crate::connector::LogLine;
use crate::delivery::Delivery;
use crate::store::{Issue, RemovalStop, Tally};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was delivered.
    Succeeded,
    /// Ended in order; some object type or scope was not delivered.
    Partial,
    /// Failed; what the last checkpoint covers is kept.
    Failed,
    /// Stopped by the host; what the last checkpoint covers is kept.
    Cancelled,
}

/// A run that is over.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// Its number in the store.
    pub run: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// The last status of the contract.
    pub status: Status,
    /// The connector's result JSON; `Null` when it did not start.
    pub result: Value,
    /// The connector's error JSON, from the refusal to start or from the result; `Null` when there is none.
    pub error: Value,
    /// What failed on the host's side: the store, or a connector that broke the contract.
    pub host_error: Option<String>,
    /// What the removal guard stopped the run for; `None` when it did not stop it.
    pub removals: Option<RemovalStop>,
    /// Per object type, what was delivered and what was not.
    pub delivery: BTreeMap<String, Delivery>,
    /// What came, and what it did to the store up to the last checkpoint.
    pub tally: Tally,
    /// Checkpoints committed.
    pub checkpoints: u64,
    /// Hash of the watermark it started from; `None`: a full import.
    pub watermark_from: Option<String>,
    /// Hash of the watermark that is now in the store.
    pub watermark_to: Option<String>,
    /// From the start of the operation to its end.
    pub elapsed: Duration,
    /// The connector's log, when it was asked for.
    pub log: Vec<LogLine>,
    /// What the host itself found worth saying.
    pub warnings: Vec<String>,
}

impl Outcome {
    /// What a last status means.
    pub fn of(status: Status) -> Outcome {
        match status {
            CONNECTOR_END => Outcome::Succeeded,
            CONNECTOR_END_PARTIAL => Outcome::Partial,
            CONNECTOR_E_CANCELLED => Outcome::Cancelled,
            _ => Outcome::Failed,
        }
    }

    /// As it stands in result JSON.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Succeeded => "Succeeded",
            Outcome::Partial => "Partial",
            Outcome::Failed => "Failed",
            Outcome::Cancelled => "Cancelled",
        }
    }

    /// The exit code that stands for it: 0, 3 for partial, 1 for the rest.
    pub fn exit_code(self) -> u8 {
        match self {
            Outcome::Succeeded => 0,
            Outcome::Partial => 3,
            Outcome::Failed | Outcome::Cancelled => 1,
        }
    }
}

impl RunReport {
    /// The exit code that stands for the run.
    pub fn exit_code(&self) -> u8 {
        self.outcome.exit_code()
    }

    /// Records that came.
    pub fn rows(&self) -> u64 {
        self.tally.records
    }

    /// Issues, word for word.
    pub fn issues(&self) -> &[Issue] {
        &self.tally.issues
    }

    /// The connector's result JSON as text; empty when it did not start.
    pub fn result_json(&self) -> String {
        if self.result.is_null() { String::new() } else { self.result.to_string() }
    }

    /// A number of the connector's result, such as `Requests`.
    pub fn counted(&self, name: &str) -> u64 {
        self.result[name].as_u64().unwrap_or(0)
    }

    /// What the store remembers of the run. The watermark inside the connector's result is left out: it is in its
    /// place, once.
    pub(crate) fn to_json(&self) -> Value {
        let mut result = self.result.clone();
        if let Some(members) = result.as_object_mut() {
            members.remove("Watermark");
        }
        json!({
            "Tally": self.tally, "Result": result, "Error": self.error, "HostError": self.host_error,
            "Removals": self.removals, "Delivery": self.delivery, "Outcome": self.outcome.name(),
            "Checkpoints": self.checkpoints, "ElapsedMs": self.elapsed.as_millis() as u64, "Warnings": self.warnings,
        })
    }
}
