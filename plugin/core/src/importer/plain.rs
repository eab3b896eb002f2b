//! Rows of a feed that become records as they come: users, and groups without a filter whose memberships are recomputed.
//!
//! Where memberships follow the groups feed, each row is also a sign of life: an object that was in the recycle bin and is
//! back brings no edge rows, so somebody has to remember that it was there.

use super::snapshot::{self, Listed};
use super::{Run, recycle_bin};
use crate::error::Error;
use crate::graph::{Answer, Unreadable};
use crate::mapping::{Mode, ObjectId, Reason, Records, map_row};
use crate::model::{Links, Page, Removed, RowSeed};
use crate::sync::{Feed, FeedMark, Key, Pace, Position, Rounds, Set, SetWriter, Sign, Start, Who, unreadable};

/// What a row says about an object's life, where it says it of one that has a GUID.
pub(super) fn sign_of(id: &str, removed: Option<Removed>) -> Option<(ObjectId, Sign)> {
    let sign = match removed {
        Some(Removed::Changed) => Sign::SoftDeleted,
        Some(Removed::Deleted) => Sign::Purged,
        None => Sign::Live,
    };
    ObjectId::parse(id).map(|id| (id, sign))
}

/// The feed's place after a whole round. The time of the last Full set is kept through Delta rounds.
pub(super) fn settle(mark: &mut FeedMark, moved: FeedMark) {
    let full = moved.full.or(mark.full).or(moved.at);
    *mark = FeedMark { full, ..moved };
}

/// Rows as they come.
pub(super) struct PlainRounds<'a> {
    pub(super) run: Run<'a>,
    pub(super) writer: SetWriter<'a>,
    pub(super) feed: Feed<'a>,
    /// Who lives and who does not is remembered.
    pub(super) watches: Option<Who>,
    pub(super) pace: Pace,
    /// The recycle bin is still to be read.
    bin: bool,
}

impl<'a> PlainRounds<'a> {
    pub(super) fn new(run: Run<'a>, feed: Feed<'a>, watches: Option<Who>) -> PlainRounds<'a> {
        let writer = run.writer(feed.object_type);
        PlainRounds { run, writer, feed, watches, pace: Pace::new(run.sink.checkpoint_rows()), bin: false }
    }

    /// Where to walk from; a first import that is made from lists is made here, and leaves the drain.
    pub(super) fn listed_first(&self, start: Start, listed: Listed) -> Result<Start, Error> {
        if !snapshot::applies(self.run, &self.feed, &start) {
            return Ok(start);
        }
        snapshot::read(self.run, self.writer, &self.feed, listed, self.watches)
    }
}

/// One page: its records, and who it is about.
pub(super) struct PlainPage {
    records: Records,
    signs: Vec<(ObjectId, Sign)>,
}

impl Rounds for PlainRounds<'_> {
    type Page = PlainPage;

    fn begin(&mut self, set: &Set) -> Result<(), Error> {
        let (key, first) = (self.feed.key, set.mode == Mode::Full && !set.resumed);
        self.bin = first && self.watches.is_some();
        self.writer.begin(set, Reason::SoftDeleted, self.feed.selection.delivered(), |mark| {
            if first {
                mark.feed_mut(key).position = None;
                if key == Key::Groups {
                    mark.lists.repair.clear();
                    mark.lists.confirm.clear();
                }
            }
        })
    }

    /// Nothing is asked of Graph on account of a page, but for the recycle bin, and that is over with the first.
    fn reads_ahead(&self) -> bool {
        true
    }

    fn read(&mut self, answer: &Answer<'_>, mode: Mode) -> Result<(Links, PlainPage), Unreadable> {
        let selection = self.feed.selection;
        let page = Page::read_feed(answer.body, RowSeed { properties: selection.properties() }).map_err(unreadable)?;
        let mut records = self.writer.records(mode).with_room_for(page.rows.len(), answer.body.len());
        for row in &page.rows {
            map_row(row, selection, mode, answer.request_id, &mut records);
        }
        let signs = match self.watches {
            Some(_) => page.rows.iter().filter_map(|row| sign_of(row.id.as_deref()?, row.removed)).collect(),
            None => Vec::new(),
        };
        Ok((page.links, PlainPage { records, signs }))
    }

    fn take(&mut self, page: PlainPage, _: &Set, position: Option<Position>) -> Result<(), Error> {
        if std::mem::take(&mut self.bin)
            && let Some(who) = self.watches
        {
            recycle_bin::deliver(self.run, &self.writer, self.feed.selection, who)?;
        }
        let due = position.is_some() && self.pace.page(page.records.rows());
        let (key, watches) = (self.feed.key, self.watches);
        self.writer.advance(page.records, due, None, |mark, moves| {
            if let Some(who) = watches {
                page.signs.iter().for_each(|(id, sign)| mark.lists.saw(who, *id, *sign));
            }
            if let Some(position) = position.filter(|_| moves) {
                mark.feed_mut(key).position = Some(position);
            }
        })
    }

    fn end(&mut self, _: &Set, moved: FeedMark) -> Result<(), Error> {
        let key = self.feed.key;
        self.writer.end(|mark| settle(mark.feed_mut(key), moved))
    }
}
