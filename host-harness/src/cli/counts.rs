//! The table of what a run did to each object type: `import` prints it at the end, `runs --run N` prints it again
//! later.

use std::collections::BTreeMap;

use super::table::{Table, grouped};
use crate::delivery::{Delivery, Standing};
use crate::store::TypeTally;

/// A row for each object type: those that the run delivered, and those that were finished before, not due or not got
/// to.
pub(super) fn table(tallies: &BTreeMap<String, TypeTally>, delivery: &BTreeMap<String, Delivery>) -> Table {
    let mut table = Table::new(&[
        "Object type",
        "Mode",
        "Whole",
        "Added",
        "Changed",
        "Unchanged",
        "Deleted",
        "Left scope",
        "Absent",
        "Unread",
        "Issues",
    ])
    .right(&[3, 4, 5, 6, 7, 8, 9, 10]);
    for (name, it) in tallies {
        table.row([
            name.clone(),
            it.modes.join("+"),
            if it.complete { "yes" } else { "no" }.to_owned(),
            grouped(it.added),
            grouped(it.changed),
            grouped(it.unchanged),
            grouped(it.deleted),
            grouped(it.left_scope),
            grouped(it.removed_by_absence),
            grouped(it.unread_scopes),
            grouped(it.issues),
        ]);
    }
    for (name, it) in delivery.iter().filter(|(name, _)| !tallies.contains_key(*name)) {
        let whole = match it.standing {
            Standing::FinishedBefore => "before",
            Standing::NotDue => "not due",
            Standing::Whole | Standing::ScopesUnread | Standing::EndedByWarning | Standing::NotWhole => "no",
        };
        table.row([name.as_str(), "-", whole]);
    }
    table
}
