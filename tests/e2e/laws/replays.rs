//! Law 3: repeating a page at once, or replaying in order from any earlier checkpoint, changes nothing in a host.
//!
//! The batches of a run are recorded and applied again. Easy to get wrong is what a replay *is*: a connector that
//! starts again from a checkpoint opens its sets as resumed and reads unfinished groups anew from their first member,
//! so a replay begins with those Begins and with the rows of those groups; raw batches from the middle on would be
//! another protocol. For the same reason a page said twice leaves out a Scope that closes rows of earlier pages: said
//! alone, that Scope would say that the group is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use host_harness::connector::DoorKind;
use host_harness::discovery::Identified;
use host_harness::import::Watch;
use host_harness::library::connector_library;
use host_harness::store::{Mesh, RemovalGuard, Store};
use proptest::prelude::*;
use serde_json::Value;

use super::case::{Case, Size, cases, some_filter};
use super::coverage::{Coverage, Kinds};
use super::stage::{INSTANCE, Stage, during};
use super::{MODES, Verdict, law};

/// Everything a store holds, hidden and dormant rows and the watermark included.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dump(BTreeMap<String, String>);

impl Dump {
    pub(super) fn of(mesh: &Mesh) -> Dump {
        let mut rows = BTreeMap::new();
        mesh.each_object(None, |object| {
            rows.insert(format!("{} {}", object.object_type, object.source_id), format!("{object:?}"));
            Ok(())
        })
        .unwrap();
        mesh.each_edge(None, |edge| {
            rows.insert(format!("{} {}", edge.object_type, edge.source_id), format!("{edge:?}"));
            Ok(())
        })
        .unwrap();
        rows.insert("watermark".to_owned(), format!("{:?}", mesh.watermark(INSTANCE).unwrap()));
        Dump(rows)
    }

    /// The first difference.
    pub(super) fn difference(&self, other: &Dump) -> Option<String> {
        let keys: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let differs = keys.into_iter().find(|key| self.0.get(*key) != other.0.get(*key))?;
        Some(format!("{differs}: {:?} became {:?}", self.0.get(differs), other.0.get(differs)))
    }
}

/// A record as it came.
#[derive(Debug, Clone)]
struct Line {
    text: String,
    record: Value,
}

impl Line {
    fn kind(&self) -> &str {
        self.record["Kind"].as_str().unwrap_or_default()
    }

    fn object_type(&self) -> &str {
        self.record["ObjectType"].as_str().unwrap_or_default()
    }

    /// The group whose rows this is one of, or closes.
    fn scope(&self) -> Option<String> {
        match self.kind() {
            "Scope" => self.record["Scope"].as_str().map(str::to_owned),
            "Upsert" | "Delete" => {
                let id = self.record["SourceId"].as_str()?;
                id.split_once(':').map(|(group, _)| group.to_owned())
            }
            _ => None,
        }
    }

    /// This Begin, as a run that goes on says it.
    fn resumed(&self) -> Line {
        let mut record = self.record.clone();
        record["Resumed"] = Value::Bool(true);
        Line { text: record.to_string(), record }
    }
}

/// The batches of a run, each with the checkpoint it carried.
#[derive(Debug, Default)]
struct Recording(Vec<(Vec<Line>, Option<String>)>);

impl Watch for Recording {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let lines = std::str::from_utf8(rows)?.lines();
        let lines: Result<Vec<Line>> =
            lines.map(|text| Ok(Line { text: text.to_owned(), record: serde_json::from_str(text)? })).collect();
        self.0.push((lines?, None));
        Ok(())
    }

    fn committed(&mut self, watermark: &str) -> Result<()> {
        match self.0.last_mut() {
            Some((_, checkpoint @ None)) => *checkpoint = Some(watermark.to_owned()),
            // The END carries one without rows.
            _ => self.0.push((Vec::new(), Some(watermark.to_owned()))),
        }
        Ok(())
    }
}

impl Recording {
    /// Each page twice, at once.
    fn every_page_twice(&self) -> Recording {
        let mut scopes = Scopes::default();
        let twice = self.0.iter().map(|(lines, checkpoint)| {
            let mut out = Vec::new();
            for page in lines.chunk_by(|a, b| !is_boundary(a) && !is_boundary(b)) {
                let begun_before = scopes.open.clone();
                for line in page {
                    scopes.see(line);
                }
                out.extend_from_slice(page);
                if !is_boundary(&page[0]) {
                    let closes_earlier = |line: &&Line| {
                        line.kind() == "Scope" && line.scope().is_some_and(|group| begun_before.contains_key(&group))
                    };
                    out.extend(page.iter().filter(|line| !closes_earlier(line)).cloned());
                }
            }
            (out, checkpoint.clone())
        });
        Recording(twice.collect())
    }

    /// What a connector would send that starts again from the checkpoint of this batch.
    fn after(&self, batch: usize) -> Recording {
        let mut begun: BTreeMap<String, Line> = BTreeMap::new();
        let mut scopes = Scopes::default();
        for line in self.0[..=batch].iter().flat_map(|(lines, _)| lines) {
            scopes.see(line);
            match line.kind() {
                "Begin" => _ = begun.insert(line.object_type().to_owned(), line.clone()),
                "End" => _ = begun.remove(line.object_type()),
                _ => {}
            }
        }
        let mut lead: Vec<Line> = begun.values().map(Line::resumed).collect();
        lead.extend(scopes.open.into_values().flatten().filter(|line| begun.contains_key(line.object_type())));
        let rest = self.0[batch + 1..].iter().cloned();
        Recording(std::iter::once((lead, None)).chain(rest).collect())
    }

    /// Batches that carry a checkpoint.
    fn checkpoints(&self) -> Vec<usize> {
        (0..self.0.len()).filter(|batch| self.0[*batch].1.is_some()).collect()
    }

    fn apply_to(&self, store: &Path) -> Result<()> {
        let identified = Identified::load(&connector_library()?, DoorKind::C)?;
        let store = Store::open(store)?;
        let instance = store.instance(INSTANCE, &identified.catalog.name)?;
        let mut applier = store.applier(instance, &identified.catalog)?.guarded_by(RemovalGuard::lifted());
        for (lines, checkpoint) in &self.0 {
            let rows: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            applier.apply(rows.join("\n").as_bytes())?;
            if let Some(checkpoint) = checkpoint {
                applier.commit(Some(checkpoint))?;
            }
        }
        Ok(())
    }
}

fn is_boundary(line: &Line) -> bool {
    matches!(line.kind(), "Begin" | "End")
}

/// Rows of groups since their last Scope. Changes that no Scope will close are among them, which does no harm: said
/// again in their order they come to the same.
#[derive(Debug, Default)]
struct Scopes {
    open: BTreeMap<String, Vec<Line>>,
}

impl Scopes {
    fn see(&mut self, line: &Line) {
        if line.kind() == "Begin" && line.object_type() == "GroupMember" {
            self.open.clear();
        }
        let Some(group) = line.scope() else { return };
        if line.kind() == "Scope" {
            self.open.remove(&group);
        } else {
            self.open.entry(group).or_default().push(line.clone());
        }
    }
}

#[derive(Debug, Clone)]
struct ReplayCase {
    case: Case,
    batch_rows: u32,
}

fn replay_cases(size: Size) -> BoxedStrategy<ReplayCase> {
    let batch_rows = prop_oneof![Just(1_u32), Just(20), Just(0)];
    (cases(size, some_filter(), 2), batch_rows).prop_map(|(case, batch_rows)| ReplayCase { case, batch_rows }).boxed()
}

fn holds(case: &ReplayCase, coverage: &Coverage) -> Verdict {
    let mut stage = Stage::open(&case.case.tenancy, &case.case.setup, coverage);
    let folder = stage.tenant.folder();
    let (store, before, again) = (folder.join("mesh.db"), folder.join("before.db"), folder.join("again.db"));
    for (nth, round) in std::iter::once(None).chain(case.case.rounds.iter().map(Some)).enumerate() {
        round.map(|round| stage.change(round)).unwrap_or_default();
        if store.exists() {
            std::fs::copy(&store, &before).unwrap();
            std::fs::copy(&store, &again).unwrap();
        }
        let mut recording = Recording::default();
        let ran = stage.attempt(&stage.engine("mesh.db").with_batch_rows(case.batch_rows), false, &mut recording);
        stage.ended_well(&ran).map_err(during(format_args!("import {nth}")))?;
        let left = Dump::of(&stage.mesh("mesh.db"));
        unchanged(&recording.every_page_twice(), &again, &left)
            .map_err(during(format_args!("import {nth}, each page twice")))?;
        coverage.count("replay", "each page twice", 1);
        for batch in recording.checkpoints() {
            unchanged(&recording.after(batch), &again, &left)
                .map_err(during(format_args!("import {nth}, from the checkpoint of batch {batch}")))?;
            let sort = if nth == 0 { "of a full import" } else { "of a delta import" };
            coverage.count("replay", format_args!("from a checkpoint {sort}"), 1);
        }
        unchanged(&recording, &again, &left).map_err(during(format_args!("import {nth}, the whole run again")))?;
        // The whole run twice over a store that had none of it.
        if nth > 0 {
            unchanged(&recording, &before, &left).map_err(during(format_args!("import {nth}, on a copy")))?;
        }
    }
    if case.case.tenancy.lag == 0 { stage.equals_truth("mesh.db") } else { Ok(()) }
}

fn unchanged(recording: &Recording, store: &Path, left: &Dump) -> Verdict {
    recording.apply_to(store).map_err(|error| format!("{error:#}"))?;
    left.difference(&Dump::of(&Mesh::open(store).unwrap())).map_or(Ok(()), Err)
}

#[test]
fn repeating_a_page_or_replaying_from_any_checkpoint_changes_nothing() {
    law(
        "repeating a page or replaying from any checkpoint changes nothing",
        replay_cases,
        &[
            Kinds::of_changes(),
            Kinds::of(
                "replay",
                ["each page twice", "from a checkpoint of a full import", "from a checkpoint of a delta import"],
            ),
            Kinds::of("setup", MODES),
        ],
        holds,
    );
}
