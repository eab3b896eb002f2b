//! `MembershipMode: Delta`: memberships out of the groups feed, which tells less than it seems to.
//!
//! A slice is no set, a row is no image, a read is older than the row that caused it, and who comes back from the
//! recycle bin comes alone.

use connector_abi::*;
use host_harness::simulator::{Change, Deletion, Delta, Fault, FaultAction, Route, World};
use serde_json::{Value, json};

use super::{add_member, change_group, few, mode, remove_member};
use crate::world::Tenant;

fn following(world: World) -> Tenant {
    Tenant::of(world).with("MembershipMode", "Delta")
}

/// With a filter that selects every group.
fn following_with_a_filter(world: World) -> Tenant {
    following(world).with("GroupSelectionFilter", "displayName ne 'nobody'")
}

fn feeds(delta: Delta) -> World {
    World { delta, ..few() }
}

fn gentle() -> Delta {
    World::gentle().delta
}

/// Users who are not members of a group.
fn strangers(tenant: &Tenant, group: &str) -> Vec<String> {
    let members: Vec<_> = tenant.sim.truth().members().filter(|e| e.parent == group).map(|e| e.child).collect();
    tenant.sim.truth().users().map(|user| user.id).filter(|id| !members.contains(id)).collect()
}

#[test]
fn a_pure_membership_change_arrives_because_members_are_selected() {
    let tenant = following(few());
    tenant.import();
    let first = tenant.requests_of(host_harness::simulator::Kind::Group)[0].url.clone();
    assert!(first.contains("$select=") && first.contains(",members") && !first.contains("expand"), "{first}");
    let group = tenant.sim.group_id(2);
    let stranger = strangers(&tenant, &group)[0].clone();
    let report = tenant.follows(&[add_member(&group, &stranger), remove_member(&group, &tenant.some_member(&group))]);
    assert_eq!(
        (mode(&report.result, "GroupMember"), report.result["ObjectTypes"]["GroupMember"]["Deletes"].as_u64()),
        ("Delta", Some(1))
    );
}

#[test]
fn the_slices_of_a_large_group_add_up_and_never_replace_each_other() {
    for id_only_slices in [false, true] {
        let delta = Delta { member_slice: 7, group_page: 2, id_only_slices, ..gentle() };
        let tenant = following(World { large_group: Some(60), users: 100, ..feeds(delta) });
        tenant.import();
        tenant.assert_equals_truth();
        let group = tenant.sim.group_id(1);
        let joined: Vec<_> = strangers(&tenant, &group).iter().take(20).map(|user| add_member(&group, user)).collect();
        tenant.follows(&joined);
    }
}

#[test]
fn a_group_row_without_members_says_nothing_about_members() {
    let tenant = following(few());
    tenant.import();
    let edges = tenant.mesh().edges("GroupMember").unwrap().len();
    let report = tenant.follows(&[change_group(&tenant.sim.group_id(0), "description", "members are not mentioned")]);
    assert_eq!(report.result["ObjectTypes"]["GroupMember"]["Deletes"], 0);
    assert_eq!(tenant.mesh().edges("GroupMember").unwrap().len(), edges);
}

#[test]
fn comings_and_goings_of_one_member_are_applied_in_their_order() {
    let tenant = following(feeds(Delta { membership_history: true, ..gentle() }));
    tenant.import();
    // The run after a full walk looks at every object that its feeds mention.
    tenant.import();
    let group = tenant.sim.group_id(0);
    let (member, stranger) = (tenant.some_member(&group), strangers(&tenant, &group)[0].clone());
    let report = tenant.follows(&[
        remove_member(&group, &member),
        add_member(&group, &stranger),
        add_member(&group, &member),
        remove_member(&group, &stranger),
    ]);
    let counts = &report.result["ObjectTypes"]["GroupMember"];
    assert_eq!((&counts["Upserts"], &counts["Deletes"]), (&json!(2), &json!(2)), "each entry is a record");
}

#[test]
fn a_row_of_id_and_members_alone_wipes_no_attribute() {
    let tenant =
        following(feeds(Delta { id_only_membership_rows: true, id_only_slices: true, member_slice: 3, ..gentle() }));
    tenant.import();
    tenant.assert_equals_truth();
    let group = tenant.sim.group_id(0);
    let joined: Vec<_> = strangers(&tenant, &group).iter().take(8).map(|user| add_member(&group, user)).collect();
    tenant.follows(&joined);
}

#[test]
fn with_a_filter_a_group_that_is_mentioned_is_read_whole_and_its_entries_come_on_top() {
    let mut world = feeds(Delta { membership_history: true, ..gentle() });
    world.lists.lag_changes = 2;
    let tenant = following_with_a_filter(world);
    tenant.import();
    let group = tenant.sim.group_id(0);
    let (member, stranger) = (tenant.some_member(&group), strangers(&tenant, &group)[0].clone());
    // The read sees neither change; the row tells both.
    let report = tenant.follows(&[remove_member(&group, &member), add_member(&group, &stranger)]);
    assert!(report.counted("Scope") > 0 || tenant.sim.count(|asked| asked.route == Route::MEMBERS) > 0);
}

#[test]
fn a_group_read_because_of_a_row_is_read_once_more_by_the_next_run() {
    let mut world = few();
    world.lists.lag_changes = 2;
    let tenant = following(world).with("GroupSelectionFilter", "startswith(displayName,'APP-')");
    let group = tenant.sim.group_id(0);
    tenant.sim.apply(&[change_group(&group, "displayName", "SEC-0")]).unwrap();
    tenant.sim.settle();
    tenant.import();
    // A change of a group out of scope, which no later row repeats; then it comes in, and lists lag behind both.
    let stranger = strangers(&tenant, &group)[0].clone();
    tenant.sim.apply(&[add_member(&group, &stranger)]).unwrap();
    tenant.import();
    tenant.sim.apply(&[change_group(&group, "displayName", "APP-0")]).unwrap();
    tenant.import();
    assert!(tenant.mesh().edge("GroupMember", &format!("{group}:{stranger}")).unwrap().is_none(), "the trap is set");
    tenant.sim.settle();
    tenant.import();
    assert!(tenant.mesh().edge("GroupMember", &format!("{group}:{stranger}")).unwrap().is_some());
}

#[test]
fn a_group_whose_members_answer_404_or_500_is_read_by_the_next_run() {
    for action in [FaultAction::NotFound, FaultAction::status(500)] {
        let tenant = following_with_a_filter(few()).with("MaxRetries", 0);
        let group = tenant.sim.group_id(0);
        tenant.import();
        tenant.sim.add_fault(Fault::always(Route::MEMBERS, action.clone()).on_object(&group));
        tenant.sim.apply(&[change_group(&group, "description", "mentioned once")]).unwrap();
        let before = tenant.mesh().edges_of(&group).unwrap().len();
        let report = tenant.import_in_part();
        assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), before, "{action:?}: nothing is removed");
        assert_eq!(
            (report.issues()[0].code.as_str(), report.issues()[0].scope.as_deref()),
            ("MembersUnread", Some(&*group))
        );
        tenant.sim.clear_faults();
        tenant.sim.clear_journal();
        tenant.import();
        tenant.assert_equals_truth();
        assert!(tenant.sim.count(|asked| asked.route == Route::MEMBERS && asked.object == Some(&group)) > 0);
        tenant.sim.clear_journal();
        tenant.import();
        assert_eq!(tenant.sim.count(|asked| asked.route == Route::MEMBERS), 0, "{action:?}: repaired is repaired");
    }
}

#[test]
fn a_vanished_group_keeps_its_edges_until_the_feed_says_that_it_is_gone() {
    let tenant = following_with_a_filter(few());
    let group = tenant.sim.group_id(0);
    tenant.import();
    for route in [Route::MEMBERS, Route::GROUP] {
        tenant.sim.add_fault(Fault::always(route, FaultAction::NotFound).on_object(&group));
    }
    tenant.sim.apply(&[change_group(&group, "description", "mentioned once")]).unwrap();
    tenant.import_in_part();
    tenant.assert_equals_truth();
}

#[test]
fn a_group_that_stays_unread_is_named_after_five_runs_and_tried_again() {
    let tenant = following_with_a_filter(few()).with("MaxRetries", 0);
    let group = tenant.sim.group_id(0);
    tenant.import();
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)).on_object(&group));
    tenant.sim.apply(&[change_group(&group, "description", "mentioned once")]).unwrap();
    let reported: Vec<bool> =
        (0..6).map(|_| tenant.import_in_part().issues()[0].message.contains("look at this group")).collect();
    assert_eq!(reported, [false, false, false, false, true, true]);
}

#[test]
fn who_left_the_scope_or_is_gone_is_not_read_again() {
    for leaves in [true, false] {
        let mut world = World { security_group_deletion: Deletion::Soft, ..few() };
        // Reads still show the group as it was: only its row says that it went.
        world.lists.lag_changes = 1;
        let tenant =
            following(world).with("MaxRetries", 0).with("GroupSelectionFilter", "startswith(displayName,'APP-')");
        let group = tenant.sim.group_id(0);
        tenant.sim.apply(&[change_group(&group, "displayName", "APP-0")]).unwrap();
        tenant.sim.settle();
        tenant.import();
        tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)).on_object(&group));
        tenant.sim.apply(&[change_group(&group, "description", "mentioned")]).unwrap();
        tenant.import_in_part();
        let goes =
            if leaves { change_group(&group, "displayName", "SEC-0") } else { Change::delete_group(group.clone()) };
        tenant.sim.apply(&[goes]).unwrap();
        tenant.import_into("mesh.db", false);
        tenant.sim.clear_journal();
        tenant.import();
        assert_eq!(tenant.sim.count(|asked| asked.object == Some(&group)), 0, "leaves: {leaves}");
        assert!(tenant.mesh().edges_of(&group).unwrap().iter().all(|edge| edge.ends[0] != group || edge.dormant));
    }
}

#[test]
fn a_deleted_member_keeps_its_memberships_asleep_and_has_them_again_when_restored() {
    for restore_shows_in_groups in [false, true] {
        for mode in ["Recompute", "Delta"] {
            let tenant = Tenant::of(feeds(Delta { restore_shows_in_groups, ..gentle() })).with("MembershipMode", mode);
            tenant.import();
            let group = tenant.sim.group_id(0);
            let user = tenant.some_member(&group);
            tenant.follows(&[Change::delete_user(user.clone())]);
            tenant.follows(&[Change::restore_user(user.clone())]);
            assert!(!tenant.mesh().edge("GroupMember", &format!("{group}:{user}")).unwrap().unwrap().dormant);
        }
    }
}

#[test]
fn a_member_restored_after_its_group_was_read_without_it_has_its_edge_again() {
    for lean_restores in [false, true] {
        let tenant = following_with_a_filter(feeds(Delta { lean_restores, ..gentle() }));
        tenant.import();
        let group = tenant.sim.group_id(0);
        let user = tenant.some_member(&group);
        tenant.follows(&[Change::delete_user(user.clone())]);
        tenant.follows(&[change_group(&group, "description", "read whole")]);
        assert!(tenant.mesh().edge("GroupMember", &format!("{group}:{user}")).unwrap().is_none(), "the trap is set");
        // The second read of the group, which would show the member again.
        tenant.import();
        tenant.follows(&[Change::restore_user(user.clone())]);
        assert!(tenant.mesh().edge("GroupMember", &format!("{group}:{user}")).unwrap().is_some());
    }
}

#[test]
fn a_member_deleted_before_the_first_import_and_restored_after_it_has_its_edges() {
    for deleted_members_in_first_round in [false, true] {
        let tenant = following(feeds(Delta { deleted_members_in_first_round, ..gentle() }));
        let user = tenant.some_member(&tenant.sim.group_id(0));
        tenant.sim.apply(&[Change::delete_user(user.clone())]).unwrap();
        tenant.import();
        tenant.assert_equals_truth();
        tenant.follows(&[Change::restore_user(user)]);
    }
}

#[test]
fn a_restored_object_whose_groups_cannot_be_read_is_asked_for_again() {
    let tenant = following_with_a_filter(few()).with("MaxRetries", 0);
    tenant.import();
    let group = tenant.sim.group_id(0);
    let user = tenant.some_member(&group);
    tenant.follows(&[Change::delete_user(user.clone())]);
    tenant.follows(&[change_group(&group, "description", "read whole")]);
    tenant.sim.add_fault(Fault::always(Route::MEMBER_OF, FaultAction::status(500)));
    tenant.sim.apply(&[Change::restore_user(user)]).unwrap();
    let report = tenant.import_in_part();
    assert_eq!(report.issues()[0].code, "RestoredUnread");
    tenant.sim.clear_faults();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn restored_objects_that_cannot_be_asked_for_during_an_outage_are_given_up_and_asked_for_again() {
    let tenant = following_with_a_filter(World { users: 90, ..few() }).with("MaxRetries", 0).unguarded();
    tenant.import();
    let users: Vec<_> = (0..80).map(|n| tenant.sim.user_id(n)).collect();
    tenant.follows(&users.iter().map(|user| Change::delete_user(user.clone())).collect::<Vec<_>>());
    let groups = (0..6).map(|n| change_group(&tenant.sim.group_id(n), "description", "read whole"));
    tenant.follows(&groups.collect::<Vec<_>>());
    tenant.sim.add_fault(Fault::always(Route::MEMBER_OF, FaultAction::status(500)));
    tenant.sim.apply(&users.into_iter().map(Change::restore_user).collect::<Vec<_>>()).unwrap();
    tenant.requests();
    let report = tenant.import_in_part();
    assert_eq!(tenant.sim.count(|asked| asked.route == Route::MEMBER_OF), 40);
    assert_eq!(report.tally.issue_count, 80, "each restored object is reported");
    tenant.sim.clear_faults();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_group_goes_to_the_recycle_bin_or_for_good_as_its_sort_decides() {
    for (security_group_deletion, reason) in [(Deletion::Soft, "SoftDeleted"), (Deletion::Permanent, "Purged")] {
        let tenant = following(World { security_group_deletion, ..few() });
        let is_security = |g: &host_harness::simulator::TruthObject| {
            g.attributes["securityEnabled"] == true && g.attributes["groupTypes"].as_array().is_none_or(Vec::is_empty)
        };
        let group = tenant.sim.truth().groups().find(is_security).unwrap().id;
        let mark = tenant.pull(None).watermark().to_owned();
        tenant.import();
        tenant.follows(&[Change::delete_group(group.clone())]);
        let delta = tenant.pull(Some(&mark));
        assert_eq!(delta.of("Delete", "Group").next().unwrap()["Reason"], reason);
        assert_eq!(tenant.mesh().object("Group", &group).unwrap().is_some(), reason == "SoftDeleted");
        if reason == "SoftDeleted" {
            tenant.follows(&[Change::restore_group(group)]);
        }
    }
}

#[test]
fn a_hidden_group_without_the_permission_warns_and_costs_no_edges() {
    let mut world = few();
    world.permissions.revoke("Member.Read.Hidden");
    let tenant = following(world);
    let group = tenant.sim.group_id(0);
    tenant.import();
    let edges = tenant.mesh().edges_of(&group).unwrap().len();
    tenant.sim.apply(&[change_group(&group, "visibility", "HiddenMembership")]).unwrap();
    let full = tenant.pull(None);
    assert_eq!(full.status, CONNECTOR_END);
    let scope = full.of("Scope", "GroupMember").find(|scope| scope["Scope"] == group.as_str()).unwrap();
    assert_eq!(scope["Complete"], false);
    assert_eq!(full.of("Issue", "GroupMember").next().unwrap()["Code"], "HiddenMembership");
    tenant.import_into("mesh.db", true);
    assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), edges);
}

#[test]
fn hidden_groups_are_read_by_themselves_in_a_full_walk() {
    let tenant = following(few());
    let group = tenant.sim.group_id(0);
    tenant.sim.apply(&[change_group(&group, "visibility", "HiddenMembership")]).unwrap();
    let full = tenant.pull(None);
    let scopes: Vec<&Value> = full.of("Scope", "GroupMember").collect();
    assert_eq!((scopes.len(), &scopes[0]["Scope"], &scopes[0]["Complete"]), (1, &json!(group), &json!(true)));
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn an_idle_delta_of_everything_makes_at_most_four_requests() {
    for tenant in [following(World::default()), following_with_a_filter(World::gentle())] {
        tenant.sim.settle();
        tenant.import();
        tenant.import();
        tenant.requests();
        tenant.import();
        let asked = tenant.requests().iter().filter(|x| x.route != Route::Token && x.route != Route::OpenId).count();
        assert!(asked <= 4, "{asked} requests");
    }
}

#[test]
fn users_are_read_to_their_end_before_the_first_page_of_changed_groups() {
    let tenant = following(World { delta: Delta { user_page: 5, ..gentle() }, ..few() });
    tenant.import();
    let everybody =
        (0..20).map(|n| Change::update_user(tenant.sim.user_id(n), super::properties(json!({"jobTitle": "Clerk"}))));
    tenant.sim.apply(&everybody.collect::<Vec<_>>()).unwrap();
    tenant.requests();
    tenant.import();
    let seen = tenant.requests();
    let last_user = seen.iter().rposition(|x| x.route == Route::USERS_DELTA).unwrap();
    let first_group = seen.iter().position(|x| x.route == Route::GROUPS_DELTA).unwrap();
    assert!(last_user < first_group, "what groups say is applied on top of what restored users bring");
}
