//! Documents made from a schema: fitting ones, spoilt ones, and ones that never fitted.
//!
//! Only the keywords that our schemas use are understood. A value "spoilt" by one step may still fit; the schema
//! decides.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::string::string_regex;
use serde_json::{Map, Value, json};

use super::odd::odd;

/// A document: half of them with every key that is there fitting, the others with one or two that may not.
pub(super) fn document(schema: &Value) -> BoxedStrategy<Value> {
    let required: Vec<String> = schema["required"].as_array().unwrap().iter().map(text).collect();
    let properties: Vec<(String, Value)> =
        schema["properties"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let free = properties.iter().map(|(key, property)| member(key, property, required.contains(key))).collect();
    let mut wholes = vec![(1, whole(free))];
    for condition in schema["allOf"].as_array().into_iter().flatten() {
        let bound = properties
            .iter()
            .map(|(key, property)| bound_member(key, property, required.contains(key), condition))
            .collect();
        wholes.push((3, whole(bound)));
    }
    let whole = proptest::strategy::Union::new_weighted(wholes);
    let damage = select(properties).prop_flat_map(|(key, property)| {
        prop_oneof![
            6 => spoilt(&property).prop_map({ let key = key.clone(); move |value| (key.clone(), Some(value)) }),
            1 => Just((key.clone(), None)),
            1 => misspelt(&key).prop_map(|key| (key, Some(json!(null)))),
        ]
    });
    let damages = prop_oneof![Just(Vec::new()).boxed(), vec(damage, 1..3).boxed()];
    let object = (whole, damages).prop_map(|(mut document, damages)| {
        for (key, value) in damages {
            match value {
                Some(value) => drop(document.insert(key, value)),
                None => drop(document.remove(&key)),
            }
        }
        Value::Object(document)
    });
    prop_oneof![40 => object, 1 => junk()].boxed()
}

type Member = BoxedStrategy<Option<(String, Value)>>;

fn whole(members: Vec<Member>) -> BoxedStrategy<Map<String, Value>> {
    members.prop_map(|members| members.into_iter().flatten().collect()).boxed()
}

/// A key as one of the schema's conditions wants it. Of two keys that exclude each other chance decides, so that half
/// of such documents have both or neither.
fn bound_member(key: &str, property: &Value, required: bool, condition: &Value) -> Member {
    let named = key.to_owned();
    let (constant, then) = (&condition["if"]["properties"][key]["const"], &condition["then"]);
    if !constant.is_null() {
        return Just(Some((named, constant.clone()))).boxed();
    }
    let bound = &then["properties"][key];
    let needed = required || then["required"].as_array().is_some_and(|required| required.contains(&json!(key)));
    let in_two = then["allOf"].to_string().contains(&format!("{key:?}"));
    let filled = fitting(property.get("anyOf").map_or(property, |branches| &branches[0]));
    let there = filled.prop_map({
        let key = named.clone();
        move |value| Some((key.clone(), value))
    });
    if needed {
        there.boxed()
    } else if bound["type"] == "null" {
        prop_oneof![3 => Just(None), 1 => Just(Some((named, Value::Null)))].boxed()
    } else if !bound["not"].is_null() {
        // Most values of such a key do not fit beside the constant, and a document has several of them.
        prop_oneof![9 => Just(None), 1 => there].boxed()
    } else if in_two {
        prop_oneof![Just(None), there].boxed()
    } else {
        member(key, property, false)
    }
}

fn member(key: &str, property: &Value, required: bool) -> Member {
    let key = key.to_owned();
    let there = fitting(property).prop_map(move |value| Some((key.clone(), value)));
    if required { there.boxed() } else { prop_oneof![Just(None), there].boxed() }
}

/// Values that a schema of ours describes; its `not` may still refuse one.
pub(super) fn fitting(schema: &Value) -> BoxedStrategy<Value> {
    if let Some(choices) = schema["enum"].as_array() {
        return select(choices.clone()).boxed();
    }
    if let Some(branches) = schema["anyOf"].as_array() {
        return proptest::strategy::Union::new(branches.iter().map(fitting)).boxed();
    }
    match schema["type"].as_str() {
        Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
        Some("null") => Just(Value::Null).boxed(),
        Some("integer") => {
            let [min, max] =
                ["minimum", "maximum"].map(|limit| u32::try_from(schema[limit].as_u64().unwrap()).unwrap());
            let whole = prop_oneof![Just(min), Just(max), min..=max];
            // The same number in its other spelling.
            (whole, any::<bool>()).prop_map(|(n, float)| if float { json!(f64::from(n)) } else { json!(n) }).boxed()
        }
        Some("number") => {
            let (min, max) = (schema["minimum"].as_f64().unwrap(), schema["maximum"].as_f64().unwrap());
            prop_oneof![Just(min), Just(max), min..=max].prop_map(Value::from).boxed()
        }
        Some("array") => vec(fitting(&schema["items"]), 0..4).prop_map(Value::from).boxed(),
        // What a pattern cannot say, the schema shows by examples.
        Some("string") if schema["examples"].is_array() => {
            let examples = select(schema["examples"].as_array().unwrap().clone());
            prop_oneof![4 => examples, 1 => fitting_text(schema).prop_map(Value::from)].boxed()
        }
        // A string, or the branch of one: `items` put the type beside their `anyOf`.
        _ => fitting_text(schema).prop_map(Value::from).boxed(),
    }
}

fn fitting_text(schema: &Value) -> BoxedStrategy<String> {
    let Some(pattern) = schema["pattern"].as_str() else { return "[ -~]{1,20}".boxed() };
    let (start, end) = (pattern.starts_with('^'), pattern.ends_with('$'));
    let body = string_regex(pattern.trim_start_matches('^').trim_end_matches('$')).unwrap();
    // An open end takes anything.
    let before = if start { Just(String::new()).boxed() } else { "[ -~ü]{0,5}".boxed() };
    let after = if end { Just(String::new()).boxed() } else { "[ -~ü]{0,12}".boxed() };
    (before, body, after).prop_map(|(before, body, after)| before + &body + &after).boxed()
}

/// Values one step off, and values that never fitted.
pub(super) fn spoilt(schema: &Value) -> BoxedStrategy<Value> {
    let fitting = fitting(schema);
    prop_oneof![
        4 => (fitting.clone(), any::<Index>(), step()).prop_map(|(value, at, step)| spoil(value, at, &step)),
        1 => select(odd()),
        1 => junk(),
        1 => fitting.prop_map(|value| json!([value])),
    ]
    .boxed()
}

#[derive(Debug, Clone)]
enum Step {
    Insert(char),
    Remove,
    Upper,
    Append(&'static str),
    Prepend(&'static str),
    AsText,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        select("aZ09-_.:/@ \n\t{}[]xn~%#?\u{0}\u{7f}\u{85}\u{feff}ü".chars().collect::<Vec<_>>())
            .prop_map(Step::Insert),
        Just(Step::Remove),
        Just(Step::Upper),
        select(vec!["\n", " ", "/", ":443", ":0", ":65536", ".", "/v1.0", "\u{0}"]).prop_map(Step::Append),
        select(vec![" ", "http://", "xn--", "user@", "secret://", "-", "{"]).prop_map(Step::Prepend),
        Just(Step::AsText),
    ]
}

fn spoil(value: Value, at: Index, step: &Step) -> Value {
    match value {
        Value::String(text) => {
            let mut letters: Vec<char> = text.chars().collect();
            let at = at.index(letters.len() + 1);
            match step {
                Step::Insert(letter) => letters.insert(at, *letter),
                Step::Remove if at < letters.len() => drop(letters.remove(at)),
                Step::Upper => return text.to_uppercase().into(),
                Step::Append(end) => return (text + end).into(),
                Step::Prepend(start) => return (start.to_string() + &text).into(),
                Step::Remove | Step::AsText => return text.to_lowercase().into(),
            }
            letters.into_iter().collect::<String>().into()
        }
        Value::Number(number) => match step {
            Step::AsText => number.to_string().into(),
            Step::Remove => json!(number.as_f64().unwrap() - 1.0),
            Step::Upper => json!(number.as_f64().unwrap() + 0.5),
            _ => json!(number.as_f64().unwrap() + 1.0),
        },
        Value::Array(mut items) if !items.is_empty() => {
            let index = at.index(items.len());
            items[index] = spoil(items[index].take(), at, step);
            Value::Array(items)
        }
        other => Value::String(other.to_string()),
    }
}

fn junk() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!({})),
        Just(json!([])),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
    ]
}

fn misspelt(key: &str) -> BoxedStrategy<String> {
    let lower = key.to_lowercase();
    prop_oneof![Just(lower), Just(format!("{key} ")), "[A-Za-z]{0,10}".boxed()].boxed()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
