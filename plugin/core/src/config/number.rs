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

/// `MaxDeletes`: 1 to 100,000. No default: as a nullable key its default is null, no limit.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct DeleteLimit(pub(super) u32);

impl DeleteLimit {
    const MIN: u32 = 1;
    const MAX: u32 = 100_000;
}

impl Shape for DeleteLimit {
    fn expected() -> String {
        format!("whole number {}…{}", Self::MIN, Self::MAX)
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        // Counting so far takes less than a millisecond, and no cast could wrap.
        let number = (Self::MIN..=Self::MAX).find(|number| is(found, *number));
        if number.is_none() {
            place.refuse(found, Self::expected());
        }
        number.map(DeleteLimit)
    }

    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": Self::MIN, "maximum": Self::MAX })
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
fn is(found: &Value, number: impl Into<f64>) -> bool {
    found.as_f64() == Some(number.into())
}
