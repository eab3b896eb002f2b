//! Lists, members and batches: what they leave out, how they lag, and what an answer of 200 does not mean.

use host_harness::simulator::{Change, Exchange, Fault, FaultAction, Route, Throttling, World};
use serde_json::{Value, json};

use super::{add_member, change_group, few};
use crate::relay::{Answered, Relay};
use crate::world::Tenant;

#[test]
fn a_delta_run_reads_the_members_of_groups_that_did_not_change() {
    let tenant = Tenant::of(few());
    tenant.import();
    tenant.sim.clear_journal();
    tenant.follows(&[change_group(&tenant.sim.group_id(0), "description", "the only change")]);
    let read = (0..6).filter(|n| {
        let group = tenant.sim.group_id(*n);
        tenant.sim.count(|asked| asked.route == Route::MEMBERS && asked.object == Some(&group)) > 0
    });
    assert_eq!(read.count(), 6, "a group that did not change has members too");
}

#[test]
fn a_pure_membership_change_arrives_although_the_feed_does_not_mention_it() {
    let tenant = Tenant::of(few());
    tenant.import();
    let group = tenant.sim.group_id(0);
    let user = tenant.some_member(&group);
    tenant.follows(&[super::remove_member(&group, &user)]);
    tenant.follows(&[add_member(&group, &user)]);
}

#[test]
fn members_are_never_expanded_and_never_counted_on_to_be_whole() {
    for mode in ["Recompute", "Delta"] {
        let tenant = Tenant::new().with("MembershipMode", mode);
        tenant.import();
        let seen = tenant.requests();
        assert!(seen.iter().flat_map(Exchange::asked).all(|asked| !asked.url.to_lowercase().contains("expand")));
    }
}

#[test]
fn service_principals_are_among_the_members_on_every_page() {
    let tenant = Tenant::of(World { service_principals: 12, edges: 150, ..few() }).with("PageSize", 5);
    tenant.import();
    tenant.assert_equals_truth();
    let edges = tenant.mesh().edges("GroupMember").unwrap();
    assert!(edges.iter().any(|edge| edge.attributes["memberType"] == "ServicePrincipal"));
}

#[test]
fn members_that_show_type_and_id_only_are_edges_all_the_same() {
    let mut world = World { devices: 10, contacts: 5, service_principals: 5, edges: 150, ..few() };
    world.permissions.revoke("Device.Read.All");
    world.permissions.revoke("Application.Read.All");
    world.permissions.revoke("OrgContact.Read.All");
    let tenant = Tenant::of(world);
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn each_item_of_a_batch_has_a_status_of_its_own() {
    let tenant = Tenant::of(World { groups: 12, shuffled_batches: true, ..few() });
    let group = tenant.sim.group_id(3);
    for (number, action) in
        [(1, FaultAction::status(429)), (2, FaultAction::status(503)), (4, FaultAction::MissingItem)]
    {
        tenant.sim.add_fault(Fault::once(Route::MEMBERS, action).on_object(tenant.sim.group_id(number)));
    }
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::RequestDenied).on_object(&group));
    let report = tenant.import_in_part();
    let unread: Vec<_> = report.issues().iter().map(|issue| issue.scope.clone().unwrap()).collect();
    assert_eq!(unread, [group], "the others came with the next batch");
    assert!(tenant.requests().iter().all(|x| x.items.len() <= 20));
    tenant.sim.clear_faults();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn next_links_of_batch_items_are_followed() {
    let tenant = Tenant::of(World { edges: 400, users: 100, ..few() }).with("PageSize", 9);
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn what_a_list_did_not_show_yet_comes_with_the_next_run() {
    let mut world = few();
    world.lists.lag_changes = 4;
    let tenant = Tenant::of(world);
    tenant.import();
    let group = tenant.sim.group_id(0);
    let user = tenant.some_member(&group);
    let changes =
        [Change::add_user(super::properties(json!({"displayName": "New"}))), super::remove_member(&group, &user)];
    tenant.sim.apply(&changes).unwrap();
    tenant.import();
    assert!(tenant.mesh().edge("GroupMember", &format!("{group}:{user}")).unwrap().is_some(), "the trap is set");
    tenant.sim.settle();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn edge_whose_member_the_feed_has_not_told_yet_is_kept_until_it_does() {
    let (tenant, relay) = behind_a_relay(few());
    let user = tenant.some_member(&tenant.sim.group_id(0));
    let late = user.clone();
    relay.rewrite(move |asked, answered| {
        if asked.target.contains("/users/delta") {
            rows(answered, |rows| rows.retain(|row| row["id"] != late.as_str()));
        }
    });
    tenant.import();
    let mesh = tenant.mesh();
    assert!(mesh.object("User", &user).unwrap().is_none(), "the trap is set: the feed lags behind the read");
    assert!(!mesh.edge("GroupMember", &format!("{}:{user}", tenant.sim.group_id(0))).unwrap().unwrap().dormant);
    relay.rewrite(|_, _| {});
    let told = Change::update_user(user, super::properties(json!({"jobTitle": "Clerk"})));
    tenant.follows(&[told]);
}

#[test]
fn a_tenant_that_charges_every_item_of_a_batch_is_imported_all_the_same() {
    let throttling = Throttling { units_per_10_seconds: Some(60), ..Throttling::default() };
    let tenant = Tenant::of(World { groups: 60, throttling: Some(throttling), ..few() });
    let report = tenant.import();
    tenant.assert_equals_truth();
    assert!(report.result["ThrottledMs"].as_u64().unwrap() > 0, "the trap is set");
    let refused = tenant
        .requests()
        .iter()
        .flat_map(|x| x.asked().collect::<Vec<_>>().into_iter().map(|a| a.status).collect::<Vec<_>>())
        .filter(|s| *s == Some(429))
        .count();
    assert!(refused < 60, "{refused} refusals: somebody hammered on");
}

#[test]
fn member_that_a_list_names_twice_is_one_edge_and_counted_as_delivered() {
    let (tenant, relay) = behind_a_relay(few());
    relay.rewrite(|asked, answered| {
        if asked.target.contains("$batch") {
            let mut batch = answered.json();
            for item in batch["responses"].as_array_mut().unwrap() {
                if let Some(members) = item["body"]["value"].as_array_mut() {
                    members.extend(members.clone());
                }
            }
            answered.set_json(&batch);
        }
    });
    let pulled = tenant.pull(None);
    let delivered = pulled.of("Upsert", "GroupMember").count();
    let counted: u64 = pulled.of("Scope", "GroupMember").map(|scope| scope["Rows"].as_u64().unwrap()).sum();
    let true_ones = tenant.sim.truth().members().count();
    assert!(delivered > true_ones, "the trap is set: {delivered} rows of {true_ones} memberships");
    assert_eq!((counted as usize, &pulled.end("GroupMember")["Upserts"]), (delivered, &json!(delivered)));
    let report = tenant.import();
    assert!(report.tally.notes.is_empty(), "{:?}", report.tally.notes);
    tenant.assert_equals_truth();
}

/// A tenant behind a relay that changes nothing yet.
fn behind_a_relay(world: World) -> (Tenant, Relay) {
    let tenant = Tenant::of(world);
    let relay = Relay::before(&tenant.sim.origin());
    let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
    (tenant, relay)
}

/// Changes the rows of a page.
fn rows(answered: &mut Answered, change: impl FnOnce(&mut Vec<Value>)) {
    let mut page = answered.json();
    page["value"].as_array_mut().map(change).unwrap_or_default();
    answered.set_json(&page);
}
