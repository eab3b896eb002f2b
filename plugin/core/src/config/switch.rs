//! Keys that are true or false.

use schemars::{Schema, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

/// A boolean, DEFAULT when absent. `"true"` and 1 are not booleans.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Switch<const DEFAULT: bool>(pub(super) bool);

impl<const DEFAULT: bool> Default for Switch<DEFAULT> {
    fn default() -> Self {
        Switch(DEFAULT)
    }
}

impl<const DEFAULT: bool> Shape for Switch<DEFAULT> {
    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        if found.as_bool().is_none() {
            place.refuse(found, Self::expected());
        }
        found.as_bool().map(Switch)
    }

    fn schema() -> Schema {
        json_schema!({ "type": "boolean" })
    }
}
