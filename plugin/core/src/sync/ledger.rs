//! The watermark as it grows during a run, shared by the object types.
//!
//! A place moves under the lock under which its rows are queued, so that every checkpoint, whichever object type gives
//! it, holds for each type only what lies before it in the stream. When the last type has finished, the checkpoint is
//! that of a run that is over: nothing in it asks to be resumed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::watermark::Watermark;
use crate::error::Error;

/// The run's watermark.
#[derive(Debug)]
pub struct Ledger {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    mark: Watermark,
    /// Object types that have not ended, well or badly.
    running: Vec<&'static str>,
}

impl State {
    fn text(&self) -> String {
        if self.running.is_empty() {
            return self.mark.clone().after_the_run().to_text();
        }
        self.mark.to_text()
    }
}

impl Ledger {
    /// Starts from what the plan carries over; `running`: the object types of this run.
    pub fn new(mark: Watermark, running: Vec<&'static str>) -> Ledger {
        Ledger { state: Mutex::new(State { mark, running }) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the watermark or changes it; rows that a change speaks of must have been queued before.
    pub fn with<R>(&self, work: impl FnOnce(&mut Watermark) -> R) -> R {
        work(&mut self.lock().mark)
    }

    /// Moves the watermark and queues the rows it covers; the text goes with them when `checkpoint` says so.
    pub fn advance(
        &self,
        checkpoint: bool,
        change: impl FnOnce(&mut Watermark),
        queue: impl FnOnce(Option<String>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        change(&mut state.mark);
        let text = checkpoint.then(|| state.text());
        queue(text)
    }

    /// Object types have ended, each with whether something of it was left unread. `whole` marks them as done for a run
    /// that resumes this one.
    pub fn finish(
        &self,
        object_types: &[(&'static str, bool)],
        whole: bool,
        change: impl FnOnce(&mut Watermark),
        queue: impl FnOnce(Option<String>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        change(&mut state.mark);
        state.running.retain(|name| !object_types.iter().any(|(ended, _)| ended == name));
        if whole {
            for &(name, lacking) in object_types {
                if lacking {
                    state.mark.lacks(name);
                }
                // Users are walked again on each resume where memberships follow the feed.
                if !state.mark.done.iter().any(|done| done == name) {
                    state.mark.done.push(name.to_owned());
                }
            }
        }
        let text = state.text();
        queue(Some(text))
    }

    /// An object type that the resumed run had finished.
    pub fn was_finished(&self, object_type: &'static str) {
        self.lock().running.retain(|name| *name != object_type);
    }

    /// The watermark now, as text.
    pub fn text(&self) -> String {
        self.lock().text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_type_to_finish_leaves_nothing_to_resume() {
        let ledger = Ledger::new(Watermark::default(), vec!["User", "Group"]);
        let seen = Mutex::new(Vec::new());
        let queue = |text: Option<String>| {
            seen.lock().unwrap().push(Watermark::parse(&text.unwrap()).unwrap().done);
            Ok(())
        };
        ledger.finish(&[("User", false)], true, |_| {}, queue).unwrap();
        ledger.finish(&[("Group", false)], false, |_| {}, queue).unwrap();
        assert_eq!(*seen.lock().unwrap(), [vec!["User".to_owned()], Vec::new()]);
    }

    #[test]
    fn a_type_that_every_interrupted_run_finishes_anew_is_named_once() {
        let mut mark = Watermark::default();
        for _ in 0..3 {
            let ledger = Ledger::new(mark.clone(), vec!["User", "Group"]);
            ledger
                .finish(
                    &[("User", false)],
                    true,
                    |_| {},
                    |text| {
                        mark = Watermark::parse(&text.unwrap()).unwrap();
                        Ok(())
                    },
                )
                .unwrap();
        }
        assert_eq!(mark.done, ["User"]);
    }

    #[test]
    fn type_that_left_something_unread_says_so_to_a_resumed_run_and_to_no_other() {
        let ledger = Ledger::new(Watermark::default(), vec!["User", "Group"]);
        let seen = Mutex::new(Vec::new());
        let queue = |text: Option<String>| {
            seen.lock().unwrap().push(Watermark::parse(&text.unwrap()).unwrap().lacking);
            Ok(())
        };
        ledger.finish(&[("User", true)], true, |_| {}, queue).unwrap();
        ledger.finish(&[("Group", false)], true, |_| {}, queue).unwrap();
        assert_eq!(*seen.lock().unwrap(), [vec!["User".to_owned()], Vec::new()]);
    }
}
