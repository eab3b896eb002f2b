//! One HTTP exchange from request to response: route, fault, token, Graph, journal.

use std::collections::BTreeMap;
use std::future::pending;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::to_bytes;
use hyper::body::{Bytes, Incoming};
use hyper::http;
use serde_json::Value;

use super::ending::Ending;
use super::outcome::Outcome;
use super::{control, respond};
use crate::simulator::fault::{FaultAction, Subject};
use crate::simulator::graph::answer::{Answer, Body, GraphError};
use crate::simulator::graph::request::Request;
use crate::simulator::graph::target::Target;
use crate::simulator::graph::{self, Context, faulted};
use crate::simulator::journal::Exchange;
use crate::simulator::login;
use crate::simulator::route::Route;
use crate::simulator::seed::stream;
use crate::simulator::service::Service;
use crate::simulator::world::{JournalMode, World};

/// The greatest request body that is read.
const MOST_BODY: usize = 16 * 1024 * 1024;

/// Request headers that the journal keeps. Never `authorization`.
const KEPT_REQUEST_HEADERS: [&str; 7] =
    ["consistencylevel", "prefer", "accept-encoding", "user-agent", "client-request-id", "content-type", "host"];

/// An exchange that has arrived and is not answered yet.
struct UnderWay {
    service: Arc<Service>,
    /// How many there were when it arrived, itself included.
    with_others: u32,
}

impl UnderWay {
    fn enter(service: &Arc<Service>) -> UnderWay {
        let with_others = service.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        UnderWay { service: Arc::clone(service), with_others }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.service.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a path is for.
enum Endpoint {
    Control(String),
    Token(String),
    OpenId(String),
    Instance,
    ManagedIdentity,
    Graph(Target),
    Nothing,
}

impl Endpoint {
    fn of(path: &str) -> Endpoint {
        if let Some(rest) = path.strip_prefix("/_simulator/") {
            return Endpoint::Control(rest.to_owned());
        }
        if let Some(rest) = path.strip_prefix("/v1.0") {
            return Endpoint::Graph(Target::parse(rest));
        }
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => Endpoint::Token((*tenant).to_owned()),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => Endpoint::OpenId((*tenant).to_owned()),
            ["msi", "token"] => Endpoint::ManagedIdentity,
            ["common", "discovery", "instance"] => Endpoint::Instance,
            _ => Endpoint::Nothing,
        }
    }

    fn object(&self) -> Option<&str> {
        if let Endpoint::Graph(target) = self { target.object() } else { None }
    }

    fn route(&self) -> Route {
        match self {
            Endpoint::Control(_) => Route::Control,
            Endpoint::Token(_) => Route::Token,
            Endpoint::OpenId(_) | Endpoint::Instance => Route::OpenId,
            Endpoint::ManagedIdentity => Route::ManagedIdentity,
            Endpoint::Graph(target) => target.route(),
            Endpoint::Nothing => Route::Unknown,
        }
    }
}

pub(super) async fn exchange(service: Arc<Service>, scheme: &'static str, request: http::Request<Incoming>) -> Outcome {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(axum::body::Body::new(body), MOST_BODY).await else {
        return Outcome { response: Err(io::ErrorKind::InvalidData.into()), ending: None };
    };
    let mut headers: BTreeMap<String, String> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    // HTTP/2 has no such header: there the host is part of the request line.
    if let Some(authority) = parts.uri.authority() {
        headers.entry("host".to_owned()).or_insert_with(|| authority.to_string());
    }
    let request = Request {
        protocol: format!("{:?}", parts.version),
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: serde_json::from_slice(&bytes).ok(),
    };
    let endpoint = Endpoint::of(&request.path);
    if let Endpoint::Control(command) = &endpoint {
        return Outcome { response: Ok(control::control(&service, &request, command, &bytes)), ending: None };
    }
    let under_way = UnderWay::enter(&service);
    if let Some(latency) = latency(&service.world, &request) {
        tokio::time::sleep(latency).await;
    }
    if let Endpoint::Graph(_) = &endpoint {
        service.arrive();
    }
    let fault = service.fault_for(&Subject {
        route: endpoint.route(),
        url: &request.url(),
        object: endpoint.object(),
        in_batch: false,
    });
    match fault {
        Some(FaultAction::StallBeforeHeaders) => {
            record(&under_way, &request, &endpoint, None, true);
            pending::<()>().await;
        }
        Some(FaultAction::ConnectionReset) => {
            record(&under_way, &request, &endpoint, None, true);
            let response = Err(io::ErrorKind::ConnectionReset.into());
            return Outcome { response, ending: Some(Ending::Reset) };
        }
        Some(FaultAction::ConnectionRefused) => {
            record(&under_way, &request, &endpoint, None, true);
            let response = Err(io::ErrorKind::ConnectionReset.into());
            return Outcome { response, ending: Some(Ending::GoesAway) };
        }
        _ => {}
    }
    let request_id = service.base.ids.other(stream("request id"), service.nonce());
    let context = Context {
        service: &service,
        origin: format!("{scheme}://{}", request.header("host").unwrap_or("127.0.0.1")),
        client_request_id: request.header("client-request-id").map_or_else(|| request_id.clone(), str::to_owned),
        request_id,
    };
    if fault == Some(FaultAction::RevokeTokens) {
        service.revoke_tokens();
    }
    let answer = answer(&context, &request, &endpoint, &bytes, fault.as_ref());
    record(&under_way, &request, &endpoint, Some((&answer, &context.request_id)), fault.is_some());
    respond::respond(&context, &request, answer, fault.as_ref())
}

/// The items of a batch are worked on side by side: it takes as long as the slowest, and a millisecond for each.
fn latency(world: &World, request: &Request) -> Option<Duration> {
    let items = request.body.as_ref().and_then(|body| body.get("requests")?.as_array()).map_or(0, Vec::len);
    (world.latency_ms > 0).then(|| Duration::from_millis(world.latency_ms + items as u64))
}

fn answer(
    context: &Context<'_>,
    request: &Request,
    endpoint: &Endpoint,
    bytes: &Bytes,
    fault: Option<&FaultAction>,
) -> Answer {
    let unknown = Target::Unknown(String::new());
    let target = if let Endpoint::Graph(target) = endpoint { target } else { &unknown };
    if let Some(answer) = fault.and_then(|action| faulted::instead(action, context, endpoint.route(), target)) {
        return answer;
    }
    let mut answer = match endpoint {
        Endpoint::Token(tenant) if request.method == "POST" => {
            login::token(context, request, tenant, &String::from_utf8_lossy(bytes))
        }
        Endpoint::OpenId(tenant) => login::openid(context, tenant),
        Endpoint::Instance => login::instance(context),
        Endpoint::ManagedIdentity => login::managed_identity::token(context, request),
        Endpoint::Graph(target) => match login::check_bearer(context, request) {
            Ok(()) => graph::answer(context, request, target),
            Err(refused) => refused.into_answer(context),
        },
        Endpoint::Token(_) | Endpoint::Nothing | Endpoint::Control(_) => {
            GraphError::new(404, "BadRequest", "Nothing is served here.").into_answer(context)
        }
    };
    if let Some(action) = fault {
        faulted::alter(action, context, request, &mut answer);
    }
    answer
}

fn record(
    under_way: &UnderWay,
    request: &Request,
    endpoint: &Endpoint,
    answered: Option<(&Answer, &str)>,
    faulted: bool,
) {
    let service = &under_way.service;
    let answer = answered.map(|(answer, _)| answer);
    // A token request holds the secret and its answer the token.
    let keep_bodies = service.journal().mode == JournalMode::Full && matches!(endpoint, Endpoint::Graph(_));
    let headers = KEPT_REQUEST_HEADERS
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), request.header(name)?.to_owned())))
        .collect();
    let response_headers = answered.map_or_else(BTreeMap::new, |(answer, request_id)| {
        let own = answer.all_headers().map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        own.chain([("request-id".to_owned(), request_id.to_owned())]).collect()
    });
    let response = answer.filter(|_| keep_bodies).and_then(|answer| match &answer.body {
        Body::Json(body) => Some(body.clone()),
        Body::Text(text) => Some(text.parse::<u64>().map_or_else(|_| Value::from(text.as_str()), Value::from)),
        Body::BrokenJson(_) | Body::Html(_) | Body::Empty => None,
    });
    let bearer = request.header("authorization").map(|header| {
        let mut hasher = DefaultHasher::new();
        header.hash(&mut hasher);
        hasher.finish()
    });
    service.journal().record(Exchange {
        sequence: 0,
        bearer,
        route: endpoint.route(),
        protocol: request.protocol.clone(),
        method: request.method.clone(),
        url: request.url(),
        status: answer.map(|answer| answer.status),
        headers,
        response_headers,
        rows: answer.map_or(0, |answer| answer.rows),
        units: answer.map_or(0, |answer| answer.units),
        object: endpoint.object().map(str::to_lowercase),
        feed: answer.and_then(|answer| answer.feed),
        items: answer.map_or_else(Vec::new, |answer| answer.items.clone()),
        in_flight: under_way.with_others,
        faulted,
        body: request.body.clone().filter(|_| keep_bodies),
        response,
    });
}
