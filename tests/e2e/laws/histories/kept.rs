//! Histories that failed once, each under a name that says what was wrong.
//!
//! A history of the law that fails is pasted here as it was printed, or as the family of histories it belongs to.

use host_harness::simulator::Route;

use super::crowd::{CROWD, Crowd, MULTITUDE};
use super::host::Host;
use super::steps::{History, Knob, Run, Scope, Selection, Step, Stop};
use crate::laws::MODES;
use crate::laws::case::{Quirks, Tenancy};
use crate::laws::coverage::Coverage;
use crate::laws::faulting::Planned;
use crate::laws::independent_filter::{Comparator, Filter};

/// A gentle tenant of a few pages each.
fn small() -> Tenancy {
    Tenancy { seed: 5, users: 20, groups: 10, edges: 60, large_group: None, lag: 0, quirks: Quirks::default() }
}

fn named(prefix: &str) -> Scope {
    Scope::By(Filter::Compare("displayName", Comparator::StartsWith, prefix.to_owned()))
}

fn history(mode: &'static str, steps: Vec<Step>) -> History {
    History {
        tenancy: small(),
        crowded: false,
        hidden_groups: false,
        selection: Selection { mode, scope: Scope::All, extra_attributes: true, by_name: false },
        other_scope: named("nothing is called this"),
        page_size: 3,
        reconcile_days: 7,
        steps,
    }
}

fn plain() -> Step {
    Step::Run(Run { max_retries: 2, ..Run::default() })
}

fn stopped(stop: Stop) -> Run {
    Run { stop: Some(stop), batch_rows: 1, ..Run::default() }
}

#[track_caller]
fn lives(history: &History) {
    if let Err(why) = Host::new(history, &Coverage::default()).live() {
        panic!("{why}");
    }
}

#[test]
fn setting_taken_back_after_a_stop_reads_its_type_anew() {
    for mode in MODES {
        for knob in Knob::ALL {
            for checkpoint in [1, 2, 3, 5, 8] {
                let stop = Step::Run(stopped(Stop::Checkpoint(checkpoint)));
                lives(&history(mode, vec![plain(), Step::Turn(knob), stop, Step::Turn(knob), plain()]));
            }
        }
    }
}

#[test]
fn group_unread_before_a_stop_is_read_or_reported_by_the_import_that_resumes() {
    let changed = Step::Change { seed: 3, changes: 40, days: 0 };
    let unread = Planned { kind: "500", route: Route::MEMBERS, skip: 1, times: Some(3) };
    for mode in MODES {
        for checkpoint in 1..9 {
            let run = Run { faults: vec![unread.clone()], ..stopped(Stop::Checkpoint(checkpoint)) };
            lives(&history(mode, vec![plain(), changed.clone(), Step::Run(run), plain()]));
        }
    }
}

#[test]
fn more_users_restored_than_a_watermark_names_have_their_memberships() {
    let away = Step::Change { seed: 1, changes: 0, days: 8 };
    let gone = [plain(), Step::Crowd(Crowd::UsersDeleted), plain(), away, plain()];
    let steps: Vec<_> = gone.into_iter().chain([Step::Crowd(Crowd::UsersRestored), plain()]).collect();
    for users in [CROWD, MULTITUDE] {
        let mut history = history("Delta", steps.clone());
        history.crowded = true;
        history.tenancy = Tenancy { users: users as u32 + 20, groups: 60, edges: 2 * users as u64, ..small() };
        lives(&history);
    }
}

/// Seed 20261130 of the law: a nested group in the recycle bin, told by a feed; then a filter that only Graph
/// evaluates, whose lists have no row for it; then it is restored out of scope.
#[test]
fn group_restored_out_of_the_scope_of_a_list_is_a_member_again() {
    let quirks =
        Quirks { removed_in_first_round: true, recycle_bin: true, permanent_deletion: true, ..Quirks::default() };
    let first = Filter::Or(
        Box::new(Filter::Not(Box::new(Filter::HasType("DynamicMembership")))),
        Box::new(Filter::In("mailNickname", vec!["Group15".to_owned()])),
    );
    let restored = Step::Change { seed: 1_177_635_964, changes: 12, days: 0 };
    lives(&History {
        tenancy: Tenancy { seed: 189_432_789, users: 3, groups: 4, edges: 4, large_group: None, lag: 0, quirks },
        hidden_groups: true,
        selection: Selection { mode: "Recompute", scope: Scope::By(first), extra_attributes: true, by_name: true },
        other_scope: Scope::Untyped,
        ..history("Recompute", vec![plain(), Step::Turn(Knob::Filter), plain(), restored, plain()])
    });
}

/// Seed 20261130 of the law: groups that the feed of memberships had to repair, and then a filter that only Graph
/// evaluates.
#[test]
fn groups_left_to_repair_are_not_unread_where_groups_are_listed() {
    let fault = Planned { kind: "500", route: Route::MEMBERS, skip: 0, times: Some(4) };
    let unread = Run { snapshot: true, faults: vec![fault], max_retries: 1, batch_rows: 1, ..Run::default() };
    let changed = Step::Change { seed: 1_862_141_849, changes: 28, days: 0 };
    let steps = vec![changed, plain(), Step::Turn(Knob::Filter), Step::Run(unread), Step::Turn(Knob::Filter), plain()];
    let quirks =
        Quirks { removed_in_first_round: true, recycle_bin: true, permanent_deletion: true, ..Quirks::default() };
    lives(&History {
        tenancy: Tenancy { seed: 342_137_477, users: 10, groups: 8, edges: 71, large_group: None, lag: 0, quirks },
        hidden_groups: true,
        selection: Selection { mode: "Delta", scope: Scope::Untyped, extra_attributes: true, by_name: true },
        other_scope: Scope::All,
        page_size: 26,
        reconcile_days: 0,
        ..history("Delta", steps)
    });
}
