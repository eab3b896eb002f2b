//! Removals that the operator accepts: those that a stop showed, per object type, and no more.

use super::guard::{FIVE, empty_users, portions, run, twenty_members};
use super::*;
use crate::store::{RemovalGuard, RemovalStop};

impl Told {
    /// Applies one run that accepts what was shown, under the default guard where nothing was. It ends in order when it
    /// has no stop.
    fn accepting(&self, batches: &[Vec<String>]) -> Option<RemovalStop> {
        let stop = self.accepting_until_killed(batches);
        if stop.is_none() {
            self.guarded(FIVE).commit_end(Some("end")).unwrap();
        }
        stop
    }

    fn accepting_until_killed(&self, batches: &[Vec<String>]) -> Option<RemovalStop> {
        let mut applier = self.guarded(RemovalGuard::default());
        assert!(applier.accept_shown_removals().unwrap(), "no stop showed anything");
        run(applier, batches)
    }

    fn accepts_anything(&self) -> bool {
        self.guarded(FIVE).accept_shown_removals().unwrap()
    }
}

/// A whole set of users that mentions the last `left` of twenty.
fn users_left(left: u32) -> Vec<String> {
    let mut records = vec![begin("User", "Full", "s1")];
    records.extend((20 - left..20).map(|number| user(&format!("u{number:02}"), json!({}))));
    records.push(end("User"));
    records
}

#[test]
fn accepted_run_finishes_what_was_stopped() {
    let told = twenty_members();
    assert_eq!(told.under(FIVE, &portions(false)).unwrap().types["GroupMember"].would_go, 14);
    let mut rest = portions(true);
    rest.drain(1..3);
    assert_eq!(told.accepting(&rest), None);
    assert_eq!(told.members(), ["g0:u00", "g0:u01"]);
}

#[test]
fn more_removals_than_were_shown_stop_the_accepted_run_and_show_the_new_number() {
    let told = twenty_members();
    assert_eq!(told.under(FIVE, &[users_left(6)]).unwrap().types["User"].would_go, 14);
    let stop = told.accepting(&[users_left(5)]).unwrap();
    let rows = &stop.types["User"];
    assert_eq!((rows.would_go, rows.accepted, told.shown("User").len()), (15, 14, 20));
    assert!(stop.to_string().contains("14 were accepted"), "{stop}");
    assert_eq!(told.accepting(&[users_left(5)]), None);
    assert_eq!(told.shown("User").len(), 5);
}

#[test]
fn fewer_removals_than_were_shown_are_accepted() {
    let told = twenty_members();
    told.under(FIVE, &[users_left(6)]).unwrap();
    assert_eq!(told.accepting(&[users_left(8)]), None);
    assert_eq!(told.shown("User").len(), 8);
}

#[test]
fn run_that_does_not_accept_is_stopped_again() {
    let told = twenty_members();
    for _ in 0..3 {
        assert!(told.under(FIVE, &[users_left(6)]).is_some());
    }
    assert_eq!(told.shown("User").len(), 20);
}

#[test]
fn acceptance_ends_with_the_run_that_used_it() {
    let told = twenty_members();
    told.under(FIVE, &[users_left(6)]).unwrap();
    assert_eq!(told.accepting(&[users_left(6)]), None);
    assert!(!told.accepts_anything());
    told.delta("User", &(0..20).map(|number| user(&format!("u{number:02}"), json!({}))).collect::<Vec<_>>());
    assert!(told.under(FIVE, &[users_left(6)]).is_some());
}

#[test]
fn run_that_ended_in_order_leaves_nothing_to_accept() {
    let told = twenty_members();
    assert!(!told.accepts_anything());
    told.under(FIVE, &[users_left(6)]).unwrap();
    assert!(told.accepts_anything());
    told.guarded(FIVE).commit_end(Some("corrected")).unwrap();
    assert!(!told.accepts_anything());
}

#[test]
fn type_that_was_not_shown_is_guarded_in_an_accepted_run() {
    let told = twenty_members();
    told.under(FIVE, &[users_left(6)]).unwrap();
    let members = vec![begin("GroupMember", "Full", "s1"), end("GroupMember")];
    let stop = told.accepting(&[users_left(6), members]).unwrap();
    assert_eq!((stop.object_type.as_str(), stop.types["GroupMember"].accepted), ("GroupMember", 0));
    // All edges are there; those of the fourteen users are dormant.
    assert_eq!((told.shown("User").len(), told.edges()), (6, 6));
}

#[test]
fn accepted_run_that_was_killed_goes_on_within_the_same_number() {
    let told = twenty_members();
    told.under(FIVE, &portions(false)).unwrap();
    let part = vec![resume("GroupMember", "s1"), edge("g0", "u00"), edge("g0", "u01"), scope("g0", true)];
    assert_eq!(told.accepting_until_killed(&[part]), None);
    assert_eq!(told.edges(), 12);
    // Four went before the stop and four in the killed run; with one more of g0 and all ten of g1 they are 19 of 18.
    let too_many =
        vec![resume("GroupMember", "s1"), edge("g0", "u00"), scope("g0", true), scope("g1", true), end("GroupMember")];
    let rows = told.accepting(&[too_many]).unwrap().types["GroupMember"].clone();
    assert_eq!((rows.removed_before, rows.would_go, rows.accepted), (8, 11, 18));
    assert_eq!(told.edges(), 12);
}

#[test]
fn removals_of_a_set_that_ended_are_not_accepted_twice() {
    let told = twenty_members();
    told.under(FIVE, &[users_left(6)]).unwrap();
    // Its End is committed, and then it is killed.
    assert_eq!(told.accepting_until_killed(&[users_left(6)]), None);
    assert_eq!(told.shown("User").len(), 6);
    let back: Vec<_> = (0..20).map(|number| user(&format!("u{number:02}"), json!({}))).collect();
    let again = [vec![begin("User", "Delta", "d")], back, vec![end("User")], users_left(6)].concat();
    assert_eq!(told.accepting_until_killed(&[again]).unwrap().types["User"].would_go, 14);
}

#[test]
fn stop_that_was_interrupted_says_that_more_may_go() {
    let told = twenty_members();
    let mut applier = told.guarded(FIVE);
    applier.apply(empty_users().concat().as_bytes()).unwrap();
    let stop = applier.stop(false).unwrap();
    assert!(!stop.whole && stop.to_string().contains("as far as it was read"), "{stop}");
}
