//! `MaxDeletes`, and what must not be removed: a delete is held back until the round is whole, a broken walk removes
//! nothing.
//!
//! The guard looks at deletes that the service tells. What a host infers from a Full set is the host's to guard.

use connector_abi::*;
use host_harness::simulator::{Call, Change, Delta, Fault, FaultAction, Route, World};
use serde_json::{Value, json};

use super::{add_member, few, paged, remove_member};
use crate::relay::Relay;
use crate::world::{Pulled, Tenant};

fn delete_users(tenant: &Tenant, count: u32) -> Vec<Change> {
    (0..count).map(|n| Change::delete_user(tenant.sim.user_id(n))).collect()
}

fn mark(pulled: &Pulled) -> Value {
    serde_json::from_str(pulled.watermark()).unwrap()
}

#[test]
fn deletes_within_the_limit_come_last_and_as_they_are() {
    let tenant = Tenant::of(paged()).with("MaxDeletes", 3);
    let full = tenant.pull(None);
    let mut changes = delete_users(&tenant, 3);
    changes.push(Change::update_user(tenant.sim.user_id(9), super::properties(json!({"jobTitle": "Clerk"}))));
    tenant.sim.apply(&changes).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    assert_eq!((delta.status, delta.of("Delete", "User").count()), (CONNECTOR_END, 3));
    let last: Vec<_> = delta.records.iter().filter(|r| r["ObjectType"] == "User").rev().take(4).collect();
    assert_eq!(last[0]["Kind"], "End");
    assert!(last[1..].iter().all(|row| row["Kind"] == "Delete"));
}

#[test]
fn more_deletes_than_the_limit_are_withheld_with_samples_and_cost_the_others_nothing() {
    let tenant = Tenant::of(few()).with("MaxDeletes", 2);
    let full = tenant.pull(None);
    let group = tenant.sim.group_id(0);
    let mut changes = delete_users(&tenant, 3);
    changes.push(super::change_group(&group, "description", "another type"));
    tenant.sim.apply(&changes).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    assert_eq!((delta.status, &delta.result["Outcome"]), (CONNECTOR_E_TOO_MANY_DELETES, &json!("Failed")));
    let message = delta.error()["Message"].as_str().unwrap();
    assert!(message.contains("MaxDeletes (2)") && message.contains(&tenant.sim.user_id(0)), "{message}");
    assert_eq!((delta.of("Delete", "User").count(), &delta.end("User")["Complete"]), (0, &json!(false)));
    assert_eq!((&delta.end("Group")["Complete"], &delta.end("GroupMember")["Complete"]), (&json!(true), &json!(true)));
    let (before, after) = (mark(&full), mark(&delta));
    assert_eq!(after["u"], before["u"], "what was withheld is told again");
    assert_ne!(after["g"], before["g"], "what was delivered is not");
}

#[test]
fn a_higher_limit_delivers_what_was_withheld() {
    for membership_mode in ["Recompute", "Delta"] {
        let tenant = Tenant::of(few()).with("MaxDeletes", 2).with("MembershipMode", membership_mode);
        tenant.import();
        tenant.sim.apply(&delete_users(&tenant, 3)).unwrap();
        assert_eq!(tenant.import_into("mesh.db", false).status, CONNECTOR_E_TOO_MANY_DELETES);
        assert_eq!(tenant.import_into("mesh.db", false).status, CONNECTOR_E_TOO_MANY_DELETES, "until somebody decides");
        let tenant = tenant.with("MaxDeletes", 3);
        tenant.import();
        tenant.assert_equals_truth();
    }
}

#[test]
fn groups_and_memberships_that_share_a_cursor_stay_together() {
    let tenant = Tenant::of(few()).with("MaxDeletes", 2).with("MembershipMode", "Delta");
    let full = tenant.pull(None);
    let edges: Vec<_> = tenant.sim.truth().members().take(3).collect();
    let gone: Vec<_> = edges.iter().map(|edge| remove_member(&edge.parent, &edge.child)).collect();
    tenant.sim.apply(&gone).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    assert_eq!(
        (delta.status, &delta.error()["ObjectType"]),
        (CONNECTOR_E_TOO_MANY_DELETES, &json!("GroupMember")),
        "{:#}",
        delta.result
    );
    assert_eq!((&delta.end("Group")["Complete"], &delta.end("User")["Complete"]), (&json!(false), &json!(true)));
    assert_eq!(mark(&delta)["g"], mark(&full)["g"]);
    let delta = tenant.with("MaxDeletes", 3).pull(Some(delta.watermark()));
    assert_eq!((delta.status, delta.of("Delete", "GroupMember").count()), (CONNECTOR_END, 3));
}

#[test]
fn a_row_that_comes_later_takes_the_held_delete_back() {
    let delta = Delta { membership_history: true, ..few().delta };
    let tenant = Tenant::of(World { delta, ..few() }).with("MaxDeletes", 1).with("MembershipMode", "Delta");
    let full = tenant.pull(None);
    let edges: Vec<_> = tenant.sim.truth().members().take(3).collect();
    let away_and_back =
        edges.iter().flat_map(|edge| [remove_member(&edge.parent, &edge.child), add_member(&edge.parent, &edge.child)]);
    tenant.sim.apply(&away_and_back.collect::<Vec<_>>()).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    assert_eq!((delta.status, delta.of("Delete", "GroupMember").count()), (CONNECTOR_END, 0), "{:#}", delta.result);
}

#[test]
fn no_checkpoint_moves_a_type_past_deletes_that_are_held() {
    let tenant = Tenant::of(World { users: 400, ..paged() }).with("MaxDeletes", 5);
    let full = tenant.pull(None);
    let mut changes = delete_users(&tenant, 1);
    changes.extend(
        (1..390).map(|n| Change::update_user(tenant.sim.user_id(n), super::properties(json!({"jobTitle": "Clerk"})))),
    );
    tenant.sim.apply(&changes).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    let held_at = delta.records.iter().position(|r| r["Kind"] == "Delete").unwrap();
    assert!(held_at > 380, "it was held");
    for checkpoint in &delta.checkpoints {
        let checkpoint: Value = serde_json::from_str(checkpoint).unwrap();
        let inside = checkpoint["x"]["types"]["User"].get("now");
        assert!(inside.is_none(), "a run that goes on from here would not know what was held: {inside:?}");
    }
}

#[test]
fn no_checkpoint_moves_a_place_past_deletes_held_by_the_type_that_shares_it() {
    // Memberships and groups share the place in the feed of groups: either may hold a delete.
    for held in [None, Some("Group"), Some("GroupMember")] {
        let tenant = Tenant::of(World { groups: 300, edges: 600, ..paged() }).with("MembershipMode", "Delta");
        // The run after a full walk reads the recycle bins again; this is about a later one.
        let full = tenant.pull(Some(tenant.pull(None).watermark()));
        let first = tenant.sim.group_id(0);
        let gone = match held {
            Some("Group") => Change::delete_group(first),
            Some(_) => remove_member(&first, &tenant.some_member(&first)),
            None => super::change_group(&first, "description", "not a delete"),
        };
        let others = (1..300).map(|n| super::change_group(&tenant.sim.group_id(n), "description", "changed"));
        let changes: Vec<_> = std::iter::once(gone).chain(others).collect();
        tenant.sim.apply(&changes).unwrap();
        let tenant = tenant.with("MaxDeletes", 5);
        let delta = tenant.pull(Some(full.watermark()));
        assert_eq!(delta.status, CONNECTOR_END, "{:#}", delta.result);
        let inside = delta.checkpoints.iter().filter(|checkpoint| {
            let checkpoint: Value = serde_json::from_str(checkpoint).unwrap();
            checkpoint["x"]["types"]["Group"].get("now").is_some()
        });
        let inside = inside.count();
        match held {
            None => assert!(inside > 0, "the trap is set: an import that holds nothing moves its place"),
            Some(held) => {
                assert_eq!(delta.of("Delete", held).count(), 1);
                assert_eq!(inside, 0, "{held}: a run that goes on from here would not know what was held");
            }
        }
    }
}

#[test]
fn later_row_of_an_object_takes_its_held_delete_back() {
    let tenant = Tenant::of(few());
    let relay = Relay::before(&tenant.sim.origin());
    let tenant =
        tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin()).with("MaxDeletes", 1);
    let full = tenant.pull(None);
    let gone: Vec<_> = (0..3).map(|n| tenant.sim.user_id(n)).collect();
    let named = gone.clone();
    relay.rewrite(move |asked, answered| {
        if asked.target.contains("/users/delta") {
            let mut page = answered.json();
            let rows = named.iter().flat_map(|id| {
                [json!({"id": id, "@removed": {"reason": "changed"}}), json!({"id": id, "jobTitle": "is back"})]
            });
            page["value"] = rows.collect();
            answered.set_json(&page);
        }
    });
    let delta = tenant.pull(Some(full.watermark()));
    assert_eq!((delta.status, delta.of("Delete", "User").count()), (CONNECTOR_END, 0), "{:#}", delta.result);
    assert_eq!(delta.of("Upsert", "User").count(), 3);
}

#[test]
fn who_left_the_scope_and_what_a_full_set_lacks_is_not_counted() {
    let tenant = Tenant::of(few()).with("MaxDeletes", 1).with("GroupSelectionFilter", "startswith(displayName,'APP-')");
    let tenant = tenant.unguarded();
    let name = |prefix: &str| -> Vec<_> {
        (0..4).map(|n| super::change_group(&tenant.sim.group_id(n), "displayName", format!("{prefix}-{n}"))).collect()
    };
    tenant.sim.apply(&name("APP")).unwrap();
    tenant.import();
    tenant.sim.apply(&name("SEC")).unwrap();
    assert_eq!(tenant.import().result["ObjectTypes"]["Group"]["LeftScope"], 4);
    tenant.sim.apply(&delete_users(&tenant, 5)).unwrap();
    assert_eq!(tenant.import_into("mesh.db", true).status, CONNECTOR_END, "a Full set is the host's to guard");
}

#[test]
fn a_full_walk_that_breaks_off_removes_nothing() {
    for code in [403, 500] {
        let tenant = Tenant::of(paged()).with("MaxRetries", 0).with("PageSize", 3);
        tenant.import();
        let (users, edges) =
            (tenant.mesh().objects("User").unwrap().len(), tenant.mesh().edges("GroupMember").unwrap().len());
        for route in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::GROUPS_LIST] {
            tenant.sim.add_fault(Fault::always(route, FaultAction::status(code)).at(Call::NextLink).after(1));
        }
        let report = tenant.import_into("mesh.db", true);
        assert!(report.status < 0, "{:#}", report.result);
        assert_eq!(
            (
                tenant.mesh().objects("User").unwrap().iter().filter(|u| !u.hidden).count(),
                tenant.mesh().edges("GroupMember").unwrap().len()
            ),
            (users, edges),
            "{code}"
        );
        tenant.assert_equals_truth();
    }
}
