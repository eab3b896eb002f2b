//! One document's members on their way into typed keys, with the mistakes that no single key can see: missing, unknown
//! and repeated ones, and references that the host left unresolved.
//!
//! The order of calls is the order of the mistakes: first each key as the schema lists them, then [`Fields::finish`].

use serde_json::Value;

use super::key::Shape;
use super::nearest::nearest;
use super::problems::{Place, Problems, cut, type_of};
use super::text::{self, Members, Text};
use crate::error::Document;

const REFERENCE: &str = "secret://";

/// The members that no key has asked for yet, and the mistakes so far.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    members: Members,
    taken: Vec<bool>,
    problems: &'a mut Problems,
}

impl<'a> Fields<'a> {
    /// Reads a text; `None` when it holds no object, which is then the only mistake told.
    pub(super) fn open(text: &str, problems: &'a mut Problems) -> Option<Fields<'a>> {
        match text::read(text) {
            Text::Object(members) => Some(Fields { taken: vec![false; members.0.len()], members, problems }),
            Text::Other(found) => {
                problems.whole().report(found, "a JSON object", None);
                None
            }
            Text::Malformed(what) => {
                problems.whole().report(what, "well-formed JSON", None);
                None
            }
        }
    }

    /// The value of a key, untouched.
    pub(super) fn peek(&self, key: &str) -> Option<&Value> {
        self.members.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key that must be there; `None` when it was refused.
    pub(super) fn required<T: Shape>(&mut self, key: &'static str) -> Option<T> {
        let Some(index) = self.take(key) else {
            self.problems.key(key).report("nothing", T::expected(), None);
            return None;
        };
        self.shape(key, index)
    }

    /// The value of a key that has a default, which also stands in for a refused value, so that the checks go on.
    pub(super) fn optional<T: Shape + Default>(&mut self, key: &'static str) -> T {
        self.take(key).and_then(|index| self.shape(key, index)).unwrap_or_default()
    }

    /// The value of a key that is read by `read` and not by its type; `None` where it is absent or was refused.
    pub(super) fn optional_by<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Value, &mut Place<'_>) -> Option<T>,
    ) -> Option<T> {
        let index = self.take(key)?;
        self.read(key, index, read)
    }

    /// A key that another one makes necessary is not there.
    pub(super) fn missing(&mut self, key: &'static str, expected: String) {
        self.problems.key(key).report("nothing", expected, None);
    }

    /// Refuses a key that another one leaves no use for; null is as good as absent.
    pub(super) fn unwanted(&mut self, key: &'static str, found: String, expected: String) {
        if self.take(key).is_some_and(|index| !self.members.0[index].1.is_null()) {
            self.problems.key(key).report(found, expected, None);
        }
    }

    /// The first member of this name; repeated ones are refused.
    fn take(&mut self, key: &str) -> Option<usize> {
        let mut first = None;
        let mut count = 0;
        for (index, _) in self.members.0.iter().enumerate().filter(|(_, (name, _))| name == key) {
            first = first.or(Some(index));
            self.taken[index] = true;
            count += 1;
        }
        if count > 1 {
            self.problems.key(key).report(format!("the key {count} times"), "the key once", None);
        }
        first
    }

    fn shape<T: Shape>(&mut self, key: &str, index: usize) -> Option<T> {
        self.read(key, index, T::read)
    }

    fn read<T>(
        &mut self,
        key: &str,
        index: usize,
        read: impl FnOnce(&Value, &mut Place<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = &self.members.0[index].1;
        let reference = value.as_str().filter(|text| is_reference(text));
        match reference.filter(|_| self.problems.document() == Document::Auth) {
            Some(reference) => {
                // The reference is a name, not a secret, and the operator needs it to find the missing one.
                let found = format!("the unresolved reference {}", cut(reference));
                let expected = "the value itself: the host resolves secret:// references before it calls the connector";
                self.problems.key(key).report(found, expected, None);
                None
            }
            None => read(value, &mut self.problems.key(key)),
        }
    }

    /// Refuses what is left: keys that `known` does not list.
    pub(super) fn finish(self, known: &[&'static str], elsewhere: &[&'static str]) {
        let left = self.members.0.iter().zip(&self.taken).filter(|(_, taken)| !**taken);
        for ((key, value), _) in left {
            // Its value may be a secret in the wrong document: only its type is told.
            let found = format!("an unknown key with {}", type_of(value));
            if elsewhere.contains(&key.as_str()) {
                let other = if self.problems.document() == Document::Auth { "ConfigJson" } else { "AuthJson" };
                self.problems.key(key).report(found, format!("this key in {other}"), None);
            } else {
                // Only for those that are listed: a hostile text can hold a million of them.
                let near = if self.problems.is_full() { None } else { nearest(key, known.iter().copied()) };
                self.problems.key(key).report(found, "a key that the document's schema lists", near);
            }
        }
    }
}

/// Whether the host should have replaced this string.
pub(super) fn is_reference(text: &str) -> bool {
    text.get(..REFERENCE.len()).is_some_and(|start| start.eq_ignore_ascii_case(REFERENCE))
}
