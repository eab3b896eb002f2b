//! Microsoft Graph as a protocol: how to ask, wait, repeat, follow links and fail. It knows no object type.
//!
//! ```text
//! pipeline    the way of every request: retry → gate → quota → token → request id → permit → transport
//! retry       what is repeated and after how long        retry_after  gate  clock
//! quota       the pace that Graph's answers teach        permits  window  shared
//! room        the memory that answers take together
//! token       one token for all workers                  credential (azure_identity)  authority  aadsts  claims
//!                                                        token_claims
//! batch       twenty reads in one request                tenant  link  query  seen
//! transport   the wire as a trait; `wire` is reqwest      failure  service_error  reason  error
//! ```
//!
//! Do not read a status code above this layer, and do not change a link from Graph. Every decision is in [`Reason`],
//! and links are followed byte for byte after a check that they lead to the configured origin.

mod aadsts;
mod authority;
mod batch;
mod batch_answer;
mod claims;
mod clock;
mod credential;
mod error;
mod failure;
mod gate;
mod link;
mod permits;
mod pipeline;
mod query;
mod quota;
mod reason;
mod request_id;
mod retry;
mod retry_after;
mod room;
mod seen;
mod service_error;
mod shared;
mod tenant;
mod token;
mod token_claims;
mod transport;
mod window;
mod wire;

#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use transport::{Broken, Outgoing, Reply, Transport, scripted::reply};

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use authority::Authority;
use clock::{Clock, ServerClock, SystemClock};
use credential::Prepared;
pub(crate) use link::Origin;
use permits::Permits;
use pipeline::{Call, Pipeline, Sent};
use retry::Policy;
use shared::Shared;
use tenant::Directory;
use token::Tokens;
use token_claims::{directory_of, has_role};
#[cfg(not(test))]
use transport::Transport;

use crate::cancel::Cancel;
use crate::config::{Auth, Secret};
use crate::counters::Counters;
use crate::error::{Error as Top, HttpEvidence};
use crate::log::Log;

pub use crate::percent::query_value;
pub use batch::LARGEST as LARGEST_BATCH;
pub use error::Error;
pub use link::Link;
pub use query::short;
pub use reason::{Reason, refusal_of};
pub use seen::SeenLinks;

/// Where Graph is and who asks. From the configuration, which has checked it.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
pub struct Connection {
    /// Graph's origin: `https://graph.microsoft.com`.
    pub origin: String,
    /// The token service's origin: `https://login.microsoftonline.com`.
    pub authority: String,
    /// `https://graph.microsoft.com/.default`.
    pub scope: String,
    /// A directory GUID or a verified domain.
    pub tenant: String,
    /// Who asks, and how it proves that.
    pub auth: Auth,
    /// Takes the place of the system's proxy settings.
    pub proxy: Option<String>,
    /// Certificates trusted besides the system's, in PEM form.
    pub ca_pem: Option<Vec<u8>>,
    /// Repeats of one request at most.
    pub max_retries: u32,
    /// Wait per attempt where the answer names none.
    pub retry_base: Duration,
    /// Requests under way at once, at most.
    pub max_concurrency: usize,
}

/// Graph, for all worker threads of one operation. Clones share connections, token, gate and counters. The last clone
/// must not be dropped inside an async runtime.
#[derive(Clone)]
pub struct Graph {
    inner: Arc<Inner>,
}

struct Inner {
    origin: Origin,
    directory: Arc<Directory>,
    /// The platform chooses the directory of a token, not the configuration.
    by_platform: bool,
    /// An answer of Graph was read.
    has_read: AtomicBool,
    credential_expiry: Option<SystemTime>,
    pipeline: Pipeline,
}

/// How it is known which directory a token was issued for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issued {
    /// The token service was asked at the directory's own address.
    ByDirectory,
    /// The platform issued it, and its claims name the configured directory.
    ForDirectory,
    /// The platform issued it, and its claims cannot be read.
    Unread,
}

/// One read.
#[derive(Debug, Clone)]
pub struct Get {
    /// What.
    pub link: Link,
    /// With `ConsistencyLevel: eventual`: advanced queries need it on every page.
    pub advanced: bool,
}

impl Get {
    fn call(&self) -> Call<'_> {
        Call { link: &self.link, advanced: self.advanced, body: None, reads: 1 }
    }
}

/// A read that was sent; see [`Graph::begin`].
#[derive(Debug)]
pub struct Begun(Sent);

/// A success, lent to whoever reads it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// JSON as it came.
    pub body: &'a [u8],
    /// Graph's clock.
    pub date: Option<SystemTime>,
    /// What Microsoft's support asks for.
    pub request_id: Option<&'a str>,
    status: u16,
    client_request_id: &'a str,
}

impl Answer<'_> {
    /// For an error about what the answer says: a success can still hold a link that must not be followed.
    pub fn evidence(&self) -> HttpEvidence {
        HttpEvidence {
            status: self.status,
            code: None,
            request_id: self.request_id.map(str::to_owned),
            client_request_id: Some(self.client_request_id.to_owned()),
        }
    }
}

/// The body of a success cannot be read, and why. The request is repeated like a 503; the reader is called again with
/// the next answer and must start afresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl Graph {
    /// Builds the clients, and reads certificate and key where there are any. No network.
    pub fn connect(connection: Connection, cancel: Cancel, counters: Counters, log: Log) -> Result<Graph, Top> {
        let origin = Origin::parse(&connection.origin, "GraphEndpoint")?;
        let authority = Origin::parse(&connection.authority, "AuthorityHost")?;
        let wire: Arc<dyn Transport> = Arc::new(wire::Wire::new(wire::Settings {
            proxy: connection.proxy.clone(),
            ca_pem: connection.ca_pem.clone(),
            home: origin.loopback() || authority.loopback(),
            away: !(origin.loopback() && authority.loopback()),
            plain: origin.plain() && authority.plain(),
            near: false,
        })?);
        let local = match connection.auth {
            Auth::ManagedIdentity { .. } => {
                Arc::new(wire::Wire::new(wire::Settings::of_platform(&credential::identity_endpoint()))?)
            }
            _ => Arc::clone(&wire),
        };
        let application = connection.auth.application().unwrap_or_default().to_owned();
        let asker = (origin.as_str().to_owned(), connection.tenant.clone(), application);
        let shared = Shared::with_others(asker, &SystemClock);
        Graph::over(wire, local, Arc::new(SystemClock), shared, origin, authority, connection, cancel, counters, log)
    }

    /// As [`Graph::connect`], over a test's transport.
    #[cfg(test)]
    pub(crate) fn through(
        transport: Arc<dyn Transport>,
        connection: Connection,
        cancel: Cancel,
        counters: Counters,
        log: Log,
    ) -> Graph {
        let origins = [(&connection.origin, "GraphEndpoint"), (&connection.authority, "AuthorityHost")];
        let [origin, authority] = origins.map(|(origin, name)| Origin::parse(origin, name).unwrap());
        let local = Arc::clone(&transport);
        let shared = Shared::new(&SystemClock);
        Graph::over(
            transport,
            local,
            Arc::new(SystemClock),
            shared,
            origin,
            authority,
            connection,
            cancel,
            counters,
            log,
        )
        .unwrap()
    }

    #[expect(clippy::too_many_arguments, reason = "everything that tests replace, in one place")]
    fn over(
        transport: Arc<dyn Transport>,
        local: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        shared: Arc<Shared>,
        origin: Origin,
        authority: Origin,
        connection: Connection,
        cancel: Cancel,
        counters: Counters,
        log: Log,
    ) -> Result<Graph, Top> {
        let policy = Policy { max_retries: connection.max_retries, base: connection.retry_base };
        let server_clock = Arc::new(ServerClock::default());
        let authority = Arc::new(Authority {
            origin: authority,
            transport: Arc::clone(&transport),
            clock: Arc::clone(&clock),
            server_clock: Arc::clone(&server_clock),
            policy,
            proof: credential::proof(&connection.auth),
            secret: match &connection.auth {
                Auth::ClientSecret { client_secret, .. } => Some(Secret::new(client_secret.expose().to_owned())),
                _ => None,
            },
            cancel: cancel.clone(),
            log: log.clone(),
        });
        let directory = Arc::new(Directory::new(Arc::clone(&authority), connection.tenant));
        let by_platform = matches!(connection.auth, Auth::ManagedIdentity { .. });
        let Prepared { credential, expiry: credential_expiry } =
            credential::prepare(connection.auth, &authority, local, &directory, &connection.scope)?;
        let tokens = Tokens::new(credential);
        let permits = Permits::new(connection.max_concurrency, clock.now());
        let gate_counted_until = Mutex::default();
        let pipeline = Pipeline {
            transport,
            tokens,
            shared,
            gate_counted_until,
            permits,
            clock,
            server_clock,
            policy,
            cancel,
            counters,
            log,
        };
        Ok(Graph {
            inner: Arc::new(Inner {
                origin,
                directory,
                by_platform,
                has_read: AtomicBool::new(false),
                credential_expiry,
                pipeline,
            }),
        })
    }

    /// Fetches a token if there is none. A token of another directory is an error.
    pub fn token(&self) -> Result<Issued, Top> {
        let pipeline = &self.inner.pipeline;
        pipeline.cancel.check()?;
        let bearer = pipeline.tokens.get(&*pipeline.clock, &pipeline.log)?;
        Ok(match directory_of(bearer.token()) {
            _ if !self.inner.by_platform => Issued::ByDirectory,
            Some(_) => Issued::ForDirectory,
            None => Issued::Unread,
        })
    }

    /// Whether the token at hand says that it carries this application permission. `false` proves nothing.
    pub fn token_has_role(&self, role: &str) -> bool {
        let pipeline = &self.inner.pipeline;
        pipeline.tokens.at_hand(&*pipeline.clock).is_some_and(|bearer| has_role(bearer.token(), role))
    }

    /// When the credential expires: the end of a certificate. `None` if unknown; a secret's expiry is visible in the
    /// app registration only.
    pub fn credential_expiry(&self) -> Option<SystemTime> {
        self.inner.credential_expiry
    }

    /// The directory's GUID in lower case. Asks the token service once if a domain is configured, otherwise sends
    /// nothing.
    pub fn tenant_guid(&self) -> Result<String, Top> {
        self.inner.directory.guid()
    }

    /// The time by the clock of the servers, as the last answer told it: seconds since 1970. This machine's own clock
    /// may be wrong, and the times in a watermark are Graph's.
    pub fn now(&self) -> u64 {
        self.inner.pipeline.server_now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }

    /// Graph's origin, without a slash behind: what a watermark is bound to.
    pub fn origin(&self) -> &str {
        self.inner.origin.as_str()
    }

    /// A link of our own making: `/path?options` under `/v1.0`. Values of options go through [`query_value`].
    pub fn link(&self, path_and_query: &str) -> Link {
        self.inner.origin.link(path_and_query)
    }

    /// A link out of an answer or a watermark: kept byte for byte, refused unless it stays at the configured origin.
    pub fn follow(&self, link: &str) -> Result<Link, Error> {
        self.inner.origin.follow(link)
    }

    /// Reads one answer: `read` gets the body of a success, and again that of a repeat when it could not read it.
    pub fn get<R>(&self, request: &Get, read: impl FnMut(&Answer<'_>) -> Result<R, Unreadable>) -> Result<R, Error> {
        self.get_begun(request, None, read)
    }

    /// Sends a read that somebody else will need: the answer is there, or on its way, when [`Graph::get_begun`] asks.
    /// Tried once, and not at all where it would have to wait for more than the pace.
    pub fn begin(&self, request: &Get) -> Option<Begun> {
        self.inner.pipeline.ahead(&request.call()).map(Begun)
    }

    /// As [`Graph::get`]; the first try of the same request may have been begun.
    pub fn get_begun<R>(
        &self,
        request: &Get,
        begun: Option<Begun>,
        mut read: impl FnMut(&Answer<'_>) -> Result<R, Unreadable>,
    ) -> Result<R, Error> {
        self.inner.pipeline.run(&request.call(), begun.map(|Begun(sent)| sent), |received| {
            let reply = received.reply;
            self.noted(read(&Answer {
                body: &reply.body,
                date: reply.date(),
                request_id: received.request_id,
                status: reply.status,
                client_request_id: received.client_request_id,
            }))
        })
    }

    fn noted<R>(&self, read: Result<R, Unreadable>) -> Result<R, Unreadable> {
        if read.is_ok() {
            self.inner.has_read.store(true, Ordering::Relaxed);
        }
        read
    }

    /// Whether any answer was read so far. Until then it is not known whether Graph lies at the configured endpoint.
    pub fn has_read(&self) -> bool {
        self.inner.has_read.load(Ordering::Relaxed)
    }

    /// Reads several answers, twenty to a request, each with a result of its own in the order of `requests`. `read`
    /// gets the index of the request; the answers come in any order. The outer error concerns all of them: no token, no
    /// connection, cancelled.
    pub fn batch<R>(
        &self,
        requests: &[Get],
        mut read: impl FnMut(usize, &Answer<'_>) -> Result<R, Unreadable>,
    ) -> Result<Vec<Result<R, Error>>, Error> {
        let link = self.link("/$batch");
        let mut results = Vec::with_capacity(requests.len());
        for (number, some) in requests.chunks(batch::LARGEST).enumerate() {
            let first = number * batch::LARGEST;
            results.extend(batch::run(&self.inner.pipeline, &link, some, |index, answer| {
                self.noted(read(first + index, answer))
            })?);
        }
        Ok(results)
    }
}

/// Where it asks, and nothing it knows.
impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("origin", &self.inner.origin.as_str()).finish_non_exhaustive()
    }
}
