//! The way of every request to Graph, in this order: retry → gate → quota → token → request id → permit → transport.
//!
//! Retry is outside: a request repeated after a long wait passes the gate again and carries a token that is good then.
//! The gate is passed once more behind the quota, and whenever it closed while a token was fetched. The body of a
//! success is read inside as well, since a 200 with half a body is a failure like any other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, USER_AGENT};

use super::Unreadable;
use super::clock::{Clock, ServerClock};
use super::error::Error;
use super::failure::{Failure, Refusal, Signals};
use super::link::Link;
use super::permits::Permits;
use super::query::short;
use super::quota::Charge;
use super::request_id;
use super::retry::{Next, Policy, Tries};
use super::shared::Shared;
use super::token::{Bearer, Tokens};
use super::transport::{Accept, Broken, Fault, Outgoing, Reply, Transport};
use crate::cancel::Cancel;
use crate::counters::Counters;
use crate::error::{Error as Top, HttpEvidence, Kind};
use crate::log::{Level, Log};

/// How we introduce ourselves.
pub(crate) const AGENT: &str = concat!("EntraId-connector/", env!("CARGO_PKG_VERSION"));

/// A wait at a gate that another operation has closed is logged from here on.
const WORTH_A_LINE: Duration = Duration::from_secs(1);

/// What all requests of an operation share.
#[derive(Debug)]
pub(crate) struct Pipeline {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) tokens: Tokens,
    /// With other operations of the same application.
    pub(crate) shared: Arc<Shared>,
    /// Until when a closed gate is counted for this operation.
    pub(crate) gate_counted_until: Mutex<Option<Instant>>,
    pub(crate) permits: Permits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) server_clock: Arc<ServerClock>,
    pub(crate) policy: Policy,
    pub(crate) cancel: Cancel,
    pub(crate) counters: Counters,
    pub(crate) log: Log,
}

/// One request, however often it has to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) link: &'a Link,
    /// `ConsistencyLevel: eventual`; not part of links, so it goes with every page.
    pub(crate) advanced: bool,
    /// Makes it a POST, of JSON.
    pub(crate) body: Option<&'a [u8]>,
    /// How many reads it is to Graph: one, or the items of a batch, whose answers each say what they were charged.
    pub(crate) reads: u32,
}

/// A request that went out once, and what came of it.
#[derive(Debug)]
pub(crate) struct Sent {
    outcome: Result<Reply, Broken>,
    client_request_id: String,
    bearer: Bearer,
    started: Instant,
}

/// A success, about to be read.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) reply: &'a Reply,
    /// Graph's own id, checked.
    pub(crate) request_id: Option<&'a str>,
    pub(crate) client_request_id: &'a str,
    pub(crate) bearer: &'a Bearer,
    /// When it was asked for.
    pub(crate) sent: Instant,
}

impl Pipeline {
    /// Sends until `read` has read an answer, or gives up. `begun`: the first try was made already.
    pub(crate) fn run<R>(
        &self,
        call: &Call<'_>,
        begun: Option<Sent>,
        read: impl FnMut(&Received<'_>) -> Result<R, Unreadable>,
    ) -> Result<R, Error> {
        self.run_within(call, begun, &mut Tries::default(), read)
    }

    /// As [`Pipeline::run`], for a request that has failed before: what is left of its tries.
    pub(crate) fn run_within<R>(
        &self,
        call: &Call<'_>,
        mut begun: Option<Sent>,
        tries: &mut Tries,
        mut read: impl FnMut(&Received<'_>) -> Result<R, Unreadable>,
    ) -> Result<R, Error> {
        let mut repeats = false;
        loop {
            let sent = if let Some(sent) = begun.take() {
                sent
            } else {
                let bearer = self.admit(call.reads)?;
                if repeats {
                    self.counters.retry();
                }
                self.send(call, bearer, Accept::Page)?
            };
            repeats = true;
            let mut failure = match self.receive(&sent, &mut read) {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            // The body goes now: the waits below may be long, and other answers wait for its memory.
            let Sent { bearer, started, .. } = sent;
            failure.hide(bearer.token());
            let next = tries.after(&failure, &self.policy);
            self.note(call, &failure, next);
            match next {
                Next::GiveUp => return Err(Error::surface(call.link, &failure, *tries)),
                Next::FreshToken => self.tokens.refused(&bearer, failure.claims()),
                Next::Wait { wait, shared } => {
                    self.cancel.check()?;
                    if wants_new_connection(&failure) {
                        self.transport.reconnect(started);
                    }
                    self.pause(wait, shared)?;
                }
            }
        }
    }

    /// Waits for an open gate and for the quota, then for an open gate and a token at once.
    fn admit(&self, reads: u32) -> Result<Bearer, Top> {
        let Shared { gate, quota } = &*self.shared;
        self.pass_gate()?;
        self.counters.throttled_for(quota.admit(reads, &*self.clock, &self.cancel)?);
        loop {
            self.pass_gate()?;
            let bearer = self.tokens.get(&*self.clock, &self.log)?;
            if gate.closed_for(&*self.clock).is_zero() {
                return Ok(bearer);
            }
        }
    }

    /// Waits for an open gate. Another operation may have closed it: such a wait is logged and counted here as well,
    /// and an operation that makes no retries does not wait.
    fn pass_gate(&self) -> Result<(), Top> {
        self.shared.gate.pass(&*self.clock, &self.cancel, |now, opens| {
            let wait = opens - now;
            if self.policy.max_retries == 0 {
                return Err(refused_at_gate(wait));
            }
            let longer = self.count_gate(&mut self.gate_counted_until(), now, opens);
            if longer >= WORTH_A_LINE {
                self.log.write(Level::Warn, || {
                    format!(
                        "Graph asked another operation of this application to wait: no request goes out for {:.1} s",
                        wait.as_secs_f64()
                    )
                });
            }
            Ok(())
        })
    }

    /// Counts a closed gate for this operation, once however many workers wait; returns what was not counted before.
    fn count_gate(&self, until: &mut Option<Instant>, now: Instant, opens: Instant) -> Duration {
        let longer = opens.saturating_duration_since(until.map_or(now, |before| before.max(now)));
        if !longer.is_zero() {
            *until = Some(opens);
            self.counters.throttled_for(longer);
        }
        longer
    }

    fn gate_counted_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.gate_counted_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the first attempt of a prefetched request. It waits only for pacing, and returns `None` if the gate is
    /// closed or no token is cached; [`Pipeline::run`] then makes the first attempt.
    pub(crate) fn ahead(&self, call: &Call<'_>) -> Option<Sent> {
        let Shared { gate, quota } = &*self.shared;
        let open = || gate.closed_for(&*self.clock).is_zero();
        // Before it takes a place at the quota, which a request that is not sent would keep from others.
        let bearer = self.tokens.at_hand(&*self.clock).filter(|_| open())?;
        self.counters.throttled_for(quota.admit(call.reads, &*self.clock, &self.cancel).ok()?);
        let sent = if open() { self.send(call, bearer, Accept::PageAhead).ok()? } else { return None };
        let no_room = sent.outcome.as_ref().is_err_and(|broken| broken.fault == Fault::NoRoom);
        (!no_room).then_some(sent)
    }

    /// One request goes out, once.
    fn send(&self, call: &Call<'_>, bearer: Bearer, accept: Accept) -> Result<Sent, Top> {
        self.cancel.check()?;
        let client_request_id = request_id::fresh();
        let outgoing = Outgoing {
            url: call.link.as_str(),
            headers: headers(call, &bearer, &client_request_id)?,
            body: call.body.map(<[u8]>::to_vec),
            accept,
        };
        let permit = self.permits.take(&self.cancel)?;
        let started = self.clock.now();
        self.counters.request();
        let outcome = self.transport.send(outgoing, &self.cancel);
        drop(permit);
        if let Ok(reply) = &outcome {
            self.learn(call, reply, &bearer, started);
        }
        Ok(Sent { outcome, client_request_id, bearer, started })
    }

    /// What an answer says beside its body.
    fn learn(&self, call: &Call<'_>, reply: &Reply, bearer: &Bearer, started: Instant) {
        self.counters.received(reply.body.len() as u64);
        let signals = Signals::of(reply, bearer.token());
        self.server_clock.note(signals.date, &*self.clock);
        self.log.write(Level::Debug, || self.line(call, reply, &signals, started));
        self.permits.answered(self.clock.now(), call.reads);
        if call.body.is_none() || reply.status == 429 {
            let mut charge = Charge::default();
            charge.add(reply.status, call.reads, |name| reply.header(name));
            self.charged(started, charge);
        }
    }

    /// Reads what came, if it is a success.
    fn receive<R>(
        &self,
        sent: &Sent,
        read: &mut impl FnMut(&Received<'_>) -> Result<R, Unreadable>,
    ) -> Result<R, Failure> {
        let Sent { client_request_id: id, bearer, started, .. } = sent;
        let reply = sent.outcome.as_ref().map_err(|broken| Failure::Broken(broken.clone()))?;
        let signals = Signals::of(reply, bearer.token());
        if !(200..300).contains(&reply.status) {
            return Err(Refusal::new(reply.status, &signals, &reply.body, id, self.date()).into());
        }
        let request_id = signals.request_id;
        read(&Received { reply, request_id, client_request_id: id, bearer, sent: *started }).map_err(
            |Unreadable(why)| Failure::Unreadable {
                why,
                evidence: HttpEvidence {
                    status: reply.status,
                    code: None,
                    request_id: request_id.map(str::to_owned),
                    client_request_id: Some(id.clone()),
                },
            },
        )
    }

    /// Waits; a shared wait closes the gate for all workers and is over when it opens.
    pub(crate) fn pause(&self, wait: Duration, shared: bool) -> Result<(), Top> {
        if shared {
            // Held over both, or a worker that sees the gate closed would take it for another operation's wait.
            let mut until = self.gate_counted_until();
            let closed = self.shared.gate.close(&*self.clock, wait);
            self.count_gate(&mut until, closed.at, closed.opens);
            drop(until);
            if !closed.later.is_zero() {
                self.permits.refused();
            }
            self.cancel.check()
        } else {
            self.clock.wait(&self.cancel, wait)
        }
    }

    /// What answers to something sent at `sent` were charged.
    pub(crate) fn charged(&self, sent: Instant, charge: Charge) {
        self.shared.quota.answered(sent, &*self.clock, charge);
    }

    pub(crate) fn date(&self) -> SystemTime {
        self.clock.date()
    }

    /// The time by the servers' clock.
    pub(crate) fn server_now(&self) -> SystemTime {
        self.server_clock.now(&*self.clock)
    }

    fn line(&self, call: &Call<'_>, reply: &Reply, signals: &Signals<'_>, started: Instant) -> String {
        format!(
            "{} {} {} in {} ms, {} bytes, request-id {}",
            if call.body.is_some() { "POST" } else { "GET" },
            short(call.link.as_str()),
            reply.status,
            self.clock.now().saturating_duration_since(started).as_millis(),
            reply.body.len(),
            signals.request_id.unwrap_or("-"),
        )
    }

    fn note(&self, call: &Call<'_>, failure: &Failure, next: Next) {
        let what = || short(call.link.as_str());
        match next {
            Next::Wait { wait, .. } => self.log.write(Level::Warn, || {
                format!("{} is repeated after {:.1} s: {}", what(), wait.as_secs_f64(), failure.reason())
            }),
            Next::FreshToken => self
                .log
                .write(Level::Warn, || format!("{} is repeated with a fresh token: {}", what(), failure.reason())),
            // The caller decides whether that is worth a line: a 404 often is not.
            Next::GiveUp => self.log.write(Level::Debug, || format!("{} failed: {}", what(), failure.reason())),
        }
    }
}

/// After a 503 Graph asks for one (`concepts/errors.md`); after a silence the old connection may be dead without
/// knowing.
fn wants_new_connection(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(refusal) => refusal.status == 503,
        Failure::Broken(broken) => broken.fault == Fault::Timeout,
        Failure::Unreadable { .. } => false,
    }
}

fn headers(call: &Call<'_>, bearer: &Bearer, id: &str) -> Result<HeaderMap, Top> {
    let mut token = HeaderValue::from_str(&bearer.header).map_err(|_| {
        Top::new(Kind::Auth, "the token service gave a token that no header can hold: check AuthorityHost")
    })?;
    token.set_sensitive(true);
    let mut headers = HeaderMap::with_capacity(6);
    headers.insert(AUTHORIZATION, token);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("client-request-id", id);
    }
    if call.advanced {
        headers.insert("consistencylevel", HeaderValue::from_static("eventual"));
    }
    if call.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(headers)
}

/// The error of an operation that waits for nothing, at a gate that another one closed.
fn refused_at_gate(wait: Duration) -> Top {
    let mut error = Top::new(
        Kind::Throttled,
        format!(
            "Graph asked another operation of this application to wait, {:.0} s are left, and MaxRetries 0 allows no wait: \
             run again later",
            wait.as_secs_f64().ceil()
        ),
    );
    error.retry_after_ms = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
    error
}
