//! `GET /groups/{id}/members` and `/memberOf`: direct edges between live ends.
//!
//! Three ways in which this endpoint is silent instead of failing: service principals are left out of plain queries,
//! hidden memberships look empty, and types the application may not read show type and id only.

use serde_json::{Map, Value, json};

use super::answer::{Answer, Body, GraphError};
use super::list::find;
use super::paging::{context_path, lag, page, position};
use super::request::{Options, Request};
use super::{Context, plural};
use crate::simulator::catalog::{self, Property};
use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};
use crate::simulator::tenant::view::View;
use crate::simulator::world::Permissions;

pub(super) fn members(
    context: &Context<'_>,
    request: &Request,
    group: &str,
    cast: Option<ObjectKind>,
) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let advanced = request.is_eventual() && options.is_true("$count");
    check_options(&options, cast, advanced)?;
    let permissions = &context.service.world.permissions;
    let selection = Selection::parse(&options, cast, permissions)?;
    let position = position(context, request, &options, None)?;
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let group = find(view, ObjectKind::Group, group).ok_or_else(|| GraphError::not_found(group))?;
    let shown = visible(context, view, group, advanced, cast);
    let roster = view.roster(group.number);

    let mut rows = Vec::new();
    let mut next = None;
    for slot in position.at..if shown.readable { roster.slots() } else { 0 } {
        let Some(member) = roster.shown(slot).filter(|member| shown.includes(member.kind)) else { continue };
        if rows.len() as u32 == position.rows {
            next = Some(slot);
            break;
        }
        rows.push(selection.row(view, member, cast.is_none()));
    }
    let count = (position.first && advanced).then(|| shown.count(view, group));
    Ok(page(context, request, &options, &context_path(collection(cast), &options), rows, next, count))
}

/// What needs an advanced query, and what this tenant does not offer on a reference at all. A cast alone is allowed.
fn check_options(options: &Options, cast: Option<ObjectKind>, advanced: bool) -> Result<(), GraphError> {
    let narrowing = ["$filter", "$search", "$orderby"].iter().any(|name| options.get(name).is_some());
    if narrowing || cast.is_some() && options.is_true("$count") && !advanced {
        return Err(GraphError::unsupported(
            "The specified filter to the reference property query is currently not supported.",
        ));
    }
    Ok(())
}

/// What rows are said to be; with a cast they carry no `@odata.type` of their own.
fn collection(cast: Option<ObjectKind>) -> &'static str {
    cast.map_or("directoryObjects", plural)
}

pub(super) fn members_count(context: &Context<'_>, request: &Request, group: &str) -> Result<Answer, GraphError> {
    if !request.is_eventual() {
        return Err(GraphError::new(400, "Request_BadRequest", "$count is not currently supported."));
    }
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let group = find(view, ObjectKind::Group, group).ok_or_else(|| GraphError::not_found(group))?;
    let count = visible(context, view, group, true, None).count(view, group);
    Ok(Answer::new(200, Body::Text(count.to_string())))
}

/// Nobody owns a group of this tenant; clients ask all the same.
pub(super) fn owners(context: &Context<'_>, request: &Request, group: &str) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    position(context, request, &options, None)?;
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    find(snapshot.view(), ObjectKind::Group, group).ok_or_else(|| GraphError::not_found(group))?;
    Ok(page(context, request, &options, &context_path(collection(None), &options), Vec::new(), None, None))
}

pub(super) fn member_of(
    context: &Context<'_>,
    request: &Request,
    kind: ObjectKind,
    id: &str,
    cast: Option<ObjectKind>,
) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    let permissions = &context.service.world.permissions;
    let advanced = request.is_eventual() && options.is_true("$count");
    check_options(&options, cast, advanced)?;
    let selection = Selection::parse(&options, cast, permissions)?;
    let position = position(context, request, &options, None)?;
    let tenant = context.service.tenant();
    let snapshot = tenant.read(lag(context, request));
    let view = snapshot.view();
    let member = find(view, kind, id).ok_or_else(|| GraphError::not_found(id))?;
    let groups = view.groups_with(member).filter(|group| view.is_live(ObjectRef::group(*group)));
    let mut groups = groups.skip_while(|group| *group < position.at);
    let mut rows = Vec::new();
    let next = loop {
        match groups.next() {
            None => break None,
            Some(group) if rows.len() as u32 == position.rows => break Some(group),
            Some(group) => rows.push(selection.row(view, ObjectRef::group(group), cast.is_none())),
        }
    };
    let live = |group: &u32| view.is_live(ObjectRef::group(*group));
    let count = (position.first && advanced).then(|| view.groups_with(member).filter(live).count() as u64);
    Ok(page(context, request, &options, &context_path(collection(cast), &options), rows, next, count))
}

/// Which members this request may see.
struct Visible {
    readable: bool,
    service_principals: bool,
    cast: Option<ObjectKind>,
}

fn visible(
    context: &Context<'_>,
    view: View<'_>,
    group: ObjectRef,
    advanced: bool,
    cast: Option<ObjectKind>,
) -> Visible {
    let world = &context.service.world;
    Visible {
        readable: world.permissions.member_read_hidden || !view.hides_members(group.number),
        service_principals: advanced || !world.lists.hide_service_principals,
        cast,
    }
}

impl Visible {
    fn includes(&self, kind: ObjectKind) -> bool {
        self.cast.is_none_or(|cast| cast == kind) && (self.service_principals || kind != ObjectKind::ServicePrincipal)
    }

    fn count(&self, view: View<'_>, group: ObjectRef) -> u64 {
        if !self.readable {
            return 0;
        }
        view.roster(group.number).shown_members().filter(|member| self.includes(member.kind)).count() as u64
    }
}

/// The properties of a polymorphic row: each type shows those of the selected ones that it has.
struct Selection<'a> {
    /// By kind, in the order of [`ObjectKind::ALL`].
    properties: [Vec<&'static Property>; 5],
    permissions: &'a Permissions,
}

impl<'a> Selection<'a> {
    fn parse(
        options: &Options,
        cast: Option<ObjectKind>,
        permissions: &'a Permissions,
    ) -> Result<Selection<'a>, GraphError> {
        let Some(select) = options.get("$select") else {
            return Ok(Selection { properties: ObjectKind::ALL.map(catalog::defaults), permissions });
        };
        let names: Vec<&str> = select.split(',').map(str::trim).collect();
        let kinds = cast.map_or(ObjectKind::ALL.to_vec(), |kind| vec![kind]);
        let known = |name: &&str| kinds.iter().any(|kind| catalog::property(*kind, name).is_some());
        if let Some(name) = names.iter().find(|name| !known(name)) {
            return Err(GraphError::new(
                400,
                "BadRequest",
                format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type \
                     'microsoft.graph.directoryObject'."
                ),
            ));
        }
        let of_kind = |kind: ObjectKind| {
            let properties = names.iter().filter_map(|name| catalog::property(kind, name));
            properties.filter(|property| property.shape != catalog::Shape::Navigation).collect()
        };
        Ok(Selection { properties: ObjectKind::ALL.map(of_kind), permissions })
    }

    fn row(&self, view: View<'_>, member: ObjectRef, typed: bool) -> Value {
        let mut row = if may_read(self.permissions, member.kind) {
            view.row(member, &self.properties[member.kind as usize])
        } else {
            Map::from_iter([("id".to_owned(), json!(view.id(member)))])
        };
        if typed {
            row.insert("@odata.type".into(), json!(member.kind.odata_type()));
        }
        Value::Object(row)
    }
}

fn may_read(permissions: &Permissions, kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::User => permissions.user_read_all,
        ObjectKind::Group => permissions.group_member_read_all,
        ObjectKind::Device => permissions.device_read_all,
        ObjectKind::ServicePrincipal => permissions.application_read_all,
        ObjectKind::OrgContact => permissions.org_contact_read_all,
    }
}
