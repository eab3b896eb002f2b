//! From a page's bytes to records, and a filter from its text to a verdict: in time, and in allocations.
//!
//!     cargo bench -p entra-id-core --bench rows
//!
//! Easy to get wrong: the pages are as Graph sends them, with absent attributes, so "50 attributes" are some 25
//! in the page and 50 in a Full record. Items are rows; bytes are those of the page.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    unused_crate_dependencies,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

use std::fmt::Write as _;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use entra_id_core::filter::Filter;
use entra_id_core::mapping::{Mode, Records, Selection, edge, map_row, removed_edge};
use entra_id_core::model::{Page, RowSeed};
use entra_id_core::types::{GROUP, GROUP_MEMBER, USER, USER_EXTRA};
use serde_json::value::RawValue;

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// As Graph fills a page of a feed.
const ROWS: usize = 200;

fn main() {
    divan::main();
}

fn names(of: &[entra_id_core::types::Attribute]) -> impl Iterator<Item = String> {
    of.iter().map(|attribute| attribute.name.to_owned())
}

fn guid(kind: u32, number: usize) -> String {
    format!("{kind:08x}-d9cb-469f-a165-{number:012x}")
}

/// A page of users; every second further attribute is absent.
fn users(attributes: &[String]) -> String {
    let mut page = String::from(r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":["#);
    for number in 0..ROWS {
        let comma = if number == 0 { "" } else { "," };
        write!(page, r#"{comma}{{"id":"{}""#, guid(1, number)).unwrap();
        for (place, name) in attributes.iter().enumerate() {
            match name.as_str() {
                "accountEnabled" => write!(page, r#","{name}":true"#),
                "businessPhones" => write!(page, r#","{name}":["+1 425 555 0{number:03}"]"#),
                "proxyAddresses" => {
                    write!(page, r#","{name}":["SMTP:u{number}@contoso.com","smtp:{number}@contoso.com"]"#)
                }
                "streetAddress" => write!(page, r#","{name}":"{number} Main St., Apt. \"7\"""#),
                _ if place >= USER.attributes.len() && place % 2 == 0 => Ok(()),
                _ => write!(page, r#","{name}":"{name} of user {number}""#),
            }
            .unwrap();
        }
        page.push('}');
    }
    page.push_str(r#"],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users/delta?$skiptoken=abc"}"#);
    page
}

/// Users of a first import, with the attributes of every import and with all.
#[divan::bench(args = [false, true])]
fn users_to_records(bencher: Bencher<'_, '_>, all: bool) {
    let mut attributes: Vec<String> = names(USER.attributes).collect();
    if all {
        attributes.extend(names(USER_EXTRA));
    }
    let page = users(&attributes);
    let selection = Selection::new(attributes, &["businessPhones"], None);
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::of_str(&page)).bench(|| {
        let read = Page::read(black_box(page.as_bytes()), RowSeed { properties: selection.properties() }).unwrap();
        let mut records = Records::new("User");
        read.rows.iter().for_each(|row| map_row(row, &selection, Mode::Full, None, &mut records));
        records
    });
}

/// Groups of a feed whose rows carry slices of their members: items are memberships.
#[divan::bench(args = [5, 50])]
fn member_slices_to_records(bencher: Bencher<'_, '_>, members: usize) {
    let attributes: Vec<String> = names(GROUP.attributes).collect();
    let mut page = String::from(r#"{"value":["#);
    for group in 0..ROWS {
        let comma = if group == 0 { "" } else { "," };
        let id = guid(2, group);
        write!(page, r#"{comma}{{"id":"{id}","displayName":"Group {group}","members@delta":["#).unwrap();
        for member in 0..members {
            let (comma, id) = (if member == 0 { "" } else { "," }, guid(1, group * members + member));
            let gone = if member % 10 == 9 { r#","@removed":{"reason":"deleted"}"# } else { "" };
            write!(page, r##"{comma}{{"@odata.type":"#microsoft.graph.user","id":"{id}"{gone}}}"##).unwrap();
        }
        page.push_str("]}");
    }
    page.push_str("]}");
    let selection = Selection::new(attributes, &[], None);
    bencher.counter(ItemsCount::new(ROWS * members)).counter(BytesCount::of_str(&page)).bench(|| {
        let read = Page::read(black_box(page.as_bytes()), RowSeed { properties: selection.properties() }).unwrap();
        let (mut groups, mut edges) = (Records::new("Group"), Records::new("GroupMember"));
        for row in &read.rows {
            map_row(row, &selection, Mode::Delta, None, &mut groups);
            let group = row.id.as_deref().unwrap();
            for change in &row.members {
                let member = change.member();
                if change.removed {
                    removed_edge(group, member.id.as_deref().unwrap(), &mut edges);
                } else {
                    edge(&GROUP_MEMBER, group, &member, &mut edges);
                }
            }
        }
        (groups, edges)
    });
}

const FILTER: &str = "(startswith(displayName,'APP-') or displayName ge 'T') and securityEnabled eq true and \
                      not (mailEnabled eq true) and groupTypes/any(t:t eq 'Unified')";

#[divan::bench]
fn filter_parse() -> Filter {
    Filter::parse(black_box(FILTER)).unwrap()
}

/// One group, judged.
#[divan::bench]
fn filter_evaluate(bencher: Bencher<'_, '_>) {
    let filter = Filter::parse(FILTER).unwrap();
    assert_eq!(filter.why_not_here(), None);
    let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
    let row = [
        ("displayName", raw(r#""APP-Payroll""#)),
        ("securityEnabled", raw("true")),
        ("mailEnabled", raw("false")),
        ("groupTypes", raw(r#"["DynamicMembership","Unified"]"#)),
    ];
    let value_of = |name: &str| row.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value);
    assert!(filter.matches(value_of));
    bencher.bench(|| black_box(&filter).matches(value_of));
}
