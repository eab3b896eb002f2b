//! `docs/reliability.md`, read: the matrix stands there and nowhere else.
//!
//! A cell is `n/a`, or `transient / lasting` with a number behind the lasting form. What cannot be read fails the test:
//! a table that is only looked at by people would soon say something else than what is run.

use std::collections::BTreeMap;

pub(super) const PAGE: &str = include_str!("../../../docs/reliability.md");

/// Where a fault strikes: the columns of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    FirstPage,
    MiddlePage,
    LastPage,
    InsideBatch,
    WholeBatch,
    TokenEndpoint,
}

/// The columns, in the words of the page.
const PLACES: [(&str, Place); 6] = [
    ("first page", Place::FirstPage),
    ("middle page", Place::MiddlePage),
    ("last page", Place::LastPage),
    ("inside a batch", Place::InsideBatch),
    ("the batch itself", Place::WholeBatch),
    ("token endpoint", Place::TokenEndpoint),
];

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Recovered,
    Partial(String),
    Failed(String),
}

/// How often the struck request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Times(u32),
    /// So often `1 + MaxRetries`.
    Rounds(u32),
}

impl Made {
    pub(super) fn with(self, max_retries: u32) -> u32 {
        match self {
            Made::Times(times) => times,
            Made::Rounds(rounds) => rounds * (1 + max_retries),
        }
    }

    /// How often a walk may start anew for it: what is made `n` times in rounds of retries, or more than twice (a token
    /// is renewed once), is made once in each walk.
    pub(super) fn new_starts(self) -> u32 {
        match self {
            Made::Times(1 | 2) => 0,
            Made::Times(times) | Made::Rounds(times) => times - 1,
        }
    }
}

/// A cell that is run.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) fault: String,
    pub(super) place: Place,
    /// `None`: this fault has no transient form.
    pub(super) transient: Option<Expected>,
    pub(super) lasting: Expected,
    pub(super) made: Made,
    /// How often the transient form strikes.
    pub(super) strikes: u32,
}

impl Cell {
    /// In the words of the page.
    pub(super) fn name(&self) -> String {
        let place = PLACES.iter().find(|(_, place)| *place == self.place).map_or("", |(words, _)| words);
        format!("{}, {place}", self.fault)
    }
}

/// The matrix.
#[derive(Debug, Default)]
pub(super) struct Matrix {
    pub(super) cells: Vec<Cell>,
    /// Fault and place, in the words of the page.
    pub(super) senseless: Vec<(String, String)>,
}

/// The rows of the table below a heading, the header row first, each split into its columns.
pub(super) fn table(heading: &str) -> Vec<Vec<&'static str>> {
    let below = PAGE.split(&format!("\n## {heading}\n")).nth(1).expect("the heading stands on the page");
    let section = below.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect()).collect()
}

pub(super) fn matrix() -> Matrix {
    let why = table("Why each fault ends as it does");
    let strikes: BTreeMap<&str, u32> =
        why.iter().skip(1).map(|row| (row[0], row[1].parse().expect("a number of strikes"))).collect();
    let mut rows = table("The fault matrix").into_iter();
    let header = rows.next().expect("a header");
    assert_eq!(header[1..], PLACES.map(|(words, _)| words), "the columns of the page are the places of the test");
    let mut matrix = Matrix::default();
    for row in rows {
        let (fault, cells) = row.split_first().expect("a first column");
        assert_eq!(cells.len(), PLACES.len(), "{fault}");
        for (cell, (words, place)) in cells.iter().zip(PLACES) {
            if *cell == "n/a" {
                matrix.senseless.push(((*fault).to_owned(), words.to_owned()));
            } else {
                let strikes = *strikes.get(fault).unwrap_or_else(|| panic!("{fault} has no reason on the page"));
                matrix.cells.push(read(fault, place, strikes, cell).unwrap_or_else(|| panic!("{fault}: {cell}")));
            }
        }
    }
    matrix
}

fn read(fault: &str, place: Place, strikes: u32, cell: &str) -> Option<Cell> {
    let (transient, lasting) = cell.split_once(" / ")?;
    let (lasting, made) = lasting.rsplit_once(' ')?;
    let made = match made.strip_suffix('T') {
        Some("") => Made::Rounds(1),
        Some(rounds) => Made::Rounds(rounds.parse().ok()?),
        None => Made::Times(made.parse().ok()?),
    };
    let transient = if transient == "-" { None } else { Some(expected(transient)?) };
    Some(Cell { fault: fault.to_owned(), place, transient, lasting: expected(lasting)?, made, strikes })
}

fn expected(words: &str) -> Option<Expected> {
    Some(match words.split_once(' ') {
        None if words == "recovered" => Expected::Recovered,
        Some(("partial", code)) => Expected::Partial(code.to_owned()),
        Some(("failed", code)) => Expected::Failed(code.to_owned()),
        _ => return None,
    })
}
