//! The removal guard and rows that say `LeftScope`: a filter that was changed by mistake brings one for each held
//! object.

use super::guard::{FIVE, twenty_members};
use super::*;
use crate::store::RemovalGuard;

fn left(object_type: &str, ids: impl IntoIterator<Item = String>) -> Vec<String> {
    ids.into_iter().map(|id| delete(object_type, &id, "LeftScope")).collect()
}

fn users(range: std::ops::Range<u32>) -> impl Iterator<Item = String> {
    range.map(|number| format!("u{number:02}"))
}

fn delta(object_type: &str, records: Vec<String>) -> Vec<String> {
    [vec![begin(object_type, "Delta", "d")], records, vec![end(object_type)]].concat()
}

#[test]
fn held_objects_that_leave_scope_are_counted_and_stop_the_run() {
    for mode in ["Delta", "Full"] {
        let told = twenty_members();
        let records = [vec![begin("User", mode, "s1"), user("u00", json!({}))], left("User", users(1..20))].concat();
        let stop = told.under(FIVE, &[[records, vec![end("User")]].concat()]).unwrap();
        let rows = &stop.types["User"];
        assert_eq!((stop.object_type.as_str(), rows.held, rows.would_go, rows.listed.len()), ("User", 20, 19, 19));
        assert_eq!(rows.listed[0].name.as_deref(), Some("Name of u01"), "{mode}");
        assert_eq!((told.shown("User").len(), told.watermark().as_str()), (20, "w"), "{mode}");
    }
}

#[test]
fn objects_that_were_never_held_leave_scope_for_nothing() {
    let told = twenty_members();
    told.delta("User", &users(0..10).map(|id| delete("User", &id, "SoftDeleted")).collect::<Vec<_>>());
    // Ten are hidden, eighty are unknown.
    let records = left("User", users(0..10).chain(users(20..100)));
    assert!(told.under(FIVE, &[delta("User", records)]).is_none());
    assert_eq!(told.shown("User").len(), 10);
}

#[test]
fn edges_that_go_with_a_group_that_left_scope_are_counted_as_edges() {
    let told = twenty_members();
    let stop = told.under(FIVE, &[delta("Group", left("Group", ["g0".to_owned()]))]).unwrap();
    assert_eq!((stop.object_type.as_str(), stop.types["GroupMember"].would_go, told.edges()), ("GroupMember", 10, 20));
    assert_eq!(stop.types["Group"].would_go, 1);
    let first = &stop.types["GroupMember"].listed[0];
    assert_eq!(first.ends[0].name.as_deref(), Some("Name of g0"));
}

#[test]
fn edges_that_say_they_left_scope_are_counted() {
    let told = twenty_members();
    let records = left("GroupMember", users(0..10).map(|id| format!("g0:{id}")));
    let stop = told.under(FIVE, &[delta("GroupMember", records)]).unwrap();
    assert_eq!((stop.types["GroupMember"].would_go, told.edges()), (10, 20));
}

/// A store with a third group of three members; a set of groups that it leaves; a set of memberships that lacks three
/// others.
fn two_ways_to_lose_three() -> (Told, Vec<String>, Vec<String>) {
    let told = twenty_members();
    told.delta("Group", &[group("g7", json!({}))]);
    told.delta("GroupMember", &users(0..3).map(|id| edge("g7", &id)).collect::<Vec<_>>());
    let groups = delta("Group", left("Group", ["g7".to_owned()]));
    let mut members = vec![begin("GroupMember", "Full", "s1")];
    members.extend(users(3..10).map(|id| edge("g0", &id)).chain(users(10..20).map(|id| edge("g1", &id))));
    members.extend(["g0", "g1"].map(|id| scope(id, true)));
    (told, groups, members)
}

#[test]
fn edges_that_go_with_groups_and_by_their_own_set_add_up_in_any_order() {
    let ended = |rows: &[String]| [rows, &[end("GroupMember")]].concat();
    for order in ["groups first", "memberships first", "groups inside"] {
        let (told, groups, members) = two_ways_to_lose_three();
        let batches = match order {
            "groups first" => vec![groups, ended(&members)],
            "memberships first" => {
                let rows = [members, users(0..3).map(|id| edge("g7", &id)).collect(), vec![scope("g7", true)]].concat();
                vec![ended(&rows), groups]
            }
            _ => vec![members, groups, vec![end("GroupMember")]],
        };
        let stop = told.under(FIVE, &batches).unwrap_or_else(|| panic!("{order}"));
        let rows = &stop.types["GroupMember"];
        assert_eq!((rows.held, rows.removed_before, rows.would_go), (23, 3, 3), "{order}");
        assert_eq!(told.edges(), 20, "{order}");
    }
}

#[test]
fn edges_within_the_limit_may_go_in_each_of_two_runs() {
    let (told, groups, members) = two_ways_to_lose_three();
    assert!(told.under(FIVE, &[groups]).is_none());
    assert!(told.under(FIVE, &[[members, vec![end("GroupMember")]].concat()]).is_none());
    assert_eq!(told.edges(), 17);
}

#[test]
fn groups_that_leave_scope_in_runs_that_are_stopped_add_up() {
    let told = twenty_members();
    told.delta("Group", &(2..8).map(|number| group(&format!("g{number}"), json!({}))).collect::<Vec<_>>());
    told.delta("GroupMember", &(2..8).map(|number| edge(&format!("g{number}"), "u00")).collect::<Vec<_>>());
    // Each run has one checkpoint behind one more group, and then it is killed.
    let gone = (2..8).map_while(|number| {
        let rows = vec![begin("Group", "Delta", "d"), delete("Group", &format!("g{number}"), "LeftScope")];
        told.under(FIVE, &[rows]).is_none().then_some(number)
    });
    assert_eq!((gone.count(), told.edges()), (5, 21));
}

#[test]
fn without_a_guard_nothing_is_counted() {
    let told = twenty_members();
    assert!(told.under(RemovalGuard::lifted(), &[delta("User", left("User", users(0..20)))]).is_none());
    assert!(told.shown("User").is_empty());
}
