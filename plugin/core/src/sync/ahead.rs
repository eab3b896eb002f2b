//! The page after this one, asked for while this one is read and delivered.
//!
//! A feed is serial: each page's link comes with the page before it, so a walk waits a round trip for each page, and whoever
//! maps and delivers in between adds that time to it. Here one request, never more, is on its way meanwhile, on a thread of
//! its own. What a newcomer gets wrong is to let it decide anything: it is the first try of the very request that the walk
//! makes next, and if it failed, or was not even sent, the walk goes on from there as if it had made that try itself.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use crate::error::Error;
use crate::graph::{Begun, Get, Graph, Link};
use crate::threads::{Started, joined, named};

/// Asks for one page ahead of a walk.
pub(crate) struct Ahead<'s, 'e> {
    scope: &'s Scope<'s, 'e>,
    graph: &'e Graph,
    lane: Option<Lane<'s>>,
    /// What the lane was asked for and has not been asked back.
    asked: Option<Link>,
}

struct Lane<'s> {
    ask: SyncSender<Get>,
    begun: Receiver<Option<Begun>>,
    thread: Started<'s>,
}

impl<'s, 'e> Ahead<'s, 'e> {
    /// The thread starts with the first page that is asked for.
    pub(crate) fn new(scope: &'s Scope<'s, 'e>, graph: &'e Graph) -> Ahead<'s, 'e> {
        Ahead { scope, graph, lane: None, asked: None }
    }

    /// Asks for a page, unless one is asked for already: the answer to a repeated request may name another.
    pub(crate) fn ask(&mut self, page: Get) {
        if self.asked.is_some() {
            return;
        }
        let link = page.link.clone();
        let (scope, graph) = (self.scope, self.graph);
        let lane = self.lane.get_or_insert_with(|| Lane::start(scope, graph));
        // Where there is no thread there is nothing ahead, and the walk asks for itself.
        self.asked = lane.ask.send(page).is_ok().then_some(link);
    }

    /// The request for this page, if it was made; waits for its answer.
    pub(crate) fn begun(&mut self, link: &Link) -> Option<Begun> {
        let asked = self.asked.take()?;
        let begun = self.lane.as_ref()?.begun.recv().ok()??;
        (asked == *link).then_some(begun)
    }

    /// Waits for the thread. What is still on its way is of no use to anybody, and is not repeated.
    pub(crate) fn end(self) -> Result<(), Error> {
        match self.lane {
            Some(Lane { ask, begun, thread }) => {
                drop((ask, begun));
                joined(thread)
            }
            None => Ok(()),
        }
    }
}

impl<'s> Lane<'s> {
    fn start<'e>(scope: &'s Scope<'s, 'e>, graph: &'e Graph) -> Lane<'s> {
        let (ask, asked) = sync_channel::<Get>(1);
        let (answer, begun) = sync_channel(1);
        let thread = named(scope, "entra-ahead", move || {
            while let Ok(page) = asked.recv() {
                if answer.send(graph.begin(&page)).is_err() {
                    break;
                }
            }
            Ok(())
        });
        Lane { ask, begun, thread }
    }
}

#[cfg(test)]
mod tests;
