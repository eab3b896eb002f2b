//! Memberships where the answers are odd: hidden, vanished, unreadable. What cannot be known removes nothing.

use connector_abi::*;
use host_harness::simulator::{Change, Fault, FaultAction, Kind, Route, World};
use serde_json::json;

use crate::world::Tenant;

/// One hidden group with one member, and nothing else that hides. The token cannot be looked into, so it proves
/// nothing.
fn with_a_hidden_group(permitted: bool) -> (Tenant, String) {
    let mut world = World { users: 10, groups: 3, edges: 10, hidden_membership_groups: false, ..World::gentle() };
    if !permitted {
        world.permissions.revoke("Member.Read.Hidden");
    }
    ".opaque".clone_into(&mut world.sign_in.token_ending);
    let tenant = Tenant::of(world);
    let group = tenant.sim.group_id(0);
    let hide =
        Change::update_group(group.clone(), json!({"visibility": "HiddenMembership"}).as_object().unwrap().clone());
    tenant.sim.apply(&[hide]).unwrap();
    (tenant, group)
}

#[test]
fn a_hidden_group_without_the_permission_warns_and_is_no_partial_result() {
    let (tenant, group) = with_a_hidden_group(false);
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END);
    let issue = pulled.of("Issue", "GroupMember").next().unwrap();
    assert_eq!(
        (&issue["Code"], &issue["Severity"], &issue["Scope"]),
        (&json!("HiddenMembership"), &json!("Warning"), &json!(group))
    );
    assert!(issue["Message"].as_str().unwrap().contains("Member.Read.Hidden"));
    let scope = pulled.of("Scope", "GroupMember").find(|s| s["Scope"] == group.as_str()).unwrap();
    assert_eq!((&scope["Complete"], &pulled.end("GroupMember")["UnreadScopes"]), (&json!(false), &json!(1)));
}

#[test]
fn a_hidden_group_that_looks_empty_keeps_its_edges() {
    let (tenant, group) = with_a_hidden_group(true);
    tenant.import();
    let edges = tenant.mesh().edges_of(&group).unwrap().len();
    assert!(edges > 0, "with the permission its members are read");
    for member in tenant.sim.truth().members().filter(|e| e.parent == group).collect::<Vec<_>>() {
        let gone = Change::remove_member(group.clone(), member.child, Kind::default());
        tenant.sim.apply(&[gone]).unwrap();
    }
    tenant.import();
    assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), edges, "empty, or not to be seen: nothing is removed");
}

#[test]
fn one_hidden_group_with_members_proves_that_an_empty_one_is_empty() {
    let (tenant, group) = with_a_hidden_group(true);
    let other = tenant.sim.group_id(1);
    let hide = Change::update_group(other, json!({"visibility": "HiddenMembership"}).as_object().unwrap().clone());
    tenant.sim.apply(&[hide]).unwrap();
    tenant.import();
    for member in tenant.sim.truth().members().filter(|e| e.parent == group).collect::<Vec<_>>() {
        let gone = Change::remove_member(group.clone(), member.child, Kind::default());
        tenant.sim.apply(&[gone]).unwrap();
    }
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_group_that_vanished_since_the_list_loses_its_edges_and_fails_nothing() {
    let tenant = Tenant::small();
    tenant.import();
    let group = tenant.sim.group_id(0);
    for route in [Route::MEMBERS, Route::GROUP] {
        tenant.sim.add_fault(Fault::always(route, FaultAction::NotFound).on_url(&group));
    }
    tenant.import();
    assert!(tenant.mesh().edges("GroupMember").unwrap().iter().all(|e| e.ends[0] != group));
}

#[test]
fn a_group_that_is_there_but_whose_members_answer_404_keeps_its_edges() {
    let tenant = Tenant::small();
    tenant.import();
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::NotFound).on_url(tenant.sim.group_id(0)));
    let report = tenant.import_into("mesh.db", false);
    assert_eq!(report.status, CONNECTOR_END_PARTIAL);
    assert_eq!(report.result["ObjectTypes"]["GroupMember"]["UnreadScopes"], 1);
    tenant.assert_equals_truth();
}

#[test]
fn when_most_groups_answer_404_nothing_is_removed() {
    let tenant = Tenant::of(World { users: 60, groups: 40, edges: 200, ..World::gentle() });
    tenant.import();
    for route in [Route::MEMBERS, Route::GROUP] {
        tenant.sim.add_fault(Fault::always(route, FaultAction::NotFound));
    }
    let report = tenant.import_into("mesh.db", false);
    assert_eq!(report.status, CONNECTOR_END_PARTIAL);
    let message = report.result["ObjectTypes"]["GroupMember"]["Error"]["Message"].as_str().unwrap();
    assert!(message.contains("more than half"), "{message}");
    tenant.assert_equals_truth();
}

#[test]
fn after_many_failed_groups_in_a_row_the_rest_is_not_even_tried() {
    let tenant = Tenant::of(World { users: 300, groups: 200, edges: 900, ..World::gentle() }).with("MaxRetries", 0);
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)));
    let report = tenant.import_into("mesh.db", false);
    assert_eq!(report.status, CONNECTOR_END_PARTIAL);
    assert_eq!(report.result["ObjectTypes"]["GroupMember"]["Complete"], false);
    assert!(report.result["ObjectTypes"]["GroupMember"]["UnreadScopes"].as_u64().unwrap() < 200);
}

#[test]
fn service_principals_and_every_other_member_type_are_read() {
    let tenant = Tenant::new();
    tenant.import();
    let edges = tenant.mesh().edges("GroupMember").unwrap();
    for member_type in ["User", "Group", "ServicePrincipal", "Device", "OrgContact"] {
        assert!(edges.iter().any(|e| e.attributes["memberType"] == member_type), "no {member_type}");
    }
    let reads: Vec<_> =
        tenant.requests().into_iter().flat_map(|x| x.items).filter(|i| i.route == Route::MEMBERS).collect();
    assert!(reads.iter().all(|i| i.url.contains("$count=true")), "an advanced query on every page");
}
