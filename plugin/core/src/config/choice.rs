//! Keys that hold one word of a few. Case counts; a word that is nearly right is answered with the one that was meant.

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::key::Shape;
use super::nearest::nearest;
use super::problems::Place;

/// An enum whose variants are words.
pub(super) trait Words: Copy + PartialEq + Sized + 'static {
    /// The words and what they mean.
    const WORDS: &'static [(&'static str, Self)];
}

/// One of the words of `W`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Choice<W>(pub(super) W);

impl<W: Words> Shape for Choice<W> {
    fn expected() -> String {
        let words: Vec<String> = W::WORDS.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        words.join(" or ")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let word = found.as_str();
        let chosen = W::WORDS.iter().find(|(known, _)| Some(*known) == word);
        if chosen.is_none() {
            let near = word.and_then(|word| nearest(word, W::WORDS.iter().map(|(known, _)| *known)));
            place.refuse_near(found, Self::expected(), near);
        }
        chosen.map(|(_, value)| Choice(*value))
    }

    fn schema() -> Schema {
        let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

impl<W: Words> Serialize for Choice<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let word = W::WORDS.iter().find(|(_, value)| *value == self.0).map(|(word, _)| *word);
        word.serialize(serializer)
    }
}
