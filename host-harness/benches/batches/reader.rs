//! A client that reads the members of groups in either form: twenty to a `$batch`, or each by itself.
//!
//! Both forms go the same way: the same client, threads, queue, parsing and waiting; only what a thread takes at a time
//! differs. That is what the two are compared by. The client is the connector's: reqwest, blocking, gzip, rustls with
//! ring.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::blocking::{Client, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::measured::Measured;

/// How members are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Batch,
    Single,
}

impl Form {
    /// Groups that one request asks for.
    fn at_once(self) -> usize {
        if self == Form::Batch { 20 } else { 1 }
    }
}

/// What reading came to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) members: u64,
    pub(crate) requests: u64,
    /// Answers, or items of answers, that were 429.
    pub(crate) refused: u64,
    pub(crate) units: u64,
}

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    value: Vec<Row<'a>>,
    #[serde(rename = "@odata.nextLink", borrow)]
    next: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    responses: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    id: &'a str,
    status: u16,
    #[serde(borrow)]
    headers: HashMap<&'a str, Cow<'a, str>>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

/// Pages still to be read, and what was read.
#[derive(Default)]
struct State {
    waiting: VecDeque<String>,
    in_hand: usize,
    not_before: Option<Instant>,
    failed: bool,
    tally: Tally,
}

/// A signed-in client.
pub(crate) struct Reader {
    client: Client,
    origin: String,
    token: String,
}

impl Reader {
    pub(crate) fn sign_in(measured: &Measured) -> Result<Reader> {
        // An error only says that a choice was made before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let authority = reqwest::Certificate::from_pem(&std::fs::read(measured.folder.path().join("ca.pem"))?)?;
        let client =
            Client::builder().tls_certs_only([authority]).no_proxy().timeout(Duration::from_secs(60)).build()?;
        let (origin, tenant) = (measured.process.origin().to_owned(), measured.process.tenant()?);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &tenant.client_id)
            .append_pair("client_secret", &tenant.client_secret)
            .append_pair("scope", "https://graph.microsoft.com/.default");
        let answer = client.post(format!("{origin}/{}/oauth2/v2.0/token", tenant.id)).body(form.finish()).send()?;
        let answer: Value = serde_json::from_slice(&answer.bytes()?)?;
        let token = answer["access_token"].as_str().context("no token")?.to_owned();
        Ok(Reader { client, origin, token })
    }

    /// What the simulator says about itself.
    pub(crate) fn info(&self) -> Result<Value> {
        let answer = self.client.get(format!("{}/_simulator/info", self.origin)).send()?;
        Ok(serde_json::from_slice(&answer.bytes()?)?)
    }

    /// The first page of every group's members.
    pub(crate) fn groups(&self) -> Result<Vec<String>> {
        let mut pages = Vec::new();
        let mut next = Some("/groups?$select=id&$top=999".to_owned());
        while let Some(link) = next {
            let answer = self.get(&link)?;
            ensure!(answer.version() == reqwest::Version::HTTP_2, "{:?} instead of HTTP/2", answer.version());
            let bytes = answer.bytes()?;
            let page: Page<'_> = serde_json::from_slice(&bytes)?;
            let first = |row: &Row<'_>| format!("/groups/{}/members?$select=id&$top=999&$count=true", row.id);
            pages.extend(page.value.iter().map(first));
            next = page.next.map(|link| self.relative(&link));
        }
        Ok(pages)
    }

    /// Reads all members, with so many requests under way.
    pub(crate) fn members(&self, form: Form, in_flight: usize, pages: Vec<String>) -> Result<Tally> {
        let state = Mutex::new(State { waiting: pages.into(), ..State::default() });
        let changed = Condvar::new();
        let work = || {
            let done = self.work(form, &state, &changed);
            held(&state).failed |= done.is_err();
            changed.notify_all();
            done
        };
        std::thread::scope(|threads| {
            let readers: Vec<_> = (0..in_flight).map(|_| threads.spawn(work)).collect();
            readers.into_iter().try_for_each(|reader| reader.join().ok().context("a reader panicked")?)
        })?;
        let tally = held(&state).tally;
        Ok(tally)
    }

    fn work(&self, form: Form, state: &Mutex<State>, changed: &Condvar) -> Result<()> {
        loop {
            let mut now = held(state);
            while now.waiting.is_empty() && now.in_hand > 0 && !now.failed {
                now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
            }
            if now.waiting.is_empty() || now.failed {
                return Ok(());
            }
            if let Some(wait) = now.not_before.and_then(|until| until.checked_duration_since(Instant::now())) {
                drop(now);
                std::thread::sleep(wait);
                continue;
            }
            let take = now.waiting.len().min(form.at_once());
            let pages: Vec<String> = now.waiting.drain(..take).collect();
            now.in_hand += take;
            drop(now);
            let read = match form {
                Form::Batch => self.batch(&pages),
                Form::Single => self.single(&pages[0]),
            }?;
            let mut now = held(state);
            now.in_hand -= take;
            now.waiting.extend(read.again);
            now.not_before = now.not_before.max(read.wait.map(|wait| Instant::now() + wait));
            now.tally.members += read.tally.members;
            now.tally.requests += 1;
            now.tally.refused += read.tally.refused;
            now.tally.units += read.tally.units;
            drop(now);
            changed.notify_all();
        }
    }

    fn single(&self, page: &str) -> Result<Read> {
        let answer = self.get(page)?;
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (units, wait) = (header("x-ms-resource-unit"), header("retry-after"));
        let mut read = Read::default();
        read.take(self, page, status, units.as_deref(), wait.as_deref(), &answer.bytes()?)?;
        Ok(read)
    }

    fn batch(&self, pages: &[String]) -> Result<Read> {
        let item = |(at, page): (usize, &String)| json!({"id": at.to_string(), "method": "GET", "url": page, "headers": {"ConsistencyLevel": "eventual"}});
        let items: Vec<_> = pages.iter().enumerate().map(item).collect();
        let request = self.client.post(format!("{}/v1.0/$batch", self.origin)).bearer_auth(&self.token);
        let request = request.header("content-type", "application/json").body(json!({"requests": items}).to_string());
        let bytes = request.send()?.error_for_status()?.bytes()?;
        let envelope: Envelope<'_> = serde_json::from_slice(&bytes)?;
        ensure!(envelope.responses.len() == pages.len(), "the batch was answered in part");
        let mut read = Read::default();
        for answer in &envelope.responses {
            let header = |name: &str| answer.headers.get(name).map(|value| &**value);
            let (units, wait) = (header("x-ms-resource-unit"), header("Retry-After"));
            let body = answer.body.map_or(&b""[..], |body| body.get().as_bytes());
            read.take(self, &pages[answer.id.parse::<usize>()?], answer.status, units, wait, body)?;
        }
        Ok(read)
    }

    fn get(&self, page: &str) -> reqwest::Result<Response> {
        let request = self.client.get(format!("{}/v1.0{page}", self.origin)).bearer_auth(&self.token);
        request.header("consistencylevel", "eventual").send()
    }

    fn relative(&self, link: &str) -> String {
        link.strip_prefix(&self.origin).and_then(|link| link.strip_prefix("/v1.0")).unwrap_or(link).to_owned()
    }
}

/// What one request brought.
#[derive(Default)]
struct Read {
    tally: Tally,
    again: Vec<String>,
    wait: Option<Duration>,
}

impl Read {
    fn take(
        &mut self,
        reader: &Reader,
        page: &str,
        status: u16,
        units: Option<&str>,
        wait: Option<&str>,
        body: &[u8],
    ) -> Result<()> {
        self.tally.units += units.and_then(|units| units.parse::<u64>().ok()).unwrap_or(0);
        if status == 429 {
            let seconds = wait.and_then(|wait| wait.parse().ok()).context("a 429 without a wait")?;
            self.wait = self.wait.max(Some(Duration::from_secs_f64(seconds)));
            self.again.push(page.to_owned());
            self.tally.refused += 1;
            return Ok(());
        }
        ensure!(status == 200, "{status} for {page}");
        let read: Page<'_> = serde_json::from_slice(body)?;
        self.tally.members += read.value.iter().filter(|row| !row.id.is_empty()).count() as u64;
        self.again.extend(read.next.map(|link| reader.relative(&link)));
        Ok(())
    }
}

fn held(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
