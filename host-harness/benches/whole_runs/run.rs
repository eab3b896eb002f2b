//! One run: what the importer says of itself, held against the simulator's journal and truth, and its line of the
//! table.
//!
//! Requests and requests in flight are the journal's, for everybody alike. `× ours` is wall time against the first line
//! of a scenario.

use std::process::Output;

use anyhow::{Context, Result, ensure};
use host_harness::simulator::{Exchange, Route};
use serde::Deserialize;

use crate::measured::Measured;
use crate::ours;
use crate::scenario::{Importer, Scenario};

pub(crate) const HEAD: &str = "\
| tenant | who | wall | × ours | rows/s | requests | CPU | peak RSS | in flight, most | edges found / that exist |
|---|---|---|---|---|---|---|---|---|---|";

impl Importer {
    fn title(&self) -> &'static str {
        match self {
            Importer::Ours(title, _) => title,
            Importer::Peer(peer) => peer.title(),
        }
    }

    pub(crate) fn is_installed(&self) -> bool {
        matches!(self, Importer::Ours(..)) || matches!(self, Importer::Peer(peer) if peer.is_installed())
    }

    pub(crate) fn run(&self, tenant: &Measured) -> Result<Brought> {
        match self {
            Importer::Ours(_, keys) => ours::import(tenant, keys),
            Importer::Peer(peer) => peer.run(tenant),
        }
        .with_context(|| self.title())
    }
}

/// What an importer says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Brought {
    rows: u64,
    edges: u64,
    wall_seconds: f64,
    cpu_seconds: f64,
    #[serde(rename = "peakRssKiB")]
    peak_rss: u64,
}

impl Brought {
    /// Reads the one line that a process writes which ended well.
    pub(crate) fn parse(output: &Output) -> Result<Brought> {
        ensure!(output.status.success(), "it ended with {}", output.status);
        serde_json::from_slice(&output.stdout).context("not the line it should write")
    }
}

/// One import, as both sides tell it.
#[derive(Debug)]
pub(crate) struct Run {
    brought: Brought,
    requests: usize,
    in_flight: u32,
    edges: u64,
}

impl Run {
    pub(crate) fn of(brought: Brought, tenant: &Measured, importer: &Importer) -> Result<Run> {
        let journal = tenant.process.journal()?;
        let asked = |x: &&Exchange| !matches!(x.route, Route::Token | Route::OpenId);
        let requests = journal.iter().filter(asked).count();
        let in_flight = journal.iter().filter(asked).map(|x| x.in_flight).max().unwrap_or(0);
        let mut edges = 0;
        for row in tenant.process.truth()? {
            edges += u64::from(row?.object_type == "GroupMember");
        }
        if let Importer::Ours(title, _) = importer {
            ensure!(brought.edges == edges, "{title}: {edges} memberships exist, {} came", brought.edges);
        }
        Ok(Run { brought, requests, in_flight, edges })
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.brought.wall_seconds
    }
}

/// A line of the table; an importer that is not installed has one, too.
pub(crate) fn line(scenario: &Scenario, importer: &Importer, run: Option<&Run>, yardstick: f64) -> String {
    let start = format!("| {} | {} |", scenario.size, importer.title());
    let Some(Run { brought, requests, in_flight, edges }) = run else {
        return format!("{start} not installed: see tests/peers/README.md | | | | | | | |");
    };
    format!(
        "{start} {:.2} s | {:.1} | {} | {} | {:.2} s | {} MiB | {in_flight} | {} / {} |",
        brought.wall_seconds,
        brought.wall_seconds / yardstick,
        thousands(&format!("{:.0}", brought.rows as f64 / brought.wall_seconds)),
        thousands(&requests.to_string()),
        brought.cpu_seconds,
        brought.peak_rss / 1024,
        thousands(&brought.edges.to_string()),
        thousands(&edges.to_string()),
    )
}

/// Digits in groups of three.
fn thousands(digits: &str) -> String {
    match digits.len().checked_sub(3) {
        None | Some(0) => digits.to_owned(),
        Some(cut) => format!("{},{}", thousands(&digits[..cut]), &digits[cut..]),
    }
}
