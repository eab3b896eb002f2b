//! The recycle bin: the objects in it are sent as `SoftDeleted`, and their ids are recorded.
//!
//! A full walk shows live objects only, and its slices may list members that are soft-deleted: a host that was never
//! told would show their edges. The bin is read after page 1, which fixes the delta link: an object deleted later comes
//! with the next round. The bin's list may lag, so the run after a full walk reads it once more.

use crate::code::Code;
use crate::error::{Error, Kind};
use crate::mapping::{Issue, Mode, ObjectId, directory_id, removed_object};
use crate::model::{Member, Page, Removed};
use crate::read::run::Run;
use crate::sync::{Expect, Feed, FollowUp, SetWriter, Sign, WalkStart, unreadable, walk_again, walk_pages};
use crate::types::{self, ObjectType, RecycleBin};

fn bin_of(object_type: &ObjectType) -> Option<RecycleBin> {
    object_type.feed().and_then(|feed| feed.bin)
}

/// Reads and delivers the bin before the first rows of a Full set. Without the permission an Issue says what is
/// missing, and the import goes on.
pub(in crate::read) fn deliver(run: Run<'_>, writer: &SetWriter<'_>, feed: &Feed<'_>) -> Result<(), Error> {
    let object_type = feed.object_type;
    let read = read(run, object_type, |ids| {
        let mut records = writer.records(Mode::Full);
        for id in &ids {
            removed_object(id, Removed::Changed, feed.selection, &mut records);
        }
        writer.advance(records, false, None, |mark, _| {
            for id in ids.iter().filter_map(|id| ObjectId::parse(id)) {
                mark.lists.saw(object_type, id, Sign::SoftDeleted, false);
            }
        })
    });
    reported(run, writer, object_type, read)
}

/// The second look of the run after a full walk: delivers what the bin did not show then. Answers whether any live row
/// of the round that follows may be that of a restored object.
pub(in crate::read) fn look_again(run: Run<'_>, writer: &SetWriter<'_>, feed: &Feed<'_>) -> Result<bool, Error> {
    let object_type = feed.object_type;
    let (follow_up, incomplete) = run.ledger.with(|mark| {
        let incomplete = mark.lists.gone.as_ref().is_some_and(|gone| gone.incomplete);
        (mark.of(feed.object_type).follow_up, incomplete)
    });
    // Where not every object of the bin is known, old ones would count towards `MaxDeletes`.
    if follow_up == FollowUp::Bin && !(incomplete && writer.hold.is_some()) {
        let read = read(run, object_type, |ids| deliver_new(run, writer, feed, ids));
        reported(run, writer, object_type, read)?;
        run.ledger.with(|mark| mark.of_mut(feed.object_type).follow_up = FollowUp::Wakes);
    }
    Ok(incomplete || matches!(follow_up, FollowUp::Bin | FollowUp::Wakes))
}

fn deliver_new(run: Run<'_>, writer: &SetWriter<'_>, feed: &Feed<'_>, mut ids: Vec<String>) -> Result<(), Error> {
    run.ledger.with(|mark| ids.retain(|id| ObjectId::parse(id).is_some_and(|id| !mark.lists.is_gone(id))));
    if ids.is_empty() {
        return Ok(());
    }
    // Not held back: no row of the feed says that these are deleted, so an interrupted run could not tell the next one.
    let mut records = writer.records(Mode::Full);
    for id in &ids {
        removed_object(id, Removed::Changed, feed.selection, &mut records);
    }
    writer.deliver_deletes(&ids, &records)?;
    run.ledger.with(|mark| {
        for id in ids.iter().filter_map(|id| ObjectId::parse(id)) {
            mark.lists.saw(feed.object_type, id, Sign::SoftDeleted, false);
        }
    });
    Ok(())
}

/// Records the objects in the bin and delivers nothing. Members read while an object is away lack its edges, and should
/// the run be interrupted, the feed may tell no more than that the object is back.
pub(in crate::read) fn note(run: Run<'_>) -> Result<(), Error> {
    let mut all = Vec::new();
    for object_type in types::ALL.iter().copied().filter(|it| bin_of(it).is_some() && run.config.imports(it)) {
        let noted = read(run, object_type, |ids| {
            all.extend(ids.iter().filter_map(|id| ObjectId::parse(id)));
            Ok(())
        });
        match noted {
            // The walk of that type reports it.
            Err(error) if error.kind == Kind::Forbidden => {
                run.ledger
                    .with(|mark| all.iter().for_each(|id| mark.lists.saw(object_type, *id, Sign::SoftDeleted, false)));
                return Ok(());
            }
            other => other?,
        }
    }
    run.ledger.with(|mark| mark.lists.bin_holds(&all));
    Ok(())
}

/// Turns a missing permission into an Issue.
fn reported(
    run: Run<'_>,
    writer: &SetWriter<'_>,
    object_type: &'static ObjectType,
    read: Result<(), Error>,
) -> Result<(), Error> {
    match read {
        Err(error) if error.kind == Kind::Forbidden => {
            let permission = bin_of(object_type).map_or("", |bin| bin.permission);
            let mut records = writer.records(Mode::Full);
            records.issue(&Issue {
                scope: None,
                source_id: None,
                code: Code::RecycleBinUnread,
                message: &format!(
                    "the recycle bin cannot be read, so memberships of deleted objects may be shown until they are purged: \
                     grant the application permission {permission} ({})",
                    error.message
                ),
                request_id: error.request_id(),
            });
            writer.push(records)?;
            // A run that resumes this one does not read the bin again and is Partial all the same.
            run.ledger.with(|mark| mark.lacks(writer.tally.object_type()));
            Ok(())
        }
        other => other,
    }
}

/// Reads it, a page at a time.
fn read(
    run: Run<'_>,
    object_type: &'static ObjectType,
    mut take: impl FnMut(Vec<String>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(RecycleBin { cast, .. }) = bin_of(object_type) else { return Ok(()) };
    let query = format!("/directory/deletedItems/microsoft.graph.{cast}?$select=id&$top=999");
    walk_again(|_| {
        walk_pages(
            run.graph,
            WalkStart::of(run.graph.link(&query)),
            Expect::NoDeltaLink,
            |answer| {
                let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
                let ids = page.rows.iter().filter_map(|row| row.id.as_deref()).map(|id| directory_id(id).into_owned());
                Ok((page.links, ids.collect::<Vec<_>>()))
            },
            |ids, _| take(ids),
        )
        .map(|_| ())
    })
}
