//! What Upsert and Delete do to objects.

use super::*;

#[test]
fn delta_leaves_absent_attributes_and_clears_nulls() {
    let told = Told::two_members();
    told.delta("User", &[user("u1", json!({"mail": null, "jobTitle": "CEO"}))]);
    assert_eq!(told.attributes("User", "u1"), json!({"displayName": "Ann", "jobTitle": "CEO"}));
}

#[test]
fn full_row_is_a_complete_image() {
    let told = Told::two_members();
    told.now(&[begin("User", "Full", "s1"), user("u1", json!({"displayName": "Anna", "mail": null})), end("User")]);
    assert_eq!(told.attributes("User", "u1"), json!({"displayName": "Anna"}));
}

#[test]
fn delta_of_an_unknown_object_leaves_the_rest_null() {
    let told = Told::new();
    told.delta("User", &[user("u9", json!({"displayName": "New"}))]);
    assert_eq!(told.attributes("User", "u9"), json!({"displayName": "New"}));
}

#[test]
fn external_id_null_on_a_change_means_unchanged() {
    let told = Told::two_members();
    told.delta("User", &[upsert("User", "u1", None, json!({"jobTitle": "CEO"}))]);
    assert_eq!(told.mesh().object("User", "u1").unwrap().unwrap().external_id.as_deref(), Some("u1"));
}

#[test]
fn two_users_swap_their_external_ids_in_one_round() {
    let told = Told::two_members();
    told.delta("User", &[upsert("User", "u1", Some("u2"), json!({})), upsert("User", "u2", Some("u1"), json!({}))]);
    let external: Vec<_> = told.mesh().objects("User").unwrap().into_iter().map(|it| it.external_id.unwrap()).collect();
    assert_eq!(external, ["u2", "u1"]);
}

#[test]
fn soft_deleted_object_is_hidden_with_its_attributes() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    assert_eq!(told.shown("User"), ["u2"]);
    assert_eq!(told.attributes("User", "u1")["mail"], "ann@contoso.com");
}

#[test]
fn upsert_merges_onto_the_attributes_of_a_soft_deleted_object() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.delta("User", &[user("u1", json!({"jobTitle": "CEO"}))]);
    assert_eq!(
        told.attributes("User", "u1"),
        json!({"displayName": "Ann", "jobTitle": "CEO", "mail": "ann@contoso.com"})
    );
    assert_eq!(told.shown("User"), ["u1", "u2"]);
}

#[test]
fn purged_object_is_gone_and_its_mark_stays() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "Purged")]);
    assert!(told.mesh().object("User", "u1").unwrap().is_none());
    assert!(told.mesh().is_marked("u1").unwrap());
}

#[test]
fn object_that_comes_back_after_a_purge_starts_anew() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "Purged")]);
    told.delta("User", &[user("u1", json!({"jobTitle": "CEO"}))]);
    assert_eq!(told.attributes("User", "u1"), json!({"jobTitle": "CEO"}));
}

#[test]
fn group_that_left_scope_is_gone_without_a_mark() {
    let told = Told::two_members();
    told.delta("Group", &[delete("Group", "g1", "LeftScope")]);
    assert!(told.shown("Group").is_empty());
    assert!(!told.mesh().is_marked("g1").unwrap());
}

#[test]
fn same_id_in_two_object_types_is_two_objects() {
    let told = Told::new();
    told.delta("User", &[user("x", json!({"displayName": "user"}))]);
    told.delta("Group", &[group("x", json!({"displayName": "group"}))]);
    assert_eq!(
        (told.attributes("User", "x"), told.attributes("Group", "x")),
        (json!({"displayName": "user"}), json!({"displayName": "group"}))
    );
}

#[test]
fn applying_a_run_twice_changes_nothing() {
    let told = Told::two_members();
    let run = [user("u1", json!({"mail": null})), delete("User", "u2", "SoftDeleted")];
    told.delta("User", &run);
    let again = told.delta("User", &run);
    assert_eq!(again.types["User"].changes(), 0);
}

#[test]
fn change_without_attributes_touches_nothing_of_a_known_object_and_makes_an_unknown_one() {
    let told = Told::two_members();
    let tally = told.delta("Group", &[upsert("Group", "g1", None, json!({})), upsert("Group", "g9", None, json!({}))]);
    assert_eq!(told.attributes("Group", "g1"), json!({"displayName": "Sales"}));
    assert_eq!((told.shown("Group").len(), told.attributes("Group", "g9")), (2, json!({})));
    assert_eq!((tally.types["Group"].unchanged, tally.types["Group"].added), (1, 1));
}

#[test]
fn change_without_attributes_brings_a_soft_deleted_object_back() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.delta("User", &[upsert("User", "u1", None, json!({}))]);
    assert_eq!(told.attributes("User", "u1")["displayName"], "Ann");
    assert_eq!((told.shown("User").len(), told.members().len()), (2, 2));
}
