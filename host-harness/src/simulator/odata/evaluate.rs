//! Whether an object matches a filter that was judged acceptable.
//!
//! Strings compare without case; their order is the tenant's ([`TextOrder`]). Logic has two values: a comparison with a
//! missing value is false, and its negation true.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Filter, Operator, TextOrder};

/// Evaluate; `value` gives the object's property by name.
pub(crate) fn holds(filter: &Filter, order: TextOrder, value: &dyn Fn(&str) -> Value) -> bool {
    match filter {
        Filter::And(left, right) => holds(left, order, value) && holds(right, order, value),
        Filter::Or(left, right) => holds(left, order, value) || holds(right, order, value),
        Filter::Not(inner) => !holds(inner, order, value),
        Filter::Compare { path, operator, literal } => compare(&follow(path, value), *operator, literal, order),
        Filter::In { path, literals } => {
            let found = follow(path, value);
            literals.iter().any(|literal| compare(&found, Operator::Eq, literal, order))
        }
        Filter::Any { path, inner, .. } => match follow(path, value) {
            Value::Array(items) => items.iter().any(|item| holds(inner, order, &|_| item.clone())),
            _ => false,
        },
        Filter::AnyAtAll { path } => length(&follow(path, value)) > 0,
        Filter::Count { path, operator, number } => ordered(length(&follow(path, value)).cmp(number), *operator),
    }
}

/// `name` or `name/member`.
fn follow(path: &str, value: &dyn Fn(&str) -> Value) -> Value {
    let mut segments = path.split('/');
    let head = value(segments.next().unwrap_or(path));
    segments.fold(head, |found, segment| found.get(segment).cloned().unwrap_or(Value::Null))
}

fn length(value: &Value) -> u64 {
    value.as_array().map_or(0, |items| items.len() as u64)
}

fn compare(found: &Value, operator: Operator, literal: &Value, order: TextOrder) -> bool {
    match (operator, found, literal) {
        (Operator::Ne, _, _) => !compare(found, Operator::Eq, literal, order),
        (Operator::Eq, Value::String(found), Value::String(literal)) => folded(found) == folded(literal),
        (Operator::Eq, _, _) => found == literal,
        (Operator::StartsWith, Value::String(found), Value::String(literal)) => {
            folded(found).starts_with(&folded(literal))
        }
        (Operator::EndsWith, Value::String(found), Value::String(literal)) => folded(found).ends_with(&folded(literal)),
        (Operator::Contains, Value::String(found), Value::String(literal)) => folded(found).contains(&folded(literal)),
        (_, Value::String(found), Value::String(literal)) => {
            ordered(order.key(found).cmp(&order.key(literal)), operator)
        }
        _ => false,
    }
}

fn folded(text: &str) -> String {
    text.to_lowercase()
}

fn ordered(order: Ordering, operator: Operator) -> bool {
    match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Ge => order.is_ge(),
        Operator::Le => order.is_le(),
        Operator::Gt => order.is_gt(),
        Operator::Lt => order.is_lt(),
        Operator::StartsWith | Operator::EndsWith | Operator::Contains => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn filters_mean_what_they_say() {
        let group = json!({
            "displayName": "SEC-Finance", "mail": null, "securityEnabled": true, "groupTypes": ["Unified"],
            "onPremisesSyncEnabled": null, "id": "A1"
        });
        let cases = [
            ("startswith(displayName,'sec-')", true),
            ("displayName eq 'sec-finance'", true),
            ("displayName ge 'SEC' and displayName le 'SED'", true),
            ("mail eq null", true),
            ("mail ne 'x'", true),
            ("not(mail eq 'x')", true),
            ("startswith(mail,'x')", false),
            ("onPremisesSyncEnabled ne true", true),
            ("groupTypes/any(c:c eq 'unified')", true),
            ("not groupTypes/any(c:c eq 'Unified') or securityEnabled eq false", false),
            ("id in ('b2','a1')", true),
            ("endswith(displayName,'NANCE')", true),
        ];
        for (filter, expected) in cases {
            let value = |name: &str| group.get(name).cloned().unwrap_or(Value::Null);
            assert_eq!(holds(&parse(filter).unwrap(), TextOrder::OrdinalLower, &value), expected, "{filter}");
        }
    }
}
