//! One record of a check: what was looked at, how it stands, what to do.
//!
//! Its members and their words are part of the contract. A row that is not `Failed` may have a `Remedy` too: a secret
//! that ends in a week works today.

use serde_json::json;

use crate::error::Error;
use crate::mapping::Records;
use crate::operation::stream::Stream;
use crate::sync::RecordSink;
use crate::types::Lane;

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Token,
    Permission,
    Licence,
    Size,
    Watermark,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Token => "Token",
            Step::Permission => "Permission",
            Step::Licence => "Licence",
            Step::Size => "Size",
            Step::Watermark => "Watermark",
        }
    }
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    /// Not looked at, or not needed.
    Skipped,
    /// It was looked at, and nobody can say.
    Unknown,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "Passed",
            Outcome::Failed => "Failed",
            Outcome::Skipped => "Skipped",
            Outcome::Unknown => "Unknown",
        }
    }
}

/// What a full import of an object type comes to, roughly.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimates {
    pub(super) objects: u64,
    pub(super) requests: u64,
    /// What Graph's throttling charges for them.
    pub(super) units: u64,
    pub(super) seconds: u64,
    /// Whose limits they count against.
    pub(super) lane: Lane,
}

/// One row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    object_type: Option<&'static str>,
    step: Step,
    pub(super) outcome: Outcome,
    pub(super) message: String,
    pub(super) remedy: Option<String>,
    permission: Option<String>,
    estimates: Option<Estimates>,
    request_id: Option<String>,
}

impl Row {
    pub(super) fn new(
        object_type: Option<&'static str>,
        step: Step,
        outcome: Outcome,
        message: impl Into<String>,
    ) -> Row {
        let message = message.into();
        Row { object_type, step, outcome, message, remedy: None, permission: None, estimates: None, request_id: None }
    }

    /// A failure and the step that mends it.
    pub(super) fn failed(object_type: Option<&'static str>, step: Step, error: &Error, remedy: &str) -> Row {
        Row::new(object_type, step, Outcome::Failed, &error.message)
            .with_remedy(remedy)
            .with_request_id(error.request_id().map(str::to_owned))
    }

    pub(super) fn with_remedy(mut self, remedy: impl Into<String>) -> Row {
        self.remedy = Some(remedy.into());
        self
    }

    pub(super) fn with_request_id(mut self, id: Option<String>) -> Row {
        self.request_id = id;
        self
    }

    pub(super) fn with_estimates(mut self, estimates: Estimates) -> Row {
        self.estimates = Some(estimates);
        self
    }

    /// With the permission it is about.
    pub(super) fn about(mut self, permission: String) -> Row {
        self.permission = Some(permission);
        self
    }

    pub(super) fn is_failed(&self) -> bool {
        self.outcome == Outcome::Failed
    }

    /// Queues it for the host.
    pub(super) fn push(&self, stream: &Stream) -> Result<(), Error> {
        let json = json!({
            "Kind": "Check",
            "ObjectType": self.object_type,
            "Step": self.step.name(),
            "Outcome": self.outcome.name(),
            "Message": self.message,
            "Remedy": self.remedy,
            "Permission": self.permission,
            "EstimatedObjects": self.estimates.map(|all| all.objects),
            "EstimatedRequests": self.estimates.map(|all| all.requests),
            "EstimatedUnits": self.estimates.map(|all| all.units),
            "EstimatedSeconds": self.estimates.map(|all| all.seconds),
            "Lane": self.estimates.map(|all| all.lane.name()),
            "RequestId": self.request_id,
        });
        let mut records = Records::new(self.object_type.unwrap_or_default());
        records.line(&json);
        stream.push(&records, None)
    }
}
