//! Rows of users and groups → Upserts and Deletes.
//!
//! In a Full set a row is a complete image: what Graph left out is null. In a Delta set it is a change: what Graph left
//! out is unchanged and stays out of the record. Mixing the two up wipes attributes or keeps stale ones.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::directory_id;
use super::kinds::{Issue, Mode, Reason};
use super::record::{Key, Records};
use super::value;
use crate::code::Code;
use crate::model::{Removed, Row};

/// What is asked for and how it becomes a record.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The properties, in the order of `$select`; the first `delivered` of them are in records, in this order.
    properties: Vec<String>,
    /// The names of those in records.
    keys: Vec<Key>,
    /// Those that are arrays in Graph and one string in records.
    joined: Vec<bool>,
    /// Which of them is the external id; `None`: the id itself.
    external_id: Option<usize>,
}

impl Selection {
    /// `properties` with, among them, those to join and the one that is the external id.
    pub fn new(properties: Vec<String>, joined: &[&str], external_id: Option<&str>) -> Selection {
        let joined = properties.iter().map(|p| joined.contains(&p.as_str())).collect();
        let external_id = external_id.and_then(|name| properties.iter().position(|p| p == name));
        let keys = properties.iter().map(|p| Key::new(p)).collect();
        Selection { properties, keys, joined, external_id }
    }

    /// Asks for more properties, which a filter needs and records do not carry.
    #[must_use]
    pub fn judged_by(mut self, properties: &[String]) -> Selection {
        for name in properties.iter().filter(|name| *name != "id") {
            if !self.properties.contains(name) {
                self.properties.push(name.clone());
                self.joined.push(false);
            }
        }
        self
    }

    /// All properties asked for, in order.
    pub fn properties(&self) -> &[String] {
        &self.properties
    }

    /// Those that records carry, in order.
    pub fn delivered(&self) -> &[String] {
        &self.properties[..self.keys.len()]
    }

    /// Where a property stands among those asked for.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|p| p == name)
    }

    /// The value of `$select`. `id` comes without being asked for.
    pub fn select(&self) -> String {
        format!("id,{}", self.properties.join(","))
    }
}

/// Writes one row as it came. `request_id` goes into an Issue, should there be one.
pub fn map_row(row: &Row<'_>, selection: &Selection, mode: Mode, request_id: Option<&str>, out: &mut Records) {
    let Some(id) = row.id.as_deref().filter(|id| !id.is_empty()) else { return row_without_id(request_id, out) };
    let id = directory_id(id);
    match row.removed {
        Some(removed) => removed_object(&id, removed, selection, out),
        None => object(&id, &row.values, selection, mode, request_id, out),
    }
}

/// Writes the Issue for a row that has no id.
pub fn row_without_id(request_id: Option<&str>, out: &mut Records) {
    out.issue(&Issue {
        scope: None,
        source_id: None,
        code: Code::RowWithoutId,
        message: "a row without an id was skipped",
        request_id,
    });
}

/// Writes the Delete of an object that Graph removed. `id` is as [`directory_id`] gives it.
pub fn removed_object(id: &str, removed: Removed, selection: &Selection, out: &mut Records) {
    let reason = match removed {
        Removed::Changed => Reason::SoftDeleted,
        Removed::Deleted => Reason::Purged,
    };
    let external_id = if selection.external_id.is_none() { Some(id) } else { None };
    out.delete(id, external_id, reason);
}

/// Writes the Upsert of an object. `values` are those of the selection, in its order.
pub fn object(
    id: &str,
    values: &[Option<&RawValue>],
    selection: &Selection,
    mode: Mode,
    request_id: Option<&str>,
    out: &mut Records,
) {
    let external_id = match selection.external_id {
        None => Some(Cow::Borrowed(id)),
        Some(index) => values[index].and_then(value::text),
    };
    let mut unexpected = Vec::new();
    out.upsert(id, external_id.as_deref(), |attributes| {
        for (index, key) in selection.keys.iter().enumerate() {
            let written = match values[index] {
                None if mode == Mode::Delta => continue,
                None => {
                    attributes.null(key);
                    continue;
                }
                Some(raw) if selection.joined[index] => attributes.member(key, |out| value::joined(raw, out)),
                Some(raw) => attributes.member(key, |out| value::plain(raw, out)),
            };
            if written.is_err() {
                unexpected.push(selection.properties[index].as_str());
                if mode == Mode::Full {
                    attributes.null(key);
                }
            }
        }
    });
    if !unexpected.is_empty() {
        out.issue(&Issue {
            scope: None,
            source_id: Some(id),
            code: Code::UnexpectedValue,
            message: &format!(
                "not delivered, since the value is neither a scalar nor an array of strings: {}",
                unexpected.join(", ")
            ),
            request_id,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Written;
    use crate::model::{Page, RowSeed};

    fn mapped(json: &str, mode: Mode, external_id: Option<&str>) -> (String, Written) {
        let names = ["displayName", "userPrincipalName", "businessPhones"].map(String::from).to_vec();
        let selection = Selection::new(names, &["businessPhones"], external_id);
        let body = format!(r#"{{"value":[{json}]}}"#);
        let page = Page::read(body.as_bytes(), RowSeed { properties: selection.properties() }).unwrap();
        let mut out = Records::new("User");
        map_row(&page.rows[0], &selection, mode, None, &mut out);
        (out.lines().map(|l| String::from_utf8_lossy(l).into_owned()).collect(), out.written())
    }

    #[test]
    fn a_full_row_is_a_complete_image() {
        let (line, _) = mapped(r#"{"id":"a","displayName":"A"}"#, Mode::Full, None);
        assert!(
            line.contains(r#""Attributes":{"displayName":"A","userPrincipalName":null,"businessPhones":null}"#),
            "{line}"
        );
    }

    #[test]
    fn a_delta_row_keeps_absent_apart_from_null() {
        let (line, _) = mapped(r#"{"id":"a","displayName":null}"#, Mode::Delta, None);
        assert!(line.contains(r#""Attributes":{"displayName":null}"#), "{line}");
    }

    #[test]
    fn the_external_id_is_the_name_when_the_configuration_says_so() {
        let (line, _) =
            mapped(r#"{"id":"a","userPrincipalName":"A@contoso.com"}"#, Mode::Delta, Some("userPrincipalName"));
        assert!(line.contains(r#""SourceId":"a","ExternalId":"A@contoso.com""#), "{line}");
        let (line, _) = mapped(r#"{"id":"a"}"#, Mode::Delta, Some("userPrincipalName"));
        assert!(line.contains(r#""ExternalId":null"#), "{line}");
    }

    #[test]
    fn removed_rows_become_deletes_with_their_reason() {
        let (line, counted) =
            mapped(r#"{"id":"A1","@removed":{"reason":"deleted"}}"#, Mode::Full, Some("userPrincipalName"));
        assert!(line.contains(r#""SourceId":"A1","ExternalId":null,"Reason":"Purged""#), "{line}");
        assert_eq!((counted.counts.deletes, counted.issues), (1, 0));
        let (line, _) = mapped(r#"{"id":"A1","@removed":{"reason":"changed"}}"#, Mode::Delta, None);
        assert!(line.contains(r#""ExternalId":"A1","Reason":"SoftDeleted""#), "{line}");
    }

    #[test]
    fn one_odd_value_costs_neither_the_row_nor_the_page() {
        let (line, counted) = mapped(r#"{"id":"a","displayName":{"x":1},"businessPhones":["1"]}"#, Mode::Delta, None);
        assert!(line.contains(r#""Attributes":{"businessPhones":"1"}"#), "{line}");
        assert!(line.contains(r#""Code":"UnexpectedValue""#), "{line}");
        assert_eq!((counted.counts.upserts, counted.issues), (1, 1));
        let (_, without_id) = mapped(r#"{"displayName":"A"}"#, Mode::Full, None);
        assert_eq!((without_id.counts.upserts, without_id.issues), (0, 1));
    }

    #[test]
    fn what_only_the_filter_needs_is_asked_for_and_not_delivered() {
        let selection = Selection::new(vec!["displayName".into()], &[], None).judged_by(&["id".into(), "theme".into()]);
        assert_eq!(selection.select(), "id,displayName,theme");
        let mut out = Records::new("Group");
        let theme = RawValue::from_string("\"Teal\"".into()).unwrap();
        object("g", &[None, Some(&theme)], &selection, Mode::Full, None, &mut out);
        let line = String::from_utf8(out.lines().next().unwrap().to_vec()).unwrap();
        assert!(line.contains(r#""Attributes":{"displayName":null}"#), "{line}");
    }
}
