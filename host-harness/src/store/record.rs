//! One line of a batch, read.
//!
//! Generous where the contract grows (members and kinds it does not know are let through) and strict where it does not:
//! a line that is no JSON, or a delete that names nobody, is the connector's mistake and ends the run.

use std::borrow::Cow;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A record, as the contract names them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record<'a> {
    /// A set of an object type begins.
    Begin { object_type: Cow<'a, str>, mode: Mode, set_id: Cow<'a, str>, resumed: bool, absence: Absence },
    /// An object or edge as it is, or what changed of it.
    Upsert {
        object_type: Cow<'a, str>,
        source_id: Cow<'a, str>,
        external_id: Option<Cow<'a, str>>,
        attributes: Map<String, Value>,
    },
    /// An object or edge that went.
    Delete { object_type: Cow<'a, str>, source_id: Cow<'a, str>, reason: Reason },
    /// The edges of one group are told.
    Scope { object_type: Cow<'a, str>, scope: Cow<'a, str>, complete: bool },
    /// Something an operator should know.
    Issue(Issue),
    /// A set ends.
    End { object_type: Cow<'a, str>, complete: bool, upserts: u64, deletes: u64, left_scope: u64, unread_scopes: u64 },
    /// A kind this host does not know: skipped and counted.
    Unknown,
}

/// How the records of a set are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole set, in complete images.
    Full,
    /// Changes.
    Delta,
    /// Events; rows are only added.
    Append,
    /// One this host does not know: rows are taken, nothing is ever removed.
    Unknown,
}

/// How an object is treated that a whole set did not mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    SoftDeleted,
    LeftScope,
}

/// Why an object or edge went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    SoftDeleted,
    Purged,
    LeftScope,
    Removed,
}

/// An Issue record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Issue {
    /// The object type it concerns.
    pub object_type: Option<String>,
    /// The scope it concerns.
    pub scope: Option<String>,
    /// The object it concerns.
    pub source_id: Option<String>,
    /// `Error` makes the run partial, `Warning` does not.
    pub severity: String,
    /// A stable code.
    pub code: String,
    /// In words.
    pub message: String,
    /// The service's name for the request, to be quoted to its support.
    pub request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fields<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    object_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    mode: Option<Cow<'a, str>>,
    #[serde(borrow)]
    set_id: Option<Cow<'a, str>>,
    #[serde(default)]
    resumed: bool,
    #[serde(borrow)]
    absence: Option<Cow<'a, str>>,
    #[serde(borrow)]
    source_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    external_id: Option<Cow<'a, str>>,
    attributes: Option<Value>,
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    scope: Option<Cow<'a, str>>,
    complete: Option<bool>,
    #[serde(default)]
    upserts: u64,
    #[serde(default)]
    deletes: u64,
    #[serde(default)]
    left_scope: u64,
    #[serde(default)]
    unread_scopes: u64,
}

impl<'a> Record<'a> {
    /// Reads one line.
    pub(crate) fn parse(line: &'a [u8]) -> Result<Record<'a>> {
        let fields = match serde_json::from_slice::<Fields<'a>>(line) {
            Ok(fields) => fields,
            // A kind of a later version may use a member's name for something else.
            Err(error) => {
                match serde_json::from_slice::<Value>(line).ok().and_then(|it| it["Kind"].as_str().map(known)) {
                    Some(false) => return Ok(Record::Unknown),
                    _ => return Err(error).context("not a record"),
                }
            }
        };
        if !known(&fields.kind) {
            return Ok(Record::Unknown);
        }
        if fields.kind == "Issue" {
            return Ok(Record::Issue(serde_json::from_slice(line)?));
        }
        let object_type = fields.object_type.context("ObjectType is missing")?;
        Ok(match &*fields.kind {
            "Begin" => Record::Begin {
                object_type,
                mode: Mode::parse(fields.mode.as_deref()),
                set_id: fields.set_id.context("SetId is missing")?,
                resumed: fields.resumed,
                absence: if fields.absence.as_deref() == Some("LeftScope") {
                    Absence::LeftScope
                } else {
                    Absence::SoftDeleted
                },
            },
            "Upsert" => Record::Upsert {
                object_type,
                source_id: fields.source_id.context("SourceId is missing")?,
                external_id: fields.external_id,
                attributes: match fields.attributes {
                    Some(Value::Object(attributes)) => attributes,
                    _ => bail!("Attributes is missing"),
                },
            },
            "Delete" => Record::Delete {
                object_type,
                source_id: fields.source_id.context("SourceId is missing")?,
                reason: match fields.reason.as_deref() {
                    Some("Purged") => Reason::Purged,
                    Some("LeftScope") => Reason::LeftScope,
                    Some("Removed") => Reason::Removed,
                    // Also for a reason of a later version: what can be taken back.
                    _ => Reason::SoftDeleted,
                },
            },
            "Scope" => Record::Scope {
                object_type,
                scope: fields.scope.context("Scope is missing")?,
                complete: fields.complete.context("Complete is missing")?,
            },
            _ => Record::End {
                object_type,
                complete: fields.complete.context("Complete is missing")?,
                upserts: fields.upserts,
                deletes: fields.deletes,
                left_scope: fields.left_scope,
                unread_scopes: fields.unread_scopes,
            },
        })
    }
}

fn known(kind: &str) -> bool {
    ["Begin", "Upsert", "Delete", "Scope", "Issue", "End"].contains(&kind)
}

impl Mode {
    fn parse(text: Option<&str>) -> Mode {
        match text {
            Some("Full") => Mode::Full,
            Some("Delta") => Mode::Delta,
            Some("Append") => Mode::Append,
            _ => Mode::Unknown,
        }
    }

    /// Whether a row of such a set is a complete image, and not a change.
    pub(super) fn brings_images(self) -> bool {
        matches!(self, Mode::Full | Mode::Append)
    }

    /// As it stands in a Begin.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Full => "Full",
            Mode::Delta => "Delta",
            Mode::Append => "Append",
            Mode::Unknown => "Unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_members_are_ignored() {
        let line = br#"{"Kind":"Delete","ObjectType":"User","SourceId":"a","Reason":"Purged","New":[1]}"#;
        assert!(matches!(Record::parse(line).unwrap(), Record::Delete { reason: Reason::Purged, .. }));
    }

    #[test]
    fn unknown_kind_is_let_through_even_when_its_members_look_odd() {
        assert_eq!(Record::parse(br#"{"Kind":"Weather","Scope":5}"#).unwrap(), Record::Unknown);
        assert_eq!(Record::parse(br#"{"Kind":"Weather"}"#).unwrap(), Record::Unknown);
    }

    #[test]
    fn line_that_is_no_record_is_an_error() {
        for line in
            ["", "{", "[]", r#"{"ObjectType":"User"}"#, r#"{"Kind":"Upsert","ObjectType":"User","Attributes":{}}"#]
        {
            assert!(Record::parse(line.as_bytes()).is_err(), "{line}");
        }
    }
}
