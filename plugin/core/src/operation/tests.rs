//! A bug planted at every layer of an import: it ends the operation it hits with a message, and no other.
//!
//! The operation is the real one, threads and queue and readers; only its transport is a test's, and panics when a
//! certain request comes by. The hook that keeps panics quiet is not installed: it would silence this whole test
//! program.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::result::ResultNotes;
use super::stream::{Ending, Limits, Next, Stream};
use super::{Context, Operation, Purpose, check, import};
use crate::cancel::Cancel;
use crate::config::{Setup, parse};
use crate::counters::Counters;
use crate::error::Kind;
use crate::graph::{Broken, Connection, Graph, Outgoing, Reply, Transport, reply};
use crate::log::{Level, Log};

const GUID: &str = "3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293";

/// A tenant of thirty groups and nobody else, with a bug in its wire.
#[derive(Debug)]
struct Buggy {
    /// Requests whose URL or body holds this panic.
    at: &'static str,
    /// Told of each request.
    asked: Mutex<Sender<String>>,
}

impl Transport for Buggy {
    fn send(&self, outgoing: Outgoing<'_>, _: &Cancel) -> Result<Reply, Broken> {
        let (url, body) = (outgoing.url, String::from_utf8(outgoing.body.unwrap_or_default()).unwrap());
        let _ = self.asked.lock().unwrap().send(url.to_owned());
        assert!(self.at.is_empty() || !(url.to_owned() + &body).contains(self.at), "a planted bug");
        let answer = if url.ends_with("/token") {
            json!({"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": "t"})
        } else if url.contains("$batch") {
            let asked: Value = serde_json::from_str(&body).unwrap();
            let page = |request: &Value| json!({"id": request["id"], "status": 200, "body": {"value": []}});
            json!({"responses": asked["requests"].as_array().unwrap().iter().map(page).collect::<Vec<_>>()})
        } else if url.contains("/groups?") || url.contains("/groups/delta?") {
            let group = |n| json!({"id": format!("00000000-0000-4000-8000-{n:012}")});
            let link = "https://graph.microsoft.com/v1.0/groups/delta?$deltatoken=g";
            json!({"value": (0..30).map(group).collect::<Vec<_>>(), "@odata.deltaLink": link})
        } else {
            let link = "https://graph.microsoft.com/v1.0/users/delta?$deltatoken=u";
            json!({"value": [], "@odata.deltaLink": link})
        };
        Ok(reply(200, &[], &answer.to_string()))
    }

    fn reconnect(&self, _: Instant) {}
}

/// An import over such a wire.
fn import_with_a_bug_at(at: &'static str, asked: Sender<String>) -> Operation {
    let wire = Buggy { at, asked: Mutex::new(asked) };
    import_over(Arc::new(wire), &json!({"TenantId": GUID}), Limits::default())
}

fn import_over(transport: Arc<dyn Transport>, config: &Value, limits: Limits) -> Operation {
    let texts = (
        config.to_string(),
        json!({"Mode": "ClientSecret", "ClientId": GUID, "ClientSecret": "s3cret~value"}).to_string(),
    );
    let Setup { config, auth } = parse(&texts.0, &texts.1).unwrap();
    let credential = check::Credential::of(&auth);
    let (cancel, counters, log) = (Cancel::new(), Counters::new(), Log::new(Level::Debug));
    let connection = Connection {
        origin: config.graph_origin.clone(),
        authority: config.authority.clone(),
        scope: config.scope.clone(),
        tenant: config.tenant.as_str().to_owned(),
        auth,
        proxy: None,
        ca_pem: None,
        max_retries: 0,
        retry_base: Duration::ZERO,
        max_concurrency: config.max_concurrency,
    };
    let graph = Graph::through(transport, connection, cancel.clone(), counters.clone(), log.clone());
    let notes = Arc::new(ResultNotes::new(Purpose::Import, import::tallies(&config), counters.clone()));
    let stream = Arc::new(Stream::new(limits, counters.clone(), None));
    let context = Context {
        config,
        credential,
        graph,
        cancel: cancel.clone(),
        stream: Arc::clone(&stream),
        log: log.clone(),
        notes: Arc::clone(&notes),
    };
    let work = import::prepare(&context, None).unwrap();
    let operation = Operation { stream, cancel, counters, log, notes };
    Operation::launch(move || Ok((operation, context, work))).unwrap()
}

fn end_of(operation: &Operation) -> Ending {
    loop {
        match operation.next(Some(Duration::from_secs(120))) {
            Next::Ended(ending) => return ending,
            Next::Batch(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_bug_at_any_layer_ends_its_operation_with_a_message_and_no_other() {
    // Told apart by thread: the operation's own, an object type's, a reader of memberships'.
    for at in ["/token", "/users/delta", "/groups/delta", "/members", "$batch"] {
        let (asked, requests) = channel();
        let (hit, spared) = (import_with_a_bug_at(at, asked), import_with_a_bug_at("", channel().0));
        let Ending::Failed(error) = end_of(&hit) else { panic!("{at}: a bug is no success") };
        assert_eq!(error.kind, Kind::Internal, "{at}: {}", error.message);
        assert!(error.message.contains("a planted bug") && error.message.contains("report"), "{}", error.message);
        assert!(hit.result().unwrap().contains("a planted bug"), "{at}: it stands in the result");
        assert!(requests.iter().any(|url| url.contains(at) || url.contains("$batch")), "{at} was never asked");
        assert!(matches!(end_of(&spared), Ending::End(Some(_))), "{at}: the other operation goes on");
    }
}

/// Feeds and lists of four pages with thirty objects each; tells of each page that is asked for.
#[derive(Debug)]
struct Paged(Mutex<Sender<String>>);

impl Transport for Paged {
    fn send(&self, outgoing: Outgoing<'_>, _: &Cancel) -> Result<Reply, Broken> {
        if outgoing.url.ends_with("/token") {
            let token =
                json!({"token_type": "Bearer", "expires_in": 3600, "ext_expires_in": 3600, "access_token": "t"});
            return Ok(reply(200, &[], &token.to_string()));
        }
        let (path, token) = outgoing.url.split_once('?').unwrap();
        let page = token.strip_prefix("$skiptoken=").map_or(1, |page| page.parse::<u32>().unwrap());
        let object =
            |n: u32| json!({"id": format!("00000000-0000-4000-8000-{:012}", 100 * page + n), "displayName": "x"});
        let mut body = json!({"value": (0..30).map(object).collect::<Vec<_>>()});
        match page {
            4 if path.ends_with("/delta") => body["@odata.deltaLink"] = format!("{path}?$deltatoken=d").into(),
            4 => {}
            _ => body["@odata.nextLink"] = format!("{path}?$skiptoken={}", page + 1).into(),
        }
        let _ = self.0.lock().unwrap().send(format!("{} {page}", path.rsplit_once("/v1.0").unwrap().1));
        Ok(reply(200, &[], &body.to_string()))
    }

    fn reconnect(&self, _: Instant) {}
}

#[test]
fn of_a_host_that_takes_nothing_one_page_more_is_asked_for_than_was_delivered() {
    let only = |switch: &str| {
        let mut config =
            json!({"TenantId": GUID, "ImportUsers": false, "ImportGroups": false, "ImportMemberships": false});
        config[switch] = true.into();
        config
    };
    let mut listed = only("ImportGroups");
    listed["GroupSelectionFilter"] = "groupTypes/$count eq 0".into();
    for (path, config) in
        [("/users/delta", only("ImportUsers")), ("/groups/delta", only("ImportGroups")), ("/groups", listed)]
    {
        let (asked, pages) = channel();
        // Fifty rows are more than one page and less than two: the second page waits for room.
        let limits = Limits { rows: 10, queued: 5, ..Limits::default() };
        let operation = import_over(Arc::new(Paged(Mutex::new(asked))), &config, limits);
        let next = || pages.recv_timeout(Duration::from_secs(60)).unwrap();
        assert_eq!([next(), next(), next()], [1, 2, 3].map(|page| format!("{path} {page}")));
        operation.cancel();
        assert!(!pages.iter().any(|page| page.ends_with('4')), "{path}: and never two");
    }
}
