//! The documented limits that a history must not cross, so that a failure is always a defect.
//!
//! Each limit has a type of its own, and stands in `docs/semantics.md` ("Limits that stay"). A third one is kept by
//! `drawn::keep_following`. Left out in `case`: purges that no feed shows in the object's groups.

use std::collections::{BTreeMap, BTreeSet};

use host_harness::report::RunReport;
use host_harness::simulator::Change;

use super::claims::Places;

/// Objects that were in the recycle bin while an import delivered fewer attributes than the one before.
///
/// Left out, with every `MembershipMode`: no row of theirs came, so the host keeps the attribute that was taken out,
/// and shows it as old as it was when they come back.
#[derive(Debug, Default)]
pub(super) struct Keepsakes {
    away: BTreeSet<String>,
    kept: BTreeSet<String>,
    had_more: bool,
}

impl Keepsakes {
    /// Whether the restored object would show an attribute that nobody asks for any more.
    pub(super) fn forbid(&self, change: &Change) -> bool {
        match change {
            Change::Restore { object: id, .. } => self.kept.contains(id),
            _ => false,
        }
    }

    /// A change happened.
    pub(super) fn changed(&mut self, change: &Change) {
        match change {
            Change::Delete { object: id, .. } => _ = self.away.insert(id.clone()),
            Change::Restore { object: id, .. } => _ = self.away.remove(id),
            _ => {}
        }
    }

    /// An import is over that asked for more attributes than the default, or did not.
    pub(super) fn ran(&mut self, more_attributes: bool) {
        self.had_more |= more_attributes;
        if self.had_more && !more_attributes {
            self.kept.extend(self.away.iter().cloned());
        }
    }
}

/// Objects that are in the recycle bin and of which no import has been told for certain, by object type.
///
/// Left out, with `MembershipMode` `Delta`: an object that is deleted and comes back before a feed has told of the
/// deletion, while an import reads. Its groups may be read while it is away, and nothing tells that it was.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// Whether an import has read anything since the object was deleted, or was under way when it was.
    deleted: BTreeMap<String, (&'static str, bool)>,
}

impl Untold {
    /// Whether the restore would cross the limit.
    pub(super) fn forbids(&self, change: &Change, mode: &str) -> bool {
        match change {
            Change::Restore { object: id, .. } => {
                mode == "Delta" && self.deleted.get(id).is_some_and(|(_, read)| *read)
            }
            _ => false,
        }
    }

    /// A change happened; `places` is where the interrupted import stands, if one was.
    pub(super) fn changed(&mut self, change: &Change, places: &Places) {
        match change {
            Change::Delete { kind, object: id } => {
                self.deleted.insert(id.clone(), (kind.name(), places.is_open()));
            }
            Change::Restore { object: id, .. } => drop(self.deleted.remove(id)),
            _ => {}
        }
    }

    /// An import is over: what its feeds began and ended anew was told of.
    pub(super) fn ran(&mut self, report: &RunReport, before: &Places) {
        for (object_type, read) in self.deleted.values_mut() {
            *read |= !told(report, object_type, before);
        }
        self.deleted.retain(|_, (object_type, _)| !told(report, object_type, before));
    }
}

fn told(report: &RunReport, object_type: &str, before: &Places) -> bool {
    let result = &report.result["ObjectTypes"][object_type];
    report.host_error.is_none()
        && result["Complete"] == true
        && !result["Mode"].is_null()
        && !before.is_inside(object_type)
}
