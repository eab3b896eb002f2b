//! Reads the members of groups and delivers their edges.
//!
//! A group's pages are read one after the other, groups twenty to a request, each answer on its own. Nothing of a page
//! is delivered unless all of it could be read, so a repeated request is safe.

use super::queue::{Scope, ScopeQueue};
use super::{Closing, Reading, Source};
use crate::code::Code;
use crate::error::{Error, HttpEvidence, Kind};
use crate::graph::{self, Answer, Get, LARGEST_BATCH, Link, Reason, Unreadable};
use crate::mapping::{Issue, Mode, edge};
use crate::model::{Member, Page};
use crate::read::run::Run;
use crate::sync::{SetWriter, Turn, WalkError, unreadable};
use crate::threads::{caught, joined, named};

/// Bytes of records that are delivered before the rest of a page is mapped. Every reader may hold a page, and an edge
/// takes eight times the bytes of its row.
const ENOUGH: usize = 512 << 10;

/// What one page of members brought.
struct MembersPage {
    rows: u64,
    next: Option<Link>,
    evidence: HttpEvidence,
}

/// Reads the children of one object after the other, for one set.
#[derive(Clone, Copy)]
pub(in crate::read) struct ChildrenReader<'a> {
    pub(in crate::read) run: Run<'a>,
    pub(in crate::read) writer: SetWriter<'a>,
    pub(in crate::read) mode: Mode,
    pub(in crate::read) source: &'static Source,
}

impl ChildrenReader<'_> {
    /// Reads what `list` offers, on as many threads as requests may be under way.
    pub(in crate::read) fn read_listed(
        &self,
        closing: &dyn Closing,
        list: impl FnOnce(&ScopeQueue) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        let queue = ScopeQueue::new(self.run.cancel.clone());
        // An error of one thread ends them all.
        let read = || caught(|| self.read_from(&queue, closing)).inspect_err(|_| queue.close());
        std::thread::scope(|threads| {
            let readers: Vec<_> =
                (0..self.run.config.max_concurrency).map(|_| named(threads, "entra-members", read)).collect();
            let started = readers.iter().any(Result::is_ok);
            let mut broke = None;
            let listed = if started {
                // The closure is called once, and a panic in it must end the readers like an error.
                let mut list = Some(list);
                caught(|| match list.take().map(|list| list(&queue)) {
                    Some(Err(other)) => {
                        broke = Some(other);
                        Err(Error::new(Kind::Cancelled, "the list of groups ended"))
                    }
                    _ => Ok(()),
                })
                .inspect_err(|_| queue.close())
            } else {
                Ok(())
            };
            let read = readers.into_iter().filter(|r| r.is_ok() || !started).map(joined);
            let outcome = read.chain([listed]).reduce(more_telling).unwrap_or(Ok(()));
            match (outcome, broke) {
                (Err(error), Some(broke)) if error.kind == Kind::Cancelled => Err(broke),
                (Err(error), _) => Err(WalkError::Other(error)),
                (Ok(()), _) => Ok(()),
            }
        })
    }

    /// Reads these groups, one batch after the other. A caller that names a group twice has it read once.
    pub(in crate::read) fn read_these(&self, scopes: Vec<Scope>, closing: &dyn Closing) -> Result<(), Error> {
        let queue = ScopeQueue::new(self.run.cancel.clone());
        let large = scopes.len() > LARGEST_BATCH;
        let offer = |queue: &ScopeQueue| {
            queue.offer(scopes)?;
            queue.listed();
            Ok(())
        };
        if large {
            return self.read_listed(closing, offer).map_err(WalkError::into_error);
        }
        offer(&queue).map_err(WalkError::into_error)?;
        self.read_from(&queue, closing)
    }

    fn read_from(&self, queue: &ScopeQueue, closing: &dyn Closing) -> Result<(), Error> {
        loop {
            let _turn = Turn::of(self.run.sink, self.run.config.max_concurrency)?;
            let mut scopes = queue.take()?;
            if scopes.is_empty() {
                return Ok(());
            }
            let requests: Vec<Get> = scopes.iter_mut().map(|scope| self.request(scope)).collect();
            let answers = match requests.as_slice() {
                [only] => vec![self.run.graph.get(only, |answer| self.take_page(&scopes[0], answer))],
                many => self.run.graph.batch(many, |index, answer| self.take_page(&scopes[index], answer))?,
            };
            let mut unfinished = Vec::new();
            for (scope, answer) in scopes.into_iter().zip(answers) {
                unfinished.extend(self.after_page(scope, answer, queue, closing)?);
            }
            queue.give_back(unfinished);
        }
    }

    fn request(&self, scope: &mut Scope) -> Get {
        let link = scope.next.clone().unwrap_or_else(|| {
            let top = self.run.config.page_size;
            let Source { parents, children, .. } = self.source;
            self.run.graph.link(&format!("{parents}/{}/{children}&$top={top}&$count=true", scope.parent))
        });
        // The first page's link must not come again either; any other was noted where it came.
        scope.seen.first_time(&link);
        Get { link, advanced: true }
    }

    fn take_page(&self, scope: &Scope, answer: &Answer<'_>) -> Result<Result<MembersPage, Error>, Unreadable> {
        let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
        let next = match page.links.next.map(|next| self.run.graph.follow(&next)).transpose() {
            Ok(next) => next,
            Err(foreign) => return Ok(Err(Error::from(foreign).with_http(answer.evidence()))),
        };
        let mut records = self.writer.records(self.mode);
        let mut rows = 0;
        for member in &page.rows {
            if records.size() >= ENOUGH {
                let full = std::mem::replace(&mut records, self.writer.records(self.mode));
                if let Err(error) = self.writer.push(full) {
                    return Ok(Err(error));
                }
            }
            if edge(self.source.object_type, &scope.parent, member, &mut records) {
                rows += 1;
            } else {
                records.issue(&Issue {
                    scope: Some(&scope.parent),
                    source_id: None,
                    code: Code::RowWithoutId,
                    message: "a member without an id was skipped",
                    request_id: answer.request_id,
                });
            }
        }
        let evidence = answer.evidence();
        Ok(self.writer.push(records).map(|()| MembersPage { rows, next, evidence }))
    }

    /// Answers the group again where more of it is to be read.
    fn after_page(
        &self,
        mut scope: Scope,
        answer: Result<Result<MembersPage, Error>, graph::Error>,
        queue: &ScopeQueue,
        closing: &dyn Closing,
    ) -> Result<Option<Scope>, Error> {
        let outcome = match answer {
            Ok(page) => {
                let page = page?;
                scope.rows += page.rows;
                match page.next {
                    Some(next) if scope.seen.first_time(&next) => {
                        return Ok(Some(Scope { next: Some(next), ..scope }));
                    }
                    Some(_) if scope.begin_again() => return Ok(Some(scope)),
                    Some(_) => {
                        let twice = "Graph gave the same next link of this group's members twice; run the import again";
                        Reading::Unread(Error::new(Kind::Service, twice).with_http(page.evidence))
                    }
                    None => Reading::Whole,
                }
            }
            Err(failure) if failure.reason == Reason::PageTokenExpired && scope.begin_again() => {
                return Ok(Some(scope));
            }
            Err(failure) if failure.reason == Reason::Gone => self.whether_gone(&scope, failure.into()),
            Err(failure) => Reading::Unread(failure.into()),
        };
        if let Reading::Unread(error) = &outcome
            && error.kind.ends_everything()
        {
            return Err(error.clone());
        }
        closing.close(&scope, outcome)?;
        queue.done(&scope);
        Ok(None)
    }

    /// 404 on a group's members: gone since the list, or not readable; one read of the group tells.
    fn whether_gone(&self, scope: &Scope, error: Error) -> Reading {
        let link = self.run.graph.link(&format!("{}/{}?$select=id", self.source.parents, scope.parent));
        match self.run.graph.get(&Get { link, advanced: false }, |_| Ok(())) {
            Err(failure) if failure.reason == Reason::Gone => Reading::Gone(error),
            Err(failure) => Reading::Unread(failure.into()),
            Ok(()) => Reading::Unread(error),
        }
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
