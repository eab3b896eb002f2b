//! The children of an object by a relation, and its parents: direct edges between live ends.
//!
//! Three ways in which this endpoint is silent instead of failing: service principals are left out of plain queries,
//! hidden relations look empty, and types the application may not read show type and id only.

use serde_json::{Map, Value, json};

use super::Context;
use super::answer::{Answer, Body, GraphError};
use super::list::find;
use super::paging::{PageRows, context_path, lag, page, position};
use super::request::{Options, Request};
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::property::{Property, Shape};
use crate::simulator::permissions::Permissions;
use crate::simulator::relations::Relation;
use crate::simulator::tenant::view::{Roster, View};

pub(super) fn children(
    context: &Context<'_>,
    request: &Request,
    relation: Relation,
    parent: &str,
    cast: Option<Kind>,
) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let advanced = request.is_eventual() && options.is_true("$count");
    check_options(&options, cast, advanced)?;
    let permissions = &context.service.world.permissions;
    let selection = Selection::parse(&options, cast, permissions)?;
    let position = position(context, request, &options, PageRows::DIRECTORY)?;
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let parent = find(view, relation.table().parent, parent).ok_or_else(|| GraphError::not_found(parent))?;
    let shown = Visible::of(context, view, relation, parent, advanced, cast);
    let roster = view.children(relation, parent.number);

    let mut rows = Vec::new();
    let mut next = None;
    for slot in position.at..if shown.readable { roster.slots() } else { 0 } {
        let Some(child) = roster.shown(slot).filter(|child| shown.includes(child.kind)) else { continue };
        if rows.len() as u32 == position.rows {
            next = Some(slot);
            break;
        }
        rows.push(selection.row(view, child, cast.is_none()));
    }
    let count = (position.first && advanced).then(|| shown.count(&roster));
    Ok(page(context, request, &options, &context_path(collection(cast), &options), rows, next, count))
}

/// What needs an advanced query, and what this tenant does not offer on a reference at all. A cast alone is allowed.
fn check_options(options: &Options, cast: Option<Kind>, advanced: bool) -> Result<(), GraphError> {
    let narrowing = ["$filter", "$search", "$orderby"].iter().any(|name| options.get(name).is_some());
    if narrowing || cast.is_some() && options.is_true("$count") && !advanced {
        return Err(GraphError::unsupported(
            "The specified filter to the reference property query is currently not supported.",
        ));
    }
    Ok(())
}

/// What rows are said to be; with a cast they carry no `@odata.type` of their own.
fn collection(cast: Option<Kind>) -> &'static str {
    cast.map_or("directoryObjects", Kind::collection)
}

pub(super) fn count(
    context: &Context<'_>,
    request: &Request,
    relation: Relation,
    parent: &str,
) -> Result<Answer, GraphError> {
    if !request.is_eventual() {
        return Err(GraphError::new(400, "Request_BadRequest", "$count is not currently supported."));
    }
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let parent = find(view, relation.table().parent, parent).ok_or_else(|| GraphError::not_found(parent))?;
    let shown = Visible::of(context, view, relation, parent, true, None);
    let count = shown.count(&view.children(relation, parent.number));
    Ok(Answer::new(200, Body::Text(count.to_string())))
}

/// The live parents of an object, whatever its kind.
pub(super) fn parents(
    context: &Context<'_>,
    request: &Request,
    relation: Relation,
    kind: Kind,
    id: &str,
    cast: Option<Kind>,
) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let permissions = &context.service.world.permissions;
    let advanced = request.is_eventual() && options.is_true("$count");
    check_options(&options, cast, advanced)?;
    let selection = Selection::parse(&options, cast, permissions)?;
    let position = position(context, request, &options, PageRows::DIRECTORY)?;
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let child = find(view, kind, id).ok_or_else(|| GraphError::not_found(id))?;
    let of_number = |number: u32| ObjectRef { kind: relation.table().parent, number };
    let live = |parent: &u32| view.is_live(of_number(*parent));
    let mut parents = view.parents(relation, child).filter(live).skip_while(|parent| *parent < position.at);
    let mut rows = Vec::new();
    let next = loop {
        match parents.next() {
            None => break None,
            Some(parent) if rows.len() as u32 == position.rows => break Some(parent),
            Some(parent) => rows.push(selection.row(view, of_number(parent), cast.is_none())),
        }
    };
    let count = (position.first && advanced).then(|| view.parents(relation, child).filter(live).count() as u64);
    Ok(page(context, request, &options, &context_path(collection(cast), &options), rows, next, count))
}

/// Which children a request may see.
struct Visible {
    readable: bool,
    /// Kinds that it does not.
    left_out: &'static [Kind],
    cast: Option<Kind>,
}

impl Visible {
    fn of(
        context: &Context<'_>,
        view: View<'_>,
        relation: Relation,
        parent: ObjectRef,
        advanced: bool,
        cast: Option<Kind>,
    ) -> Visible {
        let world = &context.service.world;
        let hidden = view.hidden_behind(relation, parent.number);
        let all = advanced || !world.lists.hide_service_principals;
        Visible {
            readable: hidden.is_none_or(|permission| world.permissions.allow(&[permission])),
            left_out: if all { &[] } else { relation.table().advanced_only },
            cast,
        }
    }

    fn includes(&self, kind: Kind) -> bool {
        self.cast.is_none_or(|cast| cast == kind) && !self.left_out.contains(&kind)
    }

    fn count(&self, roster: &Roster<'_>) -> u64 {
        if !self.readable {
            return 0;
        }
        roster.shown_children().filter(|child| self.includes(child.kind)).count() as u64
    }
}

/// The properties of a polymorphic row: each type shows those of the selected ones that it has.
struct Selection<'a> {
    /// By kind, in the order of [`Kind::ALL`].
    properties: Vec<Vec<&'static Property>>,
    permissions: &'a Permissions,
}

impl<'a> Selection<'a> {
    fn parse(options: &Options, cast: Option<Kind>, permissions: &'a Permissions) -> Result<Selection<'a>, GraphError> {
        let Some(select) = options.get("$select") else {
            return Ok(Selection { properties: Kind::ALL.iter().map(|kind| kind.defaults()).collect(), permissions });
        };
        let names: Vec<&str> = select.split(',').map(str::trim).collect();
        let kinds = cast.map_or(Kind::ALL.to_vec(), |kind| vec![kind]);
        let known = |name: &&str| kinds.iter().any(|kind| kind.property(name).is_some());
        if let Some(name) = names.iter().find(|name| !known(name)) {
            return Err(GraphError::no_property(name, "microsoft.graph.directoryObject"));
        }
        let of_kind = |kind: Kind| {
            let properties = names.iter().filter_map(|name| kind.property(name));
            properties.filter(|property| property.shape != Shape::Navigation).collect()
        };
        Ok(Selection { properties: Kind::ALL.iter().copied().map(of_kind).collect(), permissions })
    }

    fn row(&self, view: View<'_>, member: ObjectRef, typed: bool) -> Value {
        let mut row = if self.permissions.allow(member.kind.table().read) {
            view.row(member, &self.properties[member.kind as usize])
        } else {
            Map::from_iter([("id".to_owned(), json!(view.id(member)))])
        };
        if typed {
            row.insert("@odata.type".into(), json!(view.odata_type(member).0));
        }
        Value::Object(row)
    }
}
