//! Groups read as a list, as a Full set: where the filter cannot be evaluated here, and within a Reconcile.
//!
//! With a filter a group that the list does not bring may well exist: Begin's `Absence` says so. There is no delta
//! link.

use super::scope::{absence, list_query};
use crate::error::Error;
use crate::mapping::{Mode, Selection, map_row};
use crate::model::{Page, RowSeed};
use crate::read::distinct::{Distinct, short};
use crate::read::run::Run;
use crate::sync::{
    Expect, FullPlace, Pace, Position, Set, SetWriter, Stage, Start, WalkError, WalkStart, Watermark, unreadable,
    walk_again, walk_pages,
};
use crate::types::GROUP;

/// What follows the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterList {
    /// Nothing: the object type is done.
    Over,
    /// The round from the old link.
    Drain {
        /// When the Reconcile began.
        since: u64,
    },
}

/// Reads the list, Begin to End.
pub(super) fn read(
    run: Run<'_>,
    selection: &Selection,
    fingerprint: &str,
    start: Start,
    then: AfterList,
) -> Result<(), Error> {
    let mut resume = if let Start::Full { resume } = start { resume } else { None };
    let list = List { run, selection, fingerprint, then, writer: run.writer(&GROUP) };
    walk_again(|again| {
        if let Some(error) = again {
            run.notes.begun_again(&GROUP, "the list of groups was ", &error);
        }
        list.once(resume.take())
    })?;
    match then {
        AfterList::Over => list.writer.end(|mark| mark.of_mut(&GROUP).position = None),
        AfterList::Drain { .. } => list.writer.end_stage(|mark| list.go_to(mark, Stage::Drain, None, None)),
    }
}

struct List<'a> {
    run: Run<'a>,
    selection: &'a Selection,
    fingerprint: &'a str,
    then: AfterList,
    writer: SetWriter<'a>,
}

impl List<'_> {
    fn place(&self, stage: Stage, set: Option<&str>, page: Option<String>) -> Position {
        let since = if let AfterList::Drain { since } = self.then { Some(since) } else { None };
        Position { fingerprint: self.fingerprint.to_owned(), stage, set: set.map(str::to_owned), page, since }
    }

    /// Moves the place inside a Reconcile, but not past groups that no list can name: their members are to be read
    /// again.
    fn go_to(&self, mark: &mut Watermark, stage: Stage, set: Option<&str>, page: Option<String>) {
        if !mark.lists.repairs_overflow {
            mark.of_mut(&GROUP).position = Some(self.place(stage, set, page));
        }
    }

    fn once(&self, resume: Option<FullPlace>) -> Result<(), WalkError> {
        let Run { graph, config, .. } = self.run;
        let (query, advanced) = list_query(config, &self.selection.select(), config.page_size);
        let beginning = WalkStart { advanced, ahead: true, ..WalkStart::of(graph.link(&query)) };
        let (set, mut first) = match resume {
            Some(place) => {
                let page = place.page.as_deref().map(|page| graph.follow(page)).transpose()?;
                let first = page.map(|link| WalkStart { link, inside: true, ..beginning.clone() });
                (Set::resumed(place.set), first.unwrap_or_else(|| beginning.clone()))
            }
            None => (Set::new(Mode::Full)?, beginning.clone()),
        };
        self.writer.begin(&set, absence(config), self.selection.delivered(), |mark| {
            if !set.resumed {
                // Within a Reconcile the stage stays: only the set is new.
                match self.then {
                    AfterList::Over => mark.of_mut(&GROUP).position = None,
                    AfterList::Drain { .. } => self.go_to(mark, Stage::Groups, None, None),
                }
            }
        })?;
        let mut pace = Pace::new(self.run.sink.checkpoint_rows());
        // A resumed list has no first page, hence no count.
        let mut named = Distinct::default();
        loop {
            walk_pages(
                graph,
                first,
                Expect::NoDeltaLink,
                |answer| {
                    let seed = RowSeed { properties: self.selection.properties() };
                    let page = Page::read(answer.body, seed).map_err(unreadable)?;
                    let mut records = self.writer.records(Mode::Full);
                    for row in &page.rows {
                        map_row(row, self.selection, Mode::Full, answer.request_id, &mut records);
                    }
                    let ids: Vec<u64> = page.rows.iter().filter_map(|row| row.id.as_deref()).map(short).collect();
                    Ok((page.links, (page.count, ids, records)))
                },
                |(count, ids, records), after| {
                    named.page(count, ids);
                    let next = after.next.clone();
                    let due = next.is_some() && pace.page(records.rows());
                    self.writer.advance(records, due, None, |mark, _| {
                        if next.is_some() {
                            self.go_to(mark, Stage::Groups, Some(&set.id), next);
                        }
                    })
                },
            )?;
            if !named.reads_again()? {
                return Ok(());
            }
            first = beginning.clone();
        }
    }
}
