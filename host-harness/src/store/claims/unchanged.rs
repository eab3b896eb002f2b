//! Edges that come as they are held: they vouch for themselves without being written.

use super::*;

#[test]
fn scope_whose_edges_all_come_again_unchanged_writes_none_of_them() {
    let told = Told::two_members();
    let before = told.touches();
    told.now(&[
        begin("GroupMember", "Full", "s1"),
        edge("g1", "u2"),
        edge("g1", "u1"),
        scope("g1", true),
        end("GroupMember"),
    ]);
    assert_eq!((told.members(), told.touches()), (vec!["g1:u1".into(), "g1:u2".into()], before));
}

#[test]
fn scope_with_more_edges_than_are_kept_in_memory_removes_those_that_did_not_come() {
    let told = Told::new();
    let members = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"].map(|user| edge("g1", user));
    told.delta("GroupMember", &[&members[..], &[scope("g1", true)]].concat());
    told.now(
        &[&[begin("GroupMember", "Full", "s1")], &members[1..], &[scope("g1", true), end("GroupMember")]].concat(),
    );
    assert_eq!(told.members(), ["g1:u2", "g1:u3", "g1:u4", "g1:u5", "g1:u6", "g1:u7", "g1:u8"]);
}

#[test]
fn edges_that_came_unchanged_before_a_checkpoint_inside_their_scope_stay() {
    let told = Told::two_members();
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    for records in [[begin("GroupMember", "Full", "s1"), edge("g1", "u1")], [edge("g1", "u2"), scope("g1", true)]] {
        applier.apply(records.concat().as_bytes()).unwrap();
        applier.commit(Some("w")).unwrap();
    }
    assert_eq!(told.members(), ["g1:u1", "g1:u2"]);
}

#[test]
fn edges_outside_a_scope_that_came_unchanged_before_a_kill_stay_at_the_end_of_the_resumed_set() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u1"), edge("g1", "u2")]);
    told.now(&[resume("GroupMember", "s1"), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2"]);
}

#[test]
fn edge_of_a_scope_that_came_unchanged_and_was_deleted_after_it_is_gone_at_the_end() {
    let told = Told::two_members();
    told.now(&[
        begin("GroupMember", "Full", "s1"),
        edge("g1", "u1"),
        edge("g1", "u2"),
        scope("g1", true),
        delete("GroupMember", "g1:u2", "Removed"),
        end("GroupMember"),
    ]);
    assert_eq!(told.members(), ["g1:u1"]);
}

#[test]
fn edges_outside_a_scope_that_came_unchanged_stay_at_the_end_of_a_full_set() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u2"), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u2"]);
}
