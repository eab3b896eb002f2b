//! Rows of users and groups → Upserts and Deletes.
//!
//! In a Full set a row is a complete image: what Graph left out is null. In a Delta set it is a change: what Graph left
//! out is unchanged and stays out of the record. Mixing the two up wipes attributes or keeps stale ones.

use std::borrow::Cow;

use super::directory_id;
use super::record::{Issue, Mode, Reason, Records, Severity};
use super::value::{self, Mapped};
use crate::model::{Removed, Row};

/// What is asked for and how it becomes a record.
#[derive(Debug, Clone)]
pub struct Selection {
    /// The properties, in the order of `$select` and of records.
    properties: Vec<String>,
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
        Selection { properties, joined, external_id }
    }

    /// The properties, in order.
    pub fn properties(&self) -> &[String] {
        &self.properties
    }

    /// The value of `$select`. `id` comes without being asked for.
    pub fn select(&self) -> String {
        format!("id,{}", self.properties.join(","))
    }
}

/// What a row became.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Upserts.
    pub upserts: u64,
    /// Deletes.
    pub deletes: u64,
    /// Issues.
    pub issues: u64,
}

/// Writes one row. `request_id` goes into an Issue, should there be one.
pub fn map_row(
    row: &Row<'_>,
    selection: &Selection,
    mode: Mode,
    request_id: Option<&str>,
    out: &mut Records,
) -> Counted {
    let Some(id) = row.id.as_deref().filter(|id| !id.is_empty()) else {
        out.issue(&Issue {
            scope: None,
            source_id: None,
            severity: Severity::Warning,
            code: "RowWithoutId",
            message: "a row without an id was skipped",
            request_id,
        });
        return Counted { issues: 1, ..Counted::default() };
    };
    let id = directory_id(id);
    if let Some(removed) = row.removed {
        let reason = match removed {
            Removed::Changed => Reason::SoftDeleted,
            Removed::Deleted => Reason::Purged,
        };
        let external_id = if selection.external_id.is_none() { Some(&*id) } else { None };
        out.delete(&id, external_id, reason);
        return Counted { deletes: 1, ..Counted::default() };
    }
    let external_id = match selection.external_id {
        None => Some(Cow::Borrowed(&*id)),
        Some(index) => row.values[index].and_then(value::text),
    };
    let mut unexpected = Vec::new();
    out.upsert(&id, external_id.as_deref(), |attributes| {
        for (index, name) in selection.properties.iter().enumerate() {
            let mapped = match row.values[index] {
                None if mode == Mode::Delta => continue,
                None => Mapped::Json(Cow::Borrowed("null")),
                Some(raw) if selection.joined[index] => value::joined(raw),
                Some(raw) => value::plain(raw),
            };
            match mapped {
                Mapped::Json(json) => attributes.raw(name, &json),
                Mapped::Unexpected => {
                    unexpected.push(name.as_str());
                    if mode == Mode::Full {
                        attributes.raw(name, "null");
                    }
                }
            }
        }
    });
    let mut counted = Counted { upserts: 1, ..Counted::default() };
    if !unexpected.is_empty() {
        counted.issues = 1;
        out.issue(&Issue {
            scope: None,
            source_id: Some(&id),
            severity: Severity::Warning,
            code: "UnexpectedValue",
            message: &format!(
                "not delivered, since the value is neither a scalar nor an array of strings: {}",
                unexpected.join(", ")
            ),
            request_id,
        });
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Page, RowSeed};

    fn mapped(json: &str, mode: Mode, external_id: Option<&str>) -> (String, Counted) {
        let names = ["displayName", "userPrincipalName", "businessPhones"].map(String::from).to_vec();
        let selection = Selection::new(names, &["businessPhones"], external_id);
        let body = format!(r#"{{"value":[{json}]}}"#);
        let page = Page::read(body.as_bytes(), RowSeed { properties: selection.properties() }).unwrap();
        let mut out = Records::new("User");
        let counted = map_row(&page.rows[0], &selection, mode, None, &mut out);
        (out.lines().map(|l| String::from_utf8_lossy(l).into_owned()).collect(), counted)
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
        assert_eq!(counted, Counted { deletes: 1, ..Counted::default() });
        let (line, _) = mapped(r#"{"id":"A1","@removed":{"reason":"changed"}}"#, Mode::Delta, None);
        assert!(line.contains(r#""ExternalId":"A1","Reason":"SoftDeleted""#), "{line}");
    }

    #[test]
    fn one_odd_value_costs_neither_the_row_nor_the_page() {
        let (line, counted) = mapped(r#"{"id":"a","displayName":{"x":1},"businessPhones":["1"]}"#, Mode::Delta, None);
        assert!(line.contains(r#""Attributes":{"businessPhones":"1"}"#), "{line}");
        assert!(line.contains(r#""Code":"UnexpectedValue""#), "{line}");
        assert_eq!(counted, Counted { upserts: 1, deletes: 0, issues: 1 });
        assert_eq!(mapped(r#"{"displayName":"A"}"#, Mode::Full, None).1, Counted { issues: 1, ..Counted::default() });
    }
}
