//! What can be done to objects and relations, and what a random script needs to draw one.

use serde::{Deserialize, Serialize};

use super::Kind;
use crate::simulator::seed::Dice;

/// What a change amounts to, finer than its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Deed {
    Added,
    Updated,
    Renamed,
    NamesSwapped,
    Disabled,
    PropertyCleared,
    VisibilityChanged,
    Deleted,
    Restored,
    Purged,
    Removed,
}

impl Deed {
    pub(crate) const ALL: [Deed; 11] = [
        Deed::Added,
        Deed::Updated,
        Deed::Renamed,
        Deed::NamesSwapped,
        Deed::Disabled,
        Deed::PropertyCleared,
        Deed::VisibilityChanged,
        Deed::Deleted,
        Deed::Restored,
        Deed::Purged,
        Deed::Removed,
    ];
}

/// What the properties of a change are drawn from.
pub(crate) struct Drawing<'a> {
    /// A number below 100,000 for names and choices.
    pub(crate) mark: u32,
    /// The number that the next new object of the kind gets.
    pub(crate) newcomer: u32,
    pub(crate) domain: &'a str,
    pub(crate) dice: &'a mut Dice,
    /// The id of the object that an update is about, drawn when it is first asked for.
    pub(crate) target: &'a mut dyn FnMut(&mut Dice) -> Option<String>,
    /// The id of a live object of a kind.
    pub(crate) any: &'a dyn Fn(&mut Dice, Kind) -> Option<String>,
}

impl Drawing<'_> {
    pub(crate) fn live(&mut self, kind: Kind) -> Option<String> {
        (self.any)(self.dice, kind)
    }

    pub(crate) fn target(&mut self) -> Option<String> {
        (self.target)(self.dice)
    }
}
