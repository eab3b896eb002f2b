//! Keys that hold numbers; their limits and defaults stand in their types.
//!
//! JSON has one kind of number: 999, 999.0 and 9.99e2 are the same to every JSON Schema validator, so they are the same
//! here. A number written as text is not a number.

use std::time::Duration;

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

/// A whole number from MIN to MAX, DEFAULT when absent.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Whole<const MIN: u16, const MAX: u16, const DEFAULT: u16>(pub(super) u16);

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> Default for Whole<MIN, MAX, DEFAULT> {
    fn default() -> Self {
        Whole(DEFAULT)
    }
}

impl<const MIN: u16, const MAX: u16, const DEFAULT: u16> Shape for Whole<MIN, MAX, DEFAULT> {
    fn expected() -> String {
        format!("whole number {MIN}…{MAX}")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        // At most a thousand comparisons, and no cast that could wrap.
        let number = (MIN..=MAX).find(|number| is(found, *number));
        if number.is_none() {
            place.refuse(found, Self::expected());
        }
        number.map(Whole)
    }

    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// `FullReconcileDays`: 0 (never) to 90; in this version 7, which changes nothing yet, or 0.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ReconcileDays(pub(super) u16);

impl ReconcileDays {
    const NOW: [u16; 2] = [0, 7];
    const LATER: u16 = 90;
}

impl Default for ReconcileDays {
    fn default() -> Self {
        ReconcileDays(7)
    }
}

impl Shape for ReconcileDays {
    fn expected() -> String {
        let [never, weekly] = Self::NOW;
        format!("{never} or {weekly}")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        if let Some(days) = Self::NOW.into_iter().find(|days| is(found, *days)) {
            return Some(ReconcileDays(days));
        }
        let later = (1..=Self::LATER).any(|days| is(found, days));
        let suffix = if later { " (other numbers of days are not in this version)" } else { "" };
        place.refuse(found, Self::expected() + suffix);
        None
    }

    fn schema() -> Schema {
        json_schema!({ "enum": Self::NOW })
    }
}

/// `MaxDeletes`: null; a limit from 1 to 100,000 belongs to a later version.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct NoLimit;

impl Shape for NoLimit {
    fn expected() -> String {
        "null".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        if found.is_null() {
            return Some(NoLimit);
        }
        let later = found.as_f64().is_some_and(|n| n.fract() == 0.0 && (1.0..=100_000.0).contains(&n));
        let suffix = if later { " (a limit is not in this version)" } else { "" };
        place.refuse(found, Self::expected() + suffix);
        None
    }

    fn schema() -> Schema {
        json_schema!({ "type": "null" })
    }
}

/// `RetryBaseSeconds`: 0.01 to 60 seconds, fractions allowed.
#[derive(Debug, Clone, Copy)]
pub(super) struct RetryBase(pub(super) Duration);

impl RetryBase {
    const MIN: f64 = 0.01;
    const MAX: f64 = 60.0;
}

impl Default for RetryBase {
    fn default() -> Self {
        RetryBase(Duration::from_secs(5))
    }
}

impl Serialize for RetryBase {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0.as_secs())
    }
}

impl Shape for RetryBase {
    fn expected() -> String {
        format!("number of seconds {}…{}", Self::MIN, Self::MAX)
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let seconds = found.as_f64().filter(|seconds| (Self::MIN..=Self::MAX).contains(seconds));
        if seconds.is_none() {
            place.refuse(found, Self::expected());
        }
        seconds.map(|seconds| RetryBase(Duration::from_secs_f64(seconds)))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "number", "minimum": Self::MIN, "maximum": Self::MAX })
    }
}

// Compared as floats, in which all numbers of our sizes are exact.
fn is(found: &Value, number: u16) -> bool {
    found.as_f64() == Some(f64::from(number))
}
