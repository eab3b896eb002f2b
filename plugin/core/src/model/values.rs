//! The values of a row, by the place of their properties.
//!
//! A row that brings no property takes no memory for them: `@removed` rows are such, and a forged page could hold
//! nothing else.

use std::ops::Deref;

use serde_json::value::RawValue;

/// Properties beyond which the places are made at once.
const SHARED: usize = 128;

/// Lent to rows without a value.
static NOTHING: [Option<&RawValue>; SHARED] = [None; SHARED];

/// One value for each property that was asked for; `None` if it was absent.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    places: usize,
    /// Empty until the first value comes.
    values: Vec<Option<&'a RawValue>>,
}

impl<'a> Values<'a> {
    /// `places` places without a value.
    pub fn none(places: usize) -> Values<'a> {
        let values = if places > SHARED { vec![None; places] } else { Vec::new() };
        Values { places, values }
    }

    /// Sets the value of a place.
    pub(super) fn set(&mut self, place: usize, value: &'a RawValue) {
        if self.values.is_empty() {
            self.values = vec![None; self.places];
        }
        self.values[place] = Some(value);
    }
}

impl<'a> Deref for Values<'a> {
    type Target = [Option<&'a RawValue>];

    fn deref(&self) -> &[Option<&'a RawValue>] {
        if self.values.is_empty() { &NOTHING[..self.places] } else { &self.values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_without_a_value_has_every_place_and_no_memory() {
        let mut values = Values::none(3);
        assert_eq!((values.len(), values.iter().flatten().count(), values.values.capacity()), (3, 0, 0));
        let text = RawValue::from_string("7".to_owned()).unwrap();
        values.set(1, &text);
        assert_eq!(values.iter().map(|value| value.map(RawValue::get)).collect::<Vec<_>>(), [None, Some("7"), None]);
        assert_eq!(Values::none(SHARED + 1).len(), SHARED + 1);
    }
}
