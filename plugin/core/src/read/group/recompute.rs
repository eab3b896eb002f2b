//! The members of *all* groups in scope, as a Full set: recomputed memberships, and the first part of a Reconcile.
//!
//! One thread lists the groups, the others read members. Reads end in any order, so the place to resume from is the
//! oldest page of the list that is not finished. Two sorts of groups are judged only at the end: those that vanished (a
//! whole tenant of them is a wrong answer, not a mass deletion) and hidden ones that showed no member (one that shows
//! some proves the permission). Their Scopes are sent as incomplete at once. The place moves past groups that were not
//! read whole, so the watermark names them, and a resumed run reads them first.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::hidden::is_hidden;
use super::judge::Judge;
use super::scope::MEMBERS;
use super::scope::{is_listed, list_query};
use crate::error::{Error, Kind};
use crate::graph::{Answer, LARGEST_BATCH, Unreadable};
use crate::mapping::{Mode, ObjectId, Reason, Records, Selection, directory_id};
use crate::model::{Links, Page, RowSeed};
use crate::read::children::{ChildrenReader, Closing, Judgement, Reading, Scope, ScopeQueue, unread_issue};
use crate::read::distinct::{Distinct, short};
use crate::read::lookup::{Found, Outage, look_up};
use crate::read::run::Run;
use crate::sync::{
    Expect, Set, SetWriter, Start, TypeMark, WalkError, WalkStart, Watermark, unreadable, walk_again, walk_pages,
};
use crate::types::{GROUP, GROUP_MEMBER};

/// Below this many groups a share of vanished ones says nothing.
const FEW: u64 = 20;

/// Groups that wait for the end of the set to be judged, at most.
const HELD: usize = 10_000;

/// A set that reads every group in scope.
pub(super) struct Recompute<'a> {
    pub(super) run: Run<'a>,
    pub(super) writer: SetWriter<'a>,
    /// Moves the watermark to a page of the list of groups: the set's name and the page.
    pub(super) place: &'a (dyn Fn(&mut Watermark, &str, Option<String>) + Sync),
    /// What could not be read goes on the repair list.
    pub(super) follows: bool,
    /// The token proves the permission to read hidden members: a hidden group that shows none has none.
    pub(super) sees_hidden: bool,
}

/// What the readers have seen so far.
#[derive(Debug)]
struct Progress {
    groups: u64,
    judgement: Judgement,
    /// Gone between the list and the read.
    vanished: BTreeSet<String>,
    /// Gone as well, but with the feed only a removed row says so: they are repaired.
    missing: usize,
    /// Pages of the list that are not finished, the oldest first: groups left, and the page that follows.
    pages: VecDeque<(usize, Option<String>)>,
    /// The number of the oldest.
    oldest: usize,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress {
            groups: 0,
            judgement: Judgement::new(HELD),
            vanished: BTreeSet::new(),
            missing: 0,
            pages: VecDeque::new(),
            oldest: 0,
        }
    }
}

impl Progress {
    /// Groups of a page are done. Answers the place that may be resumed from, where it moved.
    fn done(&mut self, page: usize, groups: usize) -> Option<String> {
        if let Some((left, _)) = page.checked_sub(self.oldest).and_then(|at| self.pages.get_mut(at)) {
            *left -= groups;
        }
        let mut moved = None;
        while let Some((0, _)) = self.pages.front() {
            moved = self.pages.pop_front().and_then(|(_, next)| next);
            self.oldest += 1;
        }
        moved
    }
}

/// What of a group is left for a run that resumes this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Its members.
    Members,
    /// Whether it has any: without the permission it stays so, and a run is whole all the same.
    Hidden,
}

/// One try at the set.
struct Try<'a> {
    this: &'a Recompute<'a>,
    set: Set,
    progress: Mutex<Progress>,
}

impl Recompute<'_> {
    /// Begins the set, reads, and leaves its End to the caller.
    pub(super) fn read(&self, start: Start) -> Result<(), Error> {
        let attributes: Vec<String> = GROUP_MEMBER.attributes.iter().map(|a| a.name.to_owned()).collect();
        let (mut set, mut page, mut unread) = match start {
            // Only Graph can tell which of the unread groups are still in scope: the set begins anew.
            Start::Full { resume: Some(place) } if place.unread.is_empty() || !is_listed(self.run.config) => {
                (Set::resumed(place.set), place.page, place.unread)
            }
            _ => (Set::new(Mode::Full)?, None, Vec::new()),
        };
        let attempt = walk_again(|again| {
            if let Some(error) = again {
                self.run.notes.begun_again(&GROUP_MEMBER, "the list of groups was ", &error);
                set = Set::new(Mode::Full)?;
            }
            self.writer.begin(&set, Reason::Removed, &attributes, |mark| {
                if !set.resumed {
                    *mark.of_mut(&GROUP_MEMBER) = TypeMark::default();
                    mark.lacks_nothing_of(&GROUP_MEMBER);
                }
                (self.place)(mark, &set.id, page.clone());
            })?;
            let attempt = Try { this: self, set: set.clone(), progress: Mutex::default() };
            attempt.read(page.take(), &std::mem::take(&mut unread))?;
            Ok(attempt)
        })?;
        attempt.settle()
    }
}

impl Try<'_> {
    fn read(&self, page: Option<String>, unread: &[ObjectId]) -> Result<(), WalkError> {
        let Recompute { run, writer, .. } = *self.this;
        let reader = ChildrenReader { run, writer, mode: Mode::Full, source: &MEMBERS };
        let mut outage = Outage::default();
        for some in unread.chunks(LARGEST_BATCH) {
            let scopes = self.still_in_scope(some, &mut outage)?;
            reader.read_these(scopes, self)?;
        }
        reader.read_listed(self, |queue| self.list(queue, page, unread))
    }

    /// Of the groups that an interrupted run left unread, those that are to be read. A group that is out of scope by
    /// now is closed without members.
    fn still_in_scope(&self, groups: &[ObjectId], outage: &mut Outage) -> Result<Vec<Scope>, Error> {
        let Recompute { run, writer, .. } = *self.this;
        let filter = run.config.group_selection_filter.as_ref();
        let named = filter.map_or(&[][..], |filter| filter.properties());
        let asked = Selection::new(vec!["visibility".to_owned()], &[], None).judged_by(named);
        let judge = Judge::new(filter, &asked);
        let names: Vec<String> = groups.iter().map(ToString::to_string).collect();
        let ids: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = look_up(run.graph, &GROUP, &ids, &asked, outage)?;
        let mut scopes = Vec::new();
        for (name, found) in names.into_iter().zip(found) {
            match found {
                Found::Object(values) => {
                    let values: Vec<_> = values.iter().map(Option::as_deref).collect();
                    let scope = Scope::new(name, is_hidden(values[0]));
                    if judge.is_in_scope(&scope.parent, &values) {
                        scopes.push(scope);
                    } else {
                        let mut records = writer.records(Mode::Full);
                        records.scope(&scope.parent, true, 0);
                        self.closed(&scope, records, Left::Nothing)?;
                    }
                }
                // Reading its members tells whether it is gone.
                Found::Nothing(_) => scopes.push(Scope::new(name, false)),
                Found::Failed(error) => self.unread(&Scope::new(name, false), error)?,
            }
        }
        Ok(scopes)
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the groups in scope, a page at a time, but for those that were just read.
    fn list(&self, queue: &ScopeQueue, page: Option<String>, just_read: &[ObjectId]) -> Result<(), WalkError> {
        let just_read: HashSet<ObjectId> = just_read.iter().copied().collect();
        let run = self.this.run;
        let (query, advanced) = list_query(run.config, "id,visibility", run.config.page_size);
        let inside = page.is_some();
        let link = match page {
            Some(page) => run.graph.follow(&page)?,
            None => run.graph.link(&query),
        };
        let mut first = WalkStart { link, inside, advanced, ahead: true };
        let (mut number, mut named) = (0, Distinct::default());
        loop {
            walk_pages(run.graph, first, Expect::NoDeltaLink, scopes_of, |(count, mut scopes), after| {
                named.page(count, scopes.iter().map(|scope| short(&scope.parent)));
                // Read by an earlier pass of this list.
                scopes.retain(|scope| {
                    let read = ObjectId::parse(&scope.parent).is_some_and(|group| just_read.contains(&group));
                    !read && !named.was_named(short(&scope.parent))
                });
                // Known before its groups are: the readers may be done with them at once.
                self.progress().pages.push_back((scopes.len(), after.next.clone()));
                let scopes: Vec<_> = scopes.into_iter().map(|scope| scope.on_page(number)).collect();
                let offered = queue.offer(scopes)?;
                let Some(repeated) = offered else { return Err(Error::new(Kind::Cancelled, "the readers have ended")) };
                self.done(number, repeated)?;
                number += 1;
                Ok(())
            })?;
            if !named.reads_again()? {
                break;
            }
            first = WalkStart { link: run.graph.link(&query), inside: false, advanced, ahead: true };
        }
        queue.listed();
        Ok(())
    }

    /// Groups of a page are delivered: the watermark moves when the oldest page is finished.
    fn done(&self, page: usize, groups: usize) -> Result<(), Error> {
        // Held while the watermark moves, so that it never moves back.
        let mut progress = self.progress();
        let Some(next) = progress.done(page, groups) else { return Ok(()) };
        let Recompute { writer, place, .. } = self.this;
        writer.advance(writer.records(Mode::Full), true, None, |mark, _| place(mark, &self.set.id, Some(next)))
    }

    /// Queues a group's last records and counts it.
    fn closed(&self, scope: &Scope, records: Records, left: Left) -> Result<(), Error> {
        let Recompute { writer, follows, .. } = *self.this;
        if left != Left::Nothing && !follows {
            // Before the place can move past it.
            writer.ledger.with(|mark| {
                let named = mark.scope_unread(&GROUP_MEMBER, &scope.parent);
                if !named && left == Left::Members {
                    mark.lacks(GROUP_MEMBER.name);
                }
            });
        }
        writer.push(records)?;
        if left == Left::Nothing {
            // Not before its records are queued: a checkpoint between the two would forget it.
            writer.tally.settled_scope(&scope.parent);
            writer.ledger.with(|mark| {
                mark.scope_read(&GROUP_MEMBER, &scope.parent);
                if let Some(group) = ObjectId::parse(&scope.parent).filter(|_| follows) {
                    mark.lists.repaired(group);
                }
            });
        }
        self.done(scope.page, 1)
    }

    fn unread(&self, scope: &Scope, error: Error) -> Result<(), Error> {
        let give_up = {
            let mut progress = self.progress();
            progress.groups += 1;
            progress.judgement.failed()
        };
        let writer = &self.this.writer;
        let mut records = writer.records(Mode::Full);
        writer.tally.unread_scope(&scope.parent, false);
        unread_issue(&scope.parent, &error, &error.message, &mut records);
        records.scope(&scope.parent, false, scope.rows);
        if self.this.follows
            && let Some(group) = ObjectId::parse(&scope.parent)
        {
            writer.ledger.with(|mark| mark.lists.unread(group));
        }
        self.closed(scope, records, Left::Members)?;
        if give_up { Err(error) } else { Ok(()) }
    }

    /// The group is gone, as far as two reads see.
    fn gone(&self, scope: &Scope, error: Error) -> Result<(), Error> {
        let mut progress = self.progress();
        if self.this.follows {
            // Only a removed row of the feed says that a group is gone; the reads may come from a replica that lags.
            progress.missing += 1;
            drop(progress);
            return self.unread(scope, error);
        }
        progress.groups += 1;
        progress.vanished.insert(scope.parent.clone());
        let too_many = progress.vanished.len() >= HELD;
        drop(progress);
        if too_many {
            return Err(mass_vanishing(error));
        }
        let mut records = self.this.writer.records(Mode::Full);
        records.scope(&scope.parent, false, scope.rows);
        self.closed(scope, records, Left::Members)
    }

    fn whole(&self, scope: &Scope) -> Result<(), Error> {
        let writer = &self.this.writer;
        let mut records = writer.records(Mode::Full);
        let mut progress = self.progress();
        progress.groups += 1;
        // The last read of a group counts: a list may name it twice.
        progress.vanished.remove(&scope.parent);
        let shown = progress.judgement.read(scope, self.this.sees_hidden, writer, &mut records);
        drop(progress);
        records.scope(&scope.parent, shown, scope.rows);
        self.closed(scope, records, if shown { Left::Nothing } else { Left::Hidden })
    }

    /// Judges the groups that had to wait for the end of the set.
    fn settle(&self) -> Result<(), Error> {
        let progress = std::mem::take(&mut *self.progress());
        let gone = progress.vanished.len() + progress.missing;
        if progress.groups >= FEW && gone as u64 * 2 > progress.groups {
            return Err(mass_vanishing(Error::new(Kind::Service, "404 Not Found")));
        }
        let writer = &self.this.writer;
        let mut records = writer.records(Mode::Full);
        for group in &progress.vanished {
            writer.tally.settled_scope(group);
            records.scope(group, true, 0);
        }
        writer.push(records)?;
        progress.judgement.settle(writer, Mode::Full)
    }
}

impl Closing for Try<'_> {
    fn close(&self, scope: &Scope, outcome: Reading) -> Result<(), Error> {
        match outcome {
            Reading::Unread(error) => self.unread(scope, error),
            Reading::Gone(error) => self.gone(scope, error),
            Reading::Whole => self.whole(scope),
        }
    }
}

/// The count that came with a page of groups, and the groups as scopes.
type Counted = (Option<u64>, Vec<Scope>);

/// Reads a page of groups.
fn scopes_of(answer: &Answer<'_>) -> Result<(Links, Counted), Unreadable> {
    let properties = [String::from("visibility")];
    let page = Page::read(answer.body, RowSeed { properties: &properties }).map_err(unreadable)?;
    let scopes = page
        .rows
        .iter()
        .filter_map(|row| Some(Scope::new(directory_id(row.id.as_deref()?).into_owned(), is_hidden(row.values[0]))));
    Ok((page.links, (page.count, scopes.collect())))
}

fn mass_vanishing(error: Error) -> Error {
    Error {
        message: "more than half of the groups answered 404: this looks like a wrong tenant or a missing permission, not like deletions; nothing was removed".into(),
        kind: Kind::Service,
        ..error
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_behind_the_oldest_page_that_is_finished() {
        let next = |n: u8| Some(format!("page {n}"));
        let mut progress = Progress { pages: [(2, next(1)), (1, next(2)), (1, None)].into(), ..Progress::default() };
        assert_eq!(progress.done(1, 1), None, "the first page is not finished");
        assert_eq!(progress.done(0, 1), None);
        assert_eq!(progress.done(0, 1), next(2), "and neither is the second then");
        assert_eq!(progress.done(2, 1), None, "behind the last page there is none");
    }
}
