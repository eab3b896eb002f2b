//! What the store costs: memberships imported for the first time, again without a change, and read.
//!
//!     cargo bench -p host-harness --bench store                  400,000 memberships
//!     cargo bench -p host-harness --bench store -- 400000 9      that many, nine times; the medians and the quickest
//!
//! Records are made here, so neither the connector nor the simulator takes part. 80 members a group, a complete Scope
//! for each group, a checkpoint for each 1,000 records.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark says what it measured")]

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use host_harness::catalog::Catalog;
use host_harness::store::{Mesh, Store};

const MEMBERS: u64 = 80;
const USERS: u64 = 100_000;
const CHECKPOINT: usize = 1_000;

const DESCRIBE: &str = r#"{"Name":"Bench","ObjectTypes":[{"Name":"GroupMember","Class":"Edge","ScopeAttribute":"groupId",
    "Ends":[{"Attribute":"groupId","ObjectTypes":["Group"]},{"Attribute":"memberId","TypeAttribute":"memberType"}]}]}"#;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let (edges, times) = (numbers.next().unwrap_or(400_000), numbers.next().unwrap_or(3));
    match measure(edges, times) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(edges: u64, times: u64) -> Result<()> {
    let records = records(edges);
    let mut taken: [Vec<Duration>; 3] = Default::default();
    let mut bytes = 0;
    for _ in 0..times.max(1) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("mesh.db");
        taken[0].push(timed(|| import(&path, &records))?);
        taken[1].push(timed(|| import(&path, &records))?);
        taken[2].push(timed(|| read(&path, edges))?);
        bytes = std::fs::metadata(&path)?.len();
    }
    println!("| {edges} memberships | median | quickest |\n|---|---|---|");
    for (what, mut times) in ["first import", "import without a change", "every edge read"].into_iter().zip(taken) {
        times.sort();
        println!("| {what} | {:.2} s | {:.2} s |", times[times.len() / 2].as_secs_f64(), times[0].as_secs_f64());
    }
    println!("store of {} KiB", bytes / 1024);
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let started = Instant::now();
    work()?;
    Ok(started.elapsed())
}

/// The records of a Full set, as lines. Ids look random, as Graph's do, and come in the order of their groups.
fn records(edges: u64) -> Vec<String> {
    let mut records = vec![begin()];
    for group in 0..edges / MEMBERS {
        let group = id(1 << 40 | group);
        for member in 0..MEMBERS {
            let member = id((group.len() as u64 + member * 7919 + records.len() as u64 * 31) % USERS);
            records.push(format!(
                r#"{{"Kind":"Upsert","ObjectType":"GroupMember","SourceId":"{group}:{member}","ExternalId":"{group}:{member}","Attributes":{{"groupId":"{group}","memberId":"{member}","memberType":"User"}}}}"#
            ) + "\n");
        }
        records.push(
            format!(
                r#"{{"Kind":"Scope","ObjectType":"GroupMember","Scope":"{group}","Complete":true,"Rows":{MEMBERS}}}"#
            ) + "\n",
        );
    }
    records.push(r#"{"Kind":"End","ObjectType":"GroupMember","Complete":true}"#.to_owned() + "\n");
    records
}

fn begin() -> String {
    r#"{"Kind":"Begin","ObjectType":"GroupMember","Mode":"Full","SetId":"s","Resumed":false,"Absence":"Removed"}"#
        .to_owned()
        + "\n"
}

/// A GUID made of a number; neighbours are far apart.
fn id(number: u64) -> String {
    let high = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let low = number.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

fn import(path: &Path, records: &[String]) -> Result<()> {
    let catalog = Catalog::parse(DESCRIBE)?;
    let store = Store::open(path)?;
    let instance = store.instance("bench", "Bench")?;
    let mut applier = store.applier(instance, &catalog)?;
    for batch in records.chunks(CHECKPOINT) {
        applier.apply(batch.concat().as_bytes())?;
        applier.commit(Some("w"))?;
    }
    Ok(())
}

fn read(path: &Path, edges: u64) -> Result<()> {
    let mut seen = 0;
    Mesh::open(path)?.each_edge(None, |_| {
        seen += 1;
        Ok(())
    })?;
    ensure!(seen > edges / 2, "{seen} edges are there");
    Ok(())
}
