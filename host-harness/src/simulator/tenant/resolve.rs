//! From a change, which names objects in words, to the steps that carry it out, or the reason why it cannot be done.
//!
//! What Graph would refuse is refused here: members of deleted groups, deleted members, a second membership, unknown
//! properties. A script that was accepted has therefore happened exactly as written.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use super::state::{Presence, Step};
use super::view::View;
use crate::simulator::catalog;
use crate::simulator::change::Change;
use crate::simulator::clock::format_moment;
use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};
use crate::simulator::world::{Deletion, Delta};

/// What a change's outcome depends on besides the tenant.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) security_group_deletion: Deletion,
    pub(crate) purge_shows_in_groups: bool,
    pub(crate) restore_shows_in_groups: bool,
}

impl Rules {
    pub(crate) fn new(security_group_deletion: Deletion, delta: &Delta) -> Rules {
        Rules {
            security_group_deletion,
            purge_shows_in_groups: delta.purge_shows_in_groups,
            restore_shows_in_groups: delta.restore_shows_in_groups,
        }
    }
}

/// The steps a change consists of.
pub(crate) fn resolve(view: View<'_>, rules: &Rules, now: u64, change: &Change) -> Result<Vec<Step>> {
    use ObjectKind::{Group, User};
    match change {
        Change::AddUser { properties } => create(view, User, properties, now),
        Change::AddGroup { properties } => create(view, Group, properties, now),
        Change::UpdateUser { user, properties } => update(view, find(view, User, user)?, properties),
        Change::UpdateGroup { group, properties } => update(view, find(view, Group, group)?, properties),
        Change::SwapUserNames { user, other } => swap_names(view, find(view, User, user)?, find(view, User, other)?),
        Change::DeleteUser { user } => {
            let object = find(view, User, user)?;
            ensure!(view.is_live(object), "{user} is not live");
            Ok(vec![Step::SoftDelete { object, at: now }])
        }
        Change::DeleteGroup { group } => {
            let object = find(view, Group, group)?;
            ensure!(view.is_live(object), "{group} is not live");
            match deletion(view, rules, object) {
                Deletion::Soft => Ok(vec![Step::SoftDelete { object, at: now }]),
                Deletion::Permanent => Ok(purge(view, rules, object)),
            }
        }
        Change::RestoreUser { user } => restore(view, rules, find(view, User, user)?),
        Change::RestoreGroup { group } => restore(view, rules, find(view, Group, group)?),
        Change::PurgeUser { user } => purge_existing(view, rules, find(view, User, user)?),
        Change::PurgeGroup { group } => purge_existing(view, rules, find(view, Group, group)?),
        Change::AddMember { group, member, member_type } => {
            let (group, member) = edge(view, group, member, *member_type)?;
            ensure!(!view.roster(group).holds(member), "already a member");
            ensure!(member != ObjectRef::group(group), "a group cannot be its own member");
            Ok(vec![Step::Join { group, member }])
        }
        Change::RemoveMember { group, member, member_type } => {
            let (group, member) = edge(view, group, member, *member_type)?;
            ensure!(view.roster(group).holds(member), "not a member");
            Ok(vec![Step::Leave { group, member }])
        }
    }
}

/// The object a script names.
fn find(view: View<'_>, kind: ObjectKind, name: &str) -> Result<ObjectRef> {
    let object = match name.strip_prefix('#') {
        Some(number) => ObjectRef { kind, number: number.parse().with_context(|| format!("no number: {name}"))? },
        None => view.find(name).with_context(|| format!("no object has the id {name}"))?,
    };
    ensure!(object.kind == kind, "{name} is a {}, not a {}", object.kind.name(), kind.name());
    ensure!(view.presence(object).is_some(), "there is no {} {name}", kind.name());
    Ok(object)
}

fn edge(view: View<'_>, group: &str, member: &str, member_type: ObjectKind) -> Result<(u32, ObjectRef)> {
    let group = find(view, ObjectKind::Group, group)?;
    let kind = view.find(member).map_or(member_type, |object| object.kind);
    let member = find(view, kind, member)?;
    ensure!(view.is_live(group), "the group is not live");
    ensure!(view.is_live(member), "the member is not live");
    Ok((group.number, member))
}

fn create(view: View<'_>, kind: ObjectKind, properties: &Map<String, Value>, now: u64) -> Result<Vec<Step>> {
    let object = ObjectRef { kind, number: view.count(kind) };
    let mut fields = fields(kind, properties)?;
    let number = object.number;
    let mut or = |name: &'static str, value: Value| {
        fields.entry(name).or_insert(value);
    };
    or("createdDateTime", json!(format_moment(now)));
    if kind == ObjectKind::User {
        or("displayName", json!(format!("New user {number}")));
        or("userPrincipalName", json!(format!("new{number}@{}", view.base.domain)));
        or("accountEnabled", json!(true));
        or("userType", json!("Member"));
    } else {
        or("displayName", json!(format!("New group {number}")));
        or("mailNickname", json!(format!("group{number}")));
        or("groupTypes", json!([]));
        or("securityEnabled", json!(true));
        or("mailEnabled", json!(false));
    }
    Ok(vec![Step::Create { object, fields }])
}

fn update(view: View<'_>, object: ObjectRef, properties: &Map<String, Value>) -> Result<Vec<Step>> {
    ensure!(view.is_live(object), "the object is not live");
    ensure!(!properties.is_empty(), "no properties to update");
    Ok(vec![Step::Update { object, fields: fields(object.kind, properties)? }])
}

fn swap_names(view: View<'_>, user: ObjectRef, other: ObjectRef) -> Result<Vec<Step>> {
    const NAME: &str = "userPrincipalName";
    ensure!(user != other, "a user cannot swap names with itself");
    let property = catalog::property(ObjectKind::User, NAME).context("users have names")?;
    let step = |object: ObjectRef, from: ObjectRef| {
        ensure!(view.is_live(object), "the user is not live");
        Ok(Step::Update { object, fields: BTreeMap::from([(property.name, view.value(from, property))]) })
    };
    Ok(vec![step(user, other)?, step(other, user)?])
}

fn fields(kind: ObjectKind, properties: &Map<String, Value>) -> Result<BTreeMap<&'static str, Value>> {
    let mut fields = BTreeMap::new();
    for (name, value) in properties {
        let Some(property) = catalog::property(kind, name) else {
            bail!("{} has no property {name}", kind.name());
        };
        ensure!(!matches!(property.name, "id" | "deletedDateTime"), "{name} cannot be written");
        ensure!(property.shape.accepts(value), "{value} does not fit {name}");
        fields.insert(property.name, value.clone());
    }
    Ok(fields)
}

fn restore(view: View<'_>, rules: &Rules, object: ObjectRef) -> Result<Vec<Step>> {
    ensure!(view.presence(object) == Some(Presence::SoftDeleted), "only soft-deleted objects can be restored");
    let mut steps = vec![Step::Restore { object }];
    if rules.restore_shows_in_groups {
        steps.extend(
            view.groups_with(object)
                .filter(|group| view.is_live(ObjectRef::group(*group)))
                .map(|group| Step::Join { group, member: object }),
        );
        if object.kind == ObjectKind::Group {
            let members: Vec<_> = view.roster(object.number).shown_members().collect();
            steps.extend(members.into_iter().map(|member| Step::Join { group: object.number, member }));
        }
    }
    Ok(steps)
}

fn purge_existing(view: View<'_>, rules: &Rules, object: ObjectRef) -> Result<Vec<Step>> {
    ensure!(view.presence(object) != Some(Presence::Purged), "the object is gone already");
    Ok(purge(view, rules, object))
}

fn purge(view: View<'_>, rules: &Rules, object: ObjectRef) -> Vec<Step> {
    let mut steps = vec![Step::Purge { object }];
    if rules.purge_shows_in_groups {
        steps.extend(
            view.groups_with(object)
                .filter(|group| view.is_live(ObjectRef::group(*group)))
                .map(|group| Step::Leave { group, member: object }),
        );
    }
    steps
}

fn deletion(view: View<'_>, rules: &Rules, group: ObjectRef) -> Deletion {
    let value = |name: &str| catalog::property(ObjectKind::Group, name).map(|property| view.value(group, property));
    let unified = value("groupTypes")
        .and_then(|types| types.as_array().map(|types| types.iter().any(|kind| kind == "Unified")))
        .unwrap_or(false);
    if unified {
        Deletion::Soft
    } else if value("mailEnabled") == Some(Value::Bool(true)) {
        Deletion::Permanent
    } else {
        rules.security_group_deletion
    }
}
