//! Scripted faults: which request fails, how often, and how.
//!
//! Faults are looked at in the order they were added; the first that matches and is not used up is taken. Items of a
//! batch are matched one by one under their own route, the batch itself under [`Route::Batch`]. A fault that cannot
//! happen to a request (a refused delta link where none was called) does not count it.

mod aim;
mod refusal;
mod script;
mod walks;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use aim::Call;
pub(crate) use aim::Subject;
pub use refusal::Refusal;
pub(crate) use script::Script;

use super::route::Route;
use super::throttle::RetryAfter;

/// One fault. In JSON: `{"route": "members", "skip": 3, "times": 2, "action": {"status": {"code": 503}}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Fault {
    /// The endpoint.
    pub route: Route,
    /// Which of the calls that a walk through pages is made of.
    pub call: Call,
    /// Only this page of a walk, counted from 1. Walks of one route, or of one object's pages, are told apart by their
    /// first call; a page that is asked for again is the same page.
    pub page: Option<u32>,
    /// Only requests for this object by id: its GUID, or `#n` for the group with that number.
    pub object: Option<String>,
    /// Only URLs that contain this, as sent or decoded.
    pub url_contains: Option<String>,
    /// How many matching requests pass first.
    pub skip: u32,
    /// How many matching requests fail then; all when absent.
    pub times: Option<u32>,
    /// One of this many matching requests passes; none when absent.
    pub sparing: Option<u32>,
    /// What happens.
    pub action: FaultAction,
}

impl Default for Fault {
    fn default() -> Fault {
        Fault {
            route: Route::Any,
            call: Call::Any,
            page: None,
            object: None,
            url_contains: None,
            skip: 0,
            times: Some(1),
            sparing: None,
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

    /// Let one of `of` matching requests pass.
    #[must_use]
    pub fn sparing(self, of: u32) -> Fault {
        Fault { sparing: Some(of), ..self }
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

    /// Only this page of a walk, counted from 1.
    #[must_use]
    pub fn on_page(self, page: u32) -> Fault {
        Fault { page: Some(page), ..self }
    }

    /// Only requests for one object: its id, or `#n` for the group with that number.
    #[must_use]
    pub fn on_object(self, object: impl Into<String>) -> Fault {
        Fault { object: Some(object.into()), ..self }
    }
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
    /// The service goes away: every connection is reset, this one without an answer, and nobody listens until
    /// [`super::Simulator::listen_again`]. Only on Linux can a listening socket be made deaf and keep its port.
    ConnectionRefused,
    /// The connection is reset in the middle of the body.
    ResetMidBody,
    /// Half of the body, then nothing until the client leaves.
    StallMidBody,
    /// Half of the body, then nothing for `after_ms`, then a reset.
    StallThenReset {
        /// Milliseconds of silence.
        after_ms: u64,
    },
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
    /// Every access token issued so far becomes worthless, and the request is answered as it then must be. It happens
    /// to whole requests only, not to items of batches.
    RevokeTokens,
    /// 403 `Authorization_RequestDenied`.
    RequestDenied,
    /// 404 `Request_ResourceNotFound`.
    NotFound,
    /// The last rows of a list's page are left out. The count beside them stays as it is.
    ShortList {
        /// How many rows.
        rows: usize,
    },
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
                | FaultAction::ConnectionRefused
                | FaultAction::ResetMidBody
                | FaultAction::StallThenReset { .. }
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
