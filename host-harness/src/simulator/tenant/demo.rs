//! The fixed script of the demonstration: every kind of change once or a few times, in an order people can follow.
//!
//! It adapts to the tenant instead of assuming one: a step that a tiny tenant cannot do is left out.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::state::Presence;
use super::{Draft, Tenant};
use crate::simulator::change::Change;
use crate::simulator::kinds::identity::ObjectKind;

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
    let live = |kind: ObjectKind| view.objects(kind).filter(move |object| view.is_live(*object));
    let bin = |kind: ObjectKind| {
        view.objects(kind).filter(move |object| view.presence(*object) == Some(Presence::SoftDeleted))
    };
    let users: Vec<_> = live(ObjectKind::User).take(40).map(|object| view.id(object)).collect();
    let groups: Vec<_> = live(ObjectKind::Group).take(30).collect();
    let user = |nth: usize| users.get(nth).cloned().unwrap_or_default();
    let group = |nth: usize| groups.get(nth).map(|object| view.id(*object)).unwrap_or_default();
    let new_user = |nth: u32| format!("#{}", view.count(ObjectKind::User) + nth);
    let new_group = |nth: u32| format!("#{}", view.count(ObjectKind::Group) + nth);

    let mut wishes = vec![
        Change::AddUser {
            properties: object(json!({
                "displayName": "Nuria \"NJ\" O'Connor 🦉", "userPrincipalName": format!("nuria@{domain}"),
                "givenName": "Nuria", "surname": "O'Connor", "mail": format!("nuria@{domain}"),
                "businessPhones": ["+34 91 555 0100, 7"], "usageLocation": "ES"
            })),
        },
        Change::AddUser {
            properties: object(json!({"displayName": "أحمد", "userPrincipalName": format!("ahmed@{domain}")})),
        },
        Change::AddUser {
            properties: object(json!({"displayName": "𠮷田", "userPrincipalName": format!("yoshida@{domain}")})),
        },
        Change::UpdateUser {
            user: user(2),
            properties: object(json!({"jobTitle": "Director, \"Interim\"", "department": "Legal"})),
        },
        Change::UpdateUser {
            user: user(3),
            properties: object(json!({"userPrincipalName": format!("married.name@{domain}"), "surname": "Married"})),
        },
        Change::UpdateUser {
            user: user(4),
            properties: object(json!({"jobTitle": null, "mobilePhone": null, "businessPhones": null})),
        },
        Change::UpdateUser { user: user(5), properties: object(json!({"accountEnabled": false})) },
        Change::DeleteUser { user: user(6) },
        Change::DeleteUser { user: user(7) },
        Change::DeleteUser { user: user(8) },
        Change::RestoreUser { user: user(8) },
        Change::DeleteUser { user: user(9) },
        Change::PurgeUser { user: user(9) },
    ];
    let mut deleted_users = bin(ObjectKind::User).map(|object| view.id(object));
    wishes.extend(deleted_users.next().map(|user| Change::RestoreUser { user }));
    wishes.extend(deleted_users.next().map(|user| Change::PurgeUser { user }));
    wishes.extend([
        Change::AddGroup {
            properties: object(json!({"displayName": "SEC-Newcomers \"2026\"", "description": "First week"})),
        },
        Change::AddGroup {
            properties: object(json!({
                "displayName": "Hiking 🥾", "groupTypes": ["Unified"], "mailEnabled": true, "securityEnabled": false,
                "mail": format!("hiking@{domain}"), "visibility": "Public"
            })),
        },
        Change::AddMember { group: new_group(0), member: new_user(0), member_type: ObjectKind::User },
        Change::AddMember { group: new_group(0), member: new_user(1), member_type: ObjectKind::User },
        Change::AddMember { group: new_group(0), member: new_group(1), member_type: ObjectKind::Group },
        Change::AddMember { group: new_group(1), member: user(10), member_type: ObjectKind::User },
        Change::AddMember { group: new_group(1), member: "#0".into(), member_type: ObjectKind::Device },
        Change::AddMember { group: new_group(1), member: "#0".into(), member_type: ObjectKind::ServicePrincipal },
        Change::UpdateGroup { group: group(0), properties: object(json!({"displayName": "SEC-Renamed, with O'Neil"})) },
        Change::UpdateGroup { group: group(2), properties: object(json!({"description": null})) },
        Change::UpdateGroup {
            group: group(1),
            properties: object(json!({"visibility": "Public", "description": "Open to all"})),
        },
        Change::DeleteGroup { group: group(11) },
        Change::DeleteGroup { group: group(7) },
        Change::DeleteGroup { group: group(4) },
    ]);
    let restored = bin(ObjectKind::Group).next();
    wishes.extend(restored.map(|object| Change::RestoreGroup { group: view.id(object) }));
    for (nth, object) in groups.iter().enumerate().filter(|(nth, _)| ![4, 7, 11].contains(nth)) {
        wishes.push(Change::AddMember {
            group: view.id(*object),
            member: user(nth + 11),
            member_type: ObjectKind::User,
        });
        let leaver = view.roster(object.number).shown_members().nth(nth % 4);
        wishes.extend(leaver.map(|member| Change::RemoveMember {
            group: view.id(*object),
            member: view.id(member),
            member_type: member.kind,
        }));
    }
    wishes
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
