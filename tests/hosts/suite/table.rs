//! The table language × scenario.
//!
//! It goes to stderr past the test harness, which would swallow the output of a test that passes.

use std::fmt;
use std::io::Write;

/// As wide as the longest word of a cell.
const CELL: usize = 7;

/// What came of one scenario in one language.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    /// As the Rust host.
    Passed,
    /// Not run: this tool is missing.
    Skipped(String),
    /// Otherwise than the Rust host: how.
    Failed(String),
}

/// Languages downwards, scenarios across.
#[derive(Debug)]
pub(crate) struct Table {
    scenarios: Vec<&'static str>,
    rows: Vec<(&'static str, Vec<Cell>)>,
}

/// A line for whoever watches.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

impl Table {
    pub(crate) fn new(scenarios: impl Iterator<Item = &'static str>) -> Table {
        Table { scenarios: scenarios.collect(), rows: Vec::new() }
    }

    pub(crate) fn add(&mut self, language: &'static str, cells: Vec<Cell>) {
        self.rows.push((language, cells));
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn has_failures(&self) -> bool {
        self.cells().any(|(.., cell)| matches!(cell, Cell::Failed(_)))
    }

    pub(crate) fn has_skips(&self) -> bool {
        self.cells().any(|(.., cell)| matches!(cell, Cell::Skipped(_)))
    }

    fn cells(&self) -> impl Iterator<Item = (&'static str, &'static str, &Cell)> {
        self.rows.iter().flat_map(|(language, cells)| {
            cells.iter().zip(&self.scenarios).map(move |(cell, scenario)| (*language, *scenario, cell))
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|(language, _)| language.len()).max().unwrap_or_default();
        write!(f, "\n{:width$}", "host")?;
        for scenario in &self.scenarios {
            write!(f, " | {scenario:CELL$}")?;
        }
        for (language, cells) in &self.rows {
            write!(f, "\n{language:width$}")?;
            for (cell, scenario) in cells.iter().zip(&self.scenarios) {
                let word = match cell {
                    Cell::Passed => "ok",
                    Cell::Skipped(_) => "skipped",
                    Cell::Failed(_) => "FAILED",
                };
                write!(f, " | {word:0$}", scenario.len().max(CELL))?;
            }
        }
        writeln!(f)?;
        let mut said = None;
        for (language, scenario, cell) in self.cells() {
            match cell {
                Cell::Passed => {}
                Cell::Skipped(_) if said == Some(language) => {}
                Cell::Skipped(what) => writeln!(f, "{language}: skipped, {what}")?,
                Cell::Failed(how) => writeln!(f, "{language}, {scenario}: {how}")?,
            }
            said = Some(language);
        }
        Ok(())
    }
}
