//! The documented limits that a history must not cross, so that a failure is always a defect.
//!
//! Left out here, because `docs/semantics.md` says so ("Limits that stay"), and only with `MembershipMode` `Delta`: an object
//! that is deleted and comes back before a feed has told of the deletion, while an import reads. Its groups may be read
//! while it is away, and nothing tells that it was. Left out in `case`: purges that no feed shows in the object's groups.

use std::collections::BTreeMap;

use host_harness::report::RunReport;
use host_harness::simulator::Change;

use super::claims::Places;

/// Objects that are in the recycle bin and of which no import has been told for certain, by object type.
#[derive(Debug, Default)]
pub(super) struct Untold {
    /// Whether an import has read anything since the object was deleted, or was under way when it was.
    deleted: BTreeMap<String, (&'static str, bool)>,
}

impl Untold {
    /// Whether the restore would cross the limit.
    pub(super) fn forbids(&self, change: &Change, mode: &str) -> bool {
        match change {
            Change::RestoreUser { user: id } | Change::RestoreGroup { group: id } => {
                mode == "Delta" && self.deleted.get(id).is_some_and(|(_, read)| *read)
            }
            _ => false,
        }
    }

    /// A change happened; `places` is where the interrupted import stands, if one was.
    pub(super) fn changed(&mut self, change: &Change, places: &Places) {
        match change {
            Change::DeleteUser { user: id } => drop(self.deleted.insert(id.clone(), ("User", places.is_open()))),
            Change::DeleteGroup { group: id } => drop(self.deleted.insert(id.clone(), ("Group", places.is_open()))),
            Change::RestoreUser { user: id } | Change::RestoreGroup { group: id } => drop(self.deleted.remove(id)),
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
