//! Random expressions, printed as text, parsed and evaluated, against a truth table of a dozen lines.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::*;

const NAMES: [&str; 3] = ["displayName", "mail", "description"];
const WORDS: [&str; 6] = ["", "a", "A'", "ab", "Ba", "ß ü"];

#[derive(Debug, Clone)]
enum Spoken {
    Compare(&'static str, &'static str, Option<&'static str>),
    Function(&'static str, &'static str, &'static str),
    In(&'static str, Vec<&'static str>),
    Any(&'static str, &'static str),
    Not(Box<Spoken>),
    Both(Box<Spoken>, Box<Spoken>),
    Either(Box<Spoken>, Box<Spoken>),
}

use Spoken::{Any, Both, Compare, Either, Function, In, Not};

fn spoken() -> impl Strategy<Value = Spoken> {
    let (name, word) = (|| select(NAMES.to_vec()), || select(WORDS.to_vec()));
    let leaf = prop_oneof![
        (name(), select(vec!["eq", "ne"]), word()).prop_map(|(n, o, w)| Compare(n, o, Some(w))),
        (name(), select(vec!["eq", "ne"])).prop_map(|(n, o)| Compare(n, o, None)),
        (select(vec!["startswith", "endswith"]), name(), word()).prop_map(|(f, n, w)| Function(f, n, w)),
        (name(), proptest::collection::vec(word(), 1..4)).prop_map(|(n, ws)| In(n, ws)),
        (select(vec!["eq", "ne"]), word()).prop_map(|(o, w)| Any(o, w)),
    ];
    leaf.prop_recursive(5, 40, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|i| Not(Box::new(i))),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| Both(Box::new(l), Box::new(r))),
            (inner.clone(), inner).prop_map(|(l, r)| Either(Box::new(l), Box::new(r))),
        ]
    })
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

/// With no more parentheses than `or` < `and` < `not` needs, so that the precedence is tried as well.
fn print(spoken: &Spoken, bound: u8) -> String {
    let (own, text) = match spoken {
        Compare(name, operator, word) => (2, format!("{name} {operator} {}", word.map_or("null".to_owned(), quoted))),
        Function(function, name, word) => (3, format!("{function}({name}, {})", quoted(word))),
        In(name, words) => {
            (3, format!("{name} in ({})", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(",")))
        }
        Any(operator, word) => (3, format!("proxyAddresses/any(p:p {operator} {})", quoted(word))),
        Not(inner) => (3, format!("not {}", print(inner, 3))),
        Both(left, right) => (1, format!("{} and {}", print(left, 1), print(right, 1))),
        Either(left, right) => (0, format!("{} or {}", print(left, 0), print(right, 0))),
    };
    if own < bound { format!("({text})") } else { text }
}

fn truth(spoken: &Spoken, group: &BTreeMap<&str, Option<&str>>, addresses: &[&str]) -> bool {
    let lower = |word: &str| word.to_lowercase();
    let value = |name: &str| group.get(name).copied().flatten().map(lower);
    let holds = |found: Option<String>, operator: &str, word: Option<String>| match (operator, found, word) {
        ("eq", found, word) => found == word,
        ("ne", found, word) => found != word,
        _ => false,
    };
    match spoken {
        Compare(name, operator, word) => holds(value(name), operator, word.map(lower)),
        Function("startswith", name, word) => value(name).is_some_and(|found| found.starts_with(&lower(word))),
        Function(_, name, word) => value(name).is_some_and(|found| found.ends_with(&lower(word))),
        In(name, words) => words.iter().any(|word| value(name) == Some(lower(word))),
        Any(operator, word) => addresses.iter().any(|found| holds(Some(lower(found)), operator, Some(lower(word)))),
        Not(inner) => !truth(inner, group, addresses),
        Both(left, right) => truth(left, group, addresses) & truth(right, group, addresses),
        Either(left, right) => truth(left, group, addresses) | truth(right, group, addresses),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_printed_expression_selects_what_its_truth_table_says(
        spoken in spoken(),
        values in proptest::array::uniform3(proptest::option::of(select(WORDS.to_vec()))),
        addresses in proptest::collection::vec(select(WORDS.to_vec()), 0..3),
    ) {
        let text = print(&spoken, 0);
        let group: BTreeMap<&str, Option<&str>> = NAMES.into_iter().zip(values).collect();
        let raw = |value: Value| RawValue::from_string(value.to_string()).unwrap();
        let mut row: BTreeMap<&str, Box<RawValue>> = group.iter().map(|(name, word)| (*name, raw((*word).into()))).collect();
        row.insert("proxyAddresses", raw(addresses.clone().into()));
        let filter = evaluable(&text);
        prop_assert_eq!(filter.matches(|name| row.get(name).map(|raw| &**raw)), truth(&spoken, &group, &addresses), "{}", text);
    }
}
