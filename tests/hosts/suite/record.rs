//! Record lines as they are compared: byte for byte, but for the two members that are new on every run, and what a
//! check measured.
//!
//! They are not parsed: a host that writes `\u00e4` for `ä`, or cuts a number, must not pass.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

/// A line without what differs from run to run: the values of `SetId` and `RequestId`, and what a check says of
/// time: how long an import will take, and how long the secret will last.
pub(crate) fn lasting(line: &str) -> String {
    let mut kept = line.to_owned();
    // A quote inside a text is escaped, so these bytes are the member and nothing else.
    for member in ["\"SetId\":\"", "\"RequestId\":\"", "; a full import takes about ", "the client secret ends on "] {
        if let Some(from) = kept.find(member).map(|at| at + member.len())
            && let Some(len) = kept[from..].find('"')
        {
            kept.replace_range(from..from + len, "");
        }
    }
    kept
}

/// The object type of a line.
fn object_type(line: &str) -> &str {
    const MEMBER: &str = "\"ObjectType\":\"";
    let value = line.find(MEMBER).map_or("", |at| &line[at + MEMBER.len()..]);
    value.split('"').next().unwrap_or_default()
}

/// The lines of each object type, in order.
pub(crate) fn by_type(lines: &[String]) -> BTreeMap<&str, Vec<String>> {
    let mut types: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in lines {
        types.entry(object_type(line)).or_default().push(lasting(line));
    }
    types
}

/// The same lines as often each, in any order.
pub(crate) fn same_multiset(expected: &[String], found: &[String]) -> Result<()> {
    let mut balance: BTreeMap<String, i64> = BTreeMap::new();
    for line in expected {
        *balance.entry(lasting(line)).or_default() += 1;
    }
    for line in found {
        *balance.entry(lasting(line)).or_default() -= 1;
    }
    let odd = balance.iter().find(|(_, count)| **count != 0);
    ensure!(odd.is_none(), "{} lines for {}; the first odd one: {odd:?}", found.len(), expected.len());
    Ok(())
}

/// The same lines of each object type in the same order.
pub(crate) fn same_order(expected: &[String], found: &[String]) -> Result<()> {
    same_multiset(expected, found)?;
    let (expected, found) = (by_type(expected), by_type(found));
    for (object_type, lines) in &expected {
        let odd = lines.iter().zip(&found[object_type]).position(|(one, other)| one != other);
        ensure!(odd.is_none(), "{object_type}: another order from line {odd:?} on");
    }
    Ok(())
}

/// One is the beginning of the other, for each object type.
pub(crate) fn same_beginning(expected: &[String], found: &[String]) -> Result<()> {
    let (expected, found) = (by_type(expected), by_type(found));
    ensure!(!found.is_empty(), "no record at all");
    for (object_type, lines) in &found {
        let Some(others) = expected.get(object_type) else { anyhow::bail!("{object_type} came out of nowhere") };
        let odd = lines.iter().zip(others).find(|(one, other)| one != other);
        ensure!(odd.is_none(), "{object_type}: {odd:?}");
    }
    Ok(())
}

#[test]
fn only_what_is_new_on_every_run_is_left_out() {
    assert_eq!(
        lasting(r#"{"Kind":"Begin","SetId":"5f","Resumed":false}"#),
        r#"{"Kind":"Begin","SetId":"","Resumed":false}"#
    );
    let text = r#"{"Attributes":{"displayName":"\"SetId\":\"no\""},"RequestId":null}"#;
    assert_eq!(lasting(text), text);
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    assert!(same_multiset(&lines("a b a"), &lines("b a a")).is_ok());
    assert!(same_multiset(&lines("a b a"), &lines("b a b")).is_err());
    assert!(same_order(&lines("a b a"), &lines("b a a")).is_err());
    assert!(same_beginning(&lines("a b a"), &lines("a b")).is_ok());
    assert!(same_beginning(&lines("a b a"), &lines("b")).is_err());
}
