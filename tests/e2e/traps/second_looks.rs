//! Reads that lag behind the feed: what one run cannot see yet, the next run looks for again.
//!
//! The feed mentions such an object once. A connector that believes the first read has lost the object's access until
//! everything is read again.

use host_harness::simulator::{Change, Delta, Kind, World};
use serde_json::json;

use super::{change_group, few, properties};
use crate::world::Tenant;

fn following(world: World) -> Tenant {
    Tenant::of(world).with("MembershipMode", "Delta")
}

/// Restores bring no rows of groups, as Graph's documentation has it.
fn silent() -> Delta {
    Delta { restore_shows_in_groups: false, ..World::gentle().delta }
}

/// Reads of the run after a change are one change behind; before the next run they have caught up.
fn lagging(delta: Delta) -> World {
    let mut world = World { delta, ..few() };
    world.lists.lag_changes = 1;
    world
}

fn step(tenant: &Tenant, changes: &[Change]) {
    tenant.sim.apply(changes).unwrap();
    tenant.import();
    tenant.sim.settle();
}

#[test]
fn restored_member_that_reads_do_not_show_yet_has_its_edges_after_the_next_run() {
    let tenant = following(lagging(silent())).with("GroupSelectionFilter", "displayName ne 'nothing'");
    tenant.sim.settle();
    tenant.import();
    let group = tenant.sim.group_id(0);
    let user = tenant.some_member(&group);
    step(&tenant, &[Change::delete_user(user.clone())]);
    // Read in full while the user is away, the group loses the edge.
    step(&tenant, &[change_group(&group, "description", "read in full")]);
    step(&tenant, &[]);
    step(&tenant, &[Change::restore_user(user)]);
    step(&tenant, &[]);
    tenant.assert_equals_truth();
}

#[test]
fn deleted_member_that_the_recycle_bin_did_not_list_at_the_full_walk_is_hidden_by_the_next_run() {
    let tenant = following(lagging(Delta { deleted_members_in_first_round: true, ..silent() }));
    tenant.sim.settle();
    let user = tenant.some_member(&tenant.sim.group_id(0));
    step(&tenant, &[Change::delete_user(user.clone())]);
    step(&tenant, &[]);
    tenant.assert_equals_truth();
    step(&tenant, &[Change::restore_user(user)]);
    tenant.assert_equals_truth();
}

#[test]
fn restored_user_the_store_never_held_arrives_with_every_attribute_although_its_row_has_few() {
    let tenant = following(World { delta: Delta { lean_restores: true, lean_rows: true, ..silent() }, ..few() });
    let user = tenant.some_member(&tenant.sim.group_id(0));
    tenant.sim.apply(&[Change::delete_user(user.clone())]).unwrap();
    tenant.import();
    tenant.import();
    tenant.follows(&[Change::restore_user(user)]);
}

#[test]
fn hidden_group_that_lost_its_last_member_is_empty_where_the_token_proves_the_permission() {
    for mode in ["Recompute", "Delta"] {
        let world = World { users: 10, groups: 1, edges: 1, hidden_membership_groups: false, ..World::gentle() };
        let tenant = Tenant::of(world).with("MembershipMode", mode).with("GroupSelectionFilter", "displayName ne 'x'");
        let group = tenant.sim.group_id(0);
        let hide = properties(json!({"visibility": "HiddenMembership"}));
        tenant.sim.apply(&[Change::update_group(group.clone(), hide)]).unwrap();
        tenant.import();
        let members: Vec<_> = tenant.sim.truth().members().filter(|edge| edge.parent == group).collect();
        assert!(!members.is_empty(), "the trap is set");
        let gone = members.into_iter().map(|edge| Change::remove_member(group.clone(), edge.child, Kind::User));
        tenant.follows(&gone.collect::<Vec<_>>());
    }
}
