//! The removal guard: what goes because the source no longer lists it is counted, and too much of it stops the run.
//! `left_scope` and `accepted` beside this file use the same store and the same limit.

use super::*;
use crate::store::{Applier, RemovalGuard, RemovalStop};

/// A store with twenty users u00…u19, groups g0 and g1, and ten of the users in each.
pub(super) fn twenty_members() -> Told {
    let told = Told::new();
    let all = |range: std::ops::Range<u32>| range.map(|number| format!("u{number:02}"));
    let mut records = vec![begin("User", "Full", "s0")];
    records.extend(all(0..20).map(|id| user(&id, json!({"displayName": format!("Name of {id}")}))));
    records.extend([end("User"), begin("Group", "Full", "s0")]);
    records.extend(["g0", "g1"].map(|id| group(id, json!({"displayName": format!("Name of {id}")}))));
    records.extend([end("Group"), begin("GroupMember", "Full", "s0")]);
    records.extend(all(0..10).map(|id| edge("g0", &id)).chain(all(10..20).map(|id| edge("g1", &id))));
    records.extend([scope("g0", true), scope("g1", true), end("GroupMember")]);
    told.now(&records);
    told
}

/// Applies one run with this applier; each inner list is a batch with a checkpoint. The stop, if there is one.
pub(super) fn run(mut applier: Applier<'_>, batches: &[Vec<String>]) -> Option<RemovalStop> {
    for (number, batch) in batches.iter().enumerate() {
        applier.apply(batch.concat().as_bytes()).unwrap();
        if !applier.is_held_back() {
            applier.commit(Some(&format!("c{number}"))).unwrap();
        }
    }
    applier.is_held_back().then(|| applier.stop(true).unwrap())
}

impl Told {
    pub(super) fn guarded(&self, guard: RemovalGuard) -> Applier<'_> {
        self.store.applier(self.instance, &self.catalog).unwrap().guarded_by(guard)
    }

    /// Applies one run under this guard; each inner list is a batch with a checkpoint `c<number>`. The stop, if there
    /// is one.
    pub(super) fn under(&self, guard: RemovalGuard, batches: &[Vec<String>]) -> Option<RemovalStop> {
        run(self.guarded(guard), batches)
    }

    pub(super) fn edges(&self) -> usize {
        self.mesh().edges("GroupMember").unwrap().len()
    }

    pub(super) fn watermark(&self) -> String {
        self.mesh().watermark("default").unwrap().unwrap()
    }
}

pub(super) const FIVE: RemovalGuard = RemovalGuard::beyond(5, 20);

pub(super) fn empty_users() -> Vec<String> {
    vec![begin("User", "Full", "s1"), user("u00", json!({})), end("User")]
}

#[test]
fn end_that_would_remove_too_much_stops_the_run_and_removes_nothing() {
    let told = twenty_members();
    let stop = told.under(FIVE, &[empty_users()]).unwrap();
    assert_eq!((told.shown("User").len(), told.watermark().as_str()), (20, "w"));
    let rows = &stop.types["User"];
    assert_eq!((rows.held, rows.removed_before, rows.would_go, rows.listed.len()), (20, 0, 19, 19));
    assert_eq!((rows.listed[0].id.as_str(), rows.listed[0].name.as_deref()), ("u01", Some("Name of u01")));
    let said = stop.to_string();
    assert!(said.contains("19 of 20 rows of User") && said.contains("5 rows and 20 % of the rows"), "{said}");
}

#[test]
fn small_type_that_loses_more_than_half_is_stopped_by_the_default() {
    let told = twenty_members();
    let left = |from: u32| {
        let rows = (from..20).map(|number| user(&format!("u{number:02}"), json!({})));
        [vec![begin("User", "Full", "s1")], rows.collect(), vec![end("User")]].concat()
    };
    let stop = told.under(RemovalGuard::default(), &[left(11)]).unwrap();
    assert_eq!((stop.types["User"].would_go, told.shown("User").len()), (11, 20));
    assert!(stop.to_string().contains("or half of 10 rows or more"), "{stop}");
    assert!(told.under(RemovalGuard::default(), &[left(10)]).is_none());
    assert_eq!(told.shown("User").len(), 10);
}

#[test]
fn type_of_less_than_ten_rows_may_lose_all_of_them() {
    let told = Told::two_members();
    assert!(told.under(RemovalGuard::default(), &[vec![begin("User", "Full", "s1"), end("User")]]).is_none());
    assert!(told.shown("User").is_empty());
}

#[test]
fn stop_for_half_of_a_small_type_can_be_accepted_and_guards_the_others_meanwhile() {
    let told = twenty_members();
    assert!(told.under(RemovalGuard::default(), &[empty_users()]).is_some());
    let mut applier = told.guarded(RemovalGuard::lifted());
    assert!(applier.accept_shown_removals().unwrap());
    // The accepted run keeps the limits of the one that was stopped, that of half included.
    let members = vec![begin("GroupMember", "Full", "s1"), end("GroupMember")];
    let stop = run(applier, &[empty_users(), members]).unwrap();
    assert_eq!((stop.object_type.as_str(), told.shown("User").len()), ("GroupMember", 1));
}

#[test]
fn both_limits_must_be_passed() {
    let told = twenty_members();
    assert!(told.under(RemovalGuard::beyond(5, 100), &[empty_users()]).is_none());
}

#[test]
fn stopped_run_lists_edges_with_the_names_of_their_ends() {
    let told = twenty_members();
    let stop = told.under(FIVE, &[vec![begin("GroupMember", "Full", "s1"), scope("g0", true)]]).unwrap();
    let first = &stop.types["GroupMember"].listed[0];
    assert_eq!(first.id, "g0:u00");
    let names: Vec<_> = first.ends.iter().map(|end| end.name.clone().unwrap()).collect();
    assert_eq!(names, ["Name of g0", "Name of u00"]);
}

#[test]
fn long_list_is_cut_and_still_counted() {
    let told = twenty_members();
    told.delta("GroupMember", &(0..30).map(|number| edge("g2", &format!("x{number}"))).collect::<Vec<_>>());
    let stop = told.under(FIVE, &[vec![begin("GroupMember", "Full", "s1"), end("GroupMember")]]).unwrap();
    let rows = &stop.types["GroupMember"];
    assert_eq!((rows.held, rows.would_go, rows.listed.len()), (50, 50, 20));
}

/// Scopes that each remove two edges, each with a checkpoint.
pub(super) fn portions(resumed: bool) -> Vec<Vec<String>> {
    let first = if resumed { resume("GroupMember", "s1") } else { begin("GroupMember", "Full", "s1") };
    let rows = |keep: std::ops::Range<u32>| keep.map(|number| edge("g0", &format!("u{number:02}"))).collect::<Vec<_>>();
    let scoped = |keep| [rows(keep), vec![scope("g0", true)]].concat();
    let mut batches = vec![vec![first]];
    batches.extend([8, 6, 4, 2].map(|left| scoped(0..left)));
    batches.push(vec![end("GroupMember")]);
    batches
}

#[test]
fn scopes_with_checkpoints_of_their_own_add_up() {
    let told = twenty_members();
    let stop = told.under(FIVE, &portions(false)).unwrap();
    let rows = &stop.types["GroupMember"];
    // Read to the end: four more of g0, and all ten of g1, which no Scope mentions.
    assert_eq!((rows.removed_before, rows.would_go, told.edges(), told.watermark().as_str()), (4, 14, 16, "c2"));
    assert!(stop.to_string().contains("4 went with earlier checkpoints"), "{stop}");
}

#[test]
fn count_of_a_set_outlives_a_kill_and_a_resume() {
    let told = twenty_members();
    assert!(told.under(FIVE, &portions(false)[..3]).is_none());
    assert_eq!(told.edges(), 16);
    let mut rest = portions(true);
    rest.drain(1..3);
    let stop = told.under(FIVE, &rest);
    assert_eq!((stop.unwrap().types["GroupMember"].removed_before, told.edges()), (4, 16));
}

#[test]
fn import_that_is_repeated_does_not_remove_the_store_in_portions() {
    let told = twenty_members();
    for set_id in ["s1", "s2", "s3", "s4", "s5"] {
        let batches: Vec<Vec<String>> = portions(false)
            .into_iter()
            .map(|batch| batch.iter().map(|it| it.replace("\"s1\"", &format!("\"{set_id}\""))).collect())
            .collect();
        assert!(told.under(FIVE, &batches).is_some(), "{set_id}");
        assert!(told.edges() >= 15, "{set_id}: {} edges are left of 20", told.edges());
    }
}

#[test]
fn set_that_ended_counts_for_nothing_later() {
    let told = twenty_members();
    let without = |from: u32| {
        let mut records = vec![begin("User", "Full", "s")];
        records.extend((from..20).map(|number| user(&format!("u{number:02}"), json!({}))));
        records.push(end("User"));
        records
    };
    for gone in [4, 8, 12] {
        assert!(told.under(FIVE, &[without(gone)]).is_none(), "{gone}");
    }
    assert_eq!(told.shown("User").len(), 8);
}

#[test]
fn removals_of_a_run_without_a_guard_are_not_held_against_the_next() {
    let told = twenty_members();
    told.under(FIVE, &portions(false)).unwrap();
    assert!(
        told.under(RemovalGuard::lifted(), &[vec![resume("GroupMember", "s1"), edge("g0", "u00"), scope("g0", true)]])
            .is_none()
    );
    let rest: Vec<String> = (10..20).map(|number| edge("g1", &format!("u{number}"))).collect();
    let rest =
        [vec![resume("GroupMember", "s1")], rest[1..].to_vec(), vec![scope("g1", true), end("GroupMember")]].concat();
    assert!(told.under(FIVE, &[rest]).is_none());
    assert_eq!(told.edges(), 10);
}

#[test]
fn run_that_is_held_back_cannot_be_committed() {
    let told = twenty_members();
    let mut applier = told.guarded(FIVE);
    applier.apply(empty_users().concat().as_bytes()).unwrap();
    assert!(applier.is_held_back() && applier.commit(Some("c")).is_err() && applier.commit_end(Some("c")).is_err());
    drop(applier);
    assert_eq!((told.shown("User").len(), told.watermark().as_str()), (20, "w"));
}

#[test]
fn deletes_that_the_source_reports_are_not_counted() {
    let told = twenty_members();
    let gone = (1..20).map(|number| delete("User", &format!("u{number:02}"), "SoftDeleted"));
    let records =
        [vec![begin("User", "Full", "s1"), user("u00", json!({}))], gone.collect(), vec![end("User")]].concat();
    assert!(told.under(FIVE, &[records]).is_none());
    assert_eq!(told.shown("User"), ["u00"]);
}

#[test]
fn scopes_of_a_delta_set_are_guarded_too() {
    let told = twenty_members();
    assert!(told.under(FIVE, &[vec![begin("GroupMember", "Delta", "d"), scope("g0", true)]]).is_some());
    assert_eq!(told.edges(), 20);
}

#[test]
fn edges_that_go_with_an_absent_group_are_counted_as_edges() {
    let told = twenty_members();
    let absent = begin("Group", "Full", "s1").replace("SoftDeleted", "LeftScope");
    let stop = told.under(FIVE, &[vec![absent.clone(), group("g1", json!({})), end("Group")]]).unwrap();
    assert_eq!((stop.object_type.as_str(), stop.types["GroupMember"].would_go, told.edges()), ("GroupMember", 10, 20));
    assert_eq!(stop.types["Group"].listed[0].name.as_deref(), Some("Name of g0"));
    assert!(told.under(RemovalGuard::lifted(), &[vec![absent, group("g1", json!({})), end("Group")]]).is_none());
    assert_eq!(told.edges(), 10);
}

#[test]
fn absent_group_does_not_wipe_out_the_count_of_a_set_that_was_stopped() {
    let told = twenty_members();
    told.delta("GroupMember", &[edge("g7", "u00")]);
    told.delta("Group", &[group("g7", json!({}))]);
    told.under(FIVE, &portions(false)).unwrap();
    let absent = begin("Group", "Full", "s2").replace("SoftDeleted", "LeftScope");
    let groups = vec![absent, group("g0", json!({})), group("g1", json!({})), end("Group")];
    assert!(told.under(FIVE, &[groups]).is_none());
    let mut rest = portions(true);
    rest.drain(1..3);
    // The edge that went with the group is settled with the End of the groups.
    assert_eq!(told.under(FIVE, &rest).unwrap().types["GroupMember"].removed_before, 4);
}
