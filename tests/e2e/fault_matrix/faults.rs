//! The rows and columns of the matrix in the simulator's terms: what happens, and to which request.

use std::collections::BTreeMap;

use host_harness::simulator::{Call, Fault, FaultAction, FaultBody, RetryAfter, Route};

use super::page::{Cell, Place};

/// Milliseconds of the waits that a fault names in parts of a second.
pub(super) const SHORT: u64 = 50;

/// What the simulator does for a row of the matrix. `None`: nothing, the configuration names an address that is none.
pub(super) fn action(fault: &str) -> Option<FaultAction> {
    let status = |code, body| FaultAction::Status { code, body, headers: BTreeMap::new() };
    let throttled = |wait_ms, retry_after| FaultAction::Throttled { wait_ms, retry_after };
    Some(match fault {
        "connection refused" => FaultAction::ConnectionRefused,
        "DNS failure" => return None,
        "reset before headers" => FaultAction::ConnectionReset,
        "reset mid-body" => FaultAction::ResetMidBody,
        "truncated JSON" => FaultAction::TruncatedJson,
        "wrong type" => FaultAction::WrongJsonType,
        "HTML on 502" => status(502, FaultBody::Html),
        "empty body" => status(200, FaultBody::Empty),
        "slow drip" => FaultAction::SlowDrip { bytes: 64, delay_ms: 5 },
        "stall" => FaultAction::StallThenReset { after_ms: 100 },
        "401" => FaultAction::status(401),
        "403" => FaultAction::status(403),
        "404" => FaultAction::status(404),
        "410" => FaultAction::status(410),
        "429, seconds" => throttled(1_000, RetryAfter::Integer),
        "429, decimal" => throttled(SHORT, RetryAfter::Decimal),
        "429, decimal comma" => throttled(SHORT, RetryAfter::DecimalComma),
        // A date has whole seconds, and the answer's own Date may be stamped in the next one: a second more is left in
        // any case.
        "429, HTTP date" => throttled(1_001, RetryAfter::HttpDate),
        "429, no Retry-After" => throttled(0, RetryAfter::Absent),
        "429, garbage" => FaultAction::retry_after(429, "soon"),
        "500" => FaultAction::status(500),
        "501" => FaultAction::status(501),
        "503" => FaultAction::status(503),
        "503, Retry-After" => FaultAction::retry_after(503, "0.050"),
        "504" => status(504, FaultBody::Empty),
        "expired page token" => FaultAction::ExpiredPageToken,
        "gzip damage" => FaultAction::GzipDamage,
        "foreign link" => FaultAction::ForeignNextLink,
        "endless nextLink" => FaultAction::RepeatedNextLink,
        other => panic!("{other} stands on the page, and nobody knows what it is"),
    })
}

/// The least time that one strike makes all workers wait, in milliseconds.
pub(super) fn named_wait(fault: &str) -> u64 {
    match fault {
        "429, seconds" | "429, HTTP date" => 1_000,
        "429, decimal" | "429, decimal comma" | "503, Retry-After" => SHORT,
        _ => 0,
    }
}

/// Whether a wait is counted in whole seconds: one retry of such a request is enough of them.
pub(super) fn waits_for_seconds(fault: &str) -> bool {
    named_wait(fault) >= 1_000
}

/// Whether the struck request is answered, so that there is a request id to name.
pub(super) fn is_answered(fault: &str) -> bool {
    let silent =
        ["connection refused", "DNS failure", "reset before headers", "reset mid-body", "stall", "gzip damage"];
    !silent.contains(&fault)
}

/// Aims the fault of a cell; `group` is the one whose members are read in a batch.
pub(super) fn aimed(cell: &Cell, action: FaultAction, group: &str, times: Option<u32>) -> Fault {
    let (route, page) = match cell.place {
        Place::FirstPage => (Route::USERS_DELTA, Some(1)),
        Place::MiddlePage => (Route::USERS_DELTA, Some(2)),
        Place::LastPage => (Route::USERS_DELTA, Some(3)),
        Place::InsideBatch if cell.fault == "expired page token" => (Route::MEMBERS, Some(2)),
        Place::InsideBatch => (Route::MEMBERS, Some(1)),
        Place::WholeBatch => (Route::Batch, None),
        Place::TokenEndpoint => (Route::Token, None),
    };
    let object = (cell.place == Place::InsideBatch).then(|| group.to_owned());
    Fault { route, page, object, times, action, call: Call::Any, ..Fault::default() }
}
