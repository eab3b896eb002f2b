//! Keys that hold one word of a few.
//!
//! A word that a later version will take is told apart from one that none ever will: an operator who has read the
//! documentation of a newer version must not hunt for a typing error.

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::key::Shape;
use super::nearest::nearest;
use super::problems::Place;

/// An enum whose variants are words.
pub(super) trait Words: Copy + PartialEq + Sized + 'static {
    /// Words this version takes.
    const NOW: &'static [(&'static str, Self)];
    /// Words a later version will take.
    const LATER: &'static [&'static str];
}

/// One of the words of `W`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Choice<W>(pub(super) W);

impl<W: Words> Shape for Choice<W> {
    fn expected() -> String {
        let words: Vec<String> = W::NOW.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        words.join(" or ")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let word = found.as_str();
        let chosen = W::NOW.iter().find(|(known, _)| Some(*known) == word);
        if chosen.is_none() {
            let later = word.filter(|word| W::LATER.contains(word));
            let suffix = later.map_or(String::new(), |word| format!(" (\"{word}\" is not in this version)"));
            let near =
                word.filter(|_| later.is_none()).and_then(|word| nearest(word, W::NOW.iter().map(|(known, _)| *known)));
            place.refuse_near(found, Self::expected() + &suffix, near);
        }
        chosen.map(|(_, value)| Choice(*value))
    }

    fn schema() -> Schema {
        let words: Vec<&str> = W::NOW.iter().map(|(word, _)| *word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

impl<W: Words> Serialize for Choice<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = W::NOW.iter().find(|(_, value)| *value == self.0).map(|(word, _)| *word);
        word.serialize(serializer)
    }
}
