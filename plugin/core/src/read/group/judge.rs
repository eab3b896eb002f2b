//! Whether a group is in scope, and what has to be read before that can be said.
//!
//! A later round's row may lack a property because it was never set or because it did not change: the row alone cannot
//! tell the two apart. In a first round absence means "no value", except in a row without `displayName`, which every
//! group has: such a row is a slice and no image.

use serde_json::value::RawValue;

use super::row::GroupRow;
use crate::filter::Filter;
use crate::mapping::{Mode, Selection};

/// The filter, and where the properties it names stand.
#[derive(Debug)]
pub(in crate::read) struct Judge<'a> {
    filter: Option<&'a Filter>,
    selection: &'a Selection,
    named: Vec<usize>,
    name: Option<usize>,
}

impl<'a> Judge<'a> {
    pub(in crate::read) fn new(filter: Option<&'a Filter>, selection: &'a Selection) -> Judge<'a> {
        let named = filter.map_or(&[][..], Filter::properties);
        let named = named.iter().filter_map(|property| selection.position(property)).collect();
        Judge { filter, selection, named, name: selection.position("displayName") }
    }

    /// Whether there is anything to judge.
    pub(super) fn filters(&self) -> bool {
        self.filter.is_some()
    }

    /// Whether the row alone says if the group is in scope.
    pub(super) fn suffices(&self, row: &GroupRow, mode: Mode) -> bool {
        let whole_image = mode == Mode::Full && self.name.is_none_or(|name| row.values[name].is_some());
        self.filter.is_none() || whole_image || row.has_all(self.named.iter().copied())
    }

    /// Whether the row says all that a host needs which may not know the group yet.
    pub(super) fn is_whole(&self, row: &GroupRow, mode: Mode) -> bool {
        self.filter.is_none() || mode == Mode::Full || row.has_all(0..self.selection.properties().len())
    }

    /// Whether a group of these values is in scope.
    pub(in crate::read) fn is_in_scope(&self, id: &str, values: &[Option<&RawValue>]) -> bool {
        let Some(filter) = self.filter else { return true };
        let id = RawValue::from_string(format!("\"{id}\"")).ok();
        filter.matches(|property| match property {
            "id" => id.as_deref(),
            other => self.selection.position(other).and_then(|place| values[place]),
        })
    }
}

/// The row's own values, and where it said nothing those that were looked up.
pub(super) fn merged<'v>(row: &'v GroupRow, found: Option<&'v [Option<Box<RawValue>>]>) -> Vec<Option<&'v RawValue>> {
    let looked_up = |place: usize| found.and_then(|values| values[place].as_deref());
    row.values.iter().enumerate().map(|(place, value)| value.as_deref().or_else(|| looked_up(place))).collect()
}
