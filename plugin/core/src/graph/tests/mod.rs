//! What the layer promises as a whole, over a scripted transport and a clock that tests turn. `wire` alone uses
//! sockets.

mod authority;
mod batch;
mod claims;
mod clouds;
mod gate;
mod ids;
mod pipeline;
mod signing_in;
mod wire;
mod words;

use std::sync::Arc;
use std::time::Duration;

use super::clock::TestClock;
use super::link::Origin;
use super::transport::scripted::{Asked, Scripted};
use super::*;
use crate::config::Secret;
use crate::counters::Totals;
use crate::log::Level;

const SECRET: &str = "s3cret~value+/=";
const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const DOMAIN: &str = "contoso.onmicrosoft.com";
const GUID: &str = "3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293";

/// Everything around a [`Graph`] that a test looks at.
struct World {
    script: Arc<Scripted>,
    clock: Arc<TestClock>,
    cancel: Cancel,
    counters: Counters,
    log: Log,
    graph: Graph,
}

impl World {
    fn new() -> World {
        World::with(connection("https://graph.microsoft.com", "https://login.microsoftonline.com"))
    }

    /// Of another mode.
    fn by(auth: Auth) -> World {
        World::with(Connection {
            auth,
            ..connection("https://graph.microsoft.com", "https://login.microsoftonline.com")
        })
    }

    fn with(connection: Connection) -> World {
        World::try_with(connection).unwrap()
    }

    /// Another operation of the same application in the same process.
    fn beside(other: &World, connection: Connection) -> World {
        let world =
            World::over(connection, other.clock.clone(), Arc::clone(&other.graph.inner.pipeline.shared)).unwrap();
        world.token("t2");
        world
    }

    fn try_with(connection: Connection) -> Result<World, Top> {
        let clock = TestClock::new();
        let shared = Shared::new(&*clock);
        World::over(connection, clock, shared)
    }

    fn over(connection: Connection, clock: Arc<TestClock>, shared: Arc<Shared>) -> Result<World, Top> {
        let script = Scripted::new();
        let (cancel, counters, log) = (Cancel::new(), Counters::new(), Log::new(Level::Debug));
        let graph = Graph::over(
            script.clone(),
            script.clone(),
            clock.clone(),
            shared,
            Origin::parse(&connection.origin, "GraphEndpoint").unwrap(),
            Origin::parse(&connection.authority, "AuthorityHost").unwrap(),
            connection,
            cancel.clone(),
            counters.clone(),
            log.clone(),
        )?;
        Ok(World { script, clock, cancel, counters, log, graph })
    }

    /// A world whose first request is answered with a token.
    fn signed_in() -> World {
        let world = World::new();
        world.token("t1");
        world
    }

    fn token(&self, token: &str) -> &World {
        self.script.reply(200, &[], &token_body(token, 3600));
        self
    }

    fn reply(&self, status: u16, headers: &[(&'static str, &str)], body: &str) -> &World {
        self.script.reply(status, headers, body);
        self
    }

    fn get(&self, path: &str) -> Result<String, Error> {
        self.graph.get(&Get { link: self.graph.link(path), advanced: false }, |answer| text(answer.body))
    }

    /// Requests to Graph, without those for tokens.
    fn asked(&self) -> Vec<Asked> {
        self.script.asked().into_iter().filter(|asked| !asked.url.ends_with("/token")).collect()
    }

    fn totals(&self) -> Totals {
        self.counters.totals()
    }

    fn waits(&self) -> Vec<f64> {
        self.clock.waits().iter().map(Duration::as_secs_f64).collect()
    }

    fn logged(&self) -> String {
        self.log.take().into_iter().fold(String::new(), |all, (level, line)| all + &format!("{level:?} {line}\n"))
    }
}

fn connection(origin: &str, authority: &str) -> Connection {
    Connection {
        origin: origin.to_owned(),
        authority: authority.to_owned(),
        scope: "https://graph.microsoft.com/.default".to_owned(),
        tenant: DOMAIN.to_owned(),
        auth: by_secret(),
        proxy: None,
        ca_pem: None,
        max_retries: 5,
        retry_base: Duration::from_secs(5),
        max_concurrency: 8,
    }
}

fn by_secret() -> Auth {
    Auth::ClientSecret { client_id: CLIENT.to_owned(), client_secret: Secret::new(SECRET.to_owned()) }
}

fn token_body(token: &str, lifetime: u32) -> String {
    format!(r#"{{"token_type":"Bearer","expires_in":{lifetime},"ext_expires_in":{lifetime},"access_token":"{token}"}}"#)
}

fn error_body(code: &str, message: &str) -> String {
    format!(r#"{{"error":{{"code":"{code}","message":"{message}","innerError":{{"request-id":"inner"}}}}}}"#)
}

/// A reader that wants JSON and keeps it as text.
fn text(body: &[u8]) -> Result<String, Unreadable> {
    serde_json::from_slice::<serde_json::Value>(body)
        .map(|value| value.to_string())
        .map_err(|error| Unreadable(error.to_string()))
}
