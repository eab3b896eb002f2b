//! A round of the groups feed whose rows have to be judged, or bring memberships, or both.
//!
//! A page is handled whole: first what its rows lack is looked up in one batch, then its groups go out, then the
//! members of those that must be read, and last the rows' own entries in the order they came. That order is easy to get
//! wrong: a read may be older than the row that caused it, so the row's entries must be applied on top of it.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::followed::{Followed, Why};
use super::hidden::is_hidden;
use super::judge::{Judge, merged};
use super::row::GroupRow;
use crate::code::Code;
use crate::error::Error;
use crate::graph::{Answer, Unreadable};
use crate::mapping::{Issue, Mode, ObjectId, Reason, Records, object, removed_object, row_without_id};
use crate::model::{Links, Page, RowSeed};
use crate::read::children::Scope;
use crate::read::feed::{deliver_bin, look_again_in_bin, settle, sign_of};
use crate::read::lookup::{Found, Outage, look_up};
use crate::read::run::Run;
use crate::sync::{
    Feed, FollowUp, Pace, Position, Rounds, Set, SetWriter, Sign, TypeMark, Warning, Watermark, unreadable,
};
use crate::types::{GROUP, GROUP_MEMBER, USER};

/// Verdicts of this round that are kept, so that the slices of one large group are judged once.
const VERDICTS: usize = 50_000;

/// A round of groups.
pub(super) struct GroupRounds<'a> {
    pub(super) run: Run<'a>,
    pub(super) feed: Feed<'a>,
    pub(super) writer: SetWriter<'a>,
    pub(super) judge: Judge<'a>,
    /// Memberships come with the feed.
    pub(super) followed: Option<Followed<'a>>,
    /// Restored objects that could not be asked for in this run.
    pub(super) unasked: HashSet<ObjectId>,
    /// Whether single groups and restored objects can be read at all.
    pub(super) outage: Outage,
    /// Groups of the watermark's lists whose members this round has read.
    pub(super) read_again: HashSet<ObjectId>,
    pace: Pace,
    visibility: Option<usize>,
    mode: Mode,
    /// The end of a Reconcile.
    reconciles: bool,
    /// Every group in scope that the feed mentions is read in full: at the end of a Reconcile, and in the run after it.
    reads_all: bool,
    /// The recycle bin is still to be read.
    bin: bool,
    /// Any live row may be that of a restored object.
    wakes: bool,
    verdicts: HashMap<ObjectId, bool>,
    /// Groups whose members this round has read: their next rows bring entries to be applied on top, and nothing else.
    pub(super) read: HashSet<String>,
}

/// One page.
pub(super) struct GroupPage {
    rows: Vec<GroupRow>,
    /// Issues for rows without an id.
    issues: Records,
}

/// What the rows of a page come to.
struct Delivery {
    objects: Records,
    /// By group.
    entries: Vec<(String, Records)>,
    reads: Vec<Scope>,
    signs: Vec<(ObjectId, Sign)>,
    over: Vec<ObjectId>,
    confirm: Vec<ObjectId>,
}

impl Delivery {
    /// A later row of the page says that the group is out of scope or gone: nothing of an earlier row may come after
    /// it.
    fn drop_members_of(&mut self, group: &str) {
        self.reads.retain(|scope| scope.parent != group);
        self.entries.retain(|(of, _)| of != group);
    }
}

impl<'a> GroupRounds<'a> {
    pub(super) fn new(run: Run<'a>, feed: Feed<'a>, reconciles: bool) -> GroupRounds<'a> {
        let filter = run.config.group_selection_filter.as_ref();
        GroupRounds {
            run,
            feed,
            writer: run.writer(feed.object_type),
            judge: Judge::new(filter, feed.selection),
            followed: run.config.follows_members().then(|| Followed::new(run)),
            unasked: HashSet::new(),
            outage: Outage::default(),
            read_again: HashSet::new(),
            wakes: false,
            reads_all: reconciles,
            pace: Pace::new(run.sink.checkpoint_rows()),
            visibility: feed.selection.position("visibility"),
            mode: Mode::Full,
            reconciles,
            bin: false,
            verdicts: HashMap::new(),
            read: HashSet::new(),
        }
    }

    /// The value of `visibility` among those of the selection.
    pub(super) fn visibility<'v>(&self, values: &[Option<&'v RawValue>]) -> Option<&'v RawValue> {
        self.visibility.and_then(|place| values[place])
    }

    /// Looks up the groups whose rows do not say enough.
    fn look_up_missing(&mut self, rows: &[GroupRow]) -> Result<HashMap<String, Found>, Error> {
        let mut ids: Vec<&str> = Vec::new();
        for row in rows.iter().filter(|row| row.removed.is_none()) {
            let known = row.object_id().is_some_and(|id| self.verdicts.contains_key(&id)) && self.mode == Mode::Full;
            let judged = known || self.judge.suffices(row, self.mode);
            let whole = self.judge.is_whole(row, self.mode) && !self.is_thin(row);
            let enough = judged && (whole || !self.judge.is_in_scope(&row.id, &merged(row, None)));
            if !enough && !ids.contains(&row.id.as_str()) {
                ids.push(&row.id);
            }
        }
        let found = look_up(self.run.graph, &GROUP, &ids, self.feed.selection, &mut self.outage)?;
        Ok(ids.into_iter().map(str::to_owned).zip(found).collect())
    }

    /// Whether the row is that of a restored group and lacks attributes, which the host may never have held.
    fn is_thin(&self, row: &GroupRow) -> bool {
        self.mode == Mode::Delta
            && self.followed.is_some()
            && row.values.iter().any(Option::is_none)
            && row.object_id().is_some_and(|id| self.writer.ledger.with(|mark| mark.lists.is_gone(id)))
    }

    /// A group that can neither be judged nor read: reported, kept by the host, and first in the next run.
    pub(super) fn unread(&self, group: &str, mode: Mode, error: &Error) -> Result<(), Error> {
        if let Some(followed) = &self.followed {
            return followed.unread(&Scope::new(group.to_owned(), false), mode, error);
        }
        if let Some(id) = ObjectId::parse(group) {
            self.writer.ledger.with(|mark| mark.lists.unread(id));
        }
        let mut records = self.writer.records(mode);
        records.issue(&Issue {
            scope: None,
            source_id: Some(group),
            code: Code::GroupUnread,
            message: &format!(
                "a change of this group cannot be judged by the filter until it is read; the next import tries again: {}",
                error.message
            ),
            request_id: error.request_id(),
        });
        self.writer.push(records)
    }

    /// Decides about a row. Answers whether the entries it brings are to be delivered.
    fn handle(&mut self, row: &GroupRow, found: Option<&Found>, out: &mut Delivery) -> Result<bool, Error> {
        let selection = self.feed.selection;
        let id = row.object_id();
        out.signs.extend(sign_of(&row.id, row.removed));
        if let Some(removed) = row.removed {
            removed_object(&row.id, removed, selection, &mut out.objects);
            self.read.remove(&row.id);
            out.drop_members_of(&row.id);
            out.over.extend(id);
            return Ok(false);
        }
        let verdict = id.and_then(|id| self.verdicts.get(&id).copied()).filter(|_| self.mode == Mode::Full);
        let looked_up = match found {
            Some(Found::Object(values)) => Some(values.as_slice()),
            _ => None,
        };
        let by_itself = self.judge.suffices(row, self.mode);
        if let (false, None, Some(Found::Nothing(error) | Found::Failed(error))) = (by_itself, verdict, found) {
            return self.unread(&row.id, self.mode, error).map(|()| false);
        }
        let values = merged(row, looked_up);
        let in_scope = match verdict {
            Some(verdict) if !by_itself => verdict,
            _ => self.judge.is_in_scope(&row.id, &values),
        };
        if let Some(id) = id {
            if by_itself && self.judge.filters() && (self.verdicts.len() < VERDICTS || verdict.is_some()) {
                self.verdicts.insert(id, in_scope);
            }
            if !by_itself && verdict.is_none() {
                out.confirm.push(id);
            }
        }
        if !in_scope {
            out.objects.delete(&row.id, Some(&row.id), Reason::LeftScope);
            // The host drops its edges with this: should it come back, they are read anew.
            self.read.remove(&row.id);
            out.drop_members_of(&row.id);
            if by_itself {
                out.over.extend(id);
            }
            return Ok(false);
        }
        // What an earlier row of the page said of it is over.
        out.over.retain(|other| Some(*other) != id);
        // In a Full set a row without a single attribute is a slice of members and no image of the group.
        if !(row.is_bare(selection) && self.mode == Mode::Full) {
            object(&row.id, &values, selection, self.mode, None, &mut out.objects);
        }
        self.members_of(row, &values, out);
        Ok(true)
    }

    /// Whether the members of the row's group have to be read.
    fn members_of(&mut self, row: &GroupRow, values: &[Option<&RawValue>], out: &mut Delivery) {
        if self.followed.is_none() {
            return;
        }
        let hidden = is_hidden(self.visibility(values));
        let wanted = match self.mode {
            Mode::Delta => self.judge.filters() || self.reads_all,
            Mode::Full => hidden,
        };
        if wanted && self.read.insert(row.id.clone()) {
            out.reads.push(Scope::new(row.id.clone(), hidden));
        }
    }
}

impl Rounds for GroupRounds<'_> {
    type Page = GroupPage;

    fn begin(&mut self, set: &Set) -> Result<(), Error> {
        self.mode = set.mode;
        self.verdicts.clear();
        self.read.clear();
        self.read_again.clear();
        let first = set.mode == Mode::Full && !set.resumed;
        self.bin = first && self.followed.is_some();
        self.writer.begin(set, Reason::SoftDeleted, self.feed.selection.delivered(), |mark| {
            if first {
                self.feed.full_set_begins(mark);
                mark.lacks_nothing_of(&GROUP_MEMBER);
            }
        })?;
        if let Some(followed) = &self.followed {
            followed.begin(set)?;
        }
        if set.mode == Mode::Delta {
            if self.followed.is_some() {
                let follow_up = self.writer.ledger.with(|mark| mark.of(&GROUP).follow_up);
                self.reads_all = self.reconciles || follow_up == FollowUp::Reads;
                self.wakes = look_again_in_bin(self.run, &self.writer, &self.feed)?;
            }
            if !self.reconciles {
                self.read_again()?;
            }
            // Whatever the groups feed says is to be applied on top of what restored users bring.
            self.wait_for_users()?;
        }
        Ok(())
    }

    fn before_page(&mut self) -> Result<(), Error> {
        if self.followed.is_some() { self.bring_restored(self.mode) } else { Ok(()) }
    }

    fn read(&mut self, answer: &Answer<'_>, mode: Mode) -> Result<(Links, GroupPage), Unreadable> {
        let selection = self.feed.selection;
        let page = Page::read_feed(answer.body, RowSeed { properties: selection.properties() }).map_err(unreadable)?;
        let mut issues = self.writer.records(mode);
        let followed = self.followed.as_ref();
        let entries = || followed.map_or_else(|| Records::new(""), |followed| followed.writer.records(mode));
        let mut rows = Vec::with_capacity(page.rows.len());
        for row in &page.rows {
            match GroupRow::of(row, entries) {
                Some(row) => rows.push(row),
                None => row_without_id(answer.request_id, &mut issues),
            }
        }
        Ok((page.links, GroupPage { rows, issues }))
    }

    fn take(&mut self, page: GroupPage, _: &Set, position: Option<Position>) -> Result<(), Error> {
        if std::mem::take(&mut self.bin) {
            deliver_bin(self.run, &self.writer, &self.feed)?;
        }
        let found = self.look_up_missing(&page.rows)?;
        let mut out = Delivery {
            objects: page.issues,
            entries: Vec::new(),
            reads: Vec::new(),
            signs: Vec::new(),
            over: Vec::new(),
            confirm: Vec::new(),
        };
        for row in page.rows {
            if self.handle(&row, found.get(&row.id), &mut out)? {
                out.entries.extend(row.entries.map(|entries| (row.id, entries)));
            }
        }
        self.deliver(out, position)
    }

    fn end(&mut self, set: &Set, moved: TypeMark) -> Result<(), Error> {
        if self.followed.is_some() {
            self.wait_for_users()?;
            self.bring_restored(set.mode)?;
        }
        let full = match set.mode {
            Mode::Full if self.followed.is_some() => Some(FollowUp::BinNextRun),
            Mode::Full => Some(FollowUp::Nothing),
            Mode::Delta => self.reconciles.then_some(FollowUp::ReadsNextRun),
        };
        let (mut confirms, mut restored) = (false, false);
        let change = |mark: &mut Watermark| {
            confirms = mark.lists.confirms_overflow;
            restored = mark.lists.restored.is_too_long();
            if mark.lists.repairs_overflow {
                // What found no place on the list is mentioned again by the old link only.
                mark.of_mut(&GROUP).position = None;
            } else {
                settle(mark.of_mut(&GROUP), moved, full);
            }
        };
        match &self.followed {
            None => self.writer.end(change)?,
            Some(followed) => {
                followed.settle(set.mode)?;
                self.writer.end_with(&followed.writer, change)?;
            }
        }
        self.warn(confirms, restored);
        Ok(())
    }
}

impl GroupRounds<'_> {
    /// Says what found no room in the watermark.
    fn warn(&self, confirms: bool, restored: bool) {
        let warn = |code, object_type, message: String| {
            self.run.notes.add(Warning { code, object_type: Some(object_type), message });
        };
        if confirms {
            let days = self.run.config.full_reconcile_days;
            let (object_type, heals) = match &self.followed {
                Some(_) => {
                    (GROUP_MEMBER.name, format!("up to {days} days may pass until the next Reconcile corrects it"))
                }
                None => (GROUP.name, "it stays so until the group changes again or all groups are read".to_owned()),
            };
            warn(
                Code::ConfirmOverflow,
                object_type,
                format!(
                    "more groups changed than can be read a second time: should a list have lagged behind the change feed, {heals}"
                ),
            );
        }
        if restored {
            warn(
                Code::RestoredOverflow,
                GROUP_MEMBER.name,
                "more objects came back from the recycle bin, or may have, than a watermark can name: the next import reads all memberships again".to_owned(),
            );
        }
    }

    fn wait_for_users(&self) -> Result<(), Error> {
        if self.followed.is_some() { self.run.over.wait(&USER, self.run.cancel) } else { Ok(()) }
    }

    /// Sends what a page came to, in the one order that is right.
    fn deliver(&mut self, out: Delivery, position: Option<Position>) -> Result<(), Error> {
        let rows = out.objects.rows() + out.entries.iter().map(|(_, entries)| entries.rows()).sum::<u64>();
        let due = position.is_some() && self.pace.page(rows);
        let wakes = self.wakes;
        let change = |mark: &mut Watermark, moves: bool| {
            out.signs.iter().for_each(|(id, sign)| mark.lists.saw(&GROUP, *id, *sign, wakes));
            out.over.iter().for_each(|id| mark.lists.forget(*id));
            if let Some(position) = position.filter(|_| moves && !mark.lists.repairs_overflow) {
                mark.of_mut(&GROUP).position = Some(position);
            }
        };
        self.writer.ledger.with(|mark| out.confirm.iter().for_each(|id| mark.lists.to_confirm(*id)));
        let Some(followed) = &self.followed else {
            return self.writer.advance(out.objects, due, None, change);
        };
        out.over.iter().for_each(|id| followed.forget(*id));
        self.writer.push(out.objects)?;
        followed.read(out.reads, self.mode, Why::Feed)?;
        // One row's slice at a time: a page of slices has tens of megabytes.
        for (_, entries) in out.entries {
            followed.writer.push(entries)?;
        }
        followed.writer.advance(followed.writer.records(self.mode), due, Some(&self.writer), change)
    }
}
