//! Lists of a kind, their `$count` segments, single objects, and the recycle bin.
//!
//! Lists read the replica, which may lag; they are ordered by nothing anybody may rely on. A filter is judged on every
//! page anew: a page without the header that the first page had is refused.

use serde_json::Value;

use super::Context;
use super::answer::{Answer, Body, GraphError};
use super::expand::Expansion;
use super::order::Order;
use super::paging::{self, PageRows, context_path, lag, page, position, select};
use super::request::{Options, Request};
use super::throttled;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::property::{Home, Property};
use crate::simulator::kinds::{Kind, Listed};
use crate::simulator::odata::{self, Filter, TextOrder};
use crate::simulator::tenant::state::Presence;
use crate::simulator::tenant::view::View;

/// How many rows a page of a kind may hold.
fn page_rows(
    context: &Context<'_>,
    kind: Kind,
    options: &Options,
    chosen: &[&'static Property],
) -> Result<PageRows, GraphError> {
    match kind.table().served.as_ref().map(|served| &served.listed) {
        Some(Listed::Whole { page, .. }) => {
            if options.get("$top").is_some() && context.service.world.roles.top_refused {
                return Err(GraphError::unsupported("The query parameter $top is not supported."));
            }
            let rows = context.service.base.settings.count(page);
            Ok(PageRows { default: rows, greatest: None, cap: u32::MAX })
        }
        Some(Listed::Paged { .. }) | None => {
            let small = chosen.iter().any(|property| property.home == Home::SignInLogs);
            Ok(PageRows { cap: if small { SIGN_IN_ACTIVITY_PAGE } else { u32::MAX }, ..PageRows::DIRECTORY })
        }
    }
}

/// Sign-in activity comes in small pages.
const SIGN_IN_ACTIVITY_PAGE: u32 = 120;

pub(super) fn list(context: &Context<'_>, request: &Request, kind: Kind) -> Result<Answer, GraphError> {
    objects(context, request, kind, Presence::Live, kind.collection())
}

pub(super) fn deleted(context: &Context<'_>, request: &Request, kind: Kind) -> Result<Answer, GraphError> {
    objects(context, request, kind, Presence::SoftDeleted, kind.collection())
}

fn objects(
    context: &Context<'_>,
    request: &Request,
    kind: Kind,
    presence: Presence,
    collection: &str,
) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let properties = select(kind, &options)?;
    if let Some(throttled) = throttled::limited(context, &options, &properties) {
        return Ok(throttled);
    }
    let expand = Expansion::asked(context, kind, &options)?;
    let position = position(context, request, &options, page_rows(context, kind, &options, &properties)?)?;
    let advanced = request.is_eventual() && options.is_true("$count");
    let filter = filter(context, kind, &options, advanced)?;
    if options.get("$search").is_some() {
        return Err(GraphError::unsupported(if request.is_eventual() {
            "The $search query parameter is not supported by this tenant."
        } else {
            "Request with $search query parameter only works through MSGraph with a special request header: \
             'ConsistencyLevel: eventual'"
        }));
    }
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let orderby = options.get("$orderby");
    if orderby.is_some() && filter.is_some() && !advanced {
        return Err(GraphError::unsupported("Sorting not supported for current query."));
    }
    let order = Order::new(context, &snapshot, kind, filter.as_ref(), orderby.as_deref())?;
    let text_order = context.service.world.lists.text_order;
    let matches = |object: &ObjectRef| {
        view.presence(*object) == Some(presence) && (order.exact || holds(view, *object, filter.as_ref(), text_order))
    };
    let mut rows = Vec::new();
    let mut next = None;
    for (place, object) in order.from(position.at).filter(|(_, object)| matches(object)) {
        if rows.len() as u32 == position.rows {
            next = Some(place);
            break;
        }
        let mut row = view.row(object, &properties);
        view.annotate(object, &mut row);
        if let Some(expand) = &expand {
            expand.add(view, object, &mut row);
        }
        rows.push(Value::Object(row));
    }
    let count =
        (position.first && advanced).then(|| order.from(0).filter(|(_, object)| matches(object)).count() as u64);
    Ok(page(context, request, &options, &context_path(collection, &options), rows, next, count))
}

pub(super) fn count(context: &Context<'_>, request: &Request, kind: Kind) -> Result<Answer, GraphError> {
    if !request.is_eventual() {
        return Err(GraphError::new(400, "Request_BadRequest", "$count is not currently supported."));
    }
    let filter = filter(context, kind, &Options::parse(&request.query), true)?;
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let live = view.objects(kind).filter(|object| view.is_live(*object));
    let text_order = context.service.world.lists.text_order;
    let count = live.filter(|object| holds(view, *object, filter.as_ref(), text_order)).count();
    Ok(Answer::new(200, Body::Text(count.to_string())))
}

fn filter(context: &Context<'_>, kind: Kind, options: &Options, advanced: bool) -> Result<Option<Filter>, GraphError> {
    let Some(text) = options.get("$filter") else { return Ok(None) };
    let filter = odata::parse(&text)?;
    odata::judge(&filter, kind, advanced, context.service.world.lists.filter_height)?;
    Ok(Some(filter))
}

fn holds(view: View<'_>, object: ObjectRef, filter: Option<&Filter>, order: TextOrder) -> bool {
    let value = |name: &str| object.kind.property(name).map_or(Value::Null, |property| view.value(object, property));
    filter.is_none_or(|filter| odata::holds(filter, order, &value))
}

/// One object by its id, or by its kind's other key.
pub(super) fn object(context: &Context<'_>, request: &Request, kind: Kind, id: &str) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let properties = select(kind, &options)?;
    if let Some(throttled) = throttled::limited(context, &options, &properties) {
        return Ok(throttled);
    }
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let object = find(view, kind, id).ok_or_else(|| GraphError::not_found(id))?;
    let mut row = view.row(object, &properties);
    view.annotate(object, &mut row);
    let entity =
        format!("{}/v1.0/$metadata#{}/$entity", context.origin, paging::context_path(kind.collection(), &options));
    row.insert("@odata.context".into(), Value::String(entity));
    Ok(Answer { rows: 1, ..Answer::new(200, Body::Json(Value::Object(row))) })
}

/// A live object by id or by its kind's other key.
pub(super) fn find(view: View<'_>, kind: Kind, id: &str) -> Option<ObjectRef> {
    let live = |object: &ObjectRef| object.kind == kind && view.is_live(*object);
    if let Some(object) = view.find(id) {
        return Some(object).filter(live);
    }
    if !id.contains('@') {
        return None;
    }
    let property = kind.property(kind.table().other_key?)?;
    let named = |object: &ObjectRef| {
        view.value(*object, property).as_str().is_some_and(|name| name.to_lowercase() == id.to_lowercase())
    };
    view.objects(kind).filter(live).find(named)
}
