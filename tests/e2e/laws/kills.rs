//! Law 2: killed anywhere and resumed, also when the tenant changed in between, the store equals the truth after one
//! further clean run.
//!
//! A kill is a watcher that gives up: at the n-th checkpoint, just after it was committed, or at the n-th batch, whose
//! rows and those since the last checkpoint must then be gone. Easy to get wrong: the connector knows nothing of
//! the kill. It ran ahead, and all that counts is the last watermark that reached the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use host_harness::import::{Unwatched, Watch};
use host_harness::simulator::Route;
use host_harness::store::Mesh;
use proptest::prelude::*;
use serde_json::Value;

use super::bounds;
use super::case::{Case, Quirks, Round, Setup, Size, Tenancy, cases, some_filter};
use super::coverage::{Coverage, Kinds};
use super::replays::Dump;
use super::stage::{Ran, Stage, during};
use super::{MODES, Verdict, law};

/// Where a run dies.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// After this checkpoint was committed.
    Checkpoint(u32),
    /// Before this batch is applied.
    Batch(u32),
}

#[derive(Debug, Clone)]
struct KillCase {
    case: Case,
    /// Whether a whole run came first, so that a delta run dies.
    warm: bool,
    /// The rounds of the case happen before each of these.
    kills: Vec<Point>,
}

fn kill_cases(size: Size) -> BoxedStrategy<KillCase> {
    let point = prop_oneof![(1..12_u32).prop_map(Point::Checkpoint), (1..40_u32).prop_map(Point::Batch)];
    (cases(size, some_filter(), 3), any::<bool>(), prop::collection::vec(point, 1..=3))
        .prop_map(|(case, warm, kills)| KillCase { case, warm, kills })
        .boxed()
}

/// How far an object type came in a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Progress {
    mode: String,
    rows: u64,
    ended: bool,
}

/// Ends a run at a point and remembers what the store then held.
struct Killer {
    point: Point,
    store: PathBuf,
    seen: u32,
    /// By object type, up to the last batch and up to the last checkpoint.
    now: BTreeMap<String, Progress>,
    committed: BTreeMap<String, Progress>,
    /// What the stored watermark says is finished of a run that is not over.
    done: Vec<String>,
    /// Whether it says where to go on with users: not while nothing but a last page was delivered.
    inside_users: bool,
    left: Option<Dump>,
}

impl Killer {
    fn new(point: Point, store: PathBuf, before: Option<&Killer>) -> Killer {
        let done = before.map(|before| before.done.clone()).unwrap_or_default();
        Killer {
            point,
            store,
            seen: 0,
            now: BTreeMap::new(),
            committed: BTreeMap::new(),
            done,
            inside_users: false,
            left: None,
        }
    }

    fn die(&mut self) -> Result<()> {
        // A reader beside the writer sees what was committed and nothing else.
        self.left = Some(Dump::of(&Mesh::open(&self.store)?));
        bail!("killed at {:?}", self.point)
    }

    fn counted(&mut self) -> bool {
        self.seen += 1;
        self.seen
            == match self.point {
                Point::Checkpoint(n) | Point::Batch(n) => n,
            }
    }
}

impl Watch for Killer {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        if matches!(self.point, Point::Batch(_)) && self.counted() {
            return self.die();
        }
        for line in rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record: Value = serde_json::from_slice(line)?;
            let object_type = record["ObjectType"].as_str().unwrap_or_default().to_owned();
            let progress = self.now.entry(object_type).or_default();
            match record["Kind"].as_str().unwrap_or_default() {
                "Begin" => {
                    let mode = record["Mode"].as_str().unwrap_or_default().to_owned();
                    *progress = Progress { mode, ..Progress::default() };
                }
                "End" => progress.ended = true,
                _ => progress.rows += 1,
            }
        }
        Ok(())
    }

    fn committed(&mut self, watermark: &str) -> Result<()> {
        self.committed = self.now.clone();
        let watermark: Value = serde_json::from_str(watermark)?;
        self.inside_users = watermark["x"]["types"]["User"]["now"]["page"].is_string();
        let done = watermark["x"]["done"].as_array().into_iter().flatten();
        self.done = done.filter_map(Value::as_str).map(str::to_owned).collect();
        if matches!(self.point, Point::Checkpoint(_)) && self.counted() { self.die() } else { Ok(()) }
    }
}

/// The types a host may see begin, each at most once in a run that is no Reconcile.
const TYPES: [&str; 3] = ["User", "Group", "GroupMember"];

fn count(coverage: &Coverage, killer: &Killer) {
    let at = match killer.point {
        Point::Checkpoint(_) => "at a checkpoint",
        Point::Batch(_) => "between checkpoints",
    };
    coverage.count("kill", at, 1);
    let full = killer.now.get("User").is_none_or(|it| it.mode == "Full");
    coverage.count("kill", if full { "of a full import" } else { "of a delta import" }, 1);
    coverage.count("kill", "before any checkpoint", u64::from(killer.committed.is_empty()));
    for object_type in TYPES {
        let progress = killer.now.get(object_type);
        coverage.count(
            "kill",
            format_args!("{object_type} under way"),
            u64::from(progress.is_some_and(|it| !it.ended)),
        );
        let finished = killer.committed.get(object_type).is_some_and(|it| it.ended);
        coverage.count("kill", format_args!("{object_type} finished"), u64::from(finished));
    }
}

fn holds(case: &KillCase, coverage: &Coverage) -> Verdict {
    let mut stage = Stage::open(&case.case.tenancy, &case.case.setup, coverage);
    if case.warm {
        stage.import("mesh.db", false).map_err(during("the run before"))?;
    }
    let mut rounds = case.case.rounds.iter();
    let mut last: Option<Killer> = None;
    let mut disturbed = case.case.tenancy.lag > 0;
    for (nth, point) in case.kills.iter().enumerate() {
        disturbed |= change(&mut stage, rounds.next(), coverage, last.is_some());
        last =
            kill(&mut stage, *point, "mesh.db", last.as_ref(), coverage).map_err(during(format_args!("kill {nth}")))?;
    }
    disturbed |= change(&mut stage, rounds.next(), coverage, last.is_some());
    resume(&mut stage, "mesh.db", last.as_ref())?;
    if !disturbed {
        stage.equals_truth("mesh.db").map_err(during("after the resumed run of a tenant that stood still"))?;
    }
    stage.import("mesh.db", false).map_err(during("the clean run"))?;
    stage.equals_truth("mesh.db").map_err(during("after the clean run"))
}

/// Whether the tenant changed under a walk that was interrupted.
fn change(stage: &mut Stage<'_>, round: Option<&Round>, coverage: &Coverage, killed: bool) -> bool {
    let Some(round) = round else { return false };
    stage.change(round);
    let disturbed = killed && round.changes > 0;
    coverage.count("kill", "and a change before the resume", u64::from(disturbed));
    disturbed
}

/// Runs to the end from wherever the last kill left the store.
fn resume(stage: &mut Stage<'_>, store: &str, killer: Option<&Killer>) -> Verdict {
    let terms = stage.terms(true, 0);
    let ran = stage.attempt(&stage.engine(store).with_batch_rows(1), false, &mut Unwatched);
    stage.ended_well(&ran).map_err(during("the resumed run"))?;
    bounds::check(&ran.journal, &terms).map_err(during("the resumed run"))?;
    let delta = stage.setup.mode == "Delta";
    killer.map_or(Ok(()), |killer| left_out(killer, &ran, delta)).map_err(during("the resumed run"))
}

/// Runs into a kill; the killer, unless the run ended before its time.
fn kill(
    stage: &mut Stage<'_>,
    point: Point,
    store: &str,
    before: Option<&Killer>,
    coverage: &Coverage,
) -> Result<Option<Killer>, String> {
    let path = stage.tenant.folder().join(store);
    let mut killer = Killer::new(point, path, before);
    let terms = stage.terms(true, 0);
    let engine = stage.engine(store).with_batch_rows(1);
    let ran = stage.attempt(&engine, false, &mut killer);
    bounds::check(&ran.journal, &terms)?;
    if let Some(before) = before {
        left_out(before, &ran, stage.setup.mode == "Delta")?;
    }
    let Some(left) = &killer.left else {
        coverage.count("kill", "too late to strike", 1);
        return stage.ended_well(&ran).map(|()| None);
    };
    count(coverage, &killer);
    let now = Dump::of(&stage.mesh(store));
    match left.difference(&now) {
        Some(difference) => Err(format!("rows after the last checkpoint stayed: {difference}")),
        None => Ok(Some(killer)),
    }
}

/// What was finished before a kill is left out of the run that goes on, and what was under way is taken up in its set.
fn left_out(killer: &Killer, ran: &Ran, delta: bool) -> Verdict {
    for object_type in &killer.done {
        // Whoever was deleted meanwhile must be known before groups are read on.
        if delta && object_type == "User" {
            continue;
        }
        let result = &ran.report.result["ObjectTypes"][object_type];
        let left_out = result["Mode"].is_null() && result["Complete"] == true;
        // A run that was killed too has no result.
        if !left_out && !ran.report.result.is_null() {
            return Err(format!("{object_type} was finished and came again: {result}"));
        }
        let feed = match object_type.as_str() {
            "User" => Route::USERS_DELTA,
            "Group" => Route::GROUPS_DELTA,
            _ => continue,
        };
        let asked = bounds::served(&ran.journal, |route, _| route == feed);
        if asked > 0 {
            return Err(format!("{object_type} was finished and {feed:?} was asked {asked} times"));
        }
    }
    for (object_type, progress) in killer.committed.iter().filter(|(_, it)| !it.ended && it.rows > 0) {
        let link = match object_type.as_str() {
            "User" if killer.inside_users => Route::USERS_DELTA,
            _ => continue,
        };
        let anew = bounds::served(&ran.journal, |route, url| route == link && !bounds::is_next_link(url));
        if anew > 0 {
            return Err(format!("{object_type} was under way ({progress:?}) and its feed was opened anew"));
        }
    }
    Ok(())
}

#[test]
fn a_run_killed_anywhere_and_resumed_equals_the_truth_after_one_clean_run() {
    let under_way = TYPES.iter().map(|object_type| format!("{object_type} under way"));
    let finished = ["User finished", "Group finished"].map(str::to_owned);
    let others = [
        "at a checkpoint",
        "between checkpoints",
        "of a full import",
        "of a delta import",
        "before any checkpoint",
        "and a change before the resume",
    ];
    law(
        "killed anywhere and resumed equals the truth after one clean run",
        kill_cases,
        &[
            Kinds::of_changes(),
            Kinds::of("kill", under_way.chain(finished).chain(others.map(str::to_owned))),
            Kinds::of("setup", MODES),
        ],
        holds,
    );
}

/// Not at random: after *every* checkpoint of one run whose feeds overlap, cold and warm, in each mode.
#[test]
fn a_kill_after_every_checkpoint_of_one_run_resumes_to_the_truth() {
    for mode in MODES {
        for warm in [false, true] {
            every_checkpoint(mode, warm)
                .unwrap_or_else(|why| panic!("{mode}, {}: {why}", if warm { "delta" } else { "full" }));
        }
    }
}

fn every_checkpoint(mode: &'static str, warm: bool) -> Verdict {
    let quirks = Quirks { empty_pages: true, duplicates: true, short_pages: true, ..Quirks::default() };
    let tenancy = Tenancy { seed: 11, users: 60, groups: 30, edges: 150, large_group: None, lag: 0, quirks };
    let setup = Setup { mode, filter: None, page_size: 7 };
    let coverage = Coverage::default();
    let mut stage = Stage::open(&tenancy, &setup, &coverage);
    if warm {
        stage.import("before.db", false)?;
        stage.change(&Round { seed: 5, changes: 120, days: 0 });
    }
    let folder = stage.tenant.folder();
    for nth in 1.. {
        let store = format!("{nth}.db");
        if warm {
            std::fs::copy(folder.join("before.db"), folder.join(&store)).unwrap();
        }
        let Some(killer) = kill(&mut stage, Point::Checkpoint(nth), &store, None, &coverage)? else {
            // A checkpoint for each End at least, and for each page where the connector resumes.
            // One for each page at least; a checkpoint that finds the one before it still waiting takes its place.
            let fewest = 6;
            return if nth > fewest { Ok(()) } else { Err(format!("no more than {} checkpoints", nth - 1)) };
        };
        resume(&mut stage, &store, Some(&killer)).map_err(during(format_args!("checkpoint {nth}")))?;
        stage.equals_truth(&store).map_err(during(format_args!("after checkpoint {nth}")))?;
    }
    Ok(())
}
