//! What lies in the recycle bin when a Full walk begins, sent as `SoftDeleted` before the rows of its first page.
//!
//! The walk shows who is there, and its slices may list members who are not: a host that was never told would show their
//! edges. Asked for after page 1, which fixes the delta link: whoever is deleted later comes with the next round.

use super::Run;
use super::plain::sign_of;
use crate::error::{Error, Kind};
use crate::mapping::{Issue, Mode, Selection, Severity, directory_id, removed_object};
use crate::model::{Member, Page, Removed};
use crate::sync::{Expect, First, Restarts, SetWriter, Watermark, Who, unreadable, walk_pages};

/// Reads and delivers it. Without the permission an Issue says what is missing, and the import goes on.
pub(super) fn deliver(run: Run<'_>, writer: &SetWriter<'_>, selection: &Selection, who: Who) -> Result<(), Error> {
    let read = read(run, who, |ids| {
        let mut records = writer.records(Mode::Full);
        for id in &ids {
            removed_object(id, Removed::Changed, selection, &mut records);
        }
        writer.advance(records, false, None, |mark, _| note_all(mark, who, &ids))
    });
    match read {
        Err(error) if error.kind == Kind::Forbidden => {
            let permission = match who {
                Who::User => "User.Read.All",
                Who::Group => "Group.Read.All",
            };
            let mut records = writer.records(Mode::Full);
            records.issue(&Issue {
                scope: None,
                source_id: None,
                severity: Severity::Error,
                code: "RecycleBinUnread",
                message: &format!(
                    "the recycle bin cannot be read, so memberships of deleted objects may be shown until they are purged: \
                     grant the application permission {permission} ({})",
                    error.message
                ),
                request_id: error.http.as_ref().and_then(|http| http.request_id.as_deref()),
            });
            writer.push(records)
        }
        other => other,
    }
}

/// Only takes note of who lies in it. Members read while somebody is away lack their edges, and should the run be
/// interrupted, the feed may tell no more than that they are back.
pub(super) fn note(run: Run<'_>, who: Who) -> Result<(), Error> {
    let noted = read(run, who, |ids| {
        run.ledger.with(|mark| note_all(mark, who, &ids));
        Ok(())
    });
    match noted {
        // The walk of that type reports it.
        Err(error) if error.kind == Kind::Forbidden => Ok(()),
        other => other,
    }
}

fn note_all(mark: &mut Watermark, who: Who, ids: &[String]) {
    let signs = ids.iter().filter_map(|id| sign_of(id, Some(Removed::Changed)));
    signs.for_each(|(id, sign)| mark.lists.saw(who, id, sign));
}

/// Reads it, a page at a time.
fn read(run: Run<'_>, who: Who, mut take: impl FnMut(Vec<String>) -> Result<(), Error>) -> Result<(), Error> {
    let cast = if who == Who::User { "user" } else { "group" };
    let query = format!("/directory/deletedItems/microsoft.graph.{cast}?$select=id&$top=999");
    let mut restarts = Restarts::default();
    loop {
        let walked = walk_pages(
            run.graph,
            First::of(run.graph.link(&query)),
            Expect::NoDeltaLink,
            |answer| {
                let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
                let ids = page.rows.iter().filter_map(|row| row.id.as_deref()).map(|id| directory_id(id).into_owned());
                Ok((page.links, ids.collect::<Vec<_>>()))
            },
            |ids, _| take(ids),
        );
        let Err(broke) = walked else { return Ok(()) };
        restarts.after(broke)?;
    }
}
