//! A JSON text's top level, as an ordered list of members.
//!
//! serde_json's own map would do, except for two things: of a key that stands twice it silently keeps the last value,
//! which is how a misconfiguration hides; and it leaves the secret of an AuthJson in freed memory. [`Members`] keeps
//! every member and overwrites all strings when it goes, also when parsing stops half-way. (Out of reach: what
//! serde_json keeps while it decodes a string with escapes.)

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use zeroize::Zeroize;

/// What a text holds.
#[derive(Debug)]
pub(super) enum Text {
    /// An object.
    Object(Members),
    /// Well-formed JSON, but this instead of an object.
    Other(&'static str),
    /// Not JSON: what is wrong, with line and column, and never a value.
    Malformed(String),
}

/// An object's members, in the order of the text, duplicates included.
#[derive(Default)]
pub(super) struct Members(pub(super) Vec<(String, Value)>);

/// Reads a text.
pub(super) fn read(text: &str) -> Text {
    // Windows editors put a byte order mark in front; RFC 8259 lets a parser ignore it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{') {
        return serde_json::from_str(text).map_or_else(|error| Text::Malformed(error.to_string()), Text::Object);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            let found = super::problems::type_of(&value);
            wipe(&mut value);
            Text::Other(found)
        }
        Err(error) => Text::Malformed(error.to_string()),
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| wipe(value));
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(key, _)| key)).finish()
    }
}

// serde_json's limit of 128 levels bounds the recursion.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members, D::Error> {
        deserializer.deserialize_map(Collect)
    }
}

struct Collect;

impl<'de> Visitor<'de> for Collect {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members::default();
        while let Some(member) = map.next_entry()? {
            members.0.push(member);
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_duplicates() {
        let Text::Object(members) = read(r#"{"b":1,"a":2,"b":3}"#) else { panic!() };
        let keys: Vec<_> = members.0.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["b", "a", "b"]);
    }

    #[test]
    fn malformed_json_is_told_with_line_and_column() {
        let Text::Malformed(what) = read("{\n  \"a\": 1,\n}") else { panic!() };
        assert!(what.ends_with("at line 3 column 1"), "{what}");
    }

    #[test]
    fn text_behind_the_object_is_malformed() {
        assert!(matches!(read("{} {}"), Text::Malformed(_)));
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        assert!(matches!(read("\u{feff}{}"), Text::Object(_)));
    }

    #[test]
    fn something_else_than_an_object_is_told_by_its_type() {
        assert!(matches!(read("[\"hush\"]"), Text::Other("an array")));
    }
}
