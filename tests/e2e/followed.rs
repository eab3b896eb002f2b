//! `MembershipMode: "Delta"`: memberships come with the groups feed, and what the feed does not tell is asked for.

use connector_abi::*;
use host_harness::simulator::{Change, Fault, FaultAction, Route, World};

use crate::world::Tenant;

fn followed(world: World) -> Tenant {
    Tenant::of(world).with("MembershipMode", "Delta")
}

#[test]
fn full_and_delta_equal_the_truth_in_a_world_that_is_not_gentle() {
    let tenant = followed(World::default());
    tenant.import();
    tenant.assert_equals_truth();
    tenant.sim.apply(&tenant.sim.demo_changes()).unwrap();
    let delta = tenant.import();
    assert_eq!(delta.result["ObjectTypes"]["GroupMember"]["Mode"], "Delta");
    tenant.assert_equals_truth();
}

#[test]
fn an_idle_delta_costs_two_requests_whatever_the_tenants_size() {
    let tenant = followed(World { users: 2000, groups: 300, edges: 9000, ..World::gentle() });
    tenant.import();
    // The run after a full walk reads the recycle bins once more.
    tenant.import();
    tenant.requests();
    let report = tenant.import();
    assert_eq!(tenant.requests().iter().filter(|x| x.route != Route::Token).count(), 2, "{:#}", report.result);
}

#[test]
fn a_restored_user_has_its_memberships_back_although_no_row_brings_them() {
    let tenant = followed(World::gentle());
    tenant.import();
    let user = tenant.sim.truth().members().find(|edge| edge.child_type == "User").unwrap().child;
    tenant.sim.apply(&[Change::delete_user(user.clone())]).unwrap();
    tenant.import_into("mesh.db", false);
    tenant.assert_equals_truth();
    tenant.sim.apply(&[Change::restore_user(user)]).unwrap();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_group_whose_members_could_not_be_read_is_read_first_thing_in_the_next_run() {
    let tenant =
        followed(World::gentle()).with("GroupSelectionFilter", "securityEnabled eq true").with("MaxRetries", 0);
    tenant.import();
    let group = tenant.mesh().objects("Group").unwrap()[0].source_id.clone();
    tenant
        .sim
        .apply(&[Change::add_member(group.clone(), "#3", host_harness::simulator::Kind::User)])
        .unwrap_or_default();
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)).on_url(&group));
    let partial = tenant.import_into("mesh.db", false);
    assert_eq!(partial.status, CONNECTOR_END_PARTIAL, "{:#}", partial.result);
    tenant.sim.clear_faults();
    tenant.requests();
    tenant.import();
    let reads = tenant.requests().iter().filter(|x| x.route == Route::MEMBERS).count();
    assert_eq!(reads, 1);
}

#[test]
fn a_filter_that_only_a_reconcile_would_send_to_graph_is_tried_on_the_first_import() {
    let tenant = followed(World::gentle()).with("GroupSelectionFilter", "visibility eq 'Private'");
    let refused = tenant.pull(None);
    assert_eq!(refused.status, CONNECTOR_E_INVALID_CONFIG, "{:#}", refused.result);
    assert!(refused.error()["Message"].as_str().unwrap().contains("'visibility'"), "{:#}", refused.error());
}
