//! Object types that the Result of a run does not list: they are switched off, and nobody tells what becomes of their
//! objects.

use super::*;

impl Told {
    /// What a Result lists.
    fn result(&self, listed: &[&str]) {
        self.store.keep_listed(self.instance, listed).unwrap();
    }
}

const ALL: [&str; 3] = ["User", "Group", "GroupMember"];

#[test]
fn deleted_marks_of_a_type_that_is_switched_off_are_ignored() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted"), delete("User", "u9", "Purged")]);
    told.delta("GroupMember", &[edge("g1", "u9")]);
    told.result(&ALL);
    assert_eq!(told.members(), ["g1:u2"]);
    told.result(&["Group", "GroupMember"]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2", "g1:u9"]);
    assert!(!told.mesh().is_marked("u1").unwrap());
}

#[test]
fn marks_of_other_types_count_as_before() {
    let told = Told::two_members();
    told.delta("GroupMember", &[edge("g1", "g2"), edge("g2", "u2")]);
    told.delta("Group", &[delete("Group", "g2", "SoftDeleted")]);
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.result(&["Group", "GroupMember"]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2"]);
}

#[test]
fn objects_of_a_type_that_is_switched_off_are_shown_as_its_last_end_left_them() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.result(&["Group", "GroupMember"]);
    assert_eq!(told.shown("User"), ["u2"]);
    assert_eq!(told.attributes("User", "u1")["displayName"], "Ann");
}

#[test]
fn marks_count_again_with_the_next_begin_and_go_with_the_upserts_of_that_set() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted"), delete("User", "u2", "SoftDeleted")]);
    told.result(&["Group", "GroupMember"]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2"]);
    told.now(&[begin("User", "Full", "s2"), user("u2", json!({}))]);
    assert_eq!(told.members(), ["g1:u2"]);
    told.now(&[resume("User", "s2"), end("User")]);
    assert_eq!((told.members(), told.shown("User")), (vec!["g1:u2".to_owned()], vec!["u2".to_owned()]));
}

#[test]
fn marks_count_again_when_a_result_lists_the_type_although_it_did_not_begin() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.result(&["GroupMember"]);
    told.result(&ALL);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn result_of_one_instance_says_nothing_about_the_types_of_another() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    let other = told.store.instance("second", "Fake").unwrap();
    told.store.keep_listed(other, &["Device"]).unwrap();
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn mark_that_another_type_set_since_carries_that_type() {
    let told = Told::new();
    told.delta("GroupMember", &[edge("g1", "x")]);
    told.delta("User", &[delete("User", "x", "SoftDeleted")]);
    told.delta("Group", &[delete("Group", "x", "SoftDeleted")]);
    told.result(&["Group", "GroupMember"]);
    assert!(told.members().is_empty());
    told.result(&["User", "GroupMember"]);
    assert_eq!(told.members(), ["g1:x"]);
}
