//! What is claimed after an import, and of which types.
//!
//! A type that an interrupted import had finished, or was inside, comes from the tenant as it was then. If the tenant
//! changed since, the type is claimed after the next import and not after this one. All others are claimed at once.

use std::collections::{BTreeMap, BTreeSet};

use host_harness::report::RunReport;
use serde_json::Value;

/// The object types of a history.
pub(super) const TYPES: [&str; 3] = ["User", "Group", "GroupMember"];

/// Where an interrupted import stands, read from the stored watermark.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    finished: BTreeSet<&'static str>,
    inside: BTreeSet<&'static str>,
}

impl Places {
    pub(super) fn of(watermark: Option<&str>) -> Places {
        let mark: Value = watermark.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let mark = &mark["x"];
        let done: Vec<&str> = mark["done"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let mut places = Places::default();
        for object_type in TYPES {
            let stands_inside = |of: &str| mark["types"][of]["now"].is_object();
            // Where memberships follow the feed of groups, they share its place.
            let inside = stands_inside(object_type) || object_type == "GroupMember" && stands_inside("Group");
            if done.contains(&object_type) {
                places.finished.insert(object_type);
            }
            if inside {
                places.inside.insert(object_type);
            }
        }
        places
    }

    pub(super) fn is_inside(&self, object_type: &str) -> bool {
        self.finished.contains(object_type) || self.inside.contains(object_type)
    }

    /// Whether an import is to be resumed.
    pub(super) fn is_open(&self) -> bool {
        !(self.finished.is_empty() && self.inside.is_empty())
    }
}

/// Since which version of the tenant each type is being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    since: BTreeMap<&'static str, u64>,
}

impl Reading {
    /// An import that began at this version has left these places.
    pub(super) fn left(&mut self, places: &Places, began: u64) {
        for object_type in TYPES {
            if places.is_inside(object_type) {
                self.since.entry(object_type).or_insert(began);
            } else {
                self.since.remove(object_type);
            }
        }
    }

    /// The types of which equality is claimed after an import from these places of a tenant of this version.
    pub(super) fn claimed(&self, before: &Places, report: &RunReport, now: u64) -> Vec<&'static str> {
        let older = |object_type: &str| {
            let result = &report.result["ObjectTypes"][object_type];
            let left_out = result["Mode"].is_null();
            (left_out || before.inside.contains(object_type))
                && self.since.get(object_type).is_some_and(|since| *since < now)
        };
        // An edge is shown when both its ends are: it is as old as they are. Where more objects came back than a
        // watermark names, the Warning says that the next import reads all memberships.
        let mut warnings = report.result["Warnings"].as_array().into_iter().flatten();
        let announced = warnings.any(|warning| warning["Code"] == "RestoredOverflow");
        let edges = !announced && !TYPES.into_iter().any(older);
        TYPES.into_iter().filter(|it| if *it == "GroupMember" { edges } else { !older(it) }).collect()
    }
}
