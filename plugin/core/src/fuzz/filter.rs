//! `GroupSelectionFilter`. Input: the filter, and perhaps as a second part a row to judge, as a JSON object.
//!
//! Promises: a mistake lies within the text, and moves with it; what is accepted means the same in parentheses, said
//! twice and with spaces around, and its opposite behind `not`; no row makes it panic; reasons and mistakes are short.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::parts;
use crate::filter::{Filter, SyntaxError};

type Row = HashMap<String, Box<RawValue>>;

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, mut rest) = parts(text);
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(mistake) => {
            lies_within(text, &mistake);
            let moved = Filter::parse(&format!(" {text}")).expect_err("a space mends nothing");
            assert_eq!(moved, SyntaxError { position: mistake.position + 1, ..mistake }, "it moves with the text");
            return;
        }
    };
    assert_eq!(filter.text(), text);
    assert_eq!(filter, Filter::parse(text).expect("read before"), "read twice, read differently");
    if let Some(why) = filter.why_not_here() {
        assert!(filter.properties().is_empty() && (1..500).contains(&why.chars().count()), "{why}");
        // What is no condition may become another reason behind `not`, but never something that is evaluated.
        let opposite = Filter::parse(&format!("not ({text})"));
        assert!(opposite.is_ok_and(|opposite| opposite.why_not_here().is_some()) || deep(text));
        return;
    }
    for (number, name) in filter.properties().iter().enumerate() {
        assert!(!name.is_empty() && !filter.properties()[..number].contains(name), "{name} twice");
    }
    let rows: Vec<Row> = rows(&filter, text, rest.next());
    let judged = judge(&filter, &rows);
    let padded = Filter::parse(&format!("\t{text}\r\n ")).expect("spaces around change nothing");
    assert_eq!((judge(&padded, &rows), padded.properties()), (judged.clone(), filter.properties()));
    let opposite: Vec<bool> = judged.iter().map(|holds| !holds).collect();
    for (other, expected) in [
        (format!("({text})"), &judged),
        (format!("({text}) or ({text})"), &judged),
        (format!("({text}) and ({text})"), &judged),
        (format!("not ({text})"), &opposite),
        (format!("not (not ({text}))"), &judged),
    ] {
        match Filter::parse(&other) {
            Ok(other) => assert_eq!((&judge(&other, &rows), other.properties()), (expected, filter.properties())),
            Err(mistake) => assert!(deep(text), "{mistake:?}"),
        }
    }
}

/// Whether two more levels may be too deep.
fn deep(text: &str) -> bool {
    let levels = text.matches(['(', '-']).count() + text.to_ascii_lowercase().matches("not").count();
    levels >= 60
}

fn lies_within(text: &str, mistake: &SyntaxError) {
    assert!((1..=text.chars().count() + 1).contains(&mistake.position), "{mistake:?}");
    assert!((1..500).contains(&mistake.message.chars().count()), "{mistake:?}");
}

fn judge(filter: &Filter, rows: &[Row]) -> Vec<bool> {
    rows.iter().map(|row| filter.matches(|name| row.get(name).map(|raw| &**raw))).collect()
}

/// Rows of every form, with the texts of the filter among their values.
fn rows(filter: &Filter, text: &str, own: Option<&str>) -> Vec<Row> {
    let mut values: Vec<String> =
        ["null", "true", "false", "0", "-1.5e300", "1e400", "18446744073709551615", "{}", "[]"]
            .into_iter()
            .chain(["[null]", "[[1],{\"a\":[]}]", r#""""#, r#""\ud800""#, r#""2024-02-29T23:59:59.9999999Z""#])
            .map(str::to_owned)
            .collect();
    for word in text.split('\'').take(8) {
        let json = serde_json::to_string(word).expect("a text");
        values.push(json.to_uppercase().replace("\\U", "\\u"));
        values.push(format!("[{json}]"));
        values.push(json);
    }
    let raw = |text: String| RawValue::from_string(text).ok();
    let same = |value: &String| {
        let of = |name: &String| Some((name.clone(), raw(value.clone())?));
        filter.properties().iter().filter_map(of).collect::<Row>()
    };
    let mut rows: Vec<Row> = values.iter().map(same).collect();
    rows.extend(own.and_then(|own| serde_json::from_str::<Row>(own).ok()));
    rows.push(Row::new());
    rows
}
