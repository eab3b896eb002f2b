//! Begin, Scope and End.

use super::*;

fn absence(object_type: &str, absence: &str) -> String {
    begin(object_type, "Full", "s1").replace("SoftDeleted", absence)
}

fn counted_end(object_type: &str, [upserts, deletes, left_scope]: [u64; 3]) -> String {
    line(
        json!({"Kind": "End", "ObjectType": object_type, "Complete": true, "Upserts": upserts, "Deletes": deletes, "LeftScope": left_scope}),
    )
}

#[test]
fn full_set_hides_what_it_did_not_mention() {
    let told = Told::two_members();
    told.now(&[begin("User", "Full", "s1"), user("u2", json!({})), end("User")]);
    assert_eq!(told.shown("User"), ["u2"]);
    assert!(told.mesh().is_marked("u1").unwrap() && told.members() == ["g1:u2"]);
}

#[test]
fn absence_is_treated_as_begin_says() {
    let told = Told::two_members();
    told.delta("GroupMember", &[edge("g0", "g1")]);
    told.now(&[absence("Group", "LeftScope"), end("Group")]);
    assert!(told.mesh().object("Group", "g1").unwrap().is_none() && !told.mesh().is_marked("g1").unwrap());
    assert_eq!(told.members(), ["g0:g1"]);
}

#[test]
fn absence_that_is_left_scope_takes_the_marks_away_that_the_set_did_not_mention() {
    let told = Told::two_members();
    let members = ["g1", "g2", "g3"].map(|member| edge("g0", member));
    let deleted = ["g1", "g2", "g3"].map(|id| delete("Group", id, "SoftDeleted"));
    told.delta("Group", &deleted);
    told.delta("GroupMember", &members);
    told.now(&[absence("Group", "LeftScope"), delete("Group", "g3", "SoftDeleted"), end("Group")]);
    assert_eq!((told.members(), told.shown("Group")), (vec!["g0:g1".into(), "g0:g2".into()], vec![]));
}

#[test]
fn absence_that_is_left_scope_leaves_the_marks_of_other_types_alone() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted"), delete("User", "u9", "SoftDeleted")]);
    told.delta("GroupMember", &[edge("g0", "u1"), edge("g0", "u9")]);
    told.now(&[absence("Group", "LeftScope"), end("Group")]);
    assert_eq!(told.members(), [""; 0]);
}

#[test]
fn group_that_was_hidden_before_it_left_scope_has_its_attributes_when_it_comes_back() {
    let told = Told::two_members();
    told.delta("Group", &[delete("Group", "g1", "SoftDeleted")]);
    told.now(&[absence("Group", "LeftScope"), end("Group")]);
    told.delta("Group", &[group("g1", json!({"mail": "g1@contoso.com"}))]);
    assert_eq!(told.attributes("Group", "g1"), json!({"displayName": "Sales", "mail": "g1@contoso.com"}));
}

#[test]
fn incomplete_end_removes_nothing() {
    let told = Told::two_members();
    told.now(&[
        begin("User", "Full", "s1"),
        end_incomplete("User"),
        begin("GroupMember", "Full", "s1"),
        end_incomplete("GroupMember"),
    ]);
    assert_eq!((told.shown("User").len(), told.members().len()), (2, 2));
}

#[test]
fn delta_set_removes_nothing_for_absence() {
    let told = Told::two_members();
    told.delta("User", &[]);
    told.delta("GroupMember", &[]);
    assert_eq!((told.shown("User").len(), told.members().len()), (2, 2));
}

#[test]
fn complete_scope_removes_the_edges_that_did_not_come() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u2"), scope("g1", true)]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn complete_scope_counts_in_a_delta_set_too() {
    let told = Told::two_members();
    told.delta("GroupMember", &[edge("g1", "u3"), scope("g1", true)]);
    assert_eq!(told.members(), ["g1:u3"]);
}

#[test]
fn incomplete_scope_removes_nothing_even_at_the_end_of_a_full_set() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u3"), scope("g1", false), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2", "g1:u3"]);
}

#[test]
fn last_scope_of_a_group_decides_at_the_end() {
    let told = Told::two_members();
    told.now(&[
        begin("GroupMember", "Full", "s1"),
        scope("g1", false),
        edge("g1", "u1"),
        scope("g1", true),
        end("GroupMember"),
    ]);
    assert_eq!(told.members(), ["g1:u1"]);
}

#[test]
fn second_scope_of_a_group_counts_from_the_first() {
    let told = Told::new();
    told.delta("GroupMember", &[edge("g1", "u1"), scope("g1", true), edge("g1", "u2"), scope("g1", true)]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn scope_of_one_group_leaves_the_rows_of_another_alone() {
    let told = Told::new();
    told.delta(
        "GroupMember",
        &[edge("g1", "u1"), edge("g2", "u2"), scope("g1", true), edge("g2", "u3"), scope("g2", true)],
    );
    assert_eq!(told.members(), ["g1:u1", "g2:u2", "g2:u3"]);
}

#[test]
fn changes_after_a_scope_stay() {
    let told = Told::two_members();
    told.delta(
        "GroupMember",
        &[edge("g1", "u2"), scope("g1", true), edge("g1", "u4"), delete("GroupMember", "g1:u2", "Removed")],
    );
    assert_eq!(told.members(), ["g1:u4"]);
}

#[test]
fn end_of_a_full_set_removes_edges_of_groups_that_were_not_mentioned() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g2", "u1"), scope("g2", true), end("GroupMember")]);
    assert_eq!(told.members(), ["g2:u1"]);
}

#[test]
fn end_of_a_full_set_removes_dormant_edges_too() {
    let told = Told::two_members();
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u2"), scope("g1", true), end("GroupMember")]);
    told.delta("User", &[user("u1", json!({}))]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn resumed_set_remembers_what_it_touched_before_the_kill() {
    let told = Told::two_members();
    told.now(&[begin("User", "Full", "s1"), user("u1", json!({}))]);
    told.now(&[resume("User", "s1"), end("User")]);
    assert_eq!(told.shown("User"), ["u1"]);
}

#[test]
fn resumed_set_that_is_not_known_removes_nothing() {
    let told = Told::two_members();
    told.now(&[resume("User", "elsewhere"), user("u1", json!({})), end("User")]);
    told.now(&[resume("User", "elsewhere"), end("User")]);
    assert_eq!(told.shown("User"), ["u1", "u2"]);
}

#[test]
fn unfinished_group_is_counted_anew_after_a_resume() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u1")]);
    told.now(&[resume("GroupMember", "s1"), edge("g1", "u2"), scope("g1", true), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn incomplete_scope_before_a_kill_still_protects_its_group_at_the_end() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), scope("g1", false)]);
    told.now(&[resume("GroupMember", "s1"), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2"]);
}

#[test]
fn second_begin_voids_the_set_before_it() {
    let told = Told::two_members();
    told.now(&[
        begin("User", "Full", "s1"),
        user("u1", json!({})),
        begin("User", "Full", "s2"),
        user("u2", json!({})),
        end("User"),
    ]);
    assert_eq!(told.shown("User"), ["u2"]);
}

#[test]
fn full_set_that_was_voided_by_a_delta_set_removes_nothing() {
    let told = Told::two_members();
    told.now(&[begin("User", "Full", "s1"), user("u1", json!({})), begin("User", "Delta", "d1"), end("User")]);
    assert_eq!(told.shown("User"), ["u1", "u2"]);
}

#[test]
fn sets_of_different_types_interleave() {
    let told = Told::two_members();
    told.now(&[
        begin("User", "Full", "s1"),
        begin("GroupMember", "Full", "s1"),
        edge("g1", "u1"),
        user("u1", json!({})),
        end("User"),
        edge("g1", "u2"),
        scope("g1", true),
        end("GroupMember"),
    ]);
    assert_eq!((told.shown("User").len(), told.members().len()), (1, 1));
}

#[test]
fn full_set_after_a_delta_set_of_the_same_type_stands_alone() {
    let told = Told::two_members();
    told.now(&[
        begin("GroupMember", "Full", "s1"),
        edge("g1", "u1"),
        scope("g1", true),
        end("GroupMember"),
        begin("GroupMember", "Delta", "d1"),
        edge("g1", "u5"),
        end("GroupMember"),
    ]);
    assert_eq!(told.members(), ["g1:u1", "g1:u5"]);
}

#[test]
fn soft_delete_inside_a_full_set_keeps_the_attributes() {
    let told = Told::two_members();
    told.now(&[begin("User", "Full", "s1"), delete("User", "u1", "SoftDeleted"), user("u2", json!({})), end("User")]);
    assert_eq!(told.attributes("User", "u1")["displayName"], "Ann");
}

#[test]
fn several_sets_of_one_type_in_a_run_add_up() {
    let told = Told::two_members();
    let tally = told.now(&[
        begin("User", "Full", "s1"),
        user("u1", json!({"displayName": "Ann", "mail": "ann@contoso.com"})),
        user("u3", json!({})),
        counted_end("User", [2, 0, 0]),
        begin("User", "Delta", "d1"),
        user("u3", json!({"displayName": "Cem"})),
        delete("User", "u1", "SoftDeleted"),
        counted_end("User", [1, 1, 0]),
    ]);
    assert_eq!(told.shown("User"), ["u3"]);
    let user = &tally.types["User"];
    assert_eq!(
        (user.added, user.changed, user.unchanged, user.deleted, user.removed_by_absence, user.complete),
        (1, 1, 1, 1, 1, true)
    );
    assert_eq!((user.modes.join("+"), tally.notes.len()), ("Full+Delta".to_owned(), 0));
}

#[test]
fn type_is_whole_when_all_its_sets_are_or_a_full_one_made_up_for_them() {
    let told = Told::two_members();
    let run = |first: [&str; 2], second: [&str; 2]| {
        let ended = |set: [&str; 2]| {
            [begin("User", set[0], "s"), if set[1] == "whole" { end("User") } else { end_incomplete("User") }]
        };
        told.now(&[ended(first), ended(second)].concat()).types["User"].complete
    };
    assert!(run(["Delta", "whole"], ["Delta", "whole"]));
    assert!(!run(["Full", "half"], ["Delta", "whole"]) && !run(["Delta", "whole"], ["Delta", "half"]));
    assert!(run(["Delta", "half"], ["Full", "whole"]));
}

#[test]
fn run_that_ends_inside_a_set_has_not_delivered_it_whole() {
    let told = Told::two_members();
    let tally =
        told.now(&[begin("User", "Delta", "d"), end("User"), begin("User", "Full", "s1"), user("u1", json!({}))]);
    assert!(!tally.types["User"].complete);
    assert_eq!(told.shown("User"), ["u1", "u2"]);
}

#[test]
fn scope_that_could_be_read_in_the_end_is_not_counted_as_unread() {
    let told = Told::two_members();
    let tally = told.now(&[
        begin("GroupMember", "Full", "s1"),
        scope("g1", false),
        scope("g2", false),
        scope("g2", false),
        edge("g1", "u1"),
        scope("g1", true),
        end("GroupMember"),
    ]);
    assert_eq!((tally.types["GroupMember"].unread_scopes, tally.types["GroupMember"].scopes), (1, 4));
}

#[test]
fn scope_that_an_interrupted_run_could_not_read_is_still_unread_when_it_is_resumed() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), scope("g1", false)]);
    let resumed = told.now(&[resume("GroupMember", "s1"), end("GroupMember")]);
    assert_eq!(resumed.types["GroupMember"].unread_scopes, 1);
    let anew = told.now(&[begin("GroupMember", "Full", "s2"), edge("g1", "u1"), scope("g1", true), end("GroupMember")]);
    assert_eq!((anew.types["GroupMember"].unread_scopes, told.members()), (0, vec!["g1:u1".to_owned()]));
}

#[test]
fn complete_scope_after_a_resume_takes_back_the_incomplete_one_before_it() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u1"), scope("g1", false)]);
    told.now(&[resume("GroupMember", "s1"), edge("g1", "u2"), scope("g1", true), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u2"]);
}

#[test]
fn group_that_was_read_before_a_kill_keeps_its_edges_at_the_end_of_the_resumed_set() {
    let told = Told::two_members();
    told.now(&[begin("GroupMember", "Full", "s1"), edge("g1", "u1"), scope("g1", true)]);
    told.now(&[resume("GroupMember", "s1"), edge("g2", "u2"), scope("g2", true), end("GroupMember")]);
    assert_eq!(told.members(), ["g1:u1", "g2:u2"]);
}

#[test]
fn object_type_that_ended_incomplete_keeps_what_its_scopes_did_not_close() {
    let told = Told::two_members();
    let tally = told.now(&[
        begin("GroupMember", "Full", "s1"),
        edge("g1", "u3"),
        scope("g1", false),
        end_incomplete("GroupMember"),
    ]);
    assert_eq!(told.members(), ["g1:u1", "g1:u2", "g1:u3"]);
    let edges = &tally.types["GroupMember"];
    assert_eq!((edges.complete, edges.unread_scopes, edges.removed_by_absence), (false, 1, 0));
}

#[test]
fn group_that_left_scope_inside_a_full_set_is_no_more_than_that() {
    let told = Told::two_members();
    let tally = told.now(&[
        begin("Group", "Full", "s1"),
        delete("Group", "never-known", "LeftScope"),
        delete("Group", "g1", "LeftScope"),
        end("Group"),
    ]);
    assert!(told.shown("Group").is_empty() && !told.mesh().is_marked("never-known").unwrap());
    assert_eq!((tally.types["Group"].left_scope, tally.types["Group"].removed_by_absence), (1, 0));
}
