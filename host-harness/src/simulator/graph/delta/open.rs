//! From the query of a delta request to a cursor, or to the refusal Graph would send.
//!
//! Of a first request, `$select` and an `id eq` filter count; `$top`, `$expand`, `$search`, `$orderby` and `$count` are
//! ignored as Graph ignores them. A request with a token may carry nothing else.

use super::cursor::{Cursor, Place, Round, refusal};
use crate::simulator::fault::Refusal;
use crate::simulator::graph::Context;
use crate::simulator::graph::answer::GraphError;
use crate::simulator::graph::request::Options;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::property::{Home, Shape};
use crate::simulator::odata::{self, Filter, Operator};
use crate::simulator::relations::Relation;
use crate::simulator::tenant::Tenant;

const MOST_IDS: usize = 50;

pub(super) fn open(
    context: &Context<'_>,
    tenant: &Tenant,
    kind: Kind,
    options: &Options,
) -> Result<Cursor, GraphError> {
    if let Some(stray) = options.names().find(|name| !name.starts_with('$')) {
        return Err(GraphError::new(
            400,
            "Request_BadRequest",
            format!("Unrecognized query argument specified: '{stray}'."),
        ));
    }
    let delta_token = options.token("$deltatoken").filter(|token| !token.is_empty());
    let latest = delta_token.as_deref().is_some_and(|token| token.eq_ignore_ascii_case("latest"));
    match (options.token("$skiptoken"), delta_token) {
        (None, None) => first(tenant, kind, options),
        (None, Some(_)) if latest => {
            let first = first(tenant, kind, options)?;
            Ok(Cursor { round: Round::Since { since: tenant.log.end() }, ..first })
        }
        (page, delta) => {
            let alone = options.names().count() == 1;
            let token = page.as_ref().or(delta.as_ref()).filter(|_| alone);
            // Graph has one answer for old, altered and misused links alike.
            let refused = || refusal(context, kind.collection(), Refusal::OlderThan30Days);
            let cursor: Cursor = token.and_then(|token| context.service.seal.open(token)).ok_or_else(refused)?;
            if cursor.kind != kind || matches!(cursor.round, Round::Since { .. }) != delta.is_some() {
                return Err(refused());
            }
            check_age(context, &cursor)?;
            Ok(cursor)
        }
    }
}

fn check_age(context: &Context<'_>, cursor: &Cursor) -> Result<(), GraphError> {
    let world = &context.service.world.delta;
    let age = context.service.clock.seconds().saturating_sub(cursor.issued);
    match cursor.round {
        Round::Since { .. } if world.link_days.is_some_and(|days| age > u64::from(days) * 86_400) => {
            Err(refusal(context, cursor.kind.collection(), world.refusal))
        }
        Round::First { .. } | Round::Later { .. } if world.page_seconds.is_some_and(|most| age > most) => {
            Err(GraphError::expired_page())
        }
        _ => Ok(()),
    }
}

fn first(tenant: &Tenant, kind: Kind, options: &Options) -> Result<Cursor, GraphError> {
    let select = options.get("$select").map(|select| selection(kind, &select)).transpose()?;
    let ids = options.get("$filter").map(|filter| ids(tenant, kind, &filter)).transpose()?;
    let carries = |relation: Relation| {
        let segment = relation.table().segment;
        select.as_ref().is_none_or(|names| names.iter().any(|name| name == segment || name == "*"))
    };
    let follows = Relation::followed_by(kind).filter(|relation| carries(*relation));
    let count = ids.as_ref().map_or(tenant.now().count(kind), |ids| ids.len() as u32);
    let round = Round::First { since: tenant.log.end(), count, place: Place::default() };
    Ok(Cursor { kind, select, follows, ids, issued: 0, round })
}

fn selection(kind: Kind, select: &str) -> Result<Vec<String>, GraphError> {
    let names: Vec<String> =
        select.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let feed = kind.table().served.as_ref().and_then(|served| served.feed.as_ref());
    let navigation = feed.map_or(&[][..], |feed| feed.tracked);
    for name in &names {
        if name == "*" {
            continue;
        }
        let Some(property) = kind.property(name) else {
            return Err(GraphError::no_property(name, kind.odata_type()));
        };
        let tracked = matches!(property.home, Home::Directory)
            && (property.shape != Shape::Navigation || navigation.contains(&name.as_str()));
        if !tracked {
            return Err(GraphError::new(
                400,
                "BadRequest",
                format!(
                    "Invalid request for delta query: for this entity set, $expand/$select is not supported for the \
                     following properties: {name}"
                ),
            ));
        }
    }
    Ok(names)
}

/// `id eq 'a' or id eq 'b'`, and nothing else.
fn ids(tenant: &Tenant, kind: Kind, filter: &str) -> Result<Vec<u32>, GraphError> {
    let refused = || GraphError::unsupported("Filter not supported.");
    let mut ids = Vec::new();
    let mut open = vec![odata::parse(filter)?];
    while let Some(filter) = open.pop() {
        match filter {
            Filter::Or(left, right) => open.extend([*left, *right]),
            Filter::Compare { path, operator: Operator::Eq, literal } if path == "id" => {
                ids.push(literal.as_str().ok_or_else(refused)?.to_owned());
            }
            _ => return Err(refused()),
        }
    }
    if ids.len() > MOST_IDS {
        return Err(GraphError::unsupported(format!(
            "Too many ids in the filter: {}. Max allowed: {MOST_IDS}",
            ids.len()
        )));
    }
    let objects = ids.iter().filter_map(|id| tenant.now().find(id)).filter(|object| object.kind == kind);
    Ok(objects.map(|object| object.number).collect())
}
