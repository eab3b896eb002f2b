//! `GroupSelectionFilter`: an OData filter on groups, kept word for word.

use schemars::{Schema, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// A filter that is not blank. Blank is a mistake: it would mean all groups, and null says that.
#[derive(Debug, Serialize)]
pub(super) struct Filter(pub(super) String);

impl Shape for Filter {
    fn expected() -> String {
        "an OData filter on groups such as startswith(displayName,'APP-')".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let filter = found.as_str().filter(|text| text.contains(|c| !BLANK.contains(&c)));
        if filter.is_none() {
            place.refuse(found, Self::expected());
        }
        filter.map(|text| Filter(text.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"[^ \t\r\n]" })
    }
}
