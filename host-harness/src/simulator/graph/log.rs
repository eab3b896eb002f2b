//! `GET` of a log: events between two moments, newest first.
//!
//! The filter is narrow and its dates stand without quotes. A start from before what the service looks back is refused,
//! not clamped. What is late appears behind the place where a reader has been.

use serde_json::Value;

use super::Context;
use super::answer::{Answer, GraphError};
use super::paging::{PageRows, page, position};
use super::request::{Options, Request};
use crate::simulator::clock::parse_moment;
use crate::simulator::odata::{self, Filter, Operator};
use crate::simulator::streams::Stream;
use crate::simulator::tenant::events::{Reader, events, row};

const DAY: u64 = 24 * 3600;

pub(super) fn log(context: &Context<'_>, request: &Request, stream: Stream) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let table = stream.table();
    let rows = PageRows { default: table.most_rows, greatest: Some(table.most_rows), cap: u32::MAX };
    let position = position(context, request, &options, rows)?;
    let world = &context.service.world;
    let now = context.service.clock.seconds();
    let back = |days: u32| now.saturating_sub(u64::from(days) * DAY);
    let (from, to) = match options.get("$filter") {
        None => (0, now),
        Some(text) => window(&text, table.time)?,
    };
    if options.get("$filter").is_some() && from < back(world.events.refused_before_days) {
        return Err(invalid());
    }
    if let Some(order) = options.get("$orderby").filter(|order| *order != format!("{} desc", table.time)) {
        return Err(GraphError::new(400, "BadRequest", format!("Invalid $orderby clause: {order}")));
    }
    let tenant = context.service.tenant();
    let view = tenant.now();
    let reader = Reader { permissions: &world.permissions, licences: &world.licences };
    let from = from.max(back(world.events.kept_days));
    let mut shown =
        events(view, stream, from, to.min(now)).filter(|event| event.visible <= now).skip(position.at as usize);
    let values: Vec<Value> = shown
        .by_ref()
        .take(position.rows as usize)
        .map(|event| Value::Object(row(view, stream, event, &reader)))
        .collect();
    let next = shown.next().map(|_| position.at + values.len() as u32);
    Ok(page(context, request, &options, table.path, values, next, None))
}

fn invalid() -> GraphError {
    GraphError::new(400, "BadRequest", "Invalid filter clause")
}

/// The first and the last second of `time ge A and time le B`; either may be left out.
fn window(text: &str, time: &str) -> Result<(u64, u64), GraphError> {
    // A quoted date is a text, and a text is no date.
    if text.contains('\'') {
        return Err(invalid());
    }
    let (mut from, mut to) = (0, u64::MAX / 10_000);
    let mut open = vec![odata::parse(text).map_err(|_| invalid())?];
    while let Some(filter) = open.pop() {
        match filter {
            Filter::And(left, right) => open.extend([*left, *right]),
            Filter::Compare { path, operator, literal } if path == time => {
                let moment = literal.as_str().and_then(parse_moment).ok_or_else(invalid)?;
                match operator {
                    Operator::Ge => from = from.max(moment.div_ceil(1_000)),
                    Operator::Gt => from = from.max(moment / 1_000 + 1),
                    Operator::Le => to = to.min(moment / 1_000),
                    Operator::Lt => to = to.min(moment.div_ceil(1_000).saturating_sub(1)),
                    Operator::Eq => (from, to) = (from.max(moment.div_ceil(1_000)), to.min(moment / 1_000)),
                    Operator::Ne | Operator::StartsWith | Operator::EndsWith | Operator::Contains => {
                        return Err(invalid());
                    }
                }
            }
            _ => return Err(invalid()),
        }
    }
    Ok((from, to))
}
