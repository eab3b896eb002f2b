//! Events: rows that are added, whatever comes after them.

use super::*;

fn event(id: &str, attributes: Value) -> String {
    upsert("SignIn", id, Some(id), attributes)
}

fn append(set_id: &str, events: &[String]) -> Vec<String> {
    [&[begin("SignIn", "Append", set_id)], events, &[end("SignIn")]].concat()
}

#[test]
fn events_are_only_added() {
    let told = Told::new();
    told.now(&append("s1", &[event("e1", json!({"app": "Mail"}))]));
    told.now(&append("s2", &[event("e2", json!({})), delete("SignIn", "e1", "Purged")]));
    assert_eq!(told.shown("SignIn"), ["e1", "e2"]);
}

#[test]
fn event_that_comes_again_replaces_its_attributes() {
    let told = Told::new();
    told.now(&append("s1", &[event("e1", json!({"riskState": "atRisk", "riskDetail": "none"}))]));
    let tally = told.now(&append("s2", &[event("e1", json!({"riskState": "remediated"}))]));
    assert_eq!(told.attributes("SignIn", "e1"), json!({"riskState": "remediated"}));
    assert_eq!((tally.types["SignIn"].added, tally.types["SignIn"].changed), (0, 1));
}

#[test]
fn event_that_comes_twice_in_a_set_is_one_row() {
    let told = Told::new();
    let tally = told.now(&append("s1", &[event("e1", json!({"app": "Mail"})), event("e1", json!({"app": "Mail"}))]));
    assert_eq!((told.shown("SignIn").len(), tally.types["SignIn"].unchanged), (1, 1));
}

#[test]
fn no_set_removes_an_event_for_absence_whatever_its_mode() {
    for mode in ["Append", "Full", "Delta"] {
        let told = Told::new();
        told.now(&append("s1", &[event("e1", json!({}))]));
        told.now(&[begin("SignIn", mode, "s2"), end("SignIn")]);
        assert_eq!(told.shown("SignIn"), ["e1"], "{mode}");
    }
}

#[test]
fn event_is_kept_when_its_type_is_switched_off() {
    let told = Told::two_members();
    told.now(&append("s1", &[event("e1", json!({}))]));
    told.store.keep_listed(told.instance, &["User", "Group", "GroupMember"]).unwrap();
    assert_eq!(told.shown("SignIn"), ["e1"]);
}

#[test]
fn event_takes_no_mark_of_an_object_away() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.now(&append("s1", &[event("u1", json!({}))]));
    assert!(told.mesh().is_marked("u1").unwrap());
    assert_eq!(told.members(), ["g1:u2"]);
}
