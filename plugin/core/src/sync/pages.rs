//! Walks pages until the links say that there are no more.
//!
//! A page's size says nothing: empty pages come in the middle, short pages everywhere. A repeated next link would walk
//! in circles for ever, so it ends the walk. Links are followed exactly as given. What went wrong is told by where it
//! went wrong, because that decides what can be done: a refused delta link, a page inside, or something else.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use super::ahead::Ahead;
use crate::error::{Error, Kind};
use crate::graph::{self, Answer, Get, Graph, Link, Reason, SeenLinks, Unreadable};
use crate::model::{Links, next_link};

/// Restarts of one enumeration whose page links died, in one run.
pub(crate) const RESTARTS: u32 = 3;

/// Why a walk stopped.
#[derive(Debug)]
pub(crate) enum WalkError {
    /// Graph no longer accepts the delta link the round began with.
    DeltaLink(Error),
    /// A page link inside the walk is dead, or repeats: only the first link helps.
    PageLink(Error),
    /// A page inside the walk fails for good.
    Page(Error),
    /// What the first link asks for does not exist.
    Missing(Error),
    /// Anything else.
    Other(Error),
}

impl From<Error> for WalkError {
    fn from(error: Error) -> WalkError {
        WalkError::Other(error)
    }
}

impl From<graph::Error> for WalkError {
    fn from(error: graph::Error) -> WalkError {
        WalkError::Other(error.into())
    }
}

impl WalkError {
    /// The error, with what was tried.
    pub(crate) fn into_error(self) -> Error {
        match self {
            WalkError::DeltaLink(error)
            | WalkError::PageLink(error)
            | WalkError::Page(error)
            | WalkError::Missing(error)
            | WalkError::Other(error) => error,
        }
    }
}

/// Walks until the walk is whole, and begins again where that can help. `once` is told the error that made it begin
/// again.
pub(crate) fn walk_again<T>(mut once: impl FnMut(Option<Error>) -> Result<T, WalkError>) -> Result<T, Error> {
    let mut restarts = Restarts::default();
    let mut broke = match once(None) {
        Ok(walked) => return Ok(walked),
        Err(broke) => broke,
    };
    loop {
        broke = match once(Some(restarts.after(broke)?)) {
            Ok(walked) => return Ok(walked),
            Err(broke) => broke,
        };
    }
}

/// Counts the restarts of one enumeration.
#[derive(Debug, Default)]
struct Restarts {
    done: u32,
    page_failed: bool,
}

impl Restarts {
    /// Whether to begin again after this. `Err`: no, with the words for the operator.
    fn after(&mut self, broke: WalkError) -> Result<Error, Error> {
        let error = match broke {
            WalkError::PageLink(error) if self.done < RESTARTS => error,
            // A page that fails after all its retries has cost enough: once more, from the start, and no further.
            WalkError::Page(error) if !self.page_failed => {
                self.page_failed = true;
                error
            }
            WalkError::PageLink(error) | WalkError::Page(error) => {
                let message = format!("{} (begun again {} times)", error.message, self.done);
                return Err(Error { message, ..error });
            }
            other => return Err(other.into_error()),
        };
        self.done += 1;
        Ok(error)
    }
}

/// Which link the last page carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A delta feed: every page has a next link or a delta link, never both, never neither.
    DeltaLink,
    /// A list: the last page has no link.
    NoDeltaLink,
}

/// Where a walk begins.
#[derive(Debug, Clone)]
pub(crate) struct WalkStart {
    pub(crate) link: Link,
    /// The link is a page inside a walk that an earlier run began.
    pub(crate) inside: bool,
    /// With `ConsistencyLevel: eventual` on every page.
    pub(crate) advanced: bool,
    /// Pages are asked for while the one before is read and taken, from the second on: whatever has to be over before a
    /// page is asked for must then be over when the first is taken.
    pub(crate) ahead: bool,
}

impl WalkStart {
    /// A link of our own making.
    pub(crate) fn of(link: Link) -> WalkStart {
        WalkStart { link, inside: false, advanced: false, ahead: false }
    }
}

/// What follows a page.
#[derive(Debug, Clone)]
pub(crate) struct After {
    /// The next page, byte for byte; `None`: this was the last.
    pub(crate) next: Option<String>,
    /// When the page was answered, by Graph's clock: seconds since 1970.
    pub(crate) date: u64,
}

/// What a walk ended with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Walked {
    /// The delta link of the last page, where one was expected.
    pub(crate) delta_link: Option<String>,
    /// When the last page was answered, by Graph's clock: seconds since 1970.
    pub(crate) date: u64,
}

/// Follows next links from `first`, one page at a time:
///
/// ```text
/// bytes of an answer ──read──▶ what the page becomes ──take──▶ the caller's queue      then the next link, or Walked
///   may be read twice;           owns what it needs              in order; may ask Graph,
///   nothing is asked of Graph                                    and may wait for the host
/// ```
///
/// An answer that `read` cannot read counts as failed and is asked for again. What `take` refuses ends the walk.
pub(crate) fn walk_pages<T>(
    graph: &Graph,
    first: WalkStart,
    expect: Expect,
    read: impl FnMut(&Answer<'_>) -> Result<(Links, T), Unreadable>,
    take: impl FnMut(T, &After) -> Result<(), Error>,
) -> Result<Walked, WalkError> {
    thread::scope(|scope| {
        let mut ahead = Ahead::new(scope, graph);
        let walked = walk(graph, first, expect, &mut ahead, read, take);
        let ended = ahead.end();
        let walked = walked?;
        ended?;
        Ok(walked)
    })
}

fn walk<T>(
    graph: &Graph,
    first: WalkStart,
    expect: Expect,
    ahead: &mut Ahead<'_, '_>,
    mut read: impl FnMut(&Answer<'_>) -> Result<(Links, T), Unreadable>,
    mut take: impl FnMut(T, &After) -> Result<(), Error>,
) -> Result<Walked, WalkError> {
    let mut seen = SeenLinks::default();
    let WalkStart { mut link, mut inside, advanced, ahead: reads_ahead } = first;
    // The answer that the link came in.
    let mut gave = None;
    loop {
        if !seen.first_time(&link) {
            let twice = Error::new(
                Kind::Service,
                "Graph gave the same next link twice in one walk, which would never end; run the import again, and if it stays so, in full",
            );
            return Err(WalkError::PageLink(match gave {
                Some(evidence) => twice.with_http(evidence),
                None => twice,
            }));
        }
        let begun = ahead.begun(&link);
        let answered = graph.get_begun(&Get { link: link.clone(), advanced }, begun, |answer| {
            // Before the rows are looked at. A link that may not be followed is refused below, where it can be told.
            if reads_ahead
                && gave.is_some()
                && let Some(next) = next_link(answer.body).and_then(|next| graph.follow(&next).ok())
                && !seen.has(&next)
            {
                ahead.ask(Get { link: next, advanced });
            }
            let (links, page) = read(answer)?;
            if expect == Expect::DeltaLink && links.next.is_some() == links.delta.is_some() {
                return Err(Unreadable("a delta page must have either a next link or a delta link".to_owned()));
            }
            Ok((links, page, answer.date, answer.evidence()))
        });
        let (links, page, date, evidence) = match answered {
            Ok(answered) => answered,
            Err(failure) => return Err(broke(failure, inside)),
        };
        let date = date.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let follow = |link: &Option<String>| {
            let followed = link.as_deref().map(|link| graph.follow(link)).transpose();
            followed.map_err(|foreign| Error::from(foreign).with_http(evidence.clone()))
        };
        // Checked before the page is delivered: a position must never hold a link that no run may follow. The delta
        // link is refused now rather than by the next run, which could no longer say where it came from.
        let next = follow(&links.next)?;
        follow(&links.delta)?;
        take(page, &After { next: links.next, date })?;
        match next {
            Some(next) => (link, inside, gave) = (next, true, Some(evidence)),
            None => return Ok(Walked { delta_link: links.delta, date }),
        }
    }
}

fn broke(failure: graph::Error, inside: bool) -> WalkError {
    let reason = failure.reason;
    let error = Error::from(failure);
    match reason {
        Reason::DeltaLinkRefused => WalkError::DeltaLink(error),
        Reason::PageTokenExpired => WalkError::PageLink(error),
        Reason::Gone if !inside => WalkError::Missing(error),
        // The first page would say so too, had it been asked for the same.
        Reason::NotOffered => WalkError::Other(error),
        _ if inside && error.kind == Kind::Service => WalkError::Page(error),
        _ => WalkError::Other(error),
    }
}

/// A body that is no page.
pub(crate) fn unreadable(error: serde_json::Error) -> Unreadable {
    Unreadable(error.to_string())
}
