//! The members of *all* groups in scope, as a Full set: recomputed memberships, and the first part of a Reconcile.
//!
//! One thread lists the groups, the others read members. Reads end in any order, so the place to resume from is the oldest
//! page of the list that is not finished. Two sorts of groups are judged only at the end: those that vanished (a whole
//! tenant of them is a wrong answer, not a mass deletion) and hidden ones that showed no member (one that shows some proves
//! the permission). Their Scopes go out as incomplete at once, since an interrupted run must not forget them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::distinct::{Distinct, short};
use super::group::list_query;
use super::scopes::{Closing, GIVE_UP_AFTER, MembersReader, Outcome, Scope, ScopeQueue, hidden_issue, unread_issue};
use super::{Run, is_hidden};
use crate::error::{Error, Kind};
use crate::graph::Answer;
use crate::graph::Unreadable;
use crate::mapping::{Mode, ObjectId, Reason, Records, directory_id};
use crate::model::{Links, Page, RowSeed};
use crate::schema::GROUP_MEMBER;
use crate::sync::{
    Broke, Expect, First, MembersStart, Notes, Restarts, Set, SetWriter, Warning, Watermark, unreadable, walk_pages,
};

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
}

/// What the readers have seen so far.
#[derive(Debug, Default)]
struct Progress {
    groups: u64,
    failures_in_a_row: u32,
    /// Gone between the list and the read.
    vanished: Vec<String>,
    /// Hidden, and no member came.
    hidden_empty: Vec<String>,
    hidden_seen: bool,
    /// Pages of the list that are not finished, the oldest first: groups left, and the page that follows.
    pages: VecDeque<(usize, Option<String>)>,
    /// The number of the oldest.
    oldest: usize,
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

/// One try at the set.
struct Try<'a> {
    this: &'a Recompute<'a>,
    set: Set,
    progress: Mutex<Progress>,
}

impl Recompute<'_> {
    /// Begins the set, reads, and leaves its End to the caller.
    pub(super) fn read(&self, start: MembersStart) -> Result<(), Error> {
        let attributes: Vec<String> = GROUP_MEMBER.attributes.iter().map(|a| a.name.to_owned()).collect();
        let mut restarts = Restarts::default();
        let (mut set, mut page) = match start {
            MembersStart::Resume { set, page } => (Set::resumed(set), page),
            MembersStart::New | MembersStart::Done => (Set::new(Mode::Full)?, None),
        };
        loop {
            self.writer.begin(&set, Reason::Removed, &attributes, |mark| (self.place)(mark, &set.id, page.clone()))?;
            let attempt = Try { this: self, set: set.clone(), progress: Mutex::default() };
            let broke = match attempt.read(page.take()) {
                Ok(()) => return attempt.settle(),
                Err(broke) => broke,
            };
            let error = restarts.after(broke)?;
            note_restart(self.run.notes, &error);
            set = Set::new(Mode::Full)?;
        }
    }
}

fn note_restart(notes: &Notes, error: &Error) {
    notes.add(Warning {
        code: "RoundRestarted",
        object_type: Some(GROUP_MEMBER.name),
        message: format!("the list of groups was begun again from its first page: {}", error.message),
    });
}

impl Try<'_> {
    fn read(&self, page: Option<String>) -> Result<(), Broke> {
        let Recompute { run, writer, .. } = *self.this;
        MembersReader { run, writer, mode: Mode::Full }.read_listed(self, |queue| self.list(queue, page))
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the groups in scope, a page at a time.
    fn list(&self, queue: &ScopeQueue, page: Option<String>) -> Result<(), Broke> {
        let run = self.this.run;
        let (query, advanced) = list_query(run.config, "id,visibility", run.config.page_size);
        let inside = page.is_some();
        let link = match page {
            Some(page) => run.graph.follow(&page)?,
            None => run.graph.link(&query),
        };
        let mut first = First { link, inside, advanced, ahead: true };
        let (mut number, mut named) = (0, Distinct::default());
        loop {
            walk_pages(run.graph, first, Expect::NoDeltaLink, scopes_of, |(count, mut scopes), after| {
                named.page(count, scopes.iter().map(|scope| short(&scope.group)));
                // Read by an earlier pass of this list.
                scopes.retain(|scope| !named.was_named(short(&scope.group)));
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
            first = First { link: run.graph.link(&query), inside: false, advanced, ahead: true };
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
    fn closed(&self, scope: &Scope, records: Records) -> Result<(), Error> {
        self.this.writer.push(records)?;
        self.done(scope.page, 1)
    }

    fn unread(&self, scope: &Scope, error: Error) -> Result<(), Error> {
        let give_up = {
            let mut progress = self.progress();
            progress.groups += 1;
            progress.failures_in_a_row += 1;
            progress.failures_in_a_row >= GIVE_UP_AFTER
        };
        let writer = &self.this.writer;
        let mut records = writer.records(Mode::Full);
        writer.tally.unread_scope(false);
        unread_issue(&scope.group, &error, &error.message, &mut records);
        records.scope(&scope.group, false, scope.rows);
        if self.this.follows
            && let Some(group) = ObjectId::parse(&scope.group)
        {
            writer.ledger.with(|mark| mark.lists.unread(group));
        }
        self.closed(scope, records)?;
        if give_up { Err(error) } else { Ok(()) }
    }

    /// Judges the groups that had to wait for the end of the set.
    fn settle(&self) -> Result<(), Error> {
        let progress = std::mem::take(&mut *self.progress());
        if progress.groups >= FEW && progress.vanished.len() as u64 * 2 > progress.groups {
            return Err(mass_vanishing(Error::new(Kind::Service, "404 Not Found")));
        }
        let writer = &self.this.writer;
        let mut records = writer.records(Mode::Full);
        for group in &progress.vanished {
            records.scope(group, true, 0);
        }
        for group in &progress.hidden_empty {
            if progress.hidden_seen {
                records.scope(group, true, 0);
            } else {
                writer.tally.unread_scope(true);
                hidden_issue(group, &mut records);
            }
        }
        writer.push(records)
    }
}

impl Closing for Try<'_> {
    fn close(&self, scope: &Scope, outcome: Outcome) -> Result<(), Error> {
        let writer = &self.this.writer;
        let mut records = writer.records(Mode::Full);
        match outcome {
            Outcome::Unread(error) => return self.unread(scope, error),
            Outcome::Whole => {
                let mut progress = self.progress();
                progress.groups += 1;
                progress.failures_in_a_row = 0;
                progress.hidden_seen |= scope.hidden && scope.rows > 0;
                let whole = !scope.hidden || scope.rows > 0;
                if !whole {
                    if progress.hidden_empty.len() < HELD {
                        progress.hidden_empty.push(scope.group.clone());
                    } else {
                        writer.tally.unread_scope(true);
                        hidden_issue(&scope.group, &mut records);
                    }
                }
                drop(progress);
                records.scope(&scope.group, whole, scope.rows);
                if self.this.follows
                    && let Some(group) = ObjectId::parse(&scope.group)
                {
                    writer.ledger.with(|mark| mark.lists.repaired(group));
                }
            }
            Outcome::Gone(error) => {
                let mut progress = self.progress();
                progress.groups += 1;
                progress.vanished.push(scope.group.clone());
                let too_many = progress.vanished.len() >= HELD;
                drop(progress);
                if too_many {
                    return Err(mass_vanishing(error));
                }
                records.scope(&scope.group, false, scope.rows);
            }
        }
        self.closed(scope, records)
    }
}

/// A page of groups, as scopes, and the count that came with it.
fn scopes_of(answer: &Answer<'_>) -> Result<(Links, (Option<u64>, Vec<Scope>)), Unreadable> {
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
