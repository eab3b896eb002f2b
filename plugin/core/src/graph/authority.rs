//! The address of the token service (`login.microsoftonline.com` or that of another cloud) and how its answers are
//! read.
//!
//! It has its own error bodies, its own limits and no part in Graph's gate. What is wrong here is nearly always the
//! configuration, so nothing is repeated but what Microsoft calls temporary, and the operator gets a hint.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, USER_AGENT};

use super::aadsts::{self, Proof};
use super::clock::{Clock, ServerClock};
use super::error::no_answer;
use super::failure::{Failure, Refusal, Signals};
use super::link::Origin;
use super::pipeline::AGENT;
use super::request_id;
use super::retry::{Next, Policy, Tries};
use super::transport::{Accept, Outgoing, Reply, Transport};
use crate::cancel::Cancel;
use crate::config::Secret;
use crate::error::{Error, HttpEvidence, Kind};
use crate::log::{Level, Log};

/// The token service of one operation.
pub(crate) struct Authority {
    pub(crate) origin: Origin,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) server_clock: Arc<ServerClock>,
    pub(crate) policy: Policy,
    /// Chooses the words about a refusal.
    pub(crate) proof: Proof,
    /// Client secret, where there is one: whatever is asked, no answer may bring it into a log or an error.
    pub(crate) secret: Option<Secret>,
    pub(crate) cancel: Cancel,
    pub(crate) log: Log,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("origin", &self.origin.as_str()).finish_non_exhaustive()
    }
}

/// An answer with status 2xx.
#[derive(Debug)]
pub(crate) struct Success {
    pub(crate) reply: Reply,
    pub(crate) evidence: HttpEvidence,
}

impl Authority {
    /// Asks for what lies at `path`, once.
    pub(crate) fn get(&self, path: &str) -> Result<Success, Failure> {
        let secret = self.secret.as_ref().map(Secret::expose).unwrap_or_default();
        self.call(&format!("{}{path}", self.origin.as_str()), path, HeaderMap::new(), None, secret)
    }

    /// Sends one request to a whole address, once; with a body it is a POST. `path` is what logs show of it. Nothing
    /// that is kept of the answer repeats `secret`.
    pub(crate) fn call(
        &self,
        url: &str,
        path: &str,
        headers: HeaderMap,
        body: Option<Vec<u8>>,
        secret: &str,
    ) -> Result<Success, Failure> {
        self.exchange(url, path, headers, body, secret).map_err(|mut failure| {
            failure.hide(secret);
            failure
        })
    }

    fn exchange(
        &self,
        url: &str,
        path: &str,
        mut headers: HeaderMap,
        body: Option<Vec<u8>>,
        secret: &str,
    ) -> Result<Success, Failure> {
        let id = request_id::fresh();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert("client-request-id", id);
        }
        let started = self.clock.now();
        let reply = self
            .transport
            .send(Outgoing { url, headers, body, accept: Accept::Small }, &self.cancel)
            .map_err(Failure::Broken)?;
        let signals = Signals::of(&reply, secret);
        self.server_clock.note(signals.date, &*self.clock);
        self.log.write(Level::Debug, || {
            let elapsed = self.clock.now().saturating_duration_since(started).as_millis();
            format!("{path} {} in {elapsed} ms, request-id {}", reply.status, signals.request_id.unwrap_or("-"))
        });
        if !(200..300).contains(&reply.status) {
            return Err(Refusal::new(reply.status, &signals, &reply.body, &id, self.clock.date()).into());
        }
        let evidence = HttpEvidence {
            status: reply.status,
            code: None,
            request_id: signals.request_id.map(str::to_owned),
            client_request_id: Some(id),
        };
        Ok(Success { reply, evidence })
    }

    /// Does `once` until it works or repeating does not help; only once when not `patient`. The outer error of `once`
    /// is final.
    pub(crate) fn ask<T>(
        &self,
        what: &str,
        patient: bool,
        mut once: impl FnMut() -> Result<Result<T, Failure>, Error>,
    ) -> Result<T, Error> {
        let policy = if patient { self.policy } else { Policy { max_retries: 0, ..self.policy } };
        let mut tries = Tries::default();
        loop {
            self.cancel.check()?;
            let failure = match once()? {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            match tries.after(&failure, &policy) {
                Next::Wait { wait, .. } => {
                    self.log.write(Level::Warn, || {
                        let seconds = wait.as_secs_f64();
                        format!("the request for {what} is repeated after {seconds:.1} s: {}", failure.reason())
                    });
                    self.clock.wait(&self.cancel, wait)?;
                }
                Next::FreshToken | Next::GiveUp => return Err(self.surface(what, &failure, tries)),
            }
        }
    }
}

impl Authority {
    fn surface(&self, what: &str, failure: &Failure, tries: Tries) -> Error {
        let error = if self.proof == Proof::Platform { platform(self.origin.as_str(), what, failure) } else { None };
        let error = error.unwrap_or_else(|| surface(self.origin.as_str(), what, failure, self.proof));
        if tries.made() > 1 { error.with_cause(format!("tried {} times", tries.made())) } else { error }
    }
}

/// What is particular to the endpoint of a managed identity; everything else is as with the token service.
fn platform(endpoint: &str, what: &str, failure: &Failure) -> Option<Error> {
    let (kind, words, cause, http) = match failure {
        Failure::Broken(broken) if broken.retryable() => (
            Kind::Network,
            format!(
                "no managed identity endpoint answers at {endpoint}: if this machine is no Azure resource, choose Mode \
                 ClientCertificate; if it is one, switch on its identity in the Azure portal and let its firewall pass that \
                 address"
            ),
            broken.text.clone(),
            None,
        ),
        Failure::Refused(refusal) => {
            let words = match refusal.status {
                400 => {
                    "this Azure resource has no such identity: switch on its system-assigned identity in the Azure portal, \
                     under Identity, or assign the user-assigned one there and put its client id into ClientId"
                }
                401 | 403 => {
                    "the platform's endpoint refuses this process: IDENTITY_HEADER must be the one that the platform has \
                     set; restart the host"
                }
                404 | 410 => "the platform's endpoint has no identity to give yet: run again in some minutes",
                _ => return None,
            };
            (Kind::Auth, format!("{what} was refused: {words}"), refusal.cause(), Some(refusal.evidence.clone()))
        }
        _ => return None,
    };
    let error = Error::new(kind, format!("{words}: {cause}"));
    Some(match http {
        Some(http) => error.with_http(http),
        None => error,
    })
}

fn surface(authority: &str, what: &str, failure: &Failure, proof: Proof) -> Error {
    match failure {
        Failure::Broken(broken) => no_answer(authority, what, broken),
        Failure::Unreadable { why, evidence } => Error::new(
            Kind::Service,
            format!("the token service's answer to the request for {what} cannot be read: check AuthorityHost and Proxy: {why}"),
        )
        .with_http(evidence.clone()),
        Failure::Refused(refusal) => refused(what, refusal, proof),
    }
}

fn refused(what: &str, refusal: &Refusal, proof: Proof) -> Error {
    let cause = refusal.cause();
    let code = refusal.service.aadsts;
    let otherwise = format!("the token service refuses the application: check {}", proof.keys());
    let (kind, words) = match (refusal.status, code.and_then(|code| aadsts::hint(code, proof))) {
        (429, _) => (Kind::Throttled, "the token service throttles this application: run again later"),
        (_, Some(hint)) if code == Some(90055) => (Kind::Throttled, hint),
        (_, Some(hint)) => (Kind::Auth, hint),
        (500.., None) => (Kind::Service, "the token service is not available: run again later"),
        (_, None) if code.is_some_and(aadsts::transient) => {
            (Kind::Service, "the token service is not available: run again later")
        }
        (300..=399, None) => (
            Kind::Service,
            "the token service answered with a redirect, which is never followed: check AuthorityHost and Proxy",
        ),
        (404, None) if code.is_none() => (Kind::Auth, "there is no token service at this address: check AuthorityHost"),
        _ => (Kind::Auth, &*otherwise),
    };
    let mut error =
        Error::new(kind, format!("{what} was refused: {words}: {cause}")).with_http(refusal.evidence.clone());
    error.retry_after_ms = refusal.named_wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    error
}
