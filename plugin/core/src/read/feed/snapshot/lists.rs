//! Reads the ranges side by side: cuts those that are large, lists those that are not.
//!
//! Every thread does both, so that the first lists are on their way while the rest is still being cut. Whoever stands
//! at the end of one range stands at the beginning of the next: the later one leaves him out.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ranges::{Names, Range, enough};
use super::{Failure, Snapshot, refused};
use crate::error::{Error, Kind};
use crate::mapping::{Mode, ObjectId, Records, map_row};
use crate::model::{Links, Page, Row, RowSeed};
use crate::read::distinct::short;
use crate::read::feed::sign::sign_of;
use crate::sync::{Expect, Sign, WalkStart, unreadable, walk_again, walk_pages};
use crate::threads::{caught, joined, named};

/// A sleeper looks at the cancel flag this often; nothing else depends on it.
const CANCEL_CHECK: Duration = Duration::from_millis(200);

/// Ranges that wait, the largest first.
#[derive(Debug, Default)]
struct Ranges {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Range>,
    in_hand: usize,
    closed: bool,
}

impl Ranges {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next range; `None`: there is nothing more to do.
    fn take(&self, cancelled: impl Fn() -> bool) -> Result<Option<Range>, Error> {
        let mut state = self.lock();
        loop {
            if cancelled() {
                return Err(Error::new(Kind::Cancelled, "cancelled"));
            }
            if state.closed {
                return Ok(None);
            }
            if !state.waiting.is_empty() {
                state.in_hand += 1;
                return Ok(Some(state.waiting.remove(0)));
            }
            if state.in_hand == 0 {
                self.changed.notify_all();
                return Ok(None);
            }
            state = self.changed.wait_timeout(state, CANCEL_CHECK).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What was taken is done, or became these.
    fn done(&self, parts: impl IntoIterator<Item = Range>) {
        let mut state = self.lock();
        state.in_hand -= 1;
        state.waiting.extend(parts);
        // The largest first: what is to be cut, and then what takes longest.
        state.waiting.sort_by_key(|range| Reverse(range.count));
        self.changed.notify_all();
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

/// What one page becomes.
struct Listing {
    records: Records,
    seen: Vec<u64>,
    signs: Vec<(ObjectId, Sign)>,
}

impl Snapshot<'_> {
    /// Reads the whole, on as many threads as requests may be under way.
    pub(super) fn read_all(&self, names: &Names<'_>, whole: Range) -> Result<(), Failure> {
        let ranges = Ranges::default();
        let count = whole.count;
        ranges.lock().waiting.push(whole);
        let refused = Mutex::new(None);
        let work = || {
            caught(|| match self.work(names, &ranges, count) {
                Ok(()) => Ok(()),
                Err(Failure::Over(error)) => Err(error),
                Err(Failure::Walk(why)) => {
                    refused.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
                    ranges.close();
                    Ok(())
                }
            })
            .inspect_err(|_| ranges.close())
        };
        let read = std::thread::scope(|threads| {
            let readers: Vec<_> =
                (0..self.run.config.max_concurrency).map(|_| named(threads, "entra-snapshot", work)).collect();
            let started = readers.iter().any(Result::is_ok);
            let outcomes = readers.into_iter().filter(|reader| reader.is_ok() || !started).map(joined);
            outcomes.reduce(|one, other| match (one, other) {
                // What one thread's error made of the others is no cause.
                (Err(one), Err(other)) => Err(if one.kind == Kind::Cancelled { other } else { one }),
                (Err(error), Ok(())) | (Ok(()), Err(error)) => Err(error),
                (Ok(()), Ok(())) => Ok(()),
            })
        });
        read.unwrap_or(Ok(()))?;
        match refused.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(why) => Err(Failure::Walk(why)),
            None => Ok(()),
        }
    }

    fn work(&self, names: &Names<'_>, ranges: &Ranges, count: u64) -> Result<(), Failure> {
        while let Some(range) = ranges.take(|| self.run.cancel.is_cancelled())? {
            let came = self.seen.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
            let enough = enough(count, count.saturating_sub(came), self.run.config);
            let parts = if range.count > enough { names.cut(&range, enough)? } else { Vec::new() };
            if parts.len() > 1 {
                ranges.done(parts);
            } else {
                self.list(&range)?;
                ranges.done([]);
            }
        }
        Ok(())
    }

    /// Lists a range, page after page.
    fn list(&self, range: &Range) -> Result<(), Failure> {
        let graph = self.run.graph;
        let (select, top) = (self.selection.select(), self.run.config.page_size);
        let filter = range.filter(self.listed.name);
        let query = format!("{}?{filter}$select={select}&$top={top}", self.listed.path);
        let walked = walk_again(|again| {
            if let Some(error) = again {
                self.run.notes.begun_again(self.feed.object_type, "a range of the list was ", &error);
            }
            walk_pages(
                graph,
                WalkStart::of(graph.link(&query)),
                Expect::NoDeltaLink,
                |answer| {
                    let seed = RowSeed { properties: self.selection.properties() };
                    let page = Page::read(answer.body, seed).map_err(unreadable)?;
                    Ok(self.listing(range, &page, answer.request_id))
                },
                |listing, _| self.deliver(listing),
            )
        });
        walked.map(|_| ()).map_err(refused)
    }

    fn listing(&self, range: &Range, page: &Page<Row<'_>>, request_id: Option<&str>) -> (Links, Listing) {
        let mut listing = Listing {
            records: self.writer.records(Mode::Full),
            seen: Vec::with_capacity(page.rows.len()),
            signs: Vec::new(),
        };
        let name = self.selection.position(self.listed.name);
        for row in &page.rows {
            let named =
                name.and_then(|at| row.values[at]).and_then(|raw| serde_json::from_str::<Cow<'_, str>>(raw.get()).ok());
            if range.low.is_some() && named.as_deref() == range.low.as_deref() {
                // The range before this one has brought it.
                continue;
            }
            map_row(row, &self.selection, Mode::Full, request_id, &mut listing.records);
            let Some(id) = row.id.as_deref() else { continue };
            listing.seen.push(short(id));
            if self.watches {
                listing.signs.extend(sign_of(id, row.removed));
            }
        }
        (page.links.clone(), listing)
    }

    fn deliver(&self, listing: Listing) -> Result<(), Error> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(listing.seen);
        self.writer.advance(listing.records, false, None, |mark, _| {
            if self.watches {
                let object_type = self.feed.object_type;
                listing.signs.iter().for_each(|(id, sign)| mark.lists.saw(object_type, *id, *sign, false));
            }
        })
    }
}
