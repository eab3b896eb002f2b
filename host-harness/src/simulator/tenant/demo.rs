//! The fixed script of the demonstration: every kind of change once or a few times, in an order people can follow.
//!
//! It adapts to the tenant instead of assuming one: a step that a tiny tenant cannot do is left out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::state::Presence;
use super::{Draft, Tenant};
use crate::simulator::change::Change;
use crate::simulator::kinds::Kind;
use crate::simulator::relations::Relation;

/// The script, for the tenant as it is now.
pub(crate) fn demo_changes(tenant: &Tenant, now: u64) -> Vec<Change> {
    let mut draft = Draft::new(Arc::clone(&tenant.base), &tenant.now);
    let mut script = Vec::new();
    for change in wishes(&draft) {
        if draft.apply(&tenant.rules, now, &change).is_ok() {
            script.push(change);
        }
    }
    script
}

fn wishes(draft: &Draft) -> Vec<Change> {
    let view = draft.view();
    let domain = &view.base.domain;
    let live = |kind: Kind| view.objects(kind).filter(move |object| view.is_live(*object));
    let bin =
        |kind: Kind| view.objects(kind).filter(move |object| view.presence(*object) == Some(Presence::SoftDeleted));
    let users: Vec<_> = live(Kind::User).take(40).map(|object| view.id(object)).collect();
    let groups: Vec<_> = live(Kind::Group).take(30).collect();
    let user = |nth: usize| users.get(nth).cloned().unwrap_or_default();
    let group = |nth: usize| groups.get(nth).map(|object| view.id(*object)).unwrap_or_default();
    let new_user = |nth: u32| format!("#{}", view.count(Kind::User) + nth);
    let new_group = |nth: u32| format!("#{}", view.count(Kind::Group) + nth);

    let mut wishes = vec![
        Change::add_user(object(json!({
            "displayName": "Nuria \"NJ\" O'Connor 🦉", "userPrincipalName": format!("nuria@{domain}"),
            "givenName": "Nuria", "surname": "O'Connor", "mail": format!("nuria@{domain}"),
            "businessPhones": ["+34 91 555 0100, 7"], "usageLocation": "ES"
        }))),
        Change::add_user(object(json!({"displayName": "أحمد", "userPrincipalName": format!("ahmed@{domain}")}))),
        Change::add_user(object(json!({"displayName": "𠮷田", "userPrincipalName": format!("yoshida@{domain}")}))),
        Change::update_user(user(2), object(json!({"jobTitle": "Director, \"Interim\"", "department": "Legal"}))),
        Change::update_user(
            user(3),
            object(json!({"userPrincipalName": format!("married.name@{domain}"), "surname": "Married"})),
        ),
        Change::update_user(user(4), object(json!({"jobTitle": null, "mobilePhone": null, "businessPhones": null}))),
        Change::update_user(user(5), object(json!({"accountEnabled": false}))),
        Change::delete_user(user(6)),
        Change::delete_user(user(7)),
        Change::delete_user(user(8)),
        Change::restore_user(user(8)),
        Change::delete_user(user(9)),
        Change::purge_user(user(9)),
    ];
    let mut deleted_users = bin(Kind::User).map(|object| view.id(object));
    wishes.extend(deleted_users.next().map(Change::restore_user));
    wishes.extend(deleted_users.next().map(Change::purge_user));
    wishes.extend([
        Change::add_group(object(json!({"displayName": "SEC-Newcomers \"2026\"", "description": "First week"}))),
        Change::add_group(object(json!({
            "displayName": "Hiking 🥾", "groupTypes": ["Unified"], "mailEnabled": true, "securityEnabled": false,
            "mail": format!("hiking@{domain}"), "visibility": "Public"
        }))),
        Change::add_member(new_group(0), new_user(0), Kind::User),
        Change::add_member(new_group(0), new_user(1), Kind::User),
        Change::add_member(new_group(0), new_group(1), Kind::Group),
        Change::add_member(new_group(1), user(10), Kind::User),
        Change::add_member(new_group(1), "#0", Kind::Device),
        Change::add_member(new_group(1), "#0", Kind::ServicePrincipal),
        Change::update_group(group(0), object(json!({"displayName": "SEC-Renamed, with O'Neil"}))),
        Change::update_group(group(2), object(json!({"description": null}))),
        Change::update_group(group(1), object(json!({"visibility": "Public", "description": "Open to all"}))),
        Change::delete_group(group(11)),
        Change::delete_group(group(7)),
        Change::delete_group(group(4)),
    ]);
    let restored = bin(Kind::Group).next();
    wishes.extend(restored.map(|object| Change::restore_group(view.id(object))));
    for (nth, object) in groups.iter().enumerate().filter(|(nth, _)| ![4, 7, 11].contains(nth)) {
        wishes.push(Change::add_member(view.id(*object), user(nth + 11), Kind::User));
        let leaver = view.children(Relation::Member, object.number).shown_children().nth(nth % 4);
        wishes.extend(leaver.map(|member| Change::remove_member(view.id(*object), view.id(member), member.kind)));
    }
    wishes
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
