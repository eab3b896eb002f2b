//! The table language × scenario.
//!
//! It goes to stderr past the test harness, which would swallow the output of a test that passes, and into `table.md`
//! beside the tools, for a script that wants it as its last word. Both are Markdown.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::Path;

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

impl Cell {
    fn word(&self) -> &'static str {
        match self {
            Cell::Passed => "passed",
            Cell::Skipped(_) => "skipped",
            Cell::Failed(_) => "FAILED",
        }
    }
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

    /// Shows it, and leaves it in `folder`.
    pub(crate) fn publish(&self, folder: &Path) -> std::io::Result<()> {
        say(&format!("\n{self}"));
        fs::create_dir_all(folder)?;
        fs::write(folder.join("table.md"), self.to_string())
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
        write!(f, "| {:width$} |", "host")?;
        for scenario in &self.scenarios {
            write!(f, " {scenario:CELL$} |")?;
        }
        write!(f, "\n|{}|", "-".repeat(width + 2))?;
        for scenario in &self.scenarios {
            write!(f, "{}|", "-".repeat(scenario.len().max(CELL) + 2))?;
        }
        for (language, cells) in &self.rows {
            write!(f, "\n| {language:width$} |")?;
            for (cell, scenario) in cells.iter().zip(&self.scenarios) {
                write!(f, " {:1$} |", cell.word(), scenario.len().max(CELL))?;
            }
        }
        writeln!(f, "\n")?;
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
        let count = |word: &str| self.cells().filter(|(.., cell)| cell.word() == word).count();
        let (hosts, scenarios) = (self.rows.len(), self.scenarios.len());
        let [passed, failed, skipped] = ["passed", "FAILED", "skipped"].map(count);
        writeln!(f, "{hosts} hosts, {scenarios} scenarios: {passed} passed, {failed} failed, {skipped} skipped")
    }
}
