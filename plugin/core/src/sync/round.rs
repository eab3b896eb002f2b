//! One round of a delta feed: from where the plan says, through dead pages and a refused link, to the next delta link.
//!
//! Easy to get wrong is what a restart costs: a dead page restarts the round from the link it began with, which the
//! watermark keeps until the End, not a Full set. Only a Full set whose pages died, or a refused delta link, begins a
//! Full set anew, under a new name, so that no host takes rows of the old one for rows of the new.

use super::mark::{Position, Stage, TypeMark, has_room_for};
use super::notes::{Notes, Warning};
use super::pages::{After, Expect, WalkError, WalkStart, Walked, walk_again, walk_pages};
use super::plan::{Start, expired};
use super::sink::Set;
use super::watermark::Watermark;
use crate::code::Code;
use crate::error::{Error, Kind};
use crate::graph::{Answer, Graph, Unreadable};
use crate::mapping::{Mode, Selection};
use crate::model::Links;
use crate::types::ObjectType;

/// A delta feed.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// Its function, `/users/delta`.
    pub path: &'a str,
    /// What is asked for.
    pub selection: &'a Selection,
    /// What `$select` asks for beyond the selection: `,members`.
    pub relations: &'a str,
    /// Its name for the watermark.
    pub fingerprint: &'a str,
    /// The objects that the next run must look at again are of this feed: a Full set looks at all.
    pub repairs: bool,
    /// The object type it brings.
    pub object_type: &'static ObjectType,
}

impl Feed<'_> {
    /// What the watermark says of it is void, since a fresh Full set begins.
    pub fn full_set_begins(&self, mark: &mut Watermark) {
        mark.full_set_begins(self.object_type, self.fingerprint);
        if self.repairs {
            mark.lists.nothing_left_over();
        }
    }
}

/// What to do when Graph refuses a delta link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnExpired {
    /// The object type ends with `WatermarkExpired`.
    Fail,
    /// It restarts as Full.
    FullSync,
}

/// Where the rows of a round go.
pub(crate) trait Rounds {
    /// What one page becomes while its bytes are there.
    type Page;

    /// A set begins; one that was begun before is void.
    fn begin(&mut self, set: &Set) -> Result<(), Error>;

    /// Before each page is asked for.
    fn before_page(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether a page may be asked for before the one in front of it was taken, from the second page on.
    fn reads_ahead(&self) -> bool {
        false
    }

    /// Reads a page. Nothing may be asked of Graph here.
    fn read(&mut self, answer: &Answer<'_>, mode: Mode) -> Result<(Links, Self::Page), Unreadable>;

    /// Delivers it. `position` is the place behind it, `None` for the last page: its place is the new link.
    fn take(&mut self, page: Self::Page, set: &Set, position: Option<Position>) -> Result<(), Error>;

    /// The round is whole; `moved` is the feed's new place.
    fn end(&mut self, set: &Set, moved: TypeMark) -> Result<(), Error>;
}

/// Walks the round.
pub(crate) fn walk_round<R: Rounds>(
    graph: &Graph,
    feed: &Feed<'_>,
    start: Start,
    on_expired: OnExpired,
    notes: &Notes,
    rounds: &mut R,
) -> Result<(), Error> {
    let mut start = start;
    walk_again(|again| {
        if let Some(error) = again {
            notes.begun_again(feed.object_type, "", &error);
            start = start.clone().from_its_beginning();
        }
        loop {
            match once(graph, feed, &start, rounds) {
                Err(WalkError::DeltaLink(error)) if on_expired == OnExpired::Fail => {
                    return Err(expired(error, feed.object_type.name).into());
                }
                Err(WalkError::DeltaLink(error)) => {
                    notes.add(Warning {
                        code: Code::DeltaLinkExpired,
                        object_type: Some(feed.object_type.name),
                        message: format!(
                            "imported in full, since Graph no longer accepts the stored delta link: {}",
                            error.message
                        ),
                    });
                    start = Start::full();
                }
                other => return other,
            }
        }
    })
}

fn once<R: Rounds>(graph: &Graph, feed: &Feed<'_>, start: &Start, rounds: &mut R) -> Result<(), WalkError> {
    let select = || graph.link(&format!("{}?$select={}{}", feed.path, feed.selection.select(), feed.relations));
    let (set, first, stage, mut since) = match start {
        Start::Full { resume: None } => (Set::new(Mode::Full)?, WalkStart::of(select()), Stage::Walk, None),
        Start::Full { resume: Some(place) } => {
            let link = place.page.as_deref().map(|page| graph.follow(page)).transpose()?;
            let first = WalkStart { inside: link.is_some(), ..WalkStart::of(link.unwrap_or_else(select)) };
            (Set::resumed(place.set.clone()), first, Stage::Walk, place.since)
        }
        Start::Delta { link, page, stage, since } => {
            let first =
                WalkStart { inside: page.is_some(), ..WalkStart::of(graph.follow(page.as_ref().unwrap_or(link))?) };
            (Set::new(Mode::Delta)?, first, *stage, *since)
        }
        Start::Done | Start::Reconcile { .. } => {
            return Err(
                Error::new(Kind::Internal, "a round was to be walked that has no link; please report this").into()
            );
        }
    };
    rounds.begin(&set)?;
    let first = WalkStart { ahead: rounds.reads_ahead(), ..first };
    // Both the reading and the taking need the rounds, never at the same time.
    let rounds = std::cell::RefCell::new(rounds);
    rounds.borrow_mut().before_page()?;
    let Walked { delta_link, date } = walk_pages(
        graph,
        first,
        Expect::DeltaLink,
        |answer| rounds.borrow_mut().read(answer, set.mode),
        |page, After { next, date }| {
            if set.mode == Mode::Full {
                since.get_or_insert(*date);
            }
            let position = next.as_ref().map(|next| Position {
                fingerprint: feed.fingerprint.to_owned(),
                stage,
                set: (set.mode == Mode::Full).then(|| set.id.clone()),
                page: Some(next.clone()),
                since,
            });
            let more = position.is_some();
            rounds.borrow_mut().take(page, &set, position)?;
            if more { rounds.borrow_mut().before_page() } else { Ok(()) }
        },
    )?;
    let Some(link) = delta_link else {
        return Err(Error::new(Kind::Internal, "a delta walk ended without a delta link; please report this").into());
    };
    if !has_room_for(&link) {
        let words = format!("Graph gave a delta link of {} bytes, too long for a watermark", link.len());
        return Err(Error::new(Kind::Service, words).into());
    }
    let moved = TypeMark {
        link: Some(link),
        fingerprint: Some(feed.fingerprint.to_owned()),
        at: Some(date),
        full: since,
        ..TypeMark::default()
    };
    rounds.into_inner().end(&set, moved).map_err(WalkError::Other)
}
