//! A secret that can be recognised: inputs say `CANARY` where one belongs, and the word below takes its place.
//!
//! A fixed word would be learnt by the engine and written into places where it may be shown (names of keys). What
//! counts is where the input put the placeholder, so each target says which places those are.

use super::json::Json;
use crate::error::Error;

/// What inputs write.
const PLACEHOLDER: &str = "CANARY";
/// What the code under test sees: no input holds it, and no message does by chance.
const WORD: &str = "q7ZkVx93HcW2";
/// A part of it gives enough away.
const PART: usize = 6;

/// The input with the word in it; `None` where it holds none, or (an engine that learnt) the word itself.
pub(super) fn planted(text: &str) -> Option<String> {
    (text.contains(PLACEHOLDER) && !text.contains(&WORD[..PART])).then(|| text.replace(PLACEHOLDER, WORD))
}

/// Whether a part of the word shows.
pub(super) fn shows(text: &str) -> bool {
    text.contains(&WORD[..PART])
}

/// Whether a part of the word shows anywhere in an error.
pub(super) fn shows_in(error: &Error) -> bool {
    shows(&error.to_json().to_string()) || shows(&format!("{error:?}"))
}

/// Whether the word stands in a name of a member, at any depth.
pub(super) fn in_a_name(json: &Json) -> bool {
    match json {
        Json::List(items) => items.iter().any(in_a_name),
        Json::Object(members) => members.iter().any(|(name, value)| shows(name) || in_a_name(value)),
        _ => false,
    }
}

/// Whether the word stands in a text for which `fits` holds, at any depth.
pub(super) fn in_a_text(json: &Json, fits: &impl Fn(&str) -> bool) -> bool {
    match json {
        Json::Text(text) => shows(text) && fits(text),
        Json::List(items) => items.iter().any(|item| in_a_text(item, fits)),
        Json::Object(members) => members.iter().any(|(_, value)| in_a_text(value, fits)),
        _ => false,
    }
}
