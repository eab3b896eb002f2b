//! `$batch`: up to twenty reads in one request (`concepts/json-batching.md`).
//!
//! A 200 outside says nothing about the items: each has its own status, its own Retry-After, and they come in any
//! order. Microsoft's SDKs do not repeat failed items; here only those go into a new batch, after the longest wait
//! among them. A batch saves round trips, not quota: every item is charged as if it came alone.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::batch_answer::{Answers, ItemAnswer};
use super::claims::challenge;
use super::error::Error;
use super::failure::{Failure, Refusal, Signals};
use super::link::Link;
use super::pipeline::{Call, Pipeline, Received};
use super::query::short;
use super::quota::Charge;
use super::request_id;
use super::retry::{Next, Tries};
use super::token::Bearer;
use super::{Answer, Get, Unreadable};
use crate::error::{Error as Top, HttpEvidence, Kind};
use crate::log::Level;

/// Items of one batch at most; one more and Graph refuses the whole.
pub const LARGEST: usize = 20;

#[derive(Serialize)]
struct Envelope<'a> {
    requests: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    method: &'static str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<Headers>,
}

/// The outer header does not reach the items.
#[derive(Serialize)]
struct Headers {
    #[serde(rename = "ConsistencyLevel")]
    consistency_level: &'static str,
}

/// What became of one round of a batch.
struct Round<R> {
    outcomes: Vec<Result<R, Failure>>,
    bearer: Bearer,
}

/// Sends at most twenty requests together until each is answered or given up.
pub(crate) fn run<R>(
    pipeline: &Pipeline,
    batch: &Link,
    requests: &[Get],
    mut read: impl FnMut(usize, &Answer<'_>) -> Result<R, Unreadable>,
) -> Result<Vec<Result<R, Error>>, Error> {
    let mut done: Vec<Option<Result<R, Error>>> = requests.iter().map(|_| None).collect();
    let mut tries = vec![Tries::default(); requests.len()];
    // A batch that fails as a whole has failed for each of its items, so it has the tries that the items have left.
    let mut whole = Tries::default();
    loop {
        let open: Vec<usize> = (0..requests.len()).filter(|index| done[*index].is_none()).collect();
        if open.is_empty() {
            return Ok(done.into_iter().flatten().collect());
        }
        open.iter().filter(|index| tries[**index].made() > 0).for_each(|_| pipeline.counters.retry());
        let body = compose(requests, &open)?;
        let call = Call { link: batch, advanced: false, body: Some(&body), reads: open.len() as u32 };
        let round = pipeline.run_within(&call, None, &mut whole, |received| {
            let (round, charge) = open_round(received, &open, pipeline.date(), &mut read)?;
            pipeline.charged(received.sent, charge);
            Ok(round)
        })?;
        let mut pause = Pause::default();
        for (index, outcome) in open.into_iter().zip(round.outcomes) {
            match outcome {
                Ok(result) => done[index] = Some(Ok(result)),
                Err(failure) => match again(&mut tries[index], &whole, &failure, pipeline) {
                    Next::GiveUp => {
                        pipeline.log.write(Level::Debug, || {
                            let what = short(requests[index].link.as_str());
                            format!("{what} failed in a batch: {}", failure.reason())
                        });
                        done[index] = Some(Err(Error::surface(&requests[index].link, &failure, tries[index])));
                    }
                    next => pause.add(next, &failure),
                },
            }
        }
        tries.iter().zip(&done).filter(|(_, done)| done.is_none()).for_each(|(item, _)| whole.share(item));
        pause.take(pipeline, &round.bearer)?;
    }
}

fn again(item: &mut Tries, whole: &Tries, failure: &Failure, pipeline: &Pipeline) -> Next {
    item.share(whole);
    item.after(failure, &pipeline.policy)
}

fn compose(requests: &[Get], open: &[usize]) -> Result<Vec<u8>, Top> {
    let requests = open.iter().enumerate().map(|(place, index)| {
        let get = &requests[*index];
        let headers = get.advanced.then_some(Headers { consistency_level: "eventual" });
        Item { id: (place + 1).to_string(), method: "GET", url: get.link.relative(), headers }
    });
    serde_json::to_vec(&Envelope { requests: requests.collect() })
        .map_err(|error| Top::new(Kind::Internal, format!("a batch could not be written: {error}")))
}

/// Sorts the answers to their requests and reads the successes.
fn open_round<R>(
    received: &Received<'_>,
    open: &[usize],
    now: SystemTime,
    read: &mut impl FnMut(usize, &Answer<'_>) -> Result<R, Unreadable>,
) -> Result<(Round<R>, Charge), Unreadable> {
    let mut charge = Charge::default();
    let answers: Answers<'_> = serde_json::from_slice(&received.reply.body)
        .map_err(|error| Unreadable(format!("not the answer to a batch: {error}")))?;
    let mut outcomes: Vec<Option<Result<R, Failure>>> = open.iter().map(|_| None).collect();
    for item in &answers.responses.0 {
        // An answer to nothing we asked, or a second one, is left alone.
        let Some(place) = item.place(open.len()).filter(|place| outcomes[*place].is_none()) else { continue };
        let Some(status) = item.status() else { continue };
        charge.add(status, 1, |name| item.header(name));
        let mut outcome = judge(received, item, status, now, |answer| read(open[place], answer));
        if let Err(failure) = &mut outcome {
            failure.hide(received.bearer.token());
        }
        outcomes[place] = Some(outcome);
    }
    let missing = || {
        Err(Failure::Unreadable {
            why: "the batch was answered without this item".to_owned(),
            evidence: evidence(received, received.reply.status, None),
        })
    };
    let outcomes = outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(missing)).collect();
    Ok((Round { outcomes, bearer: received.bearer.clone() }, charge))
}

fn judge<R>(
    received: &Received<'_>,
    item: &ItemAnswer<'_>,
    status: u16,
    now: SystemTime,
    read: impl FnOnce(&Answer<'_>) -> Result<R, Unreadable>,
) -> Result<R, Failure> {
    let body = item.body.map_or(&b""[..], |body| body.get().as_bytes());
    let date = received.reply.date();
    let token = received.bearer.token();
    let own_id = item.header("request-id").and_then(request_id::accepted).filter(|id| !request_id::repeats(id, token));
    let request_id = own_id.or(received.request_id);
    if (200..300).contains(&status) {
        let answer = Answer { body, date, request_id, status, client_request_id: received.client_request_id };
        return read(&answer)
            .map_err(|Unreadable(why)| Failure::Unreadable { why, evidence: evidence(received, status, request_id) });
    }
    let signals = Signals {
        retry_after: item.header("retry-after"),
        // The inner error's id is the item's own; the outer one would be the batch's.
        request_id: own_id,
        challenge: challenge(item.header("www-authenticate")),
        date,
    };
    let mut refusal = Refusal::new(status, &signals, body, received.client_request_id, now);
    refusal.evidence.request_id = refusal.evidence.request_id.or_else(|| request_id.map(str::to_owned));
    Err(refusal.into())
}

fn evidence(received: &Received<'_>, status: u16, request_id: Option<&str>) -> HttpEvidence {
    HttpEvidence {
        status,
        code: None,
        request_id: request_id.or(received.request_id).map(str::to_owned),
        client_request_id: Some(received.client_request_id.to_owned()),
    }
}

/// What has to happen before the failed items of a round go out again.
#[derive(Default)]
struct Pause {
    items: usize,
    shared: Option<Duration>,
    own: Duration,
    fresh_token: bool,
    claims: Option<String>,
    reason: String,
}

impl Pause {
    fn add(&mut self, next: Next, failure: &Failure) {
        self.items += 1;
        match next {
            Next::Wait { wait, shared: true } => self.shared = self.shared.max(Some(wait)),
            Next::Wait { wait, shared: false } => self.own = self.own.max(wait),
            Next::FreshToken | Next::GiveUp => self.fresh_token = true,
        }
        if self.claims.is_none() {
            self.claims = failure.claims().map(str::to_owned);
        }
        if self.reason.is_empty() {
            self.reason = failure.reason();
        }
    }

    fn take(self, pipeline: &Pipeline, bearer: &Bearer) -> Result<(), Top> {
        if self.items == 0 {
            return Ok(());
        }
        let wait = self.own.max(self.shared.unwrap_or_default()).as_secs_f64();
        pipeline.log.write(Level::Warn, || {
            format!(
                "{} items of a batch are repeated after {wait:.1} s, the first because of: {}",
                self.items, self.reason
            )
        });
        if self.fresh_token {
            pipeline.tokens.refused(bearer, self.claims.as_deref());
        }
        if let Some(wait) = self.shared {
            pipeline.pause(wait, true)?;
        }
        if self.own.is_zero() { Ok(()) } else { pipeline.pause(self.own, false) }
    }
}
