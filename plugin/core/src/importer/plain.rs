//! Rows of a feed that become records as they come: users, and groups without a filter whose memberships are recomputed.
//!
//! Where memberships follow the groups feed, each row is also a sign of life: an object that was in the recycle bin and is
//! back brings no edge rows, so somebody has to remember that it was there.

use super::lookup::Outage;
use super::snapshot::{self, Listed};
use super::{Run, recycle_bin, thin};
use crate::error::Error;
use crate::graph::{Answer, Unreadable};
use crate::mapping::{Mode, ObjectId, Reason, Records, map_row};
use crate::model::{Links, Page, Removed, RowSeed};
use crate::sync::{Feed, FollowUp, Pace, Position, Rounds, Set, SetWriter, Sign, Start, TypeMark, unreadable};
use crate::types::ObjectType;

/// What a row says about an object's life, where it says it of one that has a GUID.
pub(super) fn sign_of(id: &str, removed: Option<Removed>) -> Option<(ObjectId, Sign)> {
    let sign = match removed {
        Some(Removed::Changed) => Sign::SoftDeleted,
        Some(Removed::Deleted) => Sign::Purged,
        None => Sign::Live,
    };
    ObjectId::parse(id).map(|id| (id, sign))
}

/// The feed's place after a whole round. The time of the last Full set is kept through Delta rounds; `full` says whether this
/// one was, and what that leaves to the next run.
pub(super) fn settle(mark: &mut TypeMark, moved: TypeMark, full: Option<FollowUp>) {
    let began = moved.full.or(mark.full).or(moved.at);
    let follow_up = full.unwrap_or(mark.follow_up.after_a_round());
    *mark = TypeMark { full: began, follow_up, ..moved };
}

/// Rows as they come.
pub(super) struct PlainRounds<'a> {
    pub(super) run: Run<'a>,
    pub(super) writer: SetWriter<'a>,
    pub(super) feed: Feed<'a>,
    /// The object type whose soft deletions are recorded, if they are.
    pub(super) watches: Option<&'static ObjectType>,
    pub(super) pace: Pace,
    /// The recycle bin is still to be read.
    bin: bool,
    /// Any live row may be that of a restored object.
    wakes: bool,
    /// Whether single users can be read at all.
    outage: Outage,
}

impl<'a> PlainRounds<'a> {
    pub(super) fn new(run: Run<'a>, feed: Feed<'a>, watches: Option<&'static ObjectType>) -> PlainRounds<'a> {
        let writer = run.writer(feed.object_type.name);
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
    /// Restored objects whose rows lack attributes.
    thin: Vec<ObjectId>,
}

impl Rounds for PlainRounds<'_> {
    type Page = PlainPage;

    fn begin(&mut self, set: &Set) -> Result<(), Error> {
        let first = set.mode == Mode::Full && !set.resumed;
        self.bin = first && self.watches.is_some();
        self.writer.begin(set, Reason::SoftDeleted, self.feed.selection.delivered(), |mark| {
            if first {
                self.feed.full_set_begins(mark);
            }
        })?;
        let Some(who) = self.watches.filter(|_| set.mode == Mode::Delta) else { return Ok(()) };
        self.wakes = recycle_bin::look_again(self.run, &self.writer, &self.feed, who)?;
        let thin = thin::left_over(&self.run);
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
        if self.watches.is_some() {
            signs.extend(page.rows.iter().filter_map(|row| sign_of(row.id.as_deref()?, row.removed)));
            if mode == Mode::Delta {
                thin = thin::among(&self.run, &page.rows);
            }
        }
        Ok((page.links, PlainPage { records, signs, thin }))
    }

    fn take(&mut self, page: PlainPage, _: &Set, position: Option<Position>) -> Result<(), Error> {
        if std::mem::take(&mut self.bin)
            && let Some(who) = self.watches
        {
            recycle_bin::deliver(self.run, &self.writer, self.feed.selection, who)?;
        }
        // Before the rows, whose own values win.
        let unread = thin::read_by_id(&self.run, &self.writer, &self.feed, &page.thin, &mut self.outage)?;
        let due = position.is_some() && self.pace.page(page.records.rows());
        let (object_type, watches, wakes) = (self.feed.object_type, self.watches, self.wakes);
        self.writer.advance(page.records, due, None, |mark, moves| {
            if let Some(who) = watches {
                page.signs.iter().for_each(|(id, sign)| mark.lists.saw(who, *id, *sign, wakes));
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
        // A recycle bin that lagged at a full walk is read once more; where nothing depends on it, nothing is left to do.
        let after_full = if self.watches.is_some() { FollowUp::BinNextRun } else { FollowUp::Nothing };
        let full = (set.mode == Mode::Full).then_some(after_full);
        self.writer.end(|mark| settle(mark.of_mut(object_type), moved, full))
    }
}
