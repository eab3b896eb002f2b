//! Scripted faults: which request fails, how often, and how.
//!
//! Faults are looked at in the order they were added; the first that matches and is not used up is taken. Items of a batch
//! are matched one by one under their own route, the batch itself under [`Route::Batch`]. A fault that cannot happen to a
//! request (a refused delta link where none was called) does not count it.

mod act;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(crate) use act::{alter, instead};

use super::graph::request::decode;
use super::graph::route::Route;
use super::throttle::RetryAfter;
use super::world::Refusal;

/// One fault. In JSON: `{"route": "members", "skip": 3, "times": 2, "action": {"status": {"code": 503}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Fault {
    /// The endpoint.
    pub route: Route,
    /// Which of the calls that a walk through pages is made of.
    pub call: Call,
    /// Only requests for this object by id: its GUID, or `#n` for the group with that number.
    pub object: Option<String>,
    /// Only URLs that contain this, as sent or decoded.
    pub url_contains: Option<String>,
    /// How many matching requests pass first.
    pub skip: u32,
    /// How many matching requests fail then; all when absent.
    pub times: Option<u32>,
    /// What happens.
    pub action: FaultAction,
}

impl Default for Fault {
    fn default() -> Fault {
        Fault {
            route: Route::Any,
            call: Call::Any,
            object: None,
            url_contains: None,
            skip: 0,
            times: Some(1),
            action: FaultAction::status(503),
        }
    }
}

impl Fault {
    /// Fail the next request of a route once.
    pub fn once(route: Route, action: FaultAction) -> Fault {
        Fault { route, action, ..Fault::default() }
    }

    /// Fail every request of a route from now on.
    pub fn always(route: Route, action: FaultAction) -> Fault {
        Fault { route, action, times: None, ..Fault::default() }
    }

    /// Let this many matching requests pass first.
    #[must_use]
    pub fn after(self, skip: u32) -> Fault {
        Fault { skip, ..self }
    }

    /// Fail this many requests.
    #[must_use]
    pub fn times(self, times: u32) -> Fault {
        Fault { times: Some(times), ..self }
    }

    /// Only requests whose URL contains a text.
    #[must_use]
    pub fn on_url(self, text: impl Into<String>) -> Fault {
        Fault { url_contains: Some(text.into()), ..self }
    }

    /// Only this call of a walk through pages.
    #[must_use]
    pub fn at(self, call: Call) -> Fault {
        Fault { call, ..self }
    }

    /// Only requests for one object: its id, or `#n` for the group with that number.
    #[must_use]
    pub fn on_object(self, object: impl Into<String>) -> Fault {
        Fault { object: Some(object.into()), ..self }
    }

    fn matches(&self, asked: &Subject<'_>) -> bool {
        let decoded = decode(asked.url, false);
        (self.route == Route::Any || self.route == asked.route)
            && (self.call == Call::Any || self.call == Call::of(&decoded))
            && self.object.as_ref().is_none_or(|id| asked.object.is_some_and(|asked| asked.eq_ignore_ascii_case(id)))
            && self.url_contains.as_ref().is_none_or(|text| asked.url.contains(text) || decoded.contains(text))
            && match self.action {
                FaultAction::RefuseDeltaLink { .. } => Call::of(&decoded) == Call::DeltaLink,
                FaultAction::MissingItem => asked.in_batch,
                _ => true,
            }
    }
}

/// The calls of a walk through pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Call {
    /// All of them.
    #[default]
    Any,
    /// The one that names its options: page 1, or a read that has no pages.
    First,
    /// A next link: page 2 and later, of a list or of a round.
    NextLink,
    /// A delta link: page 1 of a later round.
    DeltaLink,
}

impl Call {
    fn of(decoded: &str) -> Call {
        let url = decoded.to_lowercase();
        if url.contains("$skiptoken=") {
            Call::NextLink
        } else if url.contains("$deltatoken=") && !url.contains("$deltatoken=latest") {
            Call::DeltaLink
        } else {
            Call::First
        }
    }
}

/// What a fault is told from a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) route: Route,
    pub(crate) url: &'a str,
    /// The id of the object that is addressed.
    pub(crate) object: Option<&'a str>,
    pub(crate) in_batch: bool,
}

/// How a request fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FaultAction {
    /// Another status instead of the answer.
    Status {
        /// The HTTP status.
        code: u16,
        /// What the answer carries.
        #[serde(default)]
        body: FaultBody,
        /// Headers, such as any text for `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
    },
    /// 429 with a `Retry-After` in one of its forms; a date is that many milliseconds ahead of the simulated clock.
    Throttled {
        /// Milliseconds to wait.
        wait_ms: u64,
        /// How the wait is written.
        retry_after: RetryAfter,
    },
    /// The connection is reset before any byte of an answer.
    ConnectionReset,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// Half of the body, then nothing until the client leaves.
    StallMidBody,
    /// Not a byte until the client leaves.
    StallBeforeHeaders,
    /// The body in pieces of `bytes`, one every `delay_ms`.
    SlowDrip {
        /// Bytes a piece.
        bytes: usize,
        /// Milliseconds between pieces.
        delay_ms: u64,
    },
    /// The JSON ends in the middle, in a well-formed HTTP message.
    TruncatedJson,
    /// The JSON is well-formed, but `value` is no array.
    WrongJsonType,
    /// The next or delta link names another host; where there is none, a next link is added that does.
    ForeignNextLink,
    /// The next link is the request's own URL.
    RepeatedNextLink,
    /// 400 `Directory_ExpiredPageToken`.
    ExpiredPageToken,
    /// A delta link is refused in this shape; other requests pass.
    RefuseDeltaLink {
        /// The shape.
        shape: Refusal,
    },
    /// 401 `InvalidAuthenticationToken`.
    InvalidToken,
    /// 401 with a claims challenge of continuous access evaluation.
    ClaimsChallenge,
    /// 403 `Authorization_RequestDenied`.
    RequestDenied,
    /// 404 `Request_ResourceNotFound`.
    NotFound,
    /// The answer of a batch leaves this item out. It happens to items of batches only.
    MissingItem,
    /// The body says gzip and is not, or not to its end.
    GzipDamage,
}

impl FaultAction {
    /// A status with a Graph error body that fits it.
    pub fn status(code: u16) -> FaultAction {
        FaultAction::Status { code, body: FaultBody::default(), headers: BTreeMap::new() }
    }

    /// A status with a `Retry-After` header of any text.
    pub fn retry_after(code: u16, text: impl Into<String>) -> FaultAction {
        let headers = BTreeMap::from([("Retry-After".to_owned(), text.into())]);
        FaultAction::Status { code, body: FaultBody::default(), headers }
    }

    /// Whether it happens to the connection and not to the answer.
    pub(crate) fn is_on_the_wire(&self) -> bool {
        matches!(
            self,
            FaultAction::ConnectionReset
                | FaultAction::ResetMidBody
                | FaultAction::StallMidBody
                | FaultAction::StallBeforeHeaders
                | FaultAction::SlowDrip { .. }
                | FaultAction::GzipDamage
        )
    }
}

/// What a failed answer carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum FaultBody {
    /// Graph's error envelope with the code Graph uses for the status.
    #[default]
    Fitting,
    /// Graph's error envelope.
    GraphError {
        /// `error.code`.
        code: String,
        /// `error.message`.
        message: String,
    },
    /// The page of a gateway.
    Html,
    /// Nothing.
    Empty,
    /// The beginning of an error envelope.
    TruncatedJson,
}

/// The armed faults and how often each was met.
#[derive(Debug, Default)]
pub(crate) struct Script(Vec<(Fault, u32)>);

impl Script {
    pub(crate) fn new(faults: &[Fault]) -> Script {
        Script(faults.iter().map(|fault| (fault.clone(), 0)).collect())
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The action for a request, if one is due. Faults after the one that is taken do not count the request.
    pub(crate) fn due(&mut self, asked: &Subject<'_>) -> Option<FaultAction> {
        if asked.route == Route::Control {
            return None;
        }
        let mut taken = None;
        for (fault, met) in &mut self.0 {
            if taken.is_some() || !fault.matches(asked) {
                continue;
            }
            if *met < fault.skip {
                *met += 1;
            } else if fault.times.is_none_or(|times| *met - fault.skip < times) {
                *met += 1;
                taken = Some(fault.action.clone());
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(route: Route, url: &str) -> Subject<'_> {
        Subject { route, url, object: None, in_batch: false }
    }

    #[test]
    fn a_fault_skips_then_strikes_then_stops() {
        let mut script = Script::new(&[Fault::once(Route::Members, FaultAction::NotFound).after(2).times(2)]);
        let due: Vec<_> = (0..6).map(|_| script.due(&asked(Route::Members, "/x")).is_some()).collect();
        assert_eq!(due, [false, false, true, true, false, false]);
        assert_eq!(script.due(&asked(Route::GroupsList, "/x")), None);
    }

    #[test]
    fn urls_match_decoded_too() {
        let mut script = Script::new(&[Fault::always(Route::Any, FaultAction::NotFound).on_url("$select=id")]);
        assert!(script.due(&asked(Route::UsersList, "/users?%24select=id")).is_some());
        assert!(script.due(&asked(Route::UsersList, "/users?$top=5")).is_none());
        assert!(script.due(&asked(Route::Control, "/_simulator/x?$select=id")).is_none());
    }

    #[test]
    fn calls_of_a_walk_are_told_apart() {
        for (url, call) in [
            ("/users/delta?$select=id", Call::First),
            ("/users/delta?$deltatoken=latest&$select=id", Call::First),
            ("/users/delta?%24deltaToken=x", Call::DeltaLink),
            ("/groups/x/members?$top=5&$skiptoken=x", Call::NextLink),
        ] {
            let mut script = Script::new(&[Fault::always(Route::Any, FaultAction::NotFound).at(call)]);
            assert!(script.due(&asked(Route::Any, url)).is_some(), "{url}");
            let refusal = FaultAction::RefuseDeltaLink { shape: Refusal::ResyncRequired };
            let due = Script::new(&[Fault::once(Route::Any, refusal)]).due(&asked(Route::Any, url));
            assert_eq!(due.is_some(), call == Call::DeltaLink, "{url}");
        }
    }

    #[test]
    fn faults_are_configured_in_json() {
        let fault: Fault = serde_json::from_str(
            r#"{"route": "usersDelta", "times": null, "action": {"status": {"code": 429, "headers": {"Retry-After": "0,120"}}}}"#,
        )
        .unwrap();
        assert_eq!(fault, Fault::always(Route::UsersDelta, FaultAction::retry_after(429, "0,120")));
        let aimed = r##"{"route": "members", "call": "nextLink", "object": "#3", "times": 2,
            "action": {"throttled": {"waitMs": 1500, "retryAfter": "httpDate"}}}"##;
        let throttled = FaultAction::Throttled { wait_ms: 1_500, retry_after: RetryAfter::HttpDate };
        assert_eq!(
            serde_json::from_str::<Fault>(aimed).unwrap(),
            Fault::once(Route::Members, throttled).at(Call::NextLink).on_object("#3").times(2)
        );
        let stall: Fault = serde_json::from_str(r#"{"action": "stallMidBody"}"#).unwrap();
        assert_eq!(stall.action, FaultAction::StallMidBody);
    }
}
