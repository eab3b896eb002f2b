//! Writes records as NDJSON lines, the shapes of `docs/contract.md`.
//!
//! A `Records` holds the lines of one page and where each ends, so that the queue can cut batches between lines without
//! looking into them.

use serde::Serialize;

/// How a set is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole set.
    Full,
    /// Changes.
    Delta,
}

impl Mode {
    /// As records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Full => "Full",
            Mode::Delta => "Delta",
        }
    }
}

/// Why something is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// In the recycle bin.
    SoftDeleted,
    /// Gone for good.
    Purged,
    /// Exists, but the filter no longer matches.
    LeftScope,
    /// An edge that ended.
    Removed,
}

impl Reason {
    /// As records spell it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::SoftDeleted => "SoftDeleted",
            Reason::Purged => "Purged",
            Reason::LeftScope => "LeftScope",
            Reason::Removed => "Removed",
        }
    }
}

/// Whether an Issue makes the run partial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// The opening of a set.
#[derive(Debug, Clone, Copy)]
pub struct Begin<'a> {
    /// Full or Delta.
    pub mode: Mode,
    /// Names this set; a host marks rows with it.
    pub set_id: &'a str,
    /// How the host treats an object that a Full set did not bring.
    pub absence: Reason,
    /// The attributes that Upserts of this set carry.
    pub attributes: &'a [String],
}

/// Something the operator should know about one object, one scope or one object type.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The group it concerns, for edges.
    pub scope: Option<&'a str>,
    /// The object it concerns.
    pub source_id: Option<&'a str>,
    /// Whether the run is partial because of it.
    pub severity: Severity,
    /// From the table in `docs/contract.md`; never renamed.
    pub code: &'a str,
    /// For the operator.
    pub message: &'a str,
    /// Graph's `request-id`.
    pub request_id: Option<&'a str>,
}

/// What an End counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Upserts since Begin.
    pub upserts: u64,
    /// Deletes since Begin, `LeftScope` not among them.
    pub deletes: u64,
    /// Deletes with reason `LeftScope`.
    pub left_scope: u64,
    /// Scopes that were not read whole.
    pub unread_scopes: u64,
}

/// Lines, each a record of one object type.
#[derive(Debug)]
pub struct Records {
    object_type: &'static str,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    rows: u64,
}

impl Records {
    /// No lines yet.
    pub fn new(object_type: &'static str) -> Records {
        Records { object_type, bytes: Vec::new(), ends: Vec::new(), rows: 0 }
    }

    /// Takes all lines away, keeping the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.rows = 0;
    }

    /// The lines, each with its LF.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    /// Upserts and Deletes among the lines.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn open(&mut self, kind: &str) {
        self.raw(b"{\"Kind\":\"");
        self.raw(kind.as_bytes());
        self.raw(b"\",\"ObjectType\":\"");
        self.raw(self.object_type.as_bytes());
        self.raw(b"\"");
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.raw(b",\"");
        self.raw(name.as_bytes());
        self.raw(b"\":");
        write_json(&mut self.bytes, value);
    }

    fn close(&mut self) {
        self.raw(b"}\n");
        self.ends.push(self.bytes.len());
    }

    /// A record of another shape, as it is.
    pub fn line<T: Serialize>(&mut self, record: &T) {
        write_json(&mut self.bytes, record);
        self.bytes.push(b'\n');
        self.ends.push(self.bytes.len());
    }

    /// Opens a set.
    pub fn begin(&mut self, begin: &Begin<'_>) {
        self.open("Begin");
        self.member("Mode", begin.mode.name());
        self.member("SetId", begin.set_id);
        self.member("Resumed", &false);
        self.member("Absence", begin.absence.name());
        self.member("Attributes", begin.attributes);
        self.close();
    }

    /// Writes an Upsert; `attributes` writes the members between the braces through [`Attributes`].
    pub fn upsert(&mut self, source_id: &str, external_id: Option<&str>, attributes: impl FnOnce(&mut Attributes<'_>)) {
        self.open("Upsert");
        self.member("SourceId", source_id);
        self.member("ExternalId", &external_id);
        self.raw(b",\"Attributes\":{");
        attributes(&mut Attributes { bytes: &mut self.bytes, first: true });
        self.raw(b"}");
        self.close();
        self.rows += 1;
    }

    /// Writes a Delete.
    pub fn delete(&mut self, source_id: &str, external_id: Option<&str>, reason: Reason) {
        self.open("Delete");
        self.member("SourceId", source_id);
        self.member("ExternalId", &external_id);
        self.member("Reason", reason.name());
        self.close();
        self.rows += 1;
    }

    /// Closes the rows of one group.
    pub fn scope(&mut self, scope: &str, complete: bool, rows: u64) {
        self.open("Scope");
        self.member("Scope", scope);
        self.member("Complete", &complete);
        self.member("Rows", &rows);
        self.close();
    }

    /// Tells of a problem.
    pub fn issue(&mut self, issue: &Issue<'_>) {
        self.open("Issue");
        self.member("Scope", &issue.scope);
        self.member("SourceId", &issue.source_id);
        self.member("Severity", if issue.severity == Severity::Error { "Error" } else { "Warning" });
        self.member("Code", issue.code);
        self.member("Message", issue.message);
        self.member("RequestId", &issue.request_id);
        self.close();
    }

    /// Closes a set.
    pub fn end(&mut self, complete: bool, counts: Counts) {
        self.open("End");
        self.member("Complete", &complete);
        self.member("Upserts", &counts.upserts);
        self.member("Deletes", &counts.deletes);
        self.member("LeftScope", &counts.left_scope);
        self.member("UnreadScopes", &counts.unread_scopes);
        self.close();
    }
}

/// Writes the members of `Attributes`.
#[derive(Debug)]
pub struct Attributes<'a> {
    bytes: &'a mut Vec<u8>,
    first: bool,
}

impl Attributes<'_> {
    fn name(&mut self, name: &str) {
        self.bytes.extend_from_slice(if self.first { b"\"" } else { b",\"" });
        self.first = false;
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    /// A value that already is compact JSON.
    pub fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.bytes.extend_from_slice(json.as_bytes());
    }

    /// A value to be written as JSON.
    pub fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.name(name);
        write_json(self.bytes, value);
    }
}

fn write_json<T: Serialize + ?Sized>(bytes: &mut Vec<u8>, value: &T) {
    let start = bytes.len();
    // Strings, numbers, booleans and lists of strings into memory: there is nothing that could fail.
    if serde_json::to_writer(&mut *bytes, value).is_err() {
        bytes.truncate(start);
        bytes.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(records: &Records) -> Vec<String> {
        records.lines().map(|l| String::from_utf8(l.to_vec()).unwrap()).collect()
    }

    #[test]
    fn records_have_the_shapes_of_the_contract() {
        let mut records = Records::new("User");
        let attributes = [String::from("displayName")];
        records.begin(&Begin { mode: Mode::Full, set_id: "s", absence: Reason::SoftDeleted, attributes: &attributes });
        records.upsert("a", Some("a"), |w| w.raw("displayName", "\"A\""));
        records.delete("b", None, Reason::Purged);
        records.scope("g", true, 57);
        records.end(true, Counts { upserts: 1, deletes: 1, ..Counts::default() });
        assert_eq!(
            text(&records),
            [
                "{\"Kind\":\"Begin\",\"ObjectType\":\"User\",\"Mode\":\"Full\",\"SetId\":\"s\",\"Resumed\":false,\"Absence\":\"SoftDeleted\",\"Attributes\":[\"displayName\"]}\n",
                "{\"Kind\":\"Upsert\",\"ObjectType\":\"User\",\"SourceId\":\"a\",\"ExternalId\":\"a\",\"Attributes\":{\"displayName\":\"A\"}}\n",
                "{\"Kind\":\"Delete\",\"ObjectType\":\"User\",\"SourceId\":\"b\",\"ExternalId\":null,\"Reason\":\"Purged\"}\n",
                "{\"Kind\":\"Scope\",\"ObjectType\":\"User\",\"Scope\":\"g\",\"Complete\":true,\"Rows\":57}\n",
                "{\"Kind\":\"End\",\"ObjectType\":\"User\",\"Complete\":true,\"Upserts\":1,\"Deletes\":1,\"LeftScope\":0,\"UnreadScopes\":0}\n",
            ]
        );
        assert_eq!(records.rows(), 2);
    }

    #[test]
    fn awkward_text_stays_one_line() {
        let mut records = Records::new("User");
        records.issue(&Issue {
            scope: None,
            source_id: Some("a\"\n\u{2028}😀"),
            severity: Severity::Warning,
            code: "X",
            message: "m",
            request_id: None,
        });
        assert_eq!(text(&records)[0].matches('\n').count(), 1);
        assert!(serde_json::from_str::<serde_json::Value>(&text(&records)[0]).is_ok());
    }
}
