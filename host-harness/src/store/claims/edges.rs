//! Edges, and what happens to them when an end goes.

use super::*;

#[test]
fn edge_is_removed_by_its_source_id_alone() {
    let told = Told::two_members();
    told.delta("GroupMember", &[delete("GroupMember", "g1:u1", "Removed")]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn edge_may_come_before_its_ends() {
    let told = Told::new();
    told.delta("GroupMember", &[edge("g7", "u7")]);
    assert_eq!(told.members(), ["g7:u7"]);
}

#[test]
fn edge_at_a_soft_deleted_end_is_dormant_and_wakes_with_it() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    assert_eq!(told.members(), ["g1:u2"]);
    told.delta("User", &[user("u1", json!({}))]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2"]);
}

#[test]
fn all_edges_of_a_soft_deleted_group_are_dormant() {
    let told = Told::two_members();
    told.delta("Group", &[delete("Group", "g1", "SoftDeleted")]);
    assert!(told.members().is_empty());
    assert_eq!(told.mesh().edges_of("g1").unwrap().iter().filter(|edge| edge.dormant).count(), 2);
}

#[test]
fn edge_that_arrives_after_the_mark_is_dormant_too() {
    let told = Told::new();
    told.delta("User", &[delete("User", "u9", "SoftDeleted")]);
    told.delta("GroupMember", &[edge("g1", "u9")]);
    assert!(told.members().is_empty());
}

#[test]
fn mark_of_an_object_the_host_never_held_is_remembered() {
    let told = Told::new();
    told.delta("User", &[delete("User", "u9", "Purged")]);
    told.delta("GroupMember", &[edge("g1", "u9")]);
    assert!(told.members().is_empty() && told.mesh().is_marked("u9").unwrap());
}

#[test]
fn purged_object_takes_its_edges_along() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "Purged")]);
    told.delta("User", &[user("u1", json!({}))]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn purged_group_takes_its_edges_and_its_own_membership_along() {
    let told = Told::two_members();
    told.delta("GroupMember", &[edge("g0", "g1")]);
    told.delta("Group", &[delete("Group", "g1", "Purged")]);
    assert!(told.mesh().edges_of("g0").unwrap().is_empty() && told.mesh().edges_of("g1").unwrap().is_empty());
}

#[test]
fn group_that_left_scope_loses_its_edges_but_stays_a_member() {
    let told = Told::two_members();
    told.delta("GroupMember", &[edge("g0", "g1")]);
    told.delta("Group", &[delete("Group", "g1", "LeftScope")]);
    assert_eq!(told.members(), ["g0:g1"]);
}

#[test]
fn left_scope_takes_the_deleted_mark_away() {
    let told = Told::two_members();
    told.delta("GroupMember", &[edge("g0", "g1")]);
    told.delta("Group", &[delete("Group", "g1", "SoftDeleted")]);
    assert!(told.members().is_empty());
    told.delta("Group", &[delete("Group", "g1", "LeftScope")]);
    assert_eq!(told.members(), ["g0:g1"]);
}

#[test]
fn end_without_an_object_row_makes_no_edge_dormant() {
    let told = Told::new();
    told.delta("GroupMember", &[edge("g1", "device-1")]);
    assert_eq!(told.members(), ["g1:device-1"]);
}

#[test]
fn ends_come_back_among_the_attributes() {
    let told = Told::two_members();
    let edge = told.mesh().edge("GroupMember", "g1:u1").unwrap().unwrap();
    assert_eq!(Value::Object(edge.attributes), json!({"groupId": "g1", "memberId": "u1", "memberType": "User"}));
}

#[test]
fn edges_with_ids_of_their_own_may_connect_the_same_two_objects() {
    let told = Told::new();
    let assigned =
        |id: &str| upsert("RoleAssignment", id, Some(id), json!({"principalId": "u1", "roleId": "r1", "scope": id}));
    told.delta("RoleAssignment", &[assigned("a1"), assigned("a2")]);
    told.delta("RoleAssignment", &[delete("RoleAssignment", "a1", "Removed")]);
    let left: Vec<_> =
        told.mesh().edges("RoleAssignment").unwrap().into_iter().map(|it| (it.source_id, it.ends.join(" "))).collect();
    assert_eq!(left, [("a2".to_owned(), "u1 r1".to_owned())]);
}

#[test]
fn edge_with_an_id_of_its_own_can_move_to_another_end() {
    let told = Told::new();
    told.delta("RoleAssignment", &[upsert("RoleAssignment", "a1", None, json!({"principalId": "u1", "roleId": "r1"}))]);
    told.delta("RoleAssignment", &[upsert("RoleAssignment", "a1", None, json!({"principalId": "u2"}))]);
    let edges = told.mesh().edges("RoleAssignment").unwrap();
    assert_eq!((edges.len(), edges[0].ends.join(" ")), (1, "u2 r1".to_owned()));
}

#[test]
fn edges_without_scopes_outlive_the_scope_of_a_group_but_not_its_purge() {
    let told = Told::two_members();
    told.delta("RoleAssignment", &[upsert("RoleAssignment", "a1", None, json!({"principalId": "g1", "roleId": "r1"}))]);
    told.delta("Group", &[delete("Group", "g1", "LeftScope")]);
    assert_eq!(told.mesh().edges("RoleAssignment").unwrap().len(), 1);
    told.delta("Group", &[delete("Group", "g1", "Purged")]);
    assert!(told.mesh().edges("RoleAssignment").unwrap().is_empty());
}
