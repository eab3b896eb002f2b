//! The laws: what must hold for any tenant, any change script, any fault and any kill, through the loaded library.
//!
//! ```text
//! splits   (1) a full import and any split into deltas leave what one full import leaves
//! kills    (2) killed anywhere and resumed, the store equals the truth after one further clean run
//! replays  (3) a page repeated at once, or a replay in order from any earlier point, changes nothing
//! modes    (4) MembershipMode Recompute and Delta agree on the members that the feed lists
//! filters  (5) with a GroupSelectionFilter the store is the truth, restricted by an evaluator of the test's own
//! faults   (6) under any faults a run equals the truth or says that it does not, and loses nothing for good
//!          (7) faults within the retry budget end Succeeded and equal
//! histories(8) all of it together: whatever happened, an import that ends with END leaves what the tenant has in scope
//! ```
//!
//! A restart as Full where a delta was possible is a defect, and so is Partial where success was: every law also looks
//! at the journal (`bounds`). `CONNECTOR_TEST_CASES` sets the number of cases of a law (200), `CONNECTOR_TEST_SEED` its
//! seed. Easy to get wrong: a green run that never deleted a user proves nothing about deletes, so each law prints how
//! often each kind of thing occurred and fails at zero (`coverage`).

mod bounds; // how many requests a run may take, derived and not guessed
mod case; // tenants, change scripts, setups: generated, small first
mod coverage; // what a law met
mod faulting; // fault scripts
mod faults; // laws 6 and 7
mod filters; // law 5
mod histories; // law 8
mod independent_filter; // filters as the test understands them
mod kills; // law 2
mod modes; // law 4
mod replays; // law 3
mod splits; // law 1
mod stage; // a case under way: change, run, kill, compare

use std::fmt::Debug;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::case::Size;
use self::coverage::{Coverage, Kinds};

/// The modes that cases choose from.
const MODES: &[&str] = &["Recompute", "Delta"];

/// Cases of each law in CI; fewer are for trying something out, and need not meet every kind.
const CASES: u32 = 200;

/// A law holds, or this is what went wrong.
type Verdict = Result<(), String>;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Puts a law to the test: two threads side by side, since a case mostly waits for sockets and the disk, and each of
/// them the small tenants first.
#[track_caller]
fn law<C: Debug + Clone>(
    name: &str,
    cases: impl Fn(Size) -> BoxedStrategy<C> + Sync,
    must_occur: &[Kinds],
    holds: impl Fn(&C, &Coverage) -> Verdict + Sync,
) {
    let portions = |count| Size::ALL.map(|size| (cases(size), size.share_of(count))).to_vec();
    law_of(name, CASES, portions, must_occur, holds);
}

/// The same for cases of other sorts: `portions` says how many of each sort come, the small ones first.
#[track_caller]
fn law_of<C: Debug + Clone>(
    name: &str,
    cases: u32,
    portions: impl Fn(u32) -> Vec<(BoxedStrategy<C>, u32)> + Sync,
    must_occur: &[Kinds],
    holds: impl Fn(&C, &Coverage) -> Verdict + Sync,
) {
    let count = number("CONNECTOR_TEST_CASES").map_or(cases, |n| n as u32);
    let seed = number("CONNECTOR_TEST_SEED").unwrap_or_else(|| {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        hasher.finish()
    });
    // Built before the clock starts.
    host_harness::library::connector_library().unwrap();
    let started = Instant::now();
    let coverage = Coverage::default();
    let failure = Mutex::new(None::<String>);
    let stop = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for thread in 0..2_u64 {
            let (portions, holds, coverage, failure, stop) = (&portions, &holds, &coverage, &failure, &stop);
            threads.spawn(move || {
                for (sort, (cases, whole)) in portions(count).into_iter().enumerate() {
                    let share = if thread == 0 { whole.div_ceil(2) } else { whole / 2 };
                    let broken = broken_by(&cases, share, &[seed, thread, sort as u64], |case| {
                        if stop.load(Ordering::Relaxed) { Ok(()) } else { holds(case, coverage) }
                    });
                    if let Some(broken) = broken {
                        stop.store(true, Ordering::Relaxed);
                        failure.lock().unwrap().get_or_insert(broken);
                        return;
                    }
                }
            });
        }
    });
    if let Some(broken) = failure.into_inner().unwrap() {
        panic!(
            "the law does not hold: {name}\n{broken}\n\
             to repeat it: CONNECTOR_TEST_SEED={seed} CONNECTOR_TEST_CASES={count}"
        );
    }
    coverage.print(&format!("{count} cases in {} s of: {name}", started.elapsed().as_secs()), must_occur);
    let never = coverage.never(must_occur);
    assert!(count < cases || never.is_empty(), "{name}: never occurred: {never:?}");
}

/// The smallest case found that breaks the law, with what it breaks.
fn broken_by<C: Debug + Clone>(
    cases: &BoxedStrategy<C>,
    count: u32,
    seed: &[u64; 3],
    holds: impl Fn(&C) -> Verdict,
) -> Option<String> {
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(8).zip(seed) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    let config = Config {
        cases: count,
        failure_persistence: None,
        max_shrink_iters: number("CONNECTOR_TEST_SHRINK").map_or(150, |n| n as u32),
        max_shrink_time: 120_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    match runner.run(cases, |case| holds(&case).map_err(TestCaseError::fail)) {
        Ok(()) => None,
        Err(TestError::Fail(why, case)) => Some(format!("{why}\nin the case {case:#?}")),
        Err(TestError::Abort(why)) => Some(format!("no case could be made: {why}")),
    }
}
