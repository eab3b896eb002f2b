//! One try that did not give what was asked, with all that the next decision or the final error needs of it.

use std::time::{Duration, SystemTime};

use super::claims::{Challenge, challenge};
use super::request_id;
use super::retry_after;
use super::service_error::{ServiceError, hide_in};
use super::transport::{Broken, Reply};
use crate::error::HttpEvidence;

/// What went wrong with one try.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// An answer with a status that is no success.
    Refused(Box<Refusal>),
    /// No whole answer.
    Broken(Broken),
    /// A success whose body cannot be read.
    Unreadable {
        /// In a few words.
        why: String,
        /// The answer it stood in.
        evidence: HttpEvidence,
    },
}

/// An answer that says no.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// What the body says.
    pub(crate) service: ServiceError,
    /// `Retry-After`, where it could be read.
    pub(crate) named_wait: Option<Duration>,
    /// A demand of continuous access evaluation stood beside the 401.
    pub(crate) challenge: Option<Challenge>,
    /// For support.
    pub(crate) evidence: HttpEvidence,
}

/// The headers of an answer that matter here; in a `$batch` each item has its own.
#[derive(Debug, Default)]
pub(crate) struct Signals<'a> {
    pub(crate) retry_after: Option<&'a str>,
    pub(crate) request_id: Option<&'a str>,
    /// Continuous access evaluation demands a token with further claims.
    pub(crate) challenge: Option<Challenge>,
    /// When it was answered, by the server's clock.
    pub(crate) date: Option<SystemTime>,
}

impl<'a> Signals<'a> {
    /// Of a plain answer to a request with this secret.
    pub(crate) fn of(reply: &'a Reply, secret: &str) -> Signals<'a> {
        let request_id = reply.header("request-id").or_else(|| reply.header("x-ms-request-id"));
        Signals {
            retry_after: reply.header("retry-after"),
            request_id: request_id.and_then(request_id::accepted).filter(|id| !request_id::repeats(id, secret)),
            challenge: challenge(
                reply.headers.get_all("www-authenticate").iter().filter_map(|value| value.to_str().ok()),
            ),
            date: reply.date(),
        }
    }
}

impl Refusal {
    /// From status, headers and body of an answer.
    pub(crate) fn new(
        status: u16,
        signals: &Signals<'_>,
        body: &[u8],
        client_request_id: &str,
        now: SystemTime,
    ) -> Refusal {
        let service = ServiceError::read(body);
        Refusal {
            status,
            named_wait: signals.retry_after.and_then(|value| retry_after::parse(value, signals.date, now)),
            challenge: signals.challenge.clone(),
            evidence: HttpEvidence {
                status,
                code: service.code.clone(),
                request_id: signals.request_id.map(str::to_owned).or_else(|| service.request_id.clone()),
                client_request_id: Some(client_request_id.to_owned()),
            },
            service,
        }
    }

    /// Status, code and message, as the last part of an error text.
    pub(crate) fn cause(&self) -> String {
        let code = self.service.code.as_deref().unwrap_or_default();
        let space = if code.is_empty() { "" } else { " " };
        match self.service.message.as_deref() {
            // The token service repeats its code at the start of its words.
            Some(message) if !code.is_empty() && message.starts_with(code) => format!("{} {message}", self.status),
            Some(message) => format!("{}{space}{code}: {message}", self.status),
            None => format!("{}{space}{code}", self.status),
        }
    }
}

/// Forgets an id that repeats a secret.
pub(crate) fn drop_repeating(id: &mut Option<String>, secret: &str) {
    id.take_if(|id| request_id::repeats(id, secret));
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Refused(Box::new(refusal))
    }
}

impl Failure {
    /// Takes a secret out that the answer repeats: in an error, or in a success of another shape, since the words of a
    /// JSON parser quote what they did not expect.
    pub(crate) fn hide(&mut self, secret: &str) {
        match self {
            Failure::Refused(refusal) => {
                refusal.service.hide(secret);
                refusal.evidence.code.clone_from(&refusal.service.code);
                drop_repeating(&mut refusal.evidence.request_id, secret);
            }
            Failure::Unreadable { why, evidence } => {
                hide_in([why], secret);
                drop_repeating(&mut evidence.request_id, secret);
            }
            Failure::Broken(broken) => hide_in([&mut broken.text], secret),
        }
    }

    /// The claims that Graph demands of the next token.
    pub(crate) fn claims(&self) -> Option<&str> {
        match self {
            Failure::Refused(refusal) if refusal.status == 401 => refusal.challenge.as_ref()?.claims.as_deref(),
            _ => None,
        }
    }

    /// For a line of the log.
    pub(crate) fn reason(&self) -> String {
        match self {
            Failure::Refused(refusal) => refusal.cause(),
            Failure::Broken(broken) => broken.text.clone(),
            Failure::Unreadable { why, .. } => format!("an answer that cannot be read: {why}"),
        }
    }
}
