//! This connector in a host that throws the rows away, as a process of its own: its seconds and its memory are the
//! library's and the host's, not the benchmark's.
//!
//! CPU seconds are those of the import alone, as with the peers: loading a library and importing Python modules are
//! left out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use host_harness::connector::Connector;
use serde_json::{Value, json};

use crate::measured::{Measured, discard, in_a_process, peak_memory, say};
use crate::run::Brought;

/// Ticks in a second, in which Linux tells processor time to programs; the same number on every machine.
const TICKS: f64 = 100.0;

/// Imports a tenant with further keys of ConfigJson.
pub(crate) fn import(tenant: &Measured, keys: &str) -> Result<Brought> {
    let keys: BTreeMap<&str, Value> = serde_json::from_str(keys)?;
    let (config, auth) = tenant.documents(&keys.into_iter().collect::<Vec<_>>());
    Brought::parse(&in_a_process("import", &json!({"config": config, "auth": auth}))?)
}

/// What the child does: the two documents on stdin, one line on stdout.
pub(crate) fn child(library: &Path) -> Result<()> {
    let texts: Value = serde_json::from_reader(std::io::stdin())?;
    let (config, auth) = (texts["config"].as_str().context("no config")?, texts["auth"].as_str().context("no auth")?);
    let connector = Connector::load(library)?;
    connector.describe()?;
    let before = processor_seconds()?;
    let (rows, wall, result) = discard(&connector, config, auth)?;
    let cpu = processor_seconds()? - before;
    let types = &result["ObjectTypes"];
    let issues = types.as_object().into_iter().flat_map(|types| types.values()).any(|of| of["Issues"] != 0);
    ensure!(!issues, "issues: {types:#}");
    let edges = types["GroupMember"]["Upserts"].as_u64().unwrap_or(0);
    let line =
        json!({"rows": rows, "edges": edges, "wallSeconds": wall, "cpuSeconds": cpu, "peakRssKiB": peak_memory()?});
    say(&line.to_string());
    Ok(())
}

/// User and system time of this process and all threads it had.
fn processor_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("this measurement needs Linux")?;
    // The name of the program, in parentheses, may hold spaces: fields 14 and 15 are counted from behind it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/self/stat has no name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / TICKS)
}
