//! What a host does with what it does not know, and with what it is told wrongly.

use super::*;

#[test]
fn unknown_kind_is_skipped_and_counted() {
    let told = Told::two_members();
    let tally = told.now(&[line(json!({"Kind": "Weather", "Sky": "blue"}))]);
    assert_eq!((tally.records, tally.unknown_records), (1, 1));
}

#[test]
fn unknown_mode_takes_rows_and_never_removes() {
    let told = Told::two_members();
    let tally = told.now(&[
        begin("User", "Mirror", "s1"),
        user("u3", json!({})),
        delete("User", "u1", "Purged"),
        end("User"),
        begin("GroupMember", "Mirror", "s1"),
        scope("g1", true),
        delete("GroupMember", "g1:u1", "Removed"),
        end("GroupMember"),
    ]);
    assert_eq!((told.shown("User").len(), told.members().len()), (3, 2));
    assert_eq!(tally.types["User"].ignored, 1);
}

#[test]
fn object_type_that_describe_does_not_list_is_kept_as_an_object() {
    let told = Told::new();
    told.delta("Planet", &[upsert("Planet", "p1", None, json!({"displayName": "Mars"}))]);
    assert_eq!(told.shown("Planet"), ["p1"]);
}

#[test]
fn issues_are_kept_and_counted_with_their_type() {
    let told = Told::new();
    let issue = json!({"Kind": "Issue", "ObjectType": "User", "Severity": "Error", "Code": "New", "Message": "m", "RequestId": "r"});
    let tally = told.delta("User", &[line(issue)]);
    assert_eq!(
        (tally.issue_count, tally.types["User"].issues, tally.issues[0].request_id.as_deref()),
        (1, 1, Some("r"))
    );
}

#[test]
fn counts_that_differ_from_the_connectors_are_noted() {
    let told = Told::new();
    let short = line(
        json!({"Kind": "End", "ObjectType": "User", "Complete": true, "Upserts": 2, "Deletes": 0, "LeftScope": 0}),
    );
    let tally = told.now(&[begin("User", "Full", "s1"), user("u1", json!({})), short]);
    assert_eq!(tally.notes.len(), 1);
}

#[test]
fn record_outside_a_set_is_an_error_that_names_it() {
    let told = Told::new();
    let mut applier = told.store.applier(told.instance, &told.catalog).unwrap();
    let error = applier.apply(user("u1", json!({})).as_bytes()).unwrap_err();
    assert!(format!("{error:#}").starts_with("record 1 of this run: the connector broke the contract"), "{error:#}");
}
