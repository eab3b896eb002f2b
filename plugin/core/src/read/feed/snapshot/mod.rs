//! The first import by parallel lists: a delta feed is serial and brings some 200 rows a page, so its latency alone
//! makes a large tenant slow. A delta link is taken first, then everybody is listed in ranges of names at 999 a page,
//! and what happened meanwhile is drained from the link.
//!
//! The ranges are not to be trusted. They touch at their ends, so whatever order Graph keeps names in,
//! every object is in one of them; still the number of objects that came is checked against Graph's own count
//! (`prove`), and in doubt the feed is walked after all. Lists may lag behind the link: the watermark says that the
//! next run reads everything again.

mod between;
mod lists;
mod ranges;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ranges::Names;

use super::recycle_bin;
use super::settled::settle;
use crate::code::Code;
use crate::config::{Config, FullImportStrategy};
use crate::error::{Error, Kind};
use crate::graph;
use crate::mapping::{Mode, Reason, Selection};
use crate::model::{Member, Page, RowSeed};
use crate::read::distinct::short;
use crate::read::run::Run;
use crate::read::survey::Size;
use crate::sync::{
    Expect, Feed, FollowUp, NEXT_RUN_RECONCILES, Set, SetWriter, Stage, Start, TypeMark, WalkStart, Walked, Warning,
    has_room_for, unreadable, walk_again, walk_pages,
};

/// What is listed, and by which names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed {
    /// Its collection, `/users`.
    pub(super) path: &'static str,
    /// A property that every object has and that Graph compares and sorts by.
    pub(super) name: &'static str,
}

/// What is listed, where this run is a first import of the feed and is to be made this way.
pub(super) fn applies(run: Run<'_>, feed: &Feed<'_>, start: &Start) -> Option<Listed> {
    let first = *start == Start::full() && run.plan.carried.of(feed.object_type).link.is_none();
    let wanted = run.config.full_import_strategy == FullImportStrategy::Snapshot;
    let of = feed.object_type.feed().filter(|_| first && wanted)?;
    Some(Listed { path: of.collection, name: of.sorted_by? })
}

/// What such an import of so many objects will ask of Graph, roughly; `more` requests come on top.
pub(in crate::read) fn size(objects: Option<u64>, config: &Config, more: u64) -> Size {
    let page_size = u64::from(config.page_size);
    let count = objects.unwrap_or(0);
    let ranges = count / ranges::enough(count, count, config) + 1;
    // A page each that is not full, a cut or two each, and the link, the two ends, the drain.
    let requests = count / page_size.max(1) + ranges + 2 * (ranges - 1) + 4 + more;
    Size { lanes: config.max_concurrency as u64, ..Size::walked(objects, requests, 1) }
}

/// How often a tenant is counted again that changes while it is counted.
const RECOUNTS: usize = 3;

/// Why there is no snapshot.
enum Failure {
    /// The feed can still be walked.
    Walk(String),
    /// The object type is over.
    Over(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Over(error)
    }
}

impl From<graph::Error> for Failure {
    fn from(error: graph::Error) -> Failure {
        refused(error.into())
    }
}

/// A refused request of the Snapshot says nothing about the change feed, which asks for less: the feed is walked.
fn refused(error: Error) -> Failure {
    // The error's own words speak of the operator's filter, and the filter of a range is not the operator's.
    match graph::refusal_of(&error) {
        Some(words) => Failure::Walk(format!("Graph does not list by ranges of names here: {words}")),
        None => Failure::Over(error),
    }
}

/// Reads everything as one Full set, and answers where the feed goes on: at the link taken before, or, should the lists
/// not have been the whole, at its beginning.
pub(super) fn read(
    run: Run<'_>,
    writer: SetWriter<'_>,
    feed: &Feed<'_>,
    listed: Listed,
    watches: bool,
) -> Result<Start, Error> {
    let selection = feed.selection.clone().judged_by(&[listed.name.to_owned()]);
    let snapshot = Snapshot { run, writer, feed, listed, selection, watches, seen: Mutex::default() };
    match snapshot.take() {
        Ok(start) => Ok(start),
        Err(Failure::Over(error)) => Err(error),
        Err(Failure::Walk(why)) => {
            run.notes.add(Warning {
                code: Code::SnapshotNotWhole,
                object_type: Some(feed.object_type.name),
                message: format!("FullImportStrategy: the change feed is walked from its beginning instead; {why}"),
            });
            Ok(Start::full())
        }
    }
}

/// One attempt.
struct Snapshot<'a> {
    run: Run<'a>,
    writer: SetWriter<'a>,
    feed: &'a Feed<'a>,
    listed: Listed,
    /// The feed's, with the name.
    selection: Selection,
    watches: bool,
    /// Whom the lists brought, as half of a GUID each: eight bytes for every object, however large the tenant.
    seen: Mutex<Vec<u64>>,
}

impl Snapshot<'_> {
    fn take(&self) -> Result<Start, Failure> {
        let (link, at) = self.link()?;
        let set = Set::new(Mode::Full)?;
        self.writer.begin(&set, Reason::SoftDeleted, self.feed.selection.delivered(), |mark| {
            self.feed.full_set_begins(mark);
        })?;
        if self.watches {
            recycle_bin::deliver(self.run, &self.writer, self.feed)?;
        }
        let names = Names { graph: self.run.graph, listed: self.listed };
        let Some(whole) = names.whole()? else {
            return Err(Failure::Walk("there is nothing to list, or Graph does not count it".to_owned()));
        };
        let counted = whole.count;
        self.read_all(&names, whole)?;
        self.prove(&names, counted, &link)?;
        let moved = TypeMark {
            link: Some(link.clone()),
            fingerprint: Some(self.feed.fingerprint.to_owned()),
            at: Some(at),
            full: Some(NEXT_RUN_RECONCILES),
            ..TypeMark::default()
        };
        // The next run reads everything again, the recycle bin too.
        self.writer.end_stage(|mark| settle(mark.of_mut(self.feed.object_type), moved, Some(FollowUp::Nothing)))?;
        Ok(Start::Delta { link, page: None, stage: Stage::Walk, since: None })
    }

    /// A delta link from which on every change comes.
    fn link(&self) -> Result<(String, u64), Failure> {
        let Feed { path, selection, relations, .. } = self.feed;
        let query = format!("{path}?$deltatoken=latest&$select={}{relations}", selection.select());
        let mut brought_rows = false;
        let asked = walk_again(|_| {
            walk_pages(
                self.run.graph,
                WalkStart::of(self.run.graph.link(&query)),
                Expect::DeltaLink,
                |answer| {
                    let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
                    Ok((page.links, page.rows.len()))
                },
                |rows, _| {
                    brought_rows = rows > 0;
                    // A first page with rows begins the whole feed: no further page is asked for.
                    if brought_rows { Err(Error::new(Kind::Service, "rows came with the delta link")) } else { Ok(()) }
                },
            )
        });
        match asked {
            Err(_) if brought_rows => {
                Err(Failure::Walk("Graph brought rows where only a delta link was asked for".to_owned()))
            }
            Ok(Walked { delta_link: Some(link), date }) if has_room_for(&link) => Ok((link, date)),
            Ok(_) => Err(Failure::Walk("Graph gave no delta link that a watermark can keep".to_owned())),
            Err(error) => Err(refused(error)),
        }
    }

    /// Checks the number of distinct objects listed against Graph's count before and after. If the tenant changed
    /// meanwhile, the two counts differ and the listed number lies between them. Where objects were created *and*
    /// deleted, it may lie outside: then the change feed is asked what changed.
    fn prove(&self, names: &Names<'_>, counted: u64, link: &str) -> Result<(), Failure> {
        let mut seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        seen.sort_unstable();
        seen.dedup();
        let came = seen.len() as u64;
        let now = || Ok::<_, Failure>(names.whole()?.map(|whole| whole.count));
        if came == counted {
            return Ok(());
        }
        let mut before = now()?;
        if before.is_some_and(|now| (counted.min(now)..=counted.max(now)).contains(&came)) {
            return Ok(());
        }
        for _ in 0..RECOUNTS {
            let held = self.with_changes(&seen, link)?;
            let after = now()?;
            // Equal to both: a tolerance would hide objects that the lists left out.
            if before == Some(held) && after == before {
                return Ok(());
            }
            before = after;
        }
        Err(Failure::Walk(format!("the lists brought {came} objects where Graph counts {counted}")))
    }

    /// How many objects a host will hold once the drain has applied what changed since the link. Only counts: the drain
    /// itself reads the same pages again.
    fn with_changes(&self, listed: &[u64], link: &str) -> Result<u64, Failure> {
        // Whether the object is there, by its last row.
        let mut changed: HashMap<u64, bool> = HashMap::new();
        let walked = walk_pages(
            self.run.graph,
            WalkStart::of(self.run.graph.follow(link)?),
            Expect::DeltaLink,
            |answer| {
                let page = Page::read(answer.body, RowSeed { properties: &[] }).map_err(unreadable)?;
                let rows = page.rows.iter().filter_map(|row| Some((short(row.id.as_deref()?), row.removed.is_none())));
                Ok((page.links, rows.collect::<Vec<_>>()))
            },
            |rows, _| {
                changed.extend(rows);
                Ok(())
            },
        );
        walked.map_err(|broke| refused(broke.into_error()))?;
        let unchanged = listed.iter().filter(|id| !changed.contains_key(*id)).count();
        Ok((unchanged + changed.values().filter(|is_there| **is_there).count()) as u64)
    }
}
