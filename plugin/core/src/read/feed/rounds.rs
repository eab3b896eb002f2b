//! Rows of a feed that become records as they come: users, and groups without a filter whose memberships are
//! recomputed.
//!
//! Where memberships follow the groups feed, each row is also a sign of life: an object that was in the recycle bin and
//! is back brings no edge rows, so somebody has to remember that it was there.

use super::settled::settle;
use super::sign::sign_of;
use super::{recycle_bin, snapshot, thin};
use crate::error::Error;
use crate::graph::{Answer, Unreadable};
use crate::mapping::{Mode, ObjectId, Reason, Records, map_row};
use crate::model::{Links, Page, RowSeed};
use crate::read::lookup::Outage;
use crate::read::run::Run;
use crate::sync::{Feed, FollowUp, Pace, Position, Rounds, Set, SetWriter, Sign, Start, TypeMark, unreadable};

/// Rows as they come.
pub(in crate::read) struct PlainRounds<'a> {
    pub(super) run: Run<'a>,
    pub(super) writer: SetWriter<'a>,
    pub(super) feed: Feed<'a>,
    /// Soft deletions are recorded.
    pub(super) watches: bool,
    pub(super) pace: Pace,
    /// The recycle bin is still to be read.
    bin: bool,
    /// Any live row may be that of a restored object.
    wakes: bool,
    /// Whether single users can be read at all.
    outage: Outage,
}

impl<'a> PlainRounds<'a> {
    pub(in crate::read) fn new(run: Run<'a>, feed: Feed<'a>, watches: bool) -> PlainRounds<'a> {
        let writer = run.writer(feed.object_type);
        PlainRounds {
            run,
            writer,
            feed,
            watches,
            pace: Pace::new(run.sink.checkpoint_rows()),
            bin: false,
            wakes: false,
            outage: Outage::default(),
        }
    }

    /// Where to walk from; a first import that is made from lists is made here, and leaves the drain.
    pub(in crate::read) fn listed_first(&self, start: Start) -> Result<Start, Error> {
        match snapshot::applies(self.run, &self.feed, &start) {
            Some(listed) => snapshot::read(self.run, self.writer, &self.feed, listed, self.watches),
            None => Ok(start),
        }
    }
}

/// One page: its records, and who it is about.
pub(in crate::read) struct PlainPage {
    records: Records,
    signs: Vec<(ObjectId, Sign)>,
    /// Restored objects whose rows lack attributes.
    thin: Vec<ObjectId>,
}

impl Rounds for PlainRounds<'_> {
    type Page = PlainPage;

    fn begin(&mut self, set: &Set) -> Result<(), Error> {
        let first = set.mode == Mode::Full && !set.resumed;
        self.bin = first && self.watches;
        self.writer.begin(set, Reason::SoftDeleted, self.feed.selection.delivered(), |mark| {
            if first {
                self.feed.full_set_begins(mark);
            }
        })?;
        if !self.watches || set.mode == Mode::Full {
            return Ok(());
        }
        self.wakes = recycle_bin::look_again(self.run, &self.writer, &self.feed)?;
        let thin = thin::left_over(&self.run, &self.feed);
        let unread = thin::read_by_id(&self.run, &self.writer, &self.feed, &thin, &mut self.outage)?;
        self.run.ledger.with(|mark| {
            for id in &thin {
                mark.lists.restored.set_thin(*id, unread.contains(id));
            }
        });
        Ok(())
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
        let (mut signs, mut thin) = (Vec::new(), Vec::new());
        if self.watches {
            signs.extend(page.rows.iter().filter_map(|row| sign_of(row.id.as_deref()?, row.removed)));
            if mode == Mode::Delta {
                thin = thin::among(&self.run, &page.rows);
            }
        }
        Ok((page.links, PlainPage { records, signs, thin }))
    }

    fn take(&mut self, page: PlainPage, _: &Set, position: Option<Position>) -> Result<(), Error> {
        if std::mem::take(&mut self.bin) {
            recycle_bin::deliver(self.run, &self.writer, &self.feed)?;
        }
        // Before the rows, whose own values win.
        let unread = thin::read_by_id(&self.run, &self.writer, &self.feed, &page.thin, &mut self.outage)?;
        let due = position.is_some() && self.pace.page(page.records.rows());
        let (object_type, watches, wakes) = (self.feed.object_type, self.watches, self.wakes);
        self.writer.advance(page.records, due, None, |mark, moves| {
            if watches {
                page.signs.iter().for_each(|(id, sign)| mark.lists.saw(object_type, *id, *sign, wakes));
                for id in unread {
                    mark.lists.restored.set_thin(id, true);
                }
            }
            if let Some(position) = position.filter(|_| moves) {
                mark.of_mut(object_type).position = Some(position);
            }
        })
    }

    fn end(&mut self, set: &Set, moved: TypeMark) -> Result<(), Error> {
        let object_type = self.feed.object_type;
        // A recycle bin that lagged at a full walk is read once more; where nothing depends on it, nothing is left to
        // do.
        let after_full = if self.watches { FollowUp::BinNextRun } else { FollowUp::Nothing };
        let full = (set.mode == Mode::Full).then_some(after_full);
        self.writer.end(|mark| settle(mark.of_mut(object_type), moved, full))
    }
}
