//! Everything read once, where memberships otherwise come by delta: what a feed never mentions is corrected here.
//!
//! Three sets, one after the other: members of all groups in scope, the list of groups, and then the round from the
//! *old* delta link, so that every change that came meanwhile is applied on top of lists that may be older. A new link
//! taken first would lose the changes between the two.

use super::hidden::sees_hidden;
use super::listed::{self, AfterList};
use super::recompute::Recompute;
use crate::error::Error;
use crate::mapping::Selection;
use crate::read::feed::note_bins;
use crate::read::run::Run;
use crate::sync::{FullPlace, Position, Stage, Start, Watermark};
use crate::types::{GROUP, GROUP_MEMBER, USER};

/// Where more objects came back from the recycle bin than can be looked up one by one, reading everything costs less.
/// Known once the users of this run are read.
pub(super) fn if_restored_objects_were_lost(run: Run<'_>, start: Start) -> Result<Start, Error> {
    match start {
        Start::Delta { link, page: None, stage: Stage::Walk, .. } if run.config.follows_members() => {
            run.over.wait(&USER, run.cancel)?;
            if run.ledger.with(|mark| mark.lists.restored.lost) {
                return Ok(Start::Reconcile { link, place: None });
            }
            Ok(Start::Delta { link, page: None, stage: Stage::Walk, since: None })
        }
        other => Ok(other),
    }
}

/// Reads members and groups, from `place` where an interrupted run stopped. Answers when the Reconcile began.
pub(super) fn read_everything(
    run: Run<'_>,
    selection: &Selection,
    fingerprint: &str,
    place: Option<Position>,
) -> Result<u64, Error> {
    let since = place.as_ref().and_then(|place| place.since).unwrap_or_else(|| run.graph.now());
    let at = |stage, set: Option<&str>, page| {
        let set = set.map(str::to_owned);
        Some(Position { fingerprint: fingerprint.to_owned(), stage, set, page, since: Some(since) })
    };
    let mut list = Start::full();
    let mut members = Some(Start::full());
    if let Some(place) = place {
        match (place.stage, place.set, place.page) {
            // The groups that the interrupted run could not read are on the repair list.
            (Stage::Members, Some(set), page) => {
                let place = FullPlace { set, page, since: Some(since), unread: Vec::new() };
                members = Some(Start::Full { resume: Some(place) });
            }
            (Stage::Groups, set, page) => {
                members = None;
                if let (Some(set), page @ Some(_)) = (set, page) {
                    let place = FullPlace { set, page, since: Some(since), unread: Vec::new() };
                    list = Start::Full { resume: Some(place) };
                }
            }
            _ => {}
        }
    }
    if let Some(start) = members {
        // Users that the feed shows as restored while members are read would be taken for read with their groups.
        run.over.wait(&USER, run.cancel)?;
        note_bins(run)?;
        let writer = run.writer(&GROUP_MEMBER);
        // No place moves past a group that no list can name.
        let place = |mark: &mut Watermark, set: &str, page| {
            if !mark.lists.repairs_overflow {
                mark.of_mut(&GROUP).position = at(Stage::Members, Some(set), page);
            }
        };
        let sees_hidden = sees_hidden(run.graph);
        Recompute { run, writer, place: &place, follows: true, sees_hidden }.read(start)?;
        writer.end_stage(|mark| {
            // This set has its End and cannot be resumed: with groups that no list can name, all of it is read again.
            mark.of_mut(&GROUP).position = if mark.lists.repairs_overflow {
                at(Stage::Members, None, None)
            } else {
                at(Stage::Groups, None, None)
            };
            // Every group in scope has just been read once more, the groups of restored objects among them.
            mark.lists.confirm.clear();
            mark.lists.restored.lost = false;
        })?;
    }
    listed::read(run, selection, fingerprint, list, AfterList::Drain { since })?;
    Ok(since)
}
