//! Walks pages until the links say that there are no more.
//!
//! A page's size says nothing: empty pages come in the middle, short pages everywhere. A repeated next link would walk in
//! circles for ever, so it ends the walk. Links are followed exactly as given.

use std::time::{SystemTime, UNIX_EPOCH};

use super::plan::Start;
use super::sink::SetWriter;
use super::watermark::{Entry, Key, MAX_LENGTH};
use crate::error::{Error, Kind};
use crate::graph::{Answer, Get, Graph, Link, SeenLinks, Unreadable};
use crate::mapping::{Mode, Reason, Selection, map_row};
use crate::model::{Links, Page, RowSeed};

/// Two links and what stands beside them fit a watermark. Graph's have some hundred bytes.
const MAX_LINK: usize = (MAX_LENGTH - 4096) / 2;

/// A delta feed.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// Its function, `/users/delta`.
    pub path: &'a str,
    /// Its place in the watermark.
    pub key: Key,
    /// What is asked for.
    pub selection: &'a Selection,
    /// Its name for the watermark.
    pub fingerprint: &'a str,
}

/// Walks one delta round: Begin, the changes, End with the new delta link.
pub fn walk_delta(graph: &Graph, writer: SetWriter<'_>, feed: &Feed<'_>, start: &Start) -> Result<(), Error> {
    let (mode, first) = match start {
        Start::Full => (Mode::Full, graph.link(&format!("{}?$select={}", feed.path, feed.selection.select()))),
        Start::Delta(link) => (Mode::Delta, graph.follow(link)?),
    };
    writer.begin(mode, Reason::SoftDeleted, feed.selection.properties())?;
    let last = walk_rows(graph, first, false, writer, feed.selection, mode, Expect::DeltaLink)?;
    let (Some(link), date) = last else {
        return Err(Error::new(Kind::Internal, "a delta walk ended without a delta link; please report this"));
    };
    // Refused now rather than by the next run, which could no longer say where it came from.
    graph.follow(&link)?;
    if link.len() > MAX_LINK {
        return Err(Error::new(
            Kind::Service,
            format!("Graph gave a delta link of {} bytes, too long for a watermark", link.len()),
        ));
    }
    let at = date.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    writer.end(Some((feed.key, Some(Entry { link, fingerprint: Some(feed.fingerprint.to_owned()), at: Some(at) }))))
}

/// Reads a list whole: Begin, the rows, End. `key` loses its place: what was read here has no delta link.
pub fn walk_list(
    graph: &Graph,
    writer: SetWriter<'_>,
    first: Link,
    advanced: bool,
    selection: &Selection,
    key: Key,
) -> Result<(), Error> {
    writer.begin(Mode::Full, Reason::LeftScope, selection.properties())?;
    walk_rows(graph, first, advanced, writer, selection, Mode::Full, Expect::NoDeltaLink)?;
    writer.end(Some((key, None)))
}

fn walk_rows(
    graph: &Graph,
    first: Link,
    advanced: bool,
    writer: SetWriter<'_>,
    selection: &Selection,
    mode: Mode,
    expect: Expect,
) -> Result<(Option<String>, Option<SystemTime>), Error> {
    let mut records = writer.records();
    walk_pages(
        graph,
        first,
        advanced,
        expect,
        |answer| {
            records.clear();
            let page = Page::read(answer.body, RowSeed { properties: selection.properties() }).map_err(unreadable)?;
            let (mut upserts, mut deletes, mut issues) = (0, 0, 0);
            for row in &page.rows {
                let counted = map_row(row, selection, mode, answer.request_id, &mut records);
                upserts += counted.upserts;
                deletes += counted.deletes;
                issues += counted.issues;
            }
            let records = std::mem::replace(&mut records, writer.records());
            Ok((page.links, (records, upserts, deletes, issues)))
        },
        |(records, upserts, deletes, issues)| {
            writer.tally.wrote(upserts, deletes, issues);
            writer.sink.push(&records, None)
        },
    )
}

/// Which link the last page carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A delta feed: every page has a next link or a delta link, never both, never neither.
    DeltaLink,
    /// A list: the last page has no link.
    NoDeltaLink,
}

/// Follows next links from `first`: `read` turns an answer into something, `take` gets each in order. Answers the delta
/// link and the time of the last page by Graph's clock.
pub(crate) fn walk_pages<T>(
    graph: &Graph,
    first: Link,
    advanced: bool,
    expect: Expect,
    mut read: impl FnMut(&Answer<'_>) -> Result<(Links, T), Unreadable>,
    mut take: impl FnMut(T) -> Result<(), Error>,
) -> Result<(Option<String>, Option<SystemTime>), Error> {
    let mut seen = SeenLinks::default();
    let mut link = first;
    loop {
        if !seen.first_time(&link) {
            return Err(Error::new(
                Kind::Service,
                "Graph gave the same next link twice in one walk, which would never end; run the import again, and if it stays so, in full",
            ));
        }
        let ((links, page), date) = graph.get(&Get { link, advanced }, |answer| {
            let (links, page) = read(answer)?;
            if expect == Expect::DeltaLink && links.next.is_some() == links.delta.is_some() {
                return Err(Unreadable("a delta page must have either a next link or a delta link".to_owned()));
            }
            Ok(((links, page), answer.date))
        })?;
        take(page)?;
        match links.next {
            Some(next) => link = graph.follow(&next)?,
            None => return Ok((links.delta, date)),
        }
    }
}

/// A body that is no page.
pub(crate) fn unreadable(error: serde_json::Error) -> Unreadable {
    Unreadable(error.to_string())
}
