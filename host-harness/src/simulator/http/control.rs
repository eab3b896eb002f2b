//! `/_simulator/…`: the handle of a simulator that runs in another process. No token is asked for.
//!
//! `GET info`, `GET truth`, `GET|DELETE journal`, `POST change`, `POST|DELETE faults`, `POST clock`, `POST settle`,
//! `POST revoke`, `POST shutdown`. Errors come as `{"error": "…"}` with status 400.

use anyhow::{Context as _, Result, bail};
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::body::Payload;
use crate::simulator::change::script::{ChangesDuring, Script};
use crate::simulator::fault::Fault;
use crate::simulator::graph::request::Request;
use crate::simulator::kinds::Kind;
use crate::simulator::relations::Relation;
use crate::simulator::service::Service;
use crate::simulator::tenant::agenda::changes;

/// What `POST change` takes: a script for now, or one that waits for a request.
#[derive(Deserialize)]
#[serde(untagged)]
enum When {
    During(ChangesDuring),
    Now(Script),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Faults {
    One(Box<Fault>),
    Many(Vec<Fault>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Clock {
    advance_seconds: u64,
}

pub(super) fn control(service: &Service, request: &Request, command: &str, body: &Bytes) -> Response<Payload> {
    match (request.method.as_str(), command) {
        ("GET", "truth") => lines(service.truth().lines()),
        ("GET", "journal") => {
            let all = service.journal().all();
            lines(
                all.into_iter().map(|exchange| format!("{}\n", serde_json::to_value(&exchange).unwrap_or(Value::Null))),
            )
        }
        (method, command) => match run(service, method, command, body) {
            Ok(value) => json_response(200, &value),
            Err(error) => json_response(400, &json!({"error": format!("{error:#}")})),
        },
    }
}

fn run(service: &Service, method: &str, command: &str, body: &Bytes) -> Result<Value> {
    let done = || Ok(json!({"done": true}));
    match (method, command) {
        ("GET", "info") => Ok(info(service)),
        ("POST", "change") => {
            let now = service.clock.seconds();
            let script = match parse(body)? {
                When::Now(script) => script,
                When::During(during) => {
                    service.change_during(during);
                    return done();
                }
            };
            let changes = changes(script, &service.tenant(), now);
            let summary = service.tenant_mut().apply(&changes, now)?;
            Ok(json!({"summary": summary, "changes": changes}))
        }
        ("DELETE", "journal") => {
            service.journal().clear();
            done()
        }
        ("POST", "faults") => {
            match parse(body)? {
                Faults::One(fault) => service.add_fault(*fault),
                Faults::Many(faults) => faults.into_iter().for_each(|fault| service.add_fault(fault)),
            }
            done()
        }
        ("DELETE", "faults") => {
            service.clear_faults();
            done()
        }
        ("POST", "clock") => {
            let clock: Clock = parse(body)?;
            service.clock.advance(clock.advance_seconds);
            done()
        }
        ("POST", "settle") => {
            service.tenant_mut().settle();
            done()
        }
        ("POST", "revoke") => {
            service.revoke_tokens();
            done()
        }
        ("POST", "shutdown") => {
            service.ask_to_stop();
            done()
        }
        _ => bail!("no such control: {method} {command}"),
    }
}

fn info(service: &Service) -> Value {
    let truth = service.truth();
    let mut info = json!({
        "tenantId": service.tenant_id,
        "domain": service.world.domain,
        "clientId": service.client_id,
        "clientSecret": service.world.client_secret,
        "edges": Relation::ALL.iter().map(|relation| truth.edges(*relation).count() as u64).sum::<u64>(),
        "traffic": service.traffic.told(),
        "impossibleChanges": service.agenda().impossible(),
        "world": service.world,
    });
    for kind in Kind::ALL.iter().filter(|kind| kind.table().served.is_some()) {
        let last = kind.collection().rsplit('/').next().unwrap_or_default();
        info[last] = json!(truth.count(*kind));
    }
    info
}

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body).context("the body is not what this control takes")
}

fn lines(lines: impl Iterator<Item = String> + Send + 'static) -> Response<Payload> {
    let mut response = Response::new(Payload::lines(lines));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/x-ndjson"));
    response
}

fn json_response(status: u16, value: &Value) -> Response<Payload> {
    let mut response = Response::new(Payload::whole(value.to_string().into_bytes()));
    *response.status_mut() = status.try_into().unwrap_or_default();
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
