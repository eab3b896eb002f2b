//! Group filters as this test understands them: a handful of shapes, printed as OData, evaluated on the truth.
//!
//! Written from the words of Graph's documentation and not from the connector's or the simulator's parser, which is the
//! point: three readings have to agree. Strings compare without case; logic has two values, so a comparison with a
//! missing value is false and `ne` and `not` turn that into true.

use std::fmt;

use host_harness::simulator::TruthObject;
use proptest::prelude::*;
use serde_json::Value;

/// A filter on groups.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Is(&'static str, bool),
    Compare(&'static str, Comparator, String),
    In(&'static str, Vec<String>),
    Null(&'static str),
    NotNull(&'static str),
    HasType(&'static str),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

/// Of texts. Their order is Graph's alone: such a filter reads groups as a list, which `traps::filter` tries.
#[derive(Debug, Clone, Copy)]
pub(super) enum Comparator {
    StartsWith,
    EndsWith,
    Equal,
    NotEqual,
}

impl Filter {
    /// Whether a group is in scope.
    pub(super) fn keeps(&self, group: &TruthObject) -> bool {
        let value = |name: &str| group.attributes.get(name).filter(|value| !value.is_null());
        let text = |name: &str| value(name).and_then(Value::as_str).map(str::to_lowercase);
        match self {
            Filter::Is(name, flag) => value(name) == Some(&Value::Bool(*flag)),
            Filter::Compare(name, comparator, literal) => comparator.holds(text(name), &literal.to_lowercase()),
            Filter::In(name, literals) => {
                text(name).is_some_and(|text| literals.iter().any(|literal| literal.to_lowercase() == text))
            }
            Filter::Null(name) => value(name).is_none(),
            Filter::NotNull(name) => value(name).is_some(),
            Filter::HasType(name) => value("groupTypes")
                .and_then(Value::as_array)
                .is_some_and(|types| types.iter().any(|it| it.as_str() == Some(name))),
            Filter::Not(inner) => !inner.keeps(group),
            Filter::And(left, right) => left.keeps(group) && right.keeps(group),
            Filter::Or(left, right) => left.keeps(group) || right.keeps(group),
        }
    }

    /// The shapes in it, for counting.
    pub(super) fn shapes(&self) -> Vec<&'static str> {
        match self {
            Filter::Is(..) => vec!["flag"],
            Filter::Compare(_, Comparator::StartsWith, _) => vec!["startswith"],
            Filter::Compare(_, Comparator::EndsWith, _) => vec!["endswith"],
            Filter::Compare(_, Comparator::Equal, _) => vec!["eq"],
            Filter::Compare(_, Comparator::NotEqual, _) => vec!["ne"],
            Filter::In(..) => vec!["in"],
            Filter::Null(_) | Filter::NotNull(_) => vec!["null"],
            Filter::HasType(_) => vec!["any"],
            Filter::Not(inner) => [vec!["not"], inner.shapes()].concat(),
            Filter::And(left, right) => [vec!["and"], left.shapes(), right.shapes()].concat(),
            Filter::Or(left, right) => [vec!["or"], left.shapes(), right.shapes()].concat(),
        }
    }
}

/// Every shape.
pub(super) const SHAPES: [&str; 11] =
    ["flag", "startswith", "endswith", "eq", "ne", "in", "null", "any", "not", "and", "or"];

impl Comparator {
    fn holds(self, found: Option<String>, literal: &str) -> bool {
        match (self, found) {
            (Comparator::NotEqual, found) => found.as_deref() != Some(literal),
            (_, None) => false,
            (Comparator::StartsWith, Some(found)) => found.starts_with(literal),
            (Comparator::EndsWith, Some(found)) => found.ends_with(literal),
            (Comparator::Equal, Some(found)) => found == literal,
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Filter::Is(name, flag) => write!(f, "{name} eq {flag}"),
            Filter::Compare(name, comparator, literal) => {
                let literal = quoted(literal);
                match comparator {
                    Comparator::StartsWith => write!(f, "startswith({name},{literal})"),
                    Comparator::EndsWith => write!(f, "endswith({name}, {literal})"),
                    Comparator::Equal => write!(f, "{name} eq {literal}"),
                    Comparator::NotEqual => write!(f, "{name} ne {literal}"),
                }
            }
            Filter::In(name, literals) => {
                let literals: Vec<String> = literals.iter().map(|literal| quoted(literal)).collect();
                write!(f, "{name} in ({})", literals.join(", "))
            }
            Filter::Null(name) => write!(f, "{name} eq null"),
            Filter::NotNull(name) => write!(f, "{name} ne null"),
            Filter::HasType(name) => write!(f, "groupTypes/any(c:c eq {})", quoted(name)),
            Filter::Not(inner) => write!(f, "not({inner})"),
            Filter::And(left, right) => write!(f, "({left}) and ({right})"),
            Filter::Or(left, right) => write!(f, "({left}) or ({right})"),
        }
    }
}

/// Filters that Graph accepts as an advanced query, most of them with something in scope and something out of it.
pub(super) fn filters() -> impl Strategy<Value = Filter> {
    // The names that base groups and scripts have; some in another case, some with a quote.
    let name = prop::sample::select(vec!["SEC-", "sec-", "Team", "RENAMED", "DYN-", "D", "SEC-Renamed-5", "O'", "新"]);
    let leaf = prop_oneof![
        4 => name.prop_map(|it| Filter::Compare("displayName", Comparator::StartsWith, it.to_owned())),
        1 => (0..20_u32).prop_map(|n| Filter::Compare("mail", Comparator::EndsWith, format!("{n}@contoso.onmicrosoft.com"))),
        1 => (0..20_u32).prop_map(|n| Filter::Compare("mailNickname", Comparator::Equal, format!("GROUP{n}"))),
        1 => (0..20_u32).prop_map(|n| Filter::Compare("mailNickname", Comparator::NotEqual, format!("group{n}"))),
        1 => prop::collection::vec(0..20_u32, 1..4)
            .prop_map(|them| Filter::In("mailNickname", them.iter().map(|n| format!("Group{n}")).collect())),
        2 => (prop::sample::select(vec!["securityEnabled", "mailEnabled"]), any::<bool>())
            .prop_map(|(name, flag)| Filter::Is(name, flag)),
        1 => any::<bool>().prop_map(|null| if null { Filter::Null("mail") } else { Filter::NotNull("mail") }),
        1 => prop::sample::select(vec!["Unified", "DynamicMembership"]).prop_map(Filter::HasType),
    ];
    let tree = leaf.clone().prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| Filter::Not(Box::new(it))),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| Filter::And(Box::new(left), Box::new(right))),
            (inner.clone(), inner).prop_map(|(left, right)| Filter::Or(Box::new(left), Box::new(right))),
        ]
    });
    // The smallest first: most filters that operators write are one comparison.
    prop_oneof![leaf, tree]
}

#[test]
fn a_filter_prints_what_it_means() {
    let filter = Filter::Not(Box::new(Filter::And(
        Box::new(Filter::Compare("displayName", Comparator::StartsWith, "O'".to_owned())),
        Box::new(Filter::Null("mail")),
    )));
    assert_eq!(filter.to_string(), "not((startswith(displayName,'O''')) and (mail eq null))");
    let group = |value: Value| TruthObject { id: "1".to_owned(), attributes: value.as_object().unwrap().clone() };
    assert!(!filter.keeps(&group(serde_json::json!({"displayName": "o'neill", "mail": null}))));
    assert!(filter.keeps(&group(serde_json::json!({"displayName": "o'neill", "mail": "o@n.example"}))));
}
