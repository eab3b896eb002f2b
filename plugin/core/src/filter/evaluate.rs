//! Whether a row passes a test.
//!
//! Texts compare without case, as Graph compares them; accents and width count. Texts have no order here: `bind.rs`
//! leaves `gt`, `ge`, `lt` and `le` of texts to Graph. Logic has two values, not SQL's three: a comparison with null is
//! false, `ne` and `not` of it are true, and so `mail ne 'x'` selects groups without a mail address.

use std::cmp::Ordering;

use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use super::expression::Operator;
use super::literal::{Literal, folded};
use super::moment::Moment;

/// A filter that can be evaluated; its texts are folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Or(Vec<Test>),
    And(Vec<Test>),
    Not(Box<Test>),
    Compare(Subject, Operator, Literal),
    In(Subject, Vec<Literal>),
    StartsWith(Subject, String),
    EndsWith(Subject, String),
    /// Of a property, by its number: an item passes; without a test: there is one.
    Any(usize, Option<Box<Test>>),
}

/// What a comparison is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A property, by its number.
    Property(usize),
    /// The item of the `any` around it.
    Item,
}

/// The values that a filter asks about, in the order of its properties; texts folded.
pub(super) struct Row(Vec<Value>);

impl Row {
    pub(super) fn read<'v>(properties: &[String], value_of: impl Fn(&str) -> Option<&'v RawValue>) -> Row {
        // What cannot be decoded is no value that a filter can name, and not null either.
        let decode = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or_else(|_| Value::Object(Map::new()));
        Row(properties.iter().map(|name| value_of(name).map_or(Value::Null, |raw| fold(decode(raw)))).collect())
    }
}

fn fold(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(folded(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(fold).collect()),
        other => other,
    }
}

impl Test {
    pub(super) fn holds(&self, row: &Row, item: Option<&Value>) -> bool {
        let value = |subject: &Subject| match subject {
            Subject::Property(index) => row.0.get(*index).unwrap_or(&Value::Null),
            Subject::Item => item.unwrap_or(&Value::Null),
        };
        match self {
            Test::Or(parts) => parts.iter().any(|part| part.holds(row, item)),
            Test::And(parts) => parts.iter().all(|part| part.holds(row, item)),
            Test::Not(inner) => !inner.holds(row, item),
            Test::Compare(subject, operator, literal) => compare(value(subject), *operator, literal),
            Test::In(subject, literals) => literals.iter().any(|literal| equal(value(subject), literal)),
            Test::StartsWith(subject, start) => value(subject).as_str().is_some_and(|text| text.starts_with(start)),
            Test::EndsWith(subject, end) => value(subject).as_str().is_some_and(|text| text.ends_with(end)),
            Test::Any(index, inner) => {
                let items = row.0.get(*index).and_then(Value::as_array);
                items.is_some_and(|items| {
                    items.iter().any(|item| inner.as_ref().is_none_or(|inner| inner.holds(row, Some(item))))
                })
            }
        }
    }
}

fn compare(found: &Value, operator: Operator, literal: &Literal) -> bool {
    let ordered = |fits: fn(Ordering) -> bool| order(found, literal).is_some_and(fits);
    match operator {
        Operator::Eq => equal(found, literal),
        Operator::Ne => !equal(found, literal),
        Operator::Gt => ordered(Ordering::is_gt),
        Operator::Ge => ordered(Ordering::is_ge),
        Operator::Lt => ordered(Ordering::is_lt),
        Operator::Le => ordered(Ordering::is_le),
    }
}

fn equal(found: &Value, literal: &Literal) -> bool {
    match (found, literal) {
        (Value::Null, Literal::Null) => true,
        (Value::Bool(found), Literal::Flag(literal)) => found == literal,
        (Value::String(found), Literal::Text(literal)) => found == literal,
        _ => order(found, literal) == Some(Ordering::Equal),
    }
}

/// `None` where two values have no order: null, texts, or different types.
fn order(found: &Value, literal: &Literal) -> Option<Ordering> {
    match (found, literal) {
        (Value::String(found), Literal::Moment(literal)) => Some(Moment::of(found)?.cmp(literal)),
        (Value::Number(found), Literal::Number(literal)) => order_of_numbers(found, literal),
        _ => None,
    }
}

fn order_of_numbers(found: &Number, literal: &Number) -> Option<Ordering> {
    // Large whole numbers differ in digits that a float does not have.
    match (found.as_i64(), literal.as_i64()) {
        (Some(found), Some(literal)) => Some(found.cmp(&literal)),
        _ => found.as_f64()?.partial_cmp(&literal.as_f64()?),
    }
}
