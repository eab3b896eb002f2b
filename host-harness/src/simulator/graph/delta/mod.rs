//! Delta queries: first rounds, later rounds, and the links between them.
//!
//! Links are stateless: everything a page needs travels inside its token. A first round remembers the log's end at its
//! start and shows every object as it is when its page is asked for; its delta link points back to that start. What
//! changed in between comes twice rather than never. A later round does the same with the log's end at its first page.
//!
//! Graph says nothing about the following, and a reader may expect otherwise: a further slice is read when its page is
//! asked for, not fixed with the first; a group that is gone by then is told as removed in place of its slices; an
//! object added and purged before the first round is never mentioned; `Delta::lean_restores` acts without `lean_rows`,
//! too.

mod cursor;
mod open;
mod page;
mod row;
mod slice;

use serde_json::{Map, Value, json};

use self::cursor::{Cursor, Round};
use super::Context;
use super::answer::{Answer, GraphError};
use super::request::{Options, Request};
use super::throttled;
use crate::simulator::kinds::Kind;

pub(crate) use cursor::refusal;

/// Answer a delta query of a kind.
pub(super) fn delta(context: &Context<'_>, request: &Request, kind: Kind) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let tenant = context.service.tenant();
    let cursor = open::open(context, &tenant, kind, &options)?;
    let chosen = cursor.select.iter().flatten().filter_map(|name| kind.property(name));
    if let Some(throttled) = throttled::of_properties(context, chosen) {
        return Ok(throttled);
    }
    let minimal = request.header("prefer").is_some_and(|prefer| prefer.replace(' ', "").contains("return=minimal"));
    let (rows, next) = match &cursor.round {
        // A link to now: nothing to tell yet.
        Round::Since { since }
            if options.get("$deltatoken").is_some_and(|token| token.eq_ignore_ascii_case("latest")) =>
        {
            (Vec::new(), Round::Since { since: *since })
        }
        _ => page::page(context, &tenant, &cursor, minimal),
    };
    let (annotation, parameter) = match next {
        Round::Since { .. } => ("@odata.deltaLink", "$deltatoken"),
        Round::First { .. } | Round::Later { .. } => ("@odata.nextLink", "$skiptoken"),
    };
    let collection = kind.collection();
    let next = Cursor { issued: context.service.clock.seconds(), round: next, ..cursor.clone() };
    let token = context.service.seal.seal(context.nonce(), &next);
    let selection = match &cursor.select {
        Some(names) => format!("({})", names.join(",")),
        None => String::new(),
    };
    let mut body = Map::new();
    body.insert("@odata.context".into(), json!(format!("{}/v1.0/$metadata#{collection}{selection}", context.origin)));
    body.insert(annotation.into(), json!(format!("{}/v1.0/{collection}/delta?{parameter}={token}", context.origin)));
    body.insert("value".into(), Value::Array(rows));
    let answer = Answer { feed: Some(kind), ..Answer::page(Value::Object(body)) };
    Ok(if minimal { answer.header("preference-applied", "return=minimal") } else { answer })
}
