//! Writes records as NDJSON lines, the shapes of `docs/contract.md`.
//!
//! A `Records` holds the lines of one page and where each ends, so that the queue can cut batches between lines without
//! looking into them. It also counts what it holds: an End must count what was delivered, not what was read. With
//! deletes held back (`MaxDeletes`) a Delete becomes an event beside the lines, in order with the Upserts that may take
//! it back.

use serde::Serialize;

use super::kinds::{Begin, Counts, Issue, Reason, Written};
use crate::code::{Carrier, Severity};

/// Lines, each a record of one object type.
#[derive(Debug)]
pub struct Records {
    object_type: &'static str,
    bytes: Vec<u8>,
    ends: Vec<usize>,
    written: Written,
    /// `Some`: Deletes are held back.
    events: Option<Vec<Event>>,
    /// The key of the last edge, kept for its place in memory.
    edge_key: String,
}

/// What happened to an id while deletes are held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is there: a Delete held for it is void.
    Live(String),
    /// To be deleted.
    Delete {
        /// SourceId.
        id: String,
        /// The record.
        line: Vec<u8>,
    },
}

/// What a line has beside the attributes, roughly, in bytes.
const FRAME: usize = 100;

impl Records {
    /// No lines yet.
    pub fn new(object_type: &'static str) -> Records {
        Records {
            object_type,
            bytes: Vec::new(),
            ends: Vec::new(),
            written: Written::default(),
            events: None,
            edge_key: String::new(),
        }
    }

    /// An empty buffer of a set whose Deletes are held back. `LeftScope` deletes are not held.
    pub fn holding(object_type: &'static str) -> Records {
        Records { events: Some(Vec::new()), ..Records::new(object_type) }
    }

    /// Makes room for the lines of so many rows that came in so many bytes: grown by doubling, a page would be copied
    /// eight times.
    #[must_use]
    pub fn with_room_for(mut self, rows: usize, bytes: usize) -> Records {
        self.ends.reserve(rows);
        self.bytes.reserve(bytes + rows * FRAME);
        self
    }

    /// What became of ids, in order; empties itself.
    pub fn take_events(&mut self) -> Vec<Event> {
        self.events.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds a Delete that was held back and has come due.
    pub fn release(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        self.ends.push(self.bytes.len());
        self.written.counts.deletes += 1;
    }

    /// The lines, each with its LF.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    /// How many bytes the lines have.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Upserts and Deletes among the lines.
    pub fn rows(&self) -> u64 {
        let counts = self.written.counts;
        counts.upserts + counts.deletes + counts.left_scope
    }

    /// The lines, counted.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Whether there is neither a line nor an event.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.events.as_ref().is_none_or(Vec::is_empty)
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

    fn text(&mut self, name: &str, value: Option<&str>) {
        self.raw(b",\"");
        self.raw(name.as_bytes());
        self.raw(b"\":");
        match value {
            Some(value) => write_text(&mut self.bytes, value),
            None => self.raw(b"null"),
        }
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
        self.text("Mode", Some(begin.mode.name()));
        self.text("SetId", Some(begin.set_id));
        self.member("Resumed", &begin.resumed);
        self.text("Absence", Some(begin.absence.name()));
        self.member("Attributes", begin.attributes);
        self.close();
    }

    /// Writes an Upsert; `attributes` writes the members between the braces through `Attributes`.
    pub fn upsert(&mut self, source_id: &str, external_id: Option<&str>, attributes: impl FnOnce(&mut Attributes<'_>)) {
        self.open("Upsert");
        self.text("SourceId", Some(source_id));
        self.text("ExternalId", external_id);
        self.raw(b",\"Attributes\":{");
        attributes(&mut Attributes { bytes: &mut self.bytes, first: true });
        self.raw(b"}");
        self.close();
        self.written.counts.upserts += 1;
        if let Some(events) = &mut self.events {
            events.push(Event::Live(source_id.to_owned()));
        }
    }

    /// Hands `write` the key of an edge, which has no id of its own: `<group>:<member>`.
    pub(super) fn keyed(&mut self, group: &str, member: &str, write: impl FnOnce(&mut Records, &str)) {
        let mut key = std::mem::take(&mut self.edge_key);
        key.clear();
        key.push_str(group);
        key.push(':');
        key.push_str(member);
        write(self, &key);
        self.edge_key = key;
    }

    /// Writes a Delete.
    pub fn delete(&mut self, source_id: &str, external_id: Option<&str>, reason: Reason) {
        self.open("Delete");
        self.text("SourceId", Some(source_id));
        self.text("ExternalId", external_id);
        self.text("Reason", Some(reason.name()));
        self.close();
        if reason == Reason::LeftScope {
            self.written.counts.left_scope += 1;
            // The object exists: a Delete held for it is void.
            if let Some(events) = &mut self.events {
                events.push(Event::Live(source_id.to_owned()));
            }
            return;
        }
        match &mut self.events {
            None => self.written.counts.deletes += 1,
            Some(events) => {
                self.ends.pop();
                let start = self.ends.last().copied().unwrap_or(0);
                events.push(Event::Delete { id: source_id.to_owned(), line: self.bytes.split_off(start) });
            }
        }
    }

    /// Closes the rows of one group.
    pub fn scope(&mut self, scope: &str, complete: bool, rows: u64) {
        self.open("Scope");
        self.text("Scope", Some(scope));
        self.member("Complete", &complete);
        self.member("Rows", &rows);
        self.close();
    }

    /// Tells of a problem.
    pub fn issue(&mut self, issue: &Issue<'_>) {
        debug_assert_ne!(issue.code.carrier(), Carrier::Warning, "a code of the Result in a record");
        self.open("Issue");
        self.text("Scope", issue.scope);
        self.text("SourceId", issue.source_id);
        self.text("Severity", Some(issue.code.severity().name()));
        self.text("Code", Some(issue.code.name()));
        self.text("Message", Some(issue.message));
        self.text("RequestId", issue.request_id);
        self.close();
        self.written.issues += 1;
        self.written.errors += u64::from(issue.code.severity() == Severity::Error);
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

/// An attribute's name as it stands between two members: `,"name":`. Spelled once for a selection, not for each row.
#[derive(Debug, Clone)]
pub(super) struct Key(String);

impl Key {
    pub(super) fn new(name: &str) -> Key {
        Key(format!(",\"{name}\":"))
    }
}

/// Writes the members of `Attributes`.
#[derive(Debug)]
pub struct Attributes<'a> {
    bytes: &'a mut Vec<u8>,
    first: bool,
}

impl Attributes<'_> {
    /// A member whose value `write` appends as compact JSON. Where it cannot, there is no such member.
    pub(super) fn member<E>(&mut self, key: &Key, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&key.0.as_bytes()[usize::from(self.first)..]);
        let outcome = write(self.bytes);
        match outcome {
            Ok(()) => self.first = false,
            Err(_) => self.bytes.truncate(start),
        }
        outcome
    }

    /// A member that is null.
    pub(super) fn null(&mut self, key: &Key) {
        self.bytes.extend_from_slice(&key.0.as_bytes()[usize::from(self.first)..]);
        self.bytes.extend_from_slice(b"null");
        self.first = false;
    }

    /// A member that is a text.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.bytes.extend_from_slice(if self.first { b"\"" } else { b",\"" });
        self.first = false;
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(b"\":");
        write_text(self.bytes, value);
    }
}

/// Writes a text as JSON. Nearly every one is copied as it is: looking for what must be escaped, many bytes at a time,
/// costs less than asking of each byte how it is written.
pub(super) fn write_text(bytes: &mut Vec<u8>, text: &str) {
    let odd = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let escaped = text.bytes().fold(0, |found, byte| found | u8::from(odd(byte))) != 0;
    if escaped {
        write_json(bytes, text);
    } else {
        bytes.push(b'"');
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(b'"');
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
    use crate::code::Code;
    use crate::mapping::Mode;

    fn text(records: &Records) -> Vec<String> {
        records.lines().map(|l| String::from_utf8(l.to_vec()).unwrap()).collect()
    }

    #[test]
    fn records_have_the_shapes_of_the_contract() {
        let mut records = Records::new("User");
        let attributes = [String::from("displayName")];
        let absence = Reason::SoftDeleted;
        records.begin(&Begin { mode: Mode::Full, set_id: "s", resumed: false, absence, attributes: &attributes });
        records.upsert("a", Some("a"), |w| w.text("displayName", "A"));
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
    fn a_held_delete_is_an_event_and_counts_when_it_is_released() {
        let mut records = Records::holding("User");
        records.upsert("a", Some("a"), |_| {});
        records.delete("a", None, Reason::Purged);
        records.delete("g", None, Reason::LeftScope);
        assert_eq!((records.lines().count(), records.rows()), (2, 2));
        let events = records.take_events();
        assert_eq!((&events[0], &events[2]), (&Event::Live("a".into()), &Event::Live("g".into())));
        let Event::Delete { line, .. } = &events[1] else { panic!("{events:?}") };
        records.release(line);
        assert_eq!(records.rows(), 3);
        assert!(text(&records)[2].contains("\"Purged\""));
    }

    #[test]
    fn awkward_text_stays_one_line() {
        let mut records = Records::new("User");
        records.issue(&Issue {
            scope: None,
            source_id: Some("a\"\n\u{2028}😀"),
            code: Code::RowWithoutId,
            message: "m",
            request_id: None,
        });
        assert_eq!(text(&records)[0].matches('\n').count(), 1);
        assert!(serde_json::from_str::<serde_json::Value>(&text(&records)[0]).is_ok());
    }
}
