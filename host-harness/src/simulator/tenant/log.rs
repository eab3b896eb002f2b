//! The order in which things changed. A sequence number is a position in it; delta links carry one.
//!
//! Feeds do not store rows: a page of a later round walks the log between two positions and shows each object as it is
//! now. What changes after the second position is shown early and shown again next time, never lost.

use std::collections::HashMap;

use super::state::Step;
use crate::simulator::kinds::identity::ObjectRef;

/// All steps since the base tenant.
#[derive(Debug, Default)]
pub(crate) struct Log {
    steps: Vec<Step>,
    by_object: HashMap<ObjectRef, Vec<u32>>,
}

impl Log {
    /// The position after the newest step.
    pub(crate) fn end(&self) -> u32 {
        self.steps.len() as u32
    }

    pub(crate) fn push(&mut self, step: Step) {
        let at = self.end();
        if let Some(object) = step.object() {
            self.by_object.entry(object).or_default().push(at);
        }
        self.steps.push(step);
    }

    pub(crate) fn step(&self, at: u32) -> Option<&Step> {
        self.steps.get(at as usize)
    }

    /// The steps of one object from `since` on and before `until`, oldest first.
    pub(crate) fn of(&self, object: ObjectRef, since: u32, until: u32) -> impl DoubleEndedIterator<Item = &Step> {
        let positions = self.by_object.get(&object).map_or(&[][..], Vec::as_slice);
        let from = positions.partition_point(|at| *at < since);
        let to = positions.partition_point(|at| *at < until).max(from);
        positions[from..to].iter().filter_map(|at| self.step(*at))
    }
}
