//! Laws 6 and 7: what faults may do to a run.
//!
//! Under any faults a run equals the truth, or says Partial or Failed, and then nothing that is still true has gone
//! from the store, and one clean run repairs the rest. Faults within the retry budget end `Succeeded` and equal, by
//! delta where a delta was possible. Easy to get wrong: 404 on a group *and* on its members is no fault here. It is how
//! a source says that the group is gone.

use std::collections::{BTreeSet, HashMap};

use connector_abi::{CONNECTOR_END, CONNECTOR_END_PARTIAL};
use host_harness::import::Unwatched;
use host_harness::simulator::{Exchange, Fault, FaultAction, Refusal, Route, Truth};
use host_harness::store::Mesh;
use proptest::prelude::*;

use super::bounds;
use super::case::{Case, Size, cases, some_filter};
use super::coverage::{Coverage, Kinds};
use super::faulting::{LASTING, PASSING, Planned, ROUTES, any_faults, count, passing};
use super::stage::{Ran, Stage, during, expect_delta, succeeded};
use super::{MODES, Verdict, law};

/// Repeats of one request: as many as a script of law 7 has strikes.
const BUDGET: u32 = 6;

#[derive(Debug, Clone)]
struct FaultCase {
    case: Case,
    /// The faults of the first run and of each run after a round.
    scripts: Vec<Vec<Planned>>,
    /// Per run, whether a delta link is refused (law 7, `OnDeltaExpired: FullSync`).
    refused: Vec<bool>,
    max_retries: u32,
}

fn fault_cases(
    size: Size,
    script: impl Strategy<Value = Vec<Planned>> + 'static,
    max_retries: impl Strategy<Value = u32> + 'static,
) -> BoxedStrategy<FaultCase> {
    let refused = prop::bool::weighted(0.2);
    let scripts = (prop::collection::vec(script, 4), prop::collection::vec(refused, 4));
    (cases(size, some_filter(), 3), scripts, max_retries)
        .prop_map(|(mut case, (scripts, refused), max_retries)| {
            // What lags behind is another law's business; here every run that succeeds is compared.
            case.tenancy.lag = 0;
            FaultCase { case, scripts, refused, max_retries }
        })
        .boxed()
}

/// Law 7.
fn gets_over(case: &FaultCase, coverage: &Coverage) -> Verdict {
    let mut stage = Stage::open(&case.case.tenancy, &case.case.setup, coverage)
        .with("MaxRetries", case.max_retries)
        .with("OnDeltaExpired", "FullSync");
    let rounds = std::iter::once(None).chain(case.case.rounds.iter().map(Some));
    for (nth, ((round, script), refused)) in rounds.zip(&case.scripts).zip(&case.refused).enumerate() {
        round.map(|round| stage.change(round)).unwrap_or_default();
        stage.arm(script);
        if *refused {
            let shape = Refusal::SyncStateNotFound;
            stage.tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::RefuseDeltaLink { shape }));
        }
        let by_delta = stage.is_by_delta("mesh.db") && !refused;
        let strikes = script.iter().filter_map(|planned| planned.times).sum::<u32>();
        let terms = stage.terms(!by_delta, u64::from(strikes));
        let ran = stage.attempt(&stage.engine("mesh.db"), false, &mut Unwatched);
        stage.tenant.sim.clear_faults();
        count(script, &ran.journal, coverage);
        let struck =
            ran.journal.iter().any(|it| it.route == Route::USERS_DELTA && it.called_delta_link() && it.faulted);
        coverage.count("fault", "refused delta link, full sync", u64::from(*refused && struck));
        let judged = succeeded(&ran.report)
            .and_then(|()| bounds::check(&ran.journal, &terms))
            .and_then(|()| if by_delta { expect_delta(&ran.report) } else { Ok(()) })
            .and_then(|()| stage.equals_truth("mesh.db"));
        judged.map_err(during(format_args!("import {nth}")))?;
    }
    Ok(())
}

/// Law 6.
fn says_so_and_loses_nothing(case: &FaultCase, coverage: &Coverage) -> Verdict {
    let mut stage = Stage::open(&case.case.tenancy, &case.case.setup, coverage).with("MaxRetries", case.max_retries);
    let rounds = std::iter::once(None).chain(case.case.rounds.iter().map(Some));
    for (nth, (round, script)) in rounds.zip(&case.scripts).enumerate() {
        round.map(|round| stage.change(round)).unwrap_or_default();
        let held = if nth == 0 { BTreeSet::new() } else { visible(&stage.mesh("mesh.db")) };
        stage.arm(script);
        let ran = stage.attempt(&stage.engine("mesh.db"), false, &mut Unwatched);
        stage.tenant.sim.clear_faults();
        count(script, &ran.journal, coverage);
        coverage.count("outcome", ran.report.outcome.name(), 1);
        judged(&stage, &ran, &held, case.max_retries).map_err(during(format_args!("import {nth}")))?;
    }
    let last = stage.attempt(&stage.engine("mesh.db"), false, &mut Unwatched);
    succeeded(&last.report).map_err(during("a clean run"))?;
    stage.equals_truth("mesh.db").map_err(during("after a clean run"))
}

fn judged(stage: &Stage<'_>, ran: &Ran, held: &BTreeSet<String>, max_retries: u32) -> Verdict {
    if let Some(error) = &ran.report.host_error {
        return Err(format!("the host failed: {error}"));
    }
    tried_in_measure(&ran.journal, stage.setup.mode == "Recompute", max_retries)?;
    if ran.report.status == CONNECTOR_END {
        // A type that a failed run had finished is as old as that run; the next clean run reads it.
        let types = ran.report.result["ObjectTypes"].as_object().into_iter().flatten();
        if types.filter(|(_, line)| line["Mode"].is_null()).count() > 0 {
            return Ok(());
        }
        return stage.equals_truth("mesh.db").map_err(during("it says Succeeded"));
    }
    if ran.report.status > 0 && ran.report.status != CONNECTOR_END_PARTIAL {
        return Err(format!("{} is no last status", ran.report.status));
    }
    let still_true = rows_of(&stage.truth());
    let shown = visible(&stage.mesh("mesh.db"));
    let lost: Vec<_> = held.intersection(&still_true).filter(|key| !shown.contains(*key)).take(10).collect();
    if lost.is_empty() { Ok(()) } else { Err(format!("{} and yet it took away {lost:?}", ran.report.status)) }
}

/// No request is repeated beyond the retries, one renewed token, and one new start of a round whose page token died.
fn tried_in_measure(journal: &[Exchange], recompute: bool, max_retries: u32) -> Verdict {
    let mut tries: HashMap<&str, u32> = HashMap::new();
    for exchange in journal {
        let once = match exchange.route {
            Route::USERS_DELTA | Route::GROUPS_DELTA | Route::GROUPS_LIST => true,
            Route::MEMBERS => recompute,
            _ => false,
        };
        if once {
            *tries.entry(&exchange.url).or_default() += 1;
        }
        // The items of a batch that failed as a whole were never answered.
        for item in exchange.items.iter().filter(|_| recompute && !exchange.faulted) {
            *tries.entry(&item.url).or_default() += 1;
        }
    }
    let most = 2 * (max_retries + 2);
    match tries.into_iter().find(|(_, times)| *times > most) {
        Some((url, times)) => Err(format!("{url} was called {times} times where {most} are enough")),
        None => Ok(()),
    }
}

fn visible(mesh: &Mesh) -> BTreeSet<String> {
    let objects = ["User", "Group"].into_iter().flat_map(|it| mesh.objects(it).unwrap()).map(|it| it.source_id);
    objects.chain(mesh.edges("GroupMember").unwrap().into_iter().map(|it| it.source_id)).collect()
}

fn rows_of(truth: &Truth) -> BTreeSet<String> {
    let objects = truth.users_selecting(&[]).chain(truth.groups_selecting(&[])).map(|it| it.id);
    objects.chain(truth.members().map(|it| format!("{}:{}", it.parent, it.child))).collect()
}

#[test]
fn under_any_faults_a_run_equals_the_truth_or_says_so_and_loses_nothing() {
    let outcomes: &[&str] = &["Succeeded", "Partial", "Failed"];
    law(
        "under any faults a run equals the truth or says so, and loses nothing",
        |size| fault_cases(size, any_faults(), 0..3_u32),
        &[
            Kinds::of_changes(),
            Kinds::of("fault", PASSING.into_iter().chain(LASTING).chain(["for ever"])),
            Kinds::of("fault on", ROUTES.into_iter().chain([Route::Token]).map(|it| format!("{it:?}"))),
            Kinds::of("outcome", outcomes),
            Kinds::of("setup", MODES),
        ],
        says_so_and_loses_nothing,
    );
}

#[test]
fn faults_within_the_retry_budget_end_succeeded_and_equal() {
    let refused: &[&str] = &["refused delta link, full sync"];
    law(
        "faults within the retry budget end Succeeded and equal",
        |size| fault_cases(size, passing(), Just(BUDGET)),
        &[
            Kinds::of_changes(),
            Kinds::of("fault", PASSING.iter().chain(refused)),
            Kinds::of("fault on", ROUTES.map(|it| format!("{it:?}"))),
            Kinds::of("setup", MODES),
        ],
        gets_over,
    );
}
