//! The layer's door for fuzz targets: a [`Graph`] whose answers a closure makes up, and the private parts they aim at.
//!
//! Not part of anything shipped. Time stands still but for the waits, which are over at once and remembered.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::transport::{Broken, Outgoing, Reply};
use super::{
    Arc, Auth, Cancel, Clock, Connection, Counters, Duration, Error, Graph, Link, Log, Origin, Shared, SystemTime, Top,
    Transport, retry_after,
};
use crate::config::Secret;
use crate::log::Level;

/// The time at which every input runs.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// A status, headers, a body.
pub(crate) type Made = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// [`Graph::follow`] without a Graph.
pub(crate) fn follow(origin: &str, link: &str) -> Result<Link, Error> {
    Origin::parse(origin, "GraphEndpoint")?.follow(link)
}

/// What a batch item is addressed by.
pub(crate) fn relative(link: &Link) -> &str {
    link.relative()
}

/// `Retry-After`, read.
pub(crate) fn retry_after(value: &str, answered: Option<SystemTime>) -> Option<Duration> {
    retry_after::parse(value, answered, now())
}

/// A Graph at `https://graph.microsoft.com` that `answer` speaks for; tokens it gets by itself.
pub(crate) fn graph(
    max_retries: u32,
    answer: impl FnMut(&str, Option<&[u8]>) -> Made + Send + 'static,
) -> (Graph, Arc<StillClock>) {
    let connection = Connection {
        origin: "https://graph.microsoft.com".to_owned(),
        authority: "https://login.microsoftonline.com".to_owned(),
        scope: "https://graph.microsoft.com/.default".to_owned(),
        tenant: "contoso.onmicrosoft.com".to_owned(),
        auth: Auth::ClientSecret {
            client_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            client_secret: Secret::new("x".to_owned()),
        },
        proxy: None,
        ca_pem: None,
        max_retries,
        retry_base: Duration::from_secs(5),
        max_concurrency: 1,
    };
    let clock = Arc::new(StillClock { start: Instant::now(), waits: Mutex::default() });
    let origin = |text: &str| Origin::parse(text, "an origin").unwrap_or_else(|error| unreachable!("{error}"));
    let invented: Arc<dyn Transport> = Arc::new(Invented { answer: Mutex::new(answer) });
    let graph = Graph::over(
        Arc::clone(&invented),
        invented,
        clock.clone(),
        Shared::new(&*clock),
        origin(&connection.origin),
        origin(&connection.authority),
        connection,
        Cancel::new(),
        Counters::new(),
        Log::new(Level::Debug),
    );
    (graph.unwrap_or_else(|error| unreachable!("{error}")), clock)
}

/// Answers from a closure.
struct Invented<F> {
    answer: Mutex<F>,
}

impl<F> fmt::Debug for Invented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invented")
    }
}

impl<F: FnMut(&str, Option<&[u8]>) -> Made + Send> Transport for Invented<F> {
    fn send(&self, outgoing: Outgoing<'_>, _: &Cancel) -> Result<Reply, Broken> {
        if outgoing.url.ends_with("/token") {
            let body = br#"{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"t"}"#;
            return Ok(Reply { status: 200, headers: HeaderMap::new(), body: body.to_vec(), share: None });
        }
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, made, body) = answer(outgoing.url, outgoing.body.as_deref());
        let mut headers = HeaderMap::new();
        for (name, value) in made {
            // What no HTTP stack would have let through is left out.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        Ok(Reply { status, headers, body, share: None })
    }

    fn reconnect(&self, _: Instant) {}
}

/// A clock on which only waits pass.
#[derive(Debug)]
pub(crate) struct StillClock {
    start: Instant,
    waits: Mutex<Vec<Duration>>,
}

impl StillClock {
    /// Every wait, oldest first.
    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Clock for StillClock {
    fn now(&self) -> Instant {
        self.start + self.waits().iter().sum::<Duration>()
    }

    fn date(&self) -> SystemTime {
        now()
    }

    fn wait(&self, cancel: &Cancel, duration: Duration) -> Result<(), Top> {
        cancel.check()?;
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).push(duration);
        Ok(())
    }
}
