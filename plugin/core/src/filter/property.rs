//! The properties of a group that a filter may name and still be evaluated here, each with the form of its value.
//!
//! The schema's table tells what records carry; this is what Graph sends: `groupTypes` is joined in records but an
//! array in Graph, and `id`, which no record lists as an attribute, can be filtered by.

use super::expression::not_evaluated;
use super::parse::cut;
use crate::types::{AttributeType, FILTERED, extension_name, why_refused};

/// The form of a value in Graph's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Flag,
    Number,
    Moment,
    Texts,
    /// The tenant alone knows.
    Unknown,
}

/// A property in Graph's spelling and its form, by its name in any case; or why it cannot be used.
pub(super) fn property(name: &str) -> Result<(String, Form), String> {
    if name.eq_ignore_ascii_case("id") {
        return Ok(("id".to_owned(), Form::Text));
    }
    if name.eq_ignore_ascii_case("groupTypes") {
        return Ok(("groupTypes".to_owned(), Form::Texts));
    }
    let extras = FILTERED.extra.iter().flat_map(|extra| extra.attributes);
    if let Some(known) = FILTERED.attributes.iter().chain(extras).find(|known| known.name.eq_ignore_ascii_case(name)) {
        return Ok((known.name.to_owned(), form(known.kind)));
    }
    if let Some(extension) = extension_name(name) {
        return Ok((extension, Form::Unknown));
    }
    let lower = name.to_lowercase();
    Err(if matches!(lower.as_str(), "null" | "true" | "false") {
        format!("to Graph, {name} is the name of a property: write {lower}")
    } else if let Some(reason) = why_refused(FILTERED, name) {
        not_evaluated(&format!("the property {name} ({reason})"))
    } else {
        not_evaluated(&format!("{}, which is no property of groups that it knows", cut(name)))
    })
}

fn form(kind: AttributeType) -> Form {
    match kind {
        AttributeType::String => Form::Text,
        AttributeType::Boolean => Form::Flag,
        AttributeType::Integer => Form::Number,
        AttributeType::DateTime => Form::Moment,
        AttributeType::StringArray => Form::Texts,
        AttributeType::Json => Form::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_property_the_feed_can_carry_may_be_named_in_any_case() {
        for known in FILTERED.attributes.iter().chain(FILTERED.extra.unwrap().attributes) {
            assert_eq!(property(&known.name.to_uppercase()).unwrap().0, known.name);
        }
        assert_eq!(property("ID").unwrap(), ("id".to_owned(), Form::Text));
        let extension = "extension_0A1B2C3D000040008000000000000000_costCenter";
        let spelt = "extension_0a1b2c3d000040008000000000000000_costCenter";
        assert_eq!(property(extension).unwrap(), (spelt.to_owned(), Form::Unknown));
    }

    #[test]
    fn a_property_no_feed_carries_is_named_with_the_reason() {
        assert!(property("assignedLicenses").unwrap_err().contains("not a scalar or string array"));
        assert!(property("hasMembersWithLicenseErrors").unwrap_err().contains("no property"));
        assert!(property("extension_contoso_x").is_err());
        assert!(property("Null").unwrap_err().ends_with("write null"));
    }
}
