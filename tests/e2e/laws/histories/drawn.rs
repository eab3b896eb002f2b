//! How histories are drawn: phrases of a few steps each, so that chance need not find what operators do.
//!
//! An operator who changes a setting, whose import stops, and who takes the change back is one phrase; so is a fault
//! that leaves groups unread before a stop.

use host_harness::simulator::Route;
use proptest::prelude::*;

use super::crowd::{CROWD, Crowd, MULTITUDE};
use super::steps::{History, Knob, Outage, Run, Scope, Selection, Step, Stop};
use crate::laws::MODES;
use crate::laws::case::{Size, Tenancy, tenancies};
use crate::laws::faulting::{LASTING, PASSING, Planned};
use crate::laws::independent_filter::{Filter, filters};

/// Every endpoint that an import calls.
pub(super) const ROUTES: [Route; 11] = [
    Route::Token,
    Route::USERS_DELTA,
    Route::GROUPS_DELTA,
    Route::USERS_LIST,
    Route::GROUPS_LIST,
    Route::GROUP,
    Route::MEMBERS,
    Route::MEMBER_OF,
    Route::DELETED_USERS,
    Route::DELETED_GROUPS,
    Route::Batch,
];

/// Of small tenants, by size; the large group of [`Size::Large`] is another law's.
pub(super) fn histories(size: Size) -> BoxedStrategy<History> {
    let tenancy = (tenancies(size), prop::bool::weighted(0.15), any::<bool>()).prop_map(
        |(mut tenancy, lean_restores, hidden_groups)| {
            tenancy.quirks.lean_restores = lean_restores;
            (tenancy, hidden_groups)
        },
    );
    let phrases = prop::collection::vec(phrases(false), 1..=4);
    (tenancy, selections(), scopes(), 3..40_u32, reconcile_days(), any::<bool>(), phrases)
        .prop_map(|((tenancy, hidden_groups), selection, other_scope, page_size, reconcile_days, warm, phrases)| {
            let first = warm.then(|| Step::Run(Run::default()));
            let mut steps: Vec<Step> = first.into_iter().chain(phrases.into_iter().flatten()).collect();
            let (mut selection, mut other_scope) = (selection, other_scope);
            if tenancy.quirks.lean_restores {
                keep_following(&mut selection, &mut other_scope, &mut steps);
            }
            History { tenancy, crowded: false, hidden_groups, selection, other_scope, page_size, reconcile_days, steps }
        })
        .boxed()
}

/// Rows of restored objects that carry next to nothing come with `MembershipMode` `Delta` alone. Left out with
/// `Recompute`, which keeps no list of who is away: such an object stays as thin as its row, or as old as it was when
/// it went, until it changes again.
fn keep_following(selection: &mut Selection, other_scope: &mut Scope, steps: &mut Vec<Step>) {
    selection.mode = "Delta";
    for scope in [&mut selection.scope, other_scope] {
        if matches!(scope, Scope::Untyped) {
            *scope = Scope::All;
        }
    }
    steps.retain(|step| !matches!(step, Step::Turn(Knob::Mode)));
}

/// Of tenants in which more than 500 of everything happens at once.
pub(super) fn crowded() -> BoxedStrategy<History> {
    let crowd = CROWD as u32 + 20..600;
    let users = prop_oneof![6 => crowd.clone(), 1 => Just(MULTITUDE as u32 + 20)];
    let tenancy = (tenancies(Size::Small), users, crowd).prop_map(|(tenancy, users, groups)| Tenancy {
        users,
        groups,
        edges: 1_500,
        ..tenancy
    });
    // A filter that selects nearly all groups, or no filter.
    let wide = prop_oneof![Just(Scope::All), Just(nearly_all())];
    (tenancy, wide, prop::sample::select(MODES), reconcile_days(), phrases(true), phrases(false))
        .prop_map(|(tenancy, scope, mode, reconcile_days, crowd, after)| {
            let steps = [vec![Step::Run(Run::default())], crowd, after].concat();
            let selection = Selection { mode, scope, extra_attributes: false, by_name: false };
            let other_scope = nearly_all();
            History {
                tenancy,
                crowded: true,
                hidden_groups: false,
                selection,
                other_scope,
                page_size: 200,
                reconcile_days,
                steps,
            }
        })
        .boxed()
}

fn nearly_all() -> Scope {
    use crate::laws::independent_filter::Comparator;
    Scope::By(Filter::Compare("displayName", Comparator::NotEqual, "nothing".to_owned()))
}

fn reconcile_days() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0, 2, 7])
}

fn selections() -> impl Strategy<Value = Selection> {
    (prop::sample::select(MODES), scopes(), any::<bool>(), any::<bool>())
        .prop_map(|(mode, scope, extra_attributes, by_name)| Selection { mode, scope, extra_attributes, by_name })
}

/// The order of texts is Graph's: a filter that asks for it says nothing about the connector.
fn scopes() -> impl Strategy<Value = Scope> {
    let ordered = |filter: &Filter| filter.shapes().contains(&"ge/le");
    let evaluated = filters().prop_filter("no order of texts", move |filter| !ordered(filter)).prop_map(Scope::By);
    prop_oneof![3 => Just(Scope::All), 5 => evaluated, 1 => Just(Scope::Untyped)]
}

fn phrases(crowded: bool) -> BoxedStrategy<Vec<Step>> {
    if crowded {
        return crowds().boxed();
    }
    let knob = prop::sample::select(Knob::ALL.to_vec());
    let taken_back = (knob.clone(), troubled(), changes(), any::<bool>()).prop_map(|(knob, run, change, changes)| {
        let there = [Step::Turn(knob), Step::Run(run)];
        let meanwhile = changes.then_some(change);
        there.into_iter().chain(meanwhile).chain([Step::Turn(knob), Step::Run(Run::default())]).collect::<Vec<_>>()
    });
    let turned = (knob, troubled()).prop_map(|(knob, run)| vec![Step::Turn(knob), Step::Run(run)]);
    // Resumed without a change of the tenant: what the interrupted run did not read must be known to the next.
    let resumed = (changes(), troubled(), troubled())
        .prop_map(|(change, run, next)| vec![change, Step::Run(run), Step::Run(next)]);
    let quiet = (changes(), runs()).prop_map(|(change, run)| vec![change, Step::Run(run)]);
    prop_oneof![3 => quiet, 3 => resumed, 2 => turned, 3 => taken_back].boxed()
}

/// More than 500 users go and come back, or more than 500 groups change while most of their reads fail.
fn crowds() -> impl Strategy<Value = Vec<Step>> {
    let days = |days| Step::Change { seed: 1, changes: 3, days };
    let plain = || Step::Run(Run::default());
    let returned =
        (any::<bool>(), prop::sample::select(vec![0_u64, 8]), stops()).prop_map(move |(touched, away, stop)| {
            let groups = touched.then_some(Step::Crowd(Crowd::GroupsTouched));
            [Step::Crowd(Crowd::UsersDeleted), plain()]
                .into_iter()
                .chain(groups)
                .chain([days(away), plain(), plain(), Step::Crowd(Crowd::UsersRestored)])
                .chain([Step::Run(Run { stop, ..Run::default() })])
                .collect()
        });
    let unread =
        (prop::sample::select(vec![Outage::Members, Outage::Groups]), prop::sample::select(vec![0_u64, 8]), stops())
            .prop_map(move |(outage, away, stop)| {
                let run = Run { outage: Some(outage), stop, ..Run::default() };
                vec![days(away), Step::Crowd(Crowd::GroupsTouched), Step::Run(run)]
            });
    prop_oneof![returned, unread]
}

fn changes() -> impl Strategy<Value = Step> {
    let days = prop_oneof![6 => Just(0_u64), 1 => 1..4_u64, 1 => Just(8_u64)];
    (any::<u32>(), 0..30_usize, days).prop_map(|(seed, changes, days)| Step::Change {
        seed: u64::from(seed),
        changes,
        days,
    })
}

fn stops() -> impl Strategy<Value = Option<Stop>> {
    let row = prop_oneof![3 => 1..40_u32, 1 => 1..400_u32].prop_map(Stop::Batch);
    let checkpoint = prop_oneof![3 => 1..12_u32, 1 => 1..60_u32].prop_map(Stop::Checkpoint);
    prop_oneof![1 => Just(None), 2 => row.prop_map(Some), 2 => checkpoint.prop_map(Some)]
}

/// An import that may stop, fail, or be held up by a limit.
fn troubled() -> impl Strategy<Value = Run> {
    let trouble = (faults(), stops(), 0..3_u32);
    let guard = prop_oneof![3 => Just(None), 1 => (0..4_u64, 0..30_u8).prop_map(Some)];
    (runs(), trouble, guard).prop_map(|(run, (faults, stop, max_retries), guard)| Run {
        faults,
        stop,
        max_retries,
        guard,
        batch_rows: if stop.is_some() { 1 } else { run.batch_rows },
        ..run
    })
}

/// An import that nothing disturbs; few are asked for in full.
fn runs() -> impl Strategy<Value = Run> {
    let max_deletes = prop_oneof![4 => Just(None), 1 => (0..6_u32).prop_map(Some)];
    let full = prop::bool::weighted(0.15);
    (full, any::<bool>(), max_deletes, any::<bool>(), prop::sample::select(vec![0_u32, 1, 5])).prop_map(
        |(full, snapshot, max_deletes, full_sync, batch_rows)| Run {
            full,
            snapshot,
            max_deletes,
            full_sync,
            batch_rows,
            max_retries: 2,
            ..Run::default()
        },
    )
}

/// Faults of every kind at any call.
///
/// Left out: 404 on a group *and* on its members. It is how a source says that the group is gone, and a connector that
/// believes it is right.
fn faults() -> impl Strategy<Value = Vec<Planned>> {
    let kinds: Vec<&'static str> = PASSING.into_iter().chain(LASTING).collect();
    let times = prop_oneof![2 => (1..5_u32).prop_map(Some), 1 => Just(None)];
    let anything = (prop::sample::select(kinds), prop::sample::select(&ROUTES[..]), 0..6_u32, times)
        .prop_map(|(kind, route, skip, times)| Planned { kind, route, skip, times });
    let refused = prop::sample::select(vec![Route::USERS_DELTA, Route::GROUPS_DELTA]).prop_map(|route| Planned {
        kind: "refused delta link",
        route,
        skip: 0,
        times: Some(1),
    });
    let unread = (0..6_u32).prop_map(|skip| Planned { kind: "500", route: Route::MEMBERS, skip, times: Some(4) });
    let fault = prop_oneof![6 => anything, 1 => refused, 2 => unread];
    prop::collection::vec(fault, 0..=3).prop_map(|mut faults| {
        let gone = |it: &Planned, route| it.kind == "404" && it.route == route;
        if faults.iter().any(|it| gone(it, Route::MEMBERS)) {
            faults.retain(|it| !gone(it, Route::GROUP));
        }
        faults
    })
}
