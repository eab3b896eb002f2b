//! Restored objects whose rows hold only some of their attributes: they are read by id.
//!
//! The row of a restored object may hold what changed and nothing else. A host that never held the object would show it
//! with those few attributes, and no later row completes them. A read that fails is repeated by the next run.

use crate::error::Error;
use crate::graph::LARGEST_BATCH;
use crate::mapping::{Mode, ObjectId, object};
use crate::model::Row;
use crate::read::lookup::{Found, Outage, look_up};
use crate::read::run::Run;
use crate::sync::{Feed, SetWriter};

/// The restored objects among these rows that lack an attribute.
pub(super) fn among(run: &Run<'_>, rows: &[Row<'_>]) -> Vec<ObjectId> {
    let lacking = rows.iter().filter(|row| row.removed.is_none() && row.values.iter().any(Option::is_none));
    let ids = lacking.filter_map(|row| ObjectId::parse(row.id.as_deref()?));
    run.ledger.with(|mark| ids.filter(|id| mark.lists.is_gone(*id)).collect())
}

/// Those that an earlier run could not read.
pub(super) fn left_over(run: &Run<'_>, feed: &Feed<'_>) -> Vec<ObjectId> {
    run.ledger.with(|mark| {
        let thin =
            mark.lists.restored.all.iter().filter(|restored| restored.thin && restored.object_type == feed.object_type);
        thin.map(|restored| restored.id).collect()
    })
}

/// Reads objects by id and delivers them. Answers those that could not be read.
pub(super) fn read_by_id(
    run: &Run<'_>,
    writer: &SetWriter<'_>,
    feed: &Feed<'_>,
    ids: &[ObjectId],
    outage: &mut Outage,
) -> Result<Vec<ObjectId>, Error> {
    let mut unread = Vec::new();
    for some in ids.chunks(LARGEST_BATCH) {
        let names: Vec<String> = some.iter().map(ToString::to_string).collect();
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut records = writer.records(Mode::Delta);
        let found = look_up(run.graph, feed.object_type, &asked, feed.selection, outage)?;
        for ((id, name), found) in some.iter().zip(&names).zip(found) {
            match found {
                Found::Object(values) => {
                    let values: Vec<_> = values.iter().map(Option::as_deref).collect();
                    object(name, &values, feed.selection, Mode::Delta, None, &mut records);
                }
                Found::Nothing(_) | Found::Failed(_) => unread.push(*id),
            }
        }
        writer.push(records)?;
    }
    Ok(unread)
}
