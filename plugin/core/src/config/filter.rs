//! `GroupSelectionFilter`: an OData filter on groups.
//!
//! The one key whose schema is wider than its parser: no JSON Schema can say a grammar. The schema takes every text
//! that is not blank; the parser refuses the ones that are no filter and says where they break off.

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;
use crate::filter;
use crate::percent::query_length;

const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];

/// Letters shown in front of the place of a mistake, where a filter is too long to be shown whole.
const BEFORE: usize = 40;
const AFTER: usize = 30;

/// Bytes of a filter as it stands in a request, percent-encoded. A request's address can have 64 KiB, and a filter
/// shares it with the names of the attributes.
const LARGEST: usize = 32 * 1024;

/// A filter that is not blank. Blank is a mistake: it would mean all groups, and null says that.
#[derive(Debug)]
pub(super) struct Filter(pub(super) filter::Filter);

impl Shape for Filter {
    fn expected() -> String {
        "an OData filter on groups such as startswith(displayName,'APP-')".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let Some(text) = found.as_str().filter(|text| text.contains(|c| !BLANK.contains(&c))) else {
            place.refuse(found, Self::expected());
            return None;
        };
        let length = query_length(text);
        if length > LARGEST {
            let expected = format!(
                "a filter of at most {} KiB as a request carries it, percent-encoded; this one has {} KiB: ask for fewer groups, \
                 or select them by what they have in common",
                LARGEST / 1024,
                length.div_ceil(1024)
            );
            place.report("a filter that no request can carry", expected, None);
            return None;
        }
        match filter::Filter::parse(text) {
            Ok(filter) => Some(Filter(filter)),
            Err(filter::SyntaxError { position, message }) => {
                let expected = format!("an OData filter on groups; at character {position} of this one: {message}");
                match around(text, position) {
                    Some(part) => place.report(part, expected, None),
                    None => place.refuse(found, expected),
                }
                None
            }
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r"[^ \t\r\n]",
            "maxLength": LARGEST,
            "examples": [
                "startswith(displayName,'APP-')",
                "groupTypes/any(c:c eq 'Unified') and onPremisesSyncEnabled ne true"
            ]
        })
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text())
    }
}

/// The part of a long filter in which the mistake is; values shown whole are cut at their end.
fn around(text: &str, position: usize) -> Option<String> {
    let start = position.checked_sub(BEFORE + 1)?;
    let end = if text.chars().nth(position + AFTER).is_some() { "…" } else { "" };
    Some(format!("\"…{}{end}\"", text.chars().skip(start).take(BEFORE + AFTER).collect::<String>()))
}
