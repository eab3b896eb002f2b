//! One conformance suite for hosts in every language: each does what the Rust host does, row by row.
//!
//! Tests written in each language would be seven suites that promise seven things. Here a host is
//! a program with the command line of `tests/hosts/README.md`, and a scenario does not know who it drives. The table
//! language × scenario is printed at the end, also when all is well, and left in `target/hosts/table.md`.
//!
//! `CONNECTOR_TEST_HOSTS=python,go` drives these alone. A language whose tools are missing is skipped with a message;
//! under `CONNECTOR_TEST_ALL_HOSTS=1` that is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so and stop"
)]

mod frozen; // released headers, and hosts of other versions
mod language; // what each language needs, and how its host is built
mod layout; // a host built against another layout of the Rust door
mod record; // record lines, as they are compared
mod run; // one run of a host: a program, or a door of the library in this process
mod scenario; // what is asked of every host
mod table; // who did what

use language::{Language, Workshop};
use run::Host;
use scenario::Scenario;
use table::{Cell, Table};

#[test]
fn every_host_does_what_the_rust_host_does() {
    let chosen = std::env::var("CONNECTOR_TEST_HOSTS").ok();
    let all = std::env::var_os("CONNECTOR_TEST_ALL_HOSTS").is_some_and(|it| it == "1");
    let workshop = Workshop::new();
    let reference = Host::Door(host_harness::connector::DoorKind::C);
    let expected: Vec<_> = Scenario::ALL
        .iter()
        .map(|scenario| {
            let runs = scenario.perform(&reference, &workshop, "reference").unwrap();
            scenario.prove_reference(&runs);
            runs
        })
        .collect();

    let mut table = Table::new(Scenario::ALL.iter().map(|it| it.name()));
    let wanted = |it: &&Language| chosen.as_ref().is_none_or(|names| names.split(',').any(|name| name == it.id));
    for language in Language::all().filter(wanted) {
        table::say(&format!("{} ...", language.name));
        let cells = match language.prepare(&workshop) {
            Ok(host) => Scenario::ALL
                .iter()
                .zip(&expected)
                .map(|(scenario, expected)| {
                    let judged = scenario
                        .perform(&host, &workshop, language.id)
                        .and_then(|runs| scenario.judge(expected, &runs));
                    judged.map_or_else(|error| Cell::Failed(format!("{error:#}")), |()| Cell::Passed)
                })
                .collect(),
            Err(language::Unready::ToolsMissing(what)) => vec![Cell::Skipped(what); Scenario::ALL.len()],
            Err(language::Unready::Broken(why)) => vec![Cell::Failed(why); Scenario::ALL.len()],
        };
        table.add(language.name, cells);
    }
    table.publish(&workshop.tools).unwrap();
    assert!(table.rows() > 0, "CONNECTOR_TEST_HOSTS names no host of this suite");
    assert!(!table.has_failures(), "a host differs from the Rust host: see the table above");
    assert!(!(all && table.has_skips()), "CONNECTOR_TEST_ALL_HOSTS=1, and a language was skipped: see the table above");
}
