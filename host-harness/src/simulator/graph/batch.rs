//! `POST /$batch`: up to twenty requests, each judged, charged and failed on its own, answered in any order.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::answer::{Answer, Body, GraphError};
use super::request::Request;
use super::target::Target;
use super::{Context, charged, faulted};
use crate::simulator::fault::{FaultAction, Subject};
use crate::simulator::journal::Item;
use crate::simulator::seed::Dice;

const MOST_ITEMS: usize = 20;

struct Asked {
    id: String,
    depends_on: Vec<String>,
    request: Request,
}

pub(super) fn batch(context: &Context<'_>, request: &Request) -> Result<Answer, GraphError> {
    let asked = parse(request)?;
    let mut statuses: HashMap<String, u16> = HashMap::new();
    let mut responses = Vec::new();
    let mut items = Vec::new();
    let (mut rows, mut units) = (0, 0);
    for item in &asked {
        let target = target(&item.request);
        let failed =
            item.depends_on.iter().any(|id| statuses.get(&id.to_lowercase()).is_none_or(|status| *status >= 400));
        let (answer, was_faulted) =
            if failed { (Some(dependency_failed(context)), false) } else { one(context, &item.request, &target) };
        let answered = answer.as_ref();
        rows += answered.map_or(0, |answer| answer.rows);
        units += answered.map_or(0, |answer| answer.units);
        items.push(Item {
            id: item.id.clone(),
            url: item.request.url(),
            route: target.route(),
            object: target.object().map(str::to_lowercase),
            feed: answered.and_then(|answer| answer.feed),
            status: answered.map(|answer| answer.status),
            rows: answered.map_or(0, |answer| answer.rows),
            faulted: was_faulted,
        });
        statuses.extend(answered.map(|answer| (item.id.to_lowercase(), answer.status)));
        responses.extend(answer.map(|answer| response(&item.id, answer)));
    }
    if context.service.world.shuffled_batches {
        let mut dice = Dice::new(context.nonce());
        for at in (1..responses.len()).rev() {
            responses.swap(at, dice.below(at as u32 + 1) as usize);
        }
    }
    let mut answer = Answer::new(200, Body::Json(json!({"responses": responses})));
    (answer.rows, answer.units, answer.items) = (rows, units, items);
    Ok(answer)
}

fn target(request: &Request) -> Target {
    Target::parse(request.path.trim_start_matches("/v1.0"))
}

fn dependency_failed(context: &Context<'_>) -> Answer {
    GraphError::new(424, "FailedDependency", "A request this one depends on has failed.").into_answer(context)
}

/// One item, with its own share of throttling and faults, and whether there was a fault; no answer where it leaves the
/// item out.
fn one(context: &Context<'_>, request: &Request, target: &Target) -> (Option<Answer>, bool) {
    if *target == Target::Batch {
        let refused = GraphError::new(400, "BadRequest", "A batch cannot hold a batch.");
        return (Some(refused.into_answer(context)), false);
    }
    let subject = Subject { route: target.route(), url: &request.url(), object: target.object(), in_batch: true };
    let fault = context.service.fault_for(&subject);
    if let Some(action) = &fault {
        if *action == FaultAction::MissingItem {
            return (None, true);
        }
        if action.is_on_the_wire() {
            // An item has no connection of its own: it fails as the service behind the gateway would.
            return (Some(GraphError::new(504, "UnknownError", "").into_answer(context)), true);
        }
        if let Some(answer) = faulted::instead(action, context, target.route(), target) {
            return (Some(answer), true);
        }
    }
    let mut answer = charged(context, request, target);
    if let Some(action) = &fault {
        faulted::alter(action, context, request, &mut answer);
    }
    (Some(answer), fault.is_some())
}

fn response(id: &str, answer: Answer) -> Value {
    let mut headers: Map<String, Value> =
        BTreeMap::from([("Cache-Control", json!("no-cache")), ("OData-Version", json!("4.0"))])
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
    for (name, value) in answer.all_headers() {
        headers.insert(canonical(name), json!(value));
    }
    headers.insert("x-ms-resource-unit".into(), json!(answer.units.to_string()));
    let mut response = Map::from_iter([("id".to_owned(), json!(id)), ("status".to_owned(), json!(answer.status))]);
    match answer.body {
        Body::Json(body) => {
            headers.insert("Content-Type".into(), json!(super::CONTENT_TYPE));
            response.insert("body".into(), body);
        }
        Body::BrokenJson(text) | Body::Html(text) => {
            headers.insert("Content-Type".into(), json!("text/html"));
            response.insert("body".into(), json!(text));
        }
        Body::Text(text) => {
            headers.insert("Content-Type".into(), json!("text/plain"));
            response
                .insert("body".into(), json!(text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))));
        }
        Body::Empty => {}
    }
    response.insert("headers".into(), Value::Object(headers));
    Value::Object(response)
}

/// Graph writes the one header that clients must find in items with capitals.
fn canonical(name: &str) -> String {
    if name.eq_ignore_ascii_case("retry-after") { "Retry-After".to_owned() } else { name.to_owned() }
}

fn parse(request: &Request) -> Result<Vec<Asked>, GraphError> {
    let malformed = |message: &str| GraphError::new(400, "BadRequest", message);
    let items = request
        .body
        .as_ref()
        .and_then(|body| body.get("requests"))
        .and_then(Value::as_array)
        .ok_or_else(|| malformed("Invalid batch payload format."))?;
    if items.is_empty() {
        return Err(malformed("Invalid batch payload format."));
    }
    if items.len() > MOST_ITEMS {
        return Err(malformed(&format!(
            "Number of batch request steps exceeds the maximum value of {MOST_ITEMS}. Please reduce the number of requests."
        )));
    }
    let mut asked: Vec<Asked> = Vec::new();
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        let (Some(id), Some(method), Some(url)) = (text("id"), text("method"), text("url")) else {
            return Err(malformed("Invalid batch request: id, method and url are required."));
        };
        if asked.iter().any(|earlier| earlier.id.eq_ignore_ascii_case(id)) {
            return Err(malformed(&format!("Request Id {id} has to be unique in a batch.")));
        }
        if url.contains("://") {
            return Err(malformed("Invalid batch request: url has to be relative."));
        }
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let headers = item.get("headers").and_then(Value::as_object).map_or_else(BTreeMap::new, |headers| {
            headers.iter().filter_map(|(name, value)| Some((name.to_lowercase(), value.as_str()?.to_owned()))).collect()
        });
        let depends_on = item
            .get("dependsOn")
            .and_then(Value::as_array)
            .map_or_else(Vec::new, |ids| ids.iter().filter_map(|id| Some(id.as_str()?.to_owned())).collect());
        asked.push(Asked {
            id: id.to_owned(),
            depends_on,
            request: Request {
                method: method.to_uppercase(),
                path: format!("/v1.0/{}", path.trim_start_matches('/')),
                query: query.to_owned(),
                headers,
                body: item.get("body").cloned(),
                ..Request::default()
            },
        });
    }
    Ok(asked)
}
