//! The fault matrix of `docs/reliability.md`: every fault at every place, in both forms, each ending as the page says.
//!
//! The page is the only place where an outcome stands; see `page` for how it is read. Cells run side by side, each with
//! a tenant, a simulator and a store of its own. `CONNECTOR_TEST_CELLS=503` runs the cells whose name holds that text.

mod cell; // one cell: change, struck run, judgement, clean run
mod faults; // rows and columns in the simulator's terms
mod page; // the page, read
mod rows; // nothing invented, nothing lost

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use self::cell::Ended;
use self::page::{Cell, PAGE, matrix, table};

/// It holds, or this is what went wrong.
type Verdict = Result<(), String>;

/// Cells under way at once: most of their time is waiting, for sockets, disks and Retry-After.
const SIDE_BY_SIDE: usize = 4;

/// No cell needs as long; one that does hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Cells of the page that make no sense, at most.
const SENSELESS: usize = 20;

#[test]
fn every_fault_at_every_place_ends_as_the_page_says() {
    let matrix = matrix();
    let wanted = std::env::var("CONNECTOR_TEST_CELLS").unwrap_or_default();
    let cells: Vec<Cell> = matrix.cells.into_iter().filter(|cell| cell.name().contains(&wanted)).collect();
    let count = cells.len();
    // Built before the clock starts.
    host_harness::library::connector_library().unwrap();
    let started = Instant::now();
    let (told, results) = mpsc::channel();
    let waiting = Arc::new(Mutex::new(cells.into_iter()));
    for _ in 0..SIDE_BY_SIDE {
        let (waiting, told) = (Arc::clone(&waiting), told.clone());
        // Not scoped: a cell that hangs must not keep the test from saying so.
        std::thread::spawn(move || {
            loop {
                let Some(cell) = waiting.lock().unwrap().next() else { return };
                let _ = told.send((cell.name(), None));
                let result = catch_unwind(AssertUnwindSafe(|| cell::run(&cell)));
                let result = result.unwrap_or_else(|panic| {
                    let words = panic.downcast_ref::<String>().cloned();
                    Err(format!("panicked: {}", words.unwrap_or_default()))
                });
                let _ = told.send((cell.name(), Some(result)));
            }
        });
    }
    drop(told);
    let mut under_way = BTreeSet::new();
    let (mut all, mut wrong) = (Ended::default(), BTreeMap::new());
    loop {
        match results.recv_timeout(HANGS) {
            Ok((name, None)) => drop(under_way.insert(name)),
            Ok((name, Some(result))) => {
                under_way.remove(&name);
                match result {
                    Ok(ended) => {
                        all.recovered += ended.recovered;
                        all.partial += ended.partial;
                        all.failed += ended.failed;
                    }
                    Err(why) => drop(wrong.insert(name, why)),
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("one of these hangs: {under_way:?}"),
        }
    }
    println!(
        "fault matrix: {count} cells in {} s: {} recovered, {} partial, {} failed, {} n/a",
        started.elapsed().as_secs(),
        all.recovered,
        all.partial,
        all.failed,
        matrix.senseless.len()
    );
    let shown = wrong.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {count} cells end otherwise:\n{shown}", wrong.len());
}

#[test]
fn every_cell_that_makes_no_sense_has_a_reason_and_they_are_few() {
    let mut reasons = BTreeSet::new();
    for row in table("Cells that make no sense").iter().skip(1) {
        for fault in row[0].split(", ") {
            reasons.extend(row[1].split(", ").map(|place| (fault.to_owned(), place.to_owned())));
        }
    }
    let senseless: BTreeSet<_> = matrix().senseless.into_iter().collect();
    assert!(senseless.len() <= SENSELESS, "{}", senseless.len());
    assert_eq!(senseless, reasons, "the matrix, and the table of reasons");
}

#[test]
fn every_fault_has_a_reason_and_a_source() {
    let faults = |heading| -> Vec<&str> { table(heading).iter().skip(1).map(|row| row[0]).collect() };
    assert_eq!(faults("The fault matrix"), faults("Why each fault ends as it does"));
    for row in table("Why each fault ends as it does").iter().skip(1) {
        assert!(row.len() == 4 && row[2].len() > 15 && row[3].len() > 6, "{row:?}");
    }
}

#[test]
fn every_test_that_the_page_of_reliability_names_exists() {
    let tests: String = ["tests/e2e", "plugin/core/src", "host-harness/src"].map(crate::traps::sources).concat();
    let is_a_test = |word: &&str| word.matches('_').count() > 2 && !word.contains(['-', '/', '.']);
    let named: BTreeSet<&str> =
        PAGE.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(is_a_test).collect();
    let missing: Vec<_> = named.iter().filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(!named.is_empty() && missing.is_empty(), "{missing:#?}");
}
