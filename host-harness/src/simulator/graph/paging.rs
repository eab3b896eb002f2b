//! Pages of lists: `$top`, next links, and the token that binds a next link to its options.
//!
//! Unlike a delta link, a list's next link repeats the options of the first request; headers are not in it and have to
//! be sent again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Context;
use super::answer::{Answer, GraphError};
use super::request::{Options, Request};
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::property::{Home, Property, Shape};
use crate::simulator::seed::{mix, stream};

/// How many rows a page may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageRows {
    /// Without `$top`.
    pub(super) default: u32,
    /// What `$top` may ask for at most; none where it is not read.
    pub(super) greatest: Option<u32>,
    /// What a page holds at most, whatever `$top` asks for.
    pub(super) cap: u32,
}

impl PageRows {
    /// Of users, groups, members and the like.
    pub(super) const DIRECTORY: PageRows = PageRows { default: 100, greatest: Some(999), cap: u32::MAX };

    fn asked(self, options: &Options) -> Result<u32, GraphError> {
        let (Some(top), Some(greatest)) = (options.get("$top"), self.greatest) else {
            return Ok(self.default.min(self.cap).max(1));
        };
        match top.parse::<i64>().map(u32::try_from) {
            Ok(Ok(rows)) if (1..=greatest).contains(&rows) => Ok(rows.min(self.cap)),
            Ok(_) => Err(GraphError::unsupported(format!(
                "Invalid page size specified: '{top}'. Must be between 1 and {greatest} inclusive."
            ))),
            Err(_) => {
                let message = format!("Invalid value '{top}' for $top query option found.");
                Err(GraphError::new(400, "BadRequest", message))
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct PageToken {
    #[serde(rename = "a")]
    at: u32,
    #[serde(rename = "q")]
    query: u64,
    #[serde(rename = "t")]
    issued: u64,
}

/// Where a page starts and how many rows it may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) at: u32,
    pub(super) rows: u32,
    /// `@odata.count` stands on the first page only.
    pub(super) first: bool,
}

/// Read `$top` and `$skiptoken`.
pub(super) fn position(
    context: &Context<'_>,
    request: &Request,
    options: &Options,
    rows: PageRows,
) -> Result<Position, GraphError> {
    if options.get("$skip").is_some() {
        return Err(GraphError::new(400, "Request_BadRequest", "'$skip' is not supported by the service."));
    }
    if let Some(stray) = options.names().find(|name| !name.starts_with('$')) {
        let message = format!("Unrecognized query argument specified: '{stray}'.");
        return Err(GraphError::new(400, "Request_BadRequest", message));
    }
    let rows = rows.asked(options)?;
    let lists = &context.service.world.lists;
    let (at, first) = match options.token("$skiptoken") {
        None => (0, true),
        Some(token) => {
            let token: PageToken = context.service.seal.open(&token).ok_or_else(GraphError::expired_page)?;
            let age = context.service.clock.seconds().saturating_sub(token.issued);
            if token.query != fingerprint(request, options) || lists.page_seconds.is_some_and(|most| age > most) {
                return Err(GraphError::expired_page());
            }
            (token.at, false)
        }
    };
    let roll = mix(context.service.world.seed, stream("short page") ^ fingerprint(request, options), u64::from(at));
    let short = lists.short_pages && rows > 1 && roll.is_multiple_of(6);
    Ok(Position { at, rows: if short { rows - rows / 3 - 1 } else { rows }.max(1), first })
}

fn fingerprint(request: &Request, options: &Options) -> u64 {
    stream(&request.path) ^ stream(&options.without("$skiptoken")).rotate_left(1)
}

/// Decides how far behind the tenant a read is.
pub(super) fn lag(context: &Context<'_>, request: &Request) -> u64 {
    // Without the page token, which is another one in every run.
    context.service.lag_roll(fingerprint(request, &Options::parse(&request.query)))
}

/// Put a page together. `context_path` is what stands behind `$metadata#`.
pub(super) fn page(
    context: &Context<'_>,
    request: &Request,
    options: &Options,
    context_path: &str,
    rows: Vec<Value>,
    next: Option<u32>,
    count: Option<u64>,
) -> Answer {
    let mut body = Map::new();
    body.insert("@odata.context".into(), json!(format!("{}/v1.0/$metadata#{context_path}", context.origin)));
    if let Some(count) = count {
        body.insert("@odata.count".into(), json!(count));
    }
    if let Some(at) = next {
        let issued = context.service.clock.seconds();
        let token = PageToken { at, query: fingerprint(request, options), issued };
        let token = context.service.seal.seal(context.nonce(), &token);
        let query = options.without("$skiptoken");
        let path = &request.path;
        body.insert("@odata.nextLink".into(), json!(format!("{}{path}?{query}$skiptoken={token}", context.origin)));
    }
    body.insert("value".into(), Value::Array(rows));
    Answer::page(Value::Object(body))
}

/// The properties a `$select` names, or the defaults.
pub(super) fn select(kind: Kind, options: &Options) -> Result<Vec<&'static Property>, GraphError> {
    let Some(select) = options.get("$select") else { return Ok(kind.defaults()) };
    let mut properties = Vec::new();
    for name in select.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if name == "*" {
            properties.extend(kind.defaults());
            continue;
        }
        let Some(property) = kind.property(name) else {
            return Err(GraphError::no_property(name, kind.odata_type()));
        };
        if property.home == Home::Elsewhere {
            return Err(GraphError::new(501, "NotImplemented", "This operation target is not yet supported."));
        }
        if property.shape != Shape::Navigation {
            properties.push(property);
        }
    }
    Ok(properties)
}

/// `users` or `users(id,displayName)`, as `@odata.context` has it.
pub(super) fn context_path(collection: &str, options: &Options) -> String {
    options.get("$select").map_or_else(|| collection.to_owned(), |select| format!("{collection}({select})"))
}
