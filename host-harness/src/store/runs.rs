//! The run history: one row for each import, written before it starts and again when it is over.
//!
//! A run that was killed leaves a row that never ended; whoever holds the store's lock next knows that it is dead and
//! says so. Watermarks stand here as hashes only: they are worth comparing, not reading, and hold links.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// One run, as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number in this store.
    pub id: i64,
    /// The instance that ran.
    pub instance: String,
    /// The process that ran it.
    pub process: u32,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    /// Milliseconds since 1970; `None` while it runs.
    pub ended_ms: Option<i64>,
    /// `Succeeded`, `Partial`, `Failed`, `Cancelled`; `Running`; `Interrupted` for one that was killed.
    pub outcome: String,
    /// The last status of the contract; `None` when the host itself failed.
    pub status: Option<i32>,
    /// Whether a full import was asked for.
    pub full: bool,
    /// Hash of the watermark it started from.
    pub watermark_from: Option<String>,
    /// Hash of the watermark it left.
    pub watermark_to: Option<String>,
    /// Everything else: counts, issues, the connector's result.
    pub report: Option<Value>,
}

/// A run that delivered an object type whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WholeRun {
    /// Its number in this store.
    pub run: i64,
    /// Milliseconds since 1970.
    pub started_ms: i64,
}

/// Writes the row of a run that starts. Runs that never ended are over: this process holds the store's lock.
pub(super) fn begin(connection: &Connection, instance: i64, full: bool, watermark: Option<&str>) -> Result<i64> {
    connection.execute("UPDATE run SET outcome = 'Interrupted' WHERE outcome = 'Running'", [])?;
    connection.execute(
        "INSERT INTO run (instance_id, process, started_ms, outcome, full, watermark_from) VALUES (?1, ?2, ?3, 'Running', ?4, ?5)",
        (instance, std::process::id(), now_ms(), full, watermark.map(hash)),
    )?;
    Ok(connection.last_insert_rowid())
}

/// Completes the row of a run.
pub(super) fn end(
    connection: &Connection,
    run: i64,
    outcome: &str,
    status: Option<i32>,
    watermark: Option<&str>,
    report: &Value,
) -> Result<()> {
    connection.execute(
        "UPDATE run SET ended_ms = ?2, outcome = ?3, status = ?4, watermark_to = ?5, report = ?6 WHERE id = ?1",
        (run, now_ms(), outcome, status, watermark.map(hash), report.to_string()),
    )?;
    Ok(())
}

/// The latest run before `run` that delivered this object type whole.
pub(super) fn last_whole(
    connection: &Connection,
    instance: i64,
    object_type: &str,
    run: i64,
) -> Result<Option<WholeRun>> {
    let mut statement = connection.prepare(
        "SELECT run.id, started_ms FROM run, json_each(report, '$.Tally.Types')
         WHERE instance_id = ?1 AND run.id < ?2 AND report IS NOT NULL
             AND json_each.key = ?3 AND json_extract(json_each.value, '$.Complete') ORDER BY run.id DESC LIMIT 1",
    )?;
    let found = statement
        .query_row((instance, run, object_type), |row| Ok(WholeRun { run: row.get(0)?, started_ms: row.get(1)? }));
    Ok(found.optional()?)
}

/// The latest runs, newest first.
pub(super) fn latest(connection: &Connection, limit: u32) -> Result<Vec<Run>> {
    let mut statement = connection.prepare(
        "SELECT run.id, instance.name, process, started_ms, ended_ms, outcome, status, full, watermark_from, watermark_to, report
         FROM run JOIN instance ON instance.id = run.instance_id ORDER BY run.id DESC LIMIT ?1",
    )?;
    let runs = statement.query_map([limit], read)?;
    Ok(runs.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        instance: row.get(1)?,
        process: row.get(2)?,
        started_ms: row.get(3)?,
        ended_ms: row.get(4)?,
        outcome: row.get(5)?,
        status: row.get(6)?,
        full: row.get(7)?,
        watermark_from: row.get(8)?,
        watermark_to: row.get(9)?,
        report: row.get::<_, Option<String>>(10)?.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

/// Twelve hexadecimal digits that stand for a watermark.
pub fn hash(watermark: &str) -> String {
    let digest = Sha256::digest(watermark);
    let first = digest.iter().take(6).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    format!("{first:012x}")
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
