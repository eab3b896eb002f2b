//! A page of Graph, read as rows of objects and as members, and turned into records. Input: the answer's body.
//!
//! Promises: the lean reading agrees with an independent one of the same bytes, in ids, removals, links, members and
//! values, or both refuse; a page cut in two gives the same rows; whatever a row holds, it becomes one record of one
//! line that any JSON parser reads, or is reported.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::json::Json;
use crate::mapping::{Mode, Records, Selection, directory_id, edge, map_row, removed_edge};
use crate::model::{Links, Member, Page, Removed, Row, RowSeed};
use crate::types::GROUP_MEMBER;

const NAMES: [&str; 4] = ["displayName", "userPrincipalName", "accountEnabled", "businessPhones"];

pub(super) fn run(data: &[u8]) {
    for external_id in [None, Some("userPrincipalName")] {
        let selection = Selection::new(NAMES.map(str::to_owned).to_vec(), &["businessPhones"], external_id);
        let page = Page::read(data, RowSeed { properties: selection.properties() });
        if external_id.is_none() {
            agrees(&page, data);
            agrees_on_members(data);
        }
        if let Ok(page) = &page {
            if external_id.is_none() {
                cut_in_two(page, data, &selection);
            }
            for mode in [Mode::Full, Mode::Delta] {
                page.rows.iter().for_each(|row| becomes_a_record(row, &selection, mode));
            }
        }
    }
}

/// What another reading makes of a page.
struct Expected {
    rows: Vec<Json>,
    links: Links,
}

/// `Ok(None)`: no page. `Err`: this reading cannot tell.
fn expected(data: &[u8], fits: impl Fn(&Json) -> Result<bool, ()>) -> Result<Option<Expected>, ()> {
    let Ok(page) = Json::read(data) else { return Err(()) };
    let links = [page.all("@odata.nextLink"), page.all("@odata.deltaLink")];
    for value in links.into_iter().flatten() {
        if !is_text_or_null(value) {
            return Ok(None);
        }
    }
    let mut rows = None;
    for value in page.all("value") {
        let Json::List(items) = value else { return Ok(None) };
        for item in items {
            if !fits(item)? {
                return Ok(None);
            }
        }
        rows = Some(items.clone());
    }
    let links = Links { next: text(page.last("@odata.nextLink")), delta: text(page.last("@odata.deltaLink")) };
    Ok(rows.map(|rows| Expected { rows, links }))
}

fn is_text_or_null(value: &Json) -> bool {
    matches!(value, Json::Text(_) | Json::Null)
}

fn text(value: Option<&Json>) -> Option<String> {
    if let Some(Json::Text(text)) = value { Some(text.clone()) } else { None }
}

/// Whether a note of a fixed shape can be read: an object whose `names` stand once and are texts.
fn is_note(note: &Json, names: &[&str]) -> Result<bool, ()> {
    match note {
        // serde reads a struct from a list, too.
        Json::List(_) => Err(()),
        Json::Object(_) => Ok(!note.repeats(names) && names.iter().all(|name| note.all(name).all(is_text_or_null))),
        _ => Ok(false),
    }
}

fn row_fits(row: &Json) -> Result<bool, ()> {
    let mut fits = row.is_object() && row.all("id").all(is_text_or_null);
    for note in row.all("@removed") {
        fits &= is_note(note, &["reason"])?;
    }
    for members in row.all("members@delta") {
        match members {
            Json::Null => {}
            Json::List(items) => {
                for item in items {
                    fits &= is_note(item, &["@odata.type", "id"])? && !item.repeats(&["@removed"]);
                }
            }
            _ => fits = false,
        }
    }
    Ok(fits)
}

/// Whether the page was refused for its size, of which the independent reading knows nothing.
fn too_large<R>(page: &Result<Page<R>, serde_json::Error>, data: &[u8]) -> bool {
    let refused = page.as_ref().is_err_and(|error| error.to_string().contains(" of more than "));
    assert!(!refused || data.len() > 256, "refused for its size, which is {} bytes", data.len());
    refused
}

fn agrees(page: &Result<Page<Row<'_>>, serde_json::Error>, data: &[u8]) {
    if too_large(page, data) {
        return;
    }
    let Ok(expected) = expected(data, row_fits) else { return };
    let (Ok(page), Some(expected)) = (page, &expected) else {
        assert_eq!(page.is_ok(), expected.is_some(), "one reads it, the other does not: {:?}", page.as_ref().err());
        return;
    };
    assert_eq!(page.links, expected.links);
    assert_eq!(page.rows.len(), expected.rows.len());
    for (row, json) in page.rows.iter().zip(&expected.rows) {
        assert_eq!(row.id.as_deref().map(str::to_owned), text(json.last("id")));
        let removed = json.last("@removed").map(|note| match text(note.last("reason")).as_deref() {
            Some("deleted") => Removed::Deleted,
            _ => Removed::Changed,
        });
        assert_eq!(row.removed, removed);
        for (name, value) in NAMES.iter().zip(row.values.iter()) {
            let value = value.map(|raw| Json::read(raw.get().as_bytes()).expect("a part of JSON"));
            assert_eq!(value.as_ref(), json.last(name), "{name}");
        }
        let no_members = Json::List(Vec::new());
        let members = json.last("members@delta").filter(|members| **members != Json::Null).unwrap_or(&no_members);
        let Json::List(members) = members else { unreachable!("judged before") };
        assert_eq!(row.members.len(), members.len());
        for (change, json) in row.members.iter().zip(members) {
            is_that_member(&change.member(), json);
            assert_eq!(change.removed, json.last("@removed").is_some_and(|note| *note != Json::Null));
        }
    }
}

fn is_that_member(member: &Member<'_>, json: &Json) {
    let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    assert_eq!((owned(&member.id), owned(&member.odata_type)), (text(json.last("id")), text(json.last("@odata.type"))));
}

fn agrees_on_members(data: &[u8]) {
    let page = Page::<Member<'_>>::read_plain(data);
    let mut records = Records::new("GroupMember");
    for member in page.iter().flat_map(|page| &page.rows) {
        let has_id = member.id.as_deref().is_some_and(|id| !id.is_empty());
        assert_eq!(edge(&GROUP_MEMBER, "g", member, &mut records), has_id);
        assert_eq!(removed_edge("g", member.id.as_deref().unwrap_or_default(), &mut records), has_id);
    }
    records.lines().for_each(|line| drop(record(line)));
    if too_large(&page, data) {
        return;
    }
    let Ok(expected) = expected(data, |row| is_note(row, &["@odata.type", "id"])) else { return };
    let (Ok(page), Some(expected)) = (&page, &expected) else {
        assert_eq!(page.is_ok(), expected.is_some(), "one reads it, the other does not: {:?}", page.as_ref().err());
        return;
    };
    assert_eq!((page.rows.len(), &page.links), (expected.rows.len(), &expected.links));
    page.rows.iter().zip(&expected.rows).for_each(|(member, json)| is_that_member(member, json));
}

/// Graph cuts pages where it likes.
fn cut_in_two(page: &Page<Row<'_>>, data: &[u8], selection: &Selection) {
    #[derive(serde::Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        value: Vec<&'a RawValue>,
    }
    let Ok(Raw { value }) = serde_json::from_slice::<Raw<'_>>(data) else { return };
    let (first, second) = value.split_at(value.len() / 2);
    let mut rows = Vec::new();
    for part in [first, second] {
        let items: Vec<&str> = part.iter().map(|raw| raw.get()).collect();
        let body = format!("{{\"value\":[{}]}}", items.join(","));
        let part = Page::read(body.as_bytes(), RowSeed { properties: selection.properties() }).expect("its rows alone");
        rows.extend(part.rows.iter().map(|row| format!("{row:?}")));
    }
    assert_eq!(rows, page.rows.iter().map(|row| format!("{row:?}")).collect::<Vec<_>>());
}

/// A line of NDJSON.
fn record(line: &[u8]) -> Value {
    assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1), "not one line: {}", shown(line));
    serde_json::from_slice(line).unwrap_or_else(|error| panic!("no host can read {}: {error}", shown(line)))
}

fn shown(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line)
}

fn becomes_a_record(row: &Row<'_>, selection: &Selection, mode: Mode) {
    let mut records = Records::new("User");
    map_row(row, selection, mode, None, &mut records);
    let records: Vec<Value> = records.lines().map(record).collect();
    let kinds: Vec<&str> = records.iter().map(|record| record["Kind"].as_str().expect("a kind")).collect();
    let Some(id) = row.id.as_deref().filter(|id| !id.is_empty()) else {
        assert_eq!(kinds, ["Issue"]);
        return;
    };
    assert_eq!(records[0]["SourceId"], *directory_id(id));
    if row.removed.is_some() {
        assert_eq!(kinds, ["Delete"]);
        return;
    }
    assert!(matches!(kinds[..], ["Upsert"] | ["Upsert", "Issue"]), "{kinds:?}");
    let unexpected = records.get(1).map_or("", |issue| issue["Message"].as_str().expect("words"));
    let attributes = records[0]["Attributes"].as_object().expect("attributes");
    for (name, value) in NAMES.iter().zip(row.values.iter()) {
        let delivered = attributes.get(*name);
        match (value, mode) {
            (None, Mode::Delta) => assert_eq!(delivered, None, "{name} did not change"),
            (None, Mode::Full) => assert_eq!(delivered, Some(&Value::Null), "{name} is empty"),
            (Some(_), _) if unexpected.contains(name) => {
                assert!(delivered.is_none_or(Value::is_null), "{name} is reported, and delivered");
            }
            (Some(raw), _) => {
                let same = match serde_json::from_str(raw.get()).expect("delivered, and no JSON") {
                    Value::Array(items) if *name == "businessPhones" => joined(&items),
                    value => value,
                };
                assert_eq!(delivered, Some(&same), "{name}");
            }
        }
    }
    assert!(attributes.keys().all(|key| NAMES.contains(&key.as_str())));
}

fn joined(items: &[Value]) -> Value {
    if items.is_empty() {
        return Value::Null;
    }
    items.iter().map(|item| item.as_str().expect("a text")).collect::<Vec<_>>().join(",").into()
}
