//! Memberships, recomputed: the members of *all* groups in scope, on every run, as a Full set.
//!
//! Reading only the groups that the groups feed returned would drop the edges of every unchanged group. One thread lists
//! the groups, the others read members through `$batch`, each answer on its own; a group's Scope closes its rows. Reads
//! carry `ConsistencyLevel: eventual` and `$count=true`, since plain ones leave service principals out without a word.

use std::sync::{Mutex, PoisonError};

use super::group::{first_group, list_query};
use super::scope_queue::{Scope, ScopeQueue};
use super::{Importer, Probe, Run, allowed};
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::graph::{self, Answer, Get, Graph, Link, Reason as GraphReason, Unreadable};
use crate::mapping::{Issue, Mode, Reason, Records, Severity, directory_id, edge};
use crate::model::{Member, Page, RowSeed};
use crate::schema::{GROUP_MEMBER, ObjectType};
use crate::sync::{Expect, SetWriter, Tally, unreadable, walk_pages};
use crate::threads::{caught, joined, named};

/// Failed groups in a row after which the rest is not even tried: each has already used up its retries.
const GIVE_UP_AFTER: u32 = 40;

/// Below this many groups a share of vanished ones says nothing.
const FEW: u64 = 20;

/// Groups whose Scope waits for the end of the set, at most.
const HELD: usize = 10_000;

/// The object type `GroupMember`.
#[derive(Debug)]
pub(super) struct GroupMember;

impl Importer for GroupMember {
    fn object_type(&self) -> &'static ObjectType {
        &GROUP_MEMBER
    }

    fn is_on(&self, config: &Config) -> bool {
        config.import_memberships
    }

    fn import(&self, run: Run<'_>, tally: &Tally) -> Result<(), Error> {
        let writer = run.writer(tally);
        let attributes: Vec<String> = GROUP_MEMBER.attributes.iter().map(|a| a.name.to_owned()).collect();
        writer.begin(Mode::Full, Reason::Removed, &attributes)?;
        let readers = Readers { run, writer, queue: ScopeQueue::new(run.cancel.clone()), progress: Mutex::default() };
        readers.read_all()?;
        writer.end(None)
    }

    fn probe(&self, graph: &Graph, config: &Config) -> Result<Probe, Error> {
        let Some(group) = first_group(graph, config)? else { return Ok(Probe::NothingToRead) };
        allowed(graph, &format!("/groups/{group}/members?$select=id&$top=1&$count=true"), true)
    }
}

/// What the readers have seen so far, and the groups that cannot be judged before the end.
#[derive(Debug, Default)]
struct Progress {
    groups: u64,
    failures_in_a_row: u32,
    /// Gone between the list and the read. A whole tenant of them is a wrong answer, not a mass deletion.
    vanished: Vec<String>,
    /// Hidden and empty: empty indeed, or not to be seen with this permission.
    hidden_empty: Vec<String>,
    hidden_seen: bool,
}

/// What one page of members brought.
struct MembersPage {
    rows: u64,
    next: Option<Link>,
}

struct Readers<'a> {
    run: Run<'a>,
    writer: SetWriter<'a>,
    queue: ScopeQueue,
    progress: Mutex<Progress>,
}

impl Readers<'_> {
    fn read_all(&self) -> Result<(), Error> {
        let outcome = std::thread::scope(|threads| {
            let readers: Vec<_> = (0..self.run.config.max_concurrency)
                .map(|_| named(threads, "entra-members", || self.guarded(|| self.read_batches())))
                .collect();
            let started = readers.iter().any(Result::is_ok);
            let listed = if started { self.guarded(|| self.list()) } else { Ok(()) };
            let read = readers.into_iter().filter(|r| r.is_ok() || !started).map(joined);
            read.chain([listed]).reduce(more_telling).unwrap_or(Ok(()))
        });
        outcome?;
        self.settle()
    }

    /// An error of one thread ends them all.
    fn guarded(&self, work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
        caught(work).inspect_err(|_| self.queue.close())
    }

    fn progress(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists the groups in scope, a page at a time.
    fn list(&self) -> Result<(), Error> {
        let (query, advanced) = list_query(self.run.config, "id,visibility", self.run.config.page_size);
        let first = self.run.graph.link(&query);
        walk_pages(self.run.graph, first, advanced, Expect::NoDeltaLink, scopes_of, |scopes| {
            if self.queue.offer(scopes)? { Ok(()) } else { Err(Error::new(Kind::Cancelled, "the readers have ended")) }
        })?;
        self.queue.listed();
        Ok(())
    }

    fn read_batches(&self) -> Result<(), Error> {
        loop {
            let scopes = self.queue.take()?;
            if scopes.is_empty() {
                return Ok(());
            }
            let requests: Vec<Get> = scopes.iter().map(|scope| self.request(scope)).collect();
            let answers = match requests.as_slice() {
                [only] => vec![self.run.graph.get(only, |answer| self.take_page(&scopes[0], answer))],
                many => self.run.graph.batch(many, |index, answer| self.take_page(&scopes[index], answer))?,
            };
            for (scope, answer) in scopes.into_iter().zip(answers) {
                self.after_page(scope, answer)?;
            }
        }
    }

    fn request(&self, scope: &Scope) -> Get {
        let link = scope.next.clone().unwrap_or_else(|| {
            let top = self.run.config.page_size;
            self.run.graph.link(&format!("/groups/{}/members?$select=id&$top={top}&$count=true", scope.group))
        });
        Get { link, advanced: true }
    }

    /// Delivers a page's edges. Nothing is delivered unless the whole page could be read, so a repeated call is safe.
    fn take_page(&self, scope: &Scope, answer: &Answer<'_>) -> Result<Result<MembersPage, Error>, Unreadable> {
        let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
        let next = match page.links.next.map(|next| self.run.graph.follow(&next)).transpose() {
            Ok(next) => next,
            Err(foreign) => return Ok(Err(foreign.into())),
        };
        let mut records = self.writer.records();
        let mut rows = 0;
        let mut issues = 0;
        for member in &page.rows {
            if edge(&scope.group, member, &mut records) {
                rows += 1;
            } else {
                issues += 1;
                records.issue(&issue(
                    scope,
                    Severity::Warning,
                    "RowWithoutId",
                    "a member without an id was skipped",
                    answer.request_id,
                ));
            }
        }
        self.writer.tally.wrote(rows, 0, issues);
        Ok(self.writer.sink.push(&records, None).map(|()| MembersPage { rows, next }))
    }

    fn after_page(
        &self,
        mut scope: Scope,
        answer: Result<Result<MembersPage, Error>, graph::Error>,
    ) -> Result<(), Error> {
        match answer {
            Ok(page) => {
                let page = page?;
                scope.rows += page.rows;
                if page.next.as_ref().is_some_and(|next| !scope.seen.first_time(next)) {
                    let twice = "Graph gave the same next link of this group's members twice; run the import again";
                    return self.unread(&scope, Error::new(Kind::Service, twice));
                }
                match page.next {
                    Some(next) => self.queue.give_back(Scope { next: Some(next), ..scope }),
                    None => self.whole(&scope)?,
                }
                Ok(())
            }
            Err(failure) if failure.reason == GraphReason::Gone => self.gone(&scope, failure.into()),
            Err(failure) => self.unread(&scope, failure.into()),
        }
    }

    /// All members were read.
    fn whole(&self, scope: &Scope) -> Result<(), Error> {
        {
            let mut progress = self.progress();
            progress.groups += 1;
            progress.failures_in_a_row = 0;
            progress.hidden_seen |= scope.hidden && scope.rows > 0;
            if scope.hidden && scope.rows == 0 && progress.hidden_empty.len() < HELD {
                progress.hidden_empty.push(scope.group.clone());
                drop(progress);
                self.queue.done(scope);
                return Ok(());
            }
        }
        let mut records = self.writer.records();
        let provable = !scope.hidden || scope.rows > 0;
        if !provable {
            self.writer.tally.unread_scope(None);
            self.writer.tally.wrote(0, 0, 1);
            hidden_issue(&scope.group, &mut records);
        }
        records.scope(&scope.group, provable, scope.rows);
        self.writer.sink.push(&records, None)?;
        self.queue.done(scope);
        Ok(())
    }

    /// 404 on a group's members: gone since the list, or not readable; one read of the group tells.
    fn gone(&self, scope: &Scope, error: Error) -> Result<(), Error> {
        let link = self.run.graph.link(&format!("/groups/{}?$select=id", scope.group));
        match self.run.graph.get(&Get { link, advanced: false }, |_| Ok(())) {
            Err(failure) if failure.reason == GraphReason::Gone => {
                if scope.rows > 0 {
                    // Ends what its first pages brought, so that the Scope at the end of the set takes it away.
                    let mut records = self.writer.records();
                    records.scope(&scope.group, false, scope.rows);
                    self.writer.sink.push(&records, None)?;
                }
                let mut progress = self.progress();
                progress.groups += 1;
                progress.vanished.push(scope.group.clone());
                let too_many = progress.vanished.len() >= HELD;
                drop(progress);
                self.queue.done(scope);
                if too_many { Err(mass_vanishing(error)) } else { Ok(()) }
            }
            Err(failure) => self.unread(scope, failure.into()),
            Ok(()) => self.unread(scope, error),
        }
    }

    /// The members could not be read whole: what was delivered is true, nothing is removed.
    fn unread(&self, scope: &Scope, error: Error) -> Result<(), Error> {
        if matches!(error.kind, Kind::Cancelled | Kind::Auth | Kind::InvalidConfig | Kind::Internal) {
            return Err(error);
        }
        let mut records = self.writer.records();
        self.writer.tally.unread_scope(Some(&error));
        self.writer.tally.wrote(0, 0, 1);
        let request_id = error.http.as_ref().and_then(|h| h.request_id.as_deref());
        records.issue(&issue(scope, Severity::Error, "MembersUnread", &error.message, request_id));
        records.scope(&scope.group, false, scope.rows);
        self.writer.sink.push(&records, None)?;
        let mut progress = self.progress();
        progress.groups += 1;
        progress.failures_in_a_row += 1;
        let give_up = progress.failures_in_a_row >= GIVE_UP_AFTER;
        drop(progress);
        self.queue.done(scope);
        if give_up { Err(error) } else { Ok(()) }
    }

    /// Judges the groups that had to wait for the end of the set.
    fn settle(&self) -> Result<(), Error> {
        let progress = std::mem::take(&mut *self.progress());
        if progress.groups >= FEW && progress.vanished.len() as u64 * 2 > progress.groups {
            return Err(mass_vanishing(Error::new(Kind::Service, "404 Not Found")));
        }
        let mut records = self.writer.records();
        for group in &progress.vanished {
            records.scope(group, true, 0);
        }
        for group in &progress.hidden_empty {
            if !progress.hidden_seen {
                self.writer.tally.unread_scope(None);
                self.writer.tally.wrote(0, 0, 1);
                hidden_issue(group, &mut records);
            }
            records.scope(group, progress.hidden_seen, 0);
        }
        self.writer.sink.push(&records, None)
    }
}

/// A page of the list of groups.
fn scopes_of(answer: &Answer<'_>) -> Result<(crate::model::Links, Vec<Scope>), Unreadable> {
    let properties = [String::from("visibility")];
    let page = Page::read(answer.body, RowSeed { properties: &properties }).map_err(unreadable)?;
    let scopes = page.rows.iter().filter_map(|row| {
        let hidden = row.values[0].is_some_and(|v| v.get() == "\"HiddenMembership\"");
        Some(Scope::new(directory_id(row.id.as_deref()?).into_owned(), hidden))
    });
    Ok((page.links, scopes.collect()))
}

fn issue<'a>(
    scope: &'a Scope,
    severity: Severity,
    code: &'a str,
    message: &'a str,
    request_id: Option<&'a str>,
) -> Issue<'a> {
    Issue { scope: Some(&scope.group), source_id: None, severity, code, message, request_id }
}

fn hidden_issue(group: &str, records: &mut Records) {
    records.issue(&Issue {
        scope: Some(group),
        source_id: None,
        severity: Severity::Warning,
        code: "HiddenMembership",
        message: "the group hides its members and none came: grant the application permission Member.Read.Hidden to read them; nothing was removed",
        request_id: None,
    });
}

fn mass_vanishing(error: Error) -> Error {
    Error {
        message: "more than half of the groups answered 404: this looks like a wrong tenant or a missing permission, not like deletions; nothing was removed".into(),
        kind: Kind::Service,
        ..error
    }
}

/// Of two outcomes the one that says more: a cancel is often only the echo of another thread's error.
fn more_telling(a: Result<(), Error>, b: Result<(), Error>) -> Result<(), Error> {
    match (&a, &b) {
        (Err(x), Err(_)) if x.kind == Kind::Cancelled => b,
        (Err(_), _) => a,
        _ => b,
    }
}
