//! The answer to a `$batch`, item by item, borrowed from the body.
//!
//! Loose on purpose: one odd item must not cost the other nineteen. Nothing of it is turned into a tree of values,
//! which would take fifty times the memory of its text: members that are not read stay text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Items of one answer at most: as many answers to nothing as there are real ones. A body with more is no answer to a
/// batch.
const MOST_ITEMS: usize = 40;

/// The headers that are looked at.
const HEADERS: [&str; 5] =
    ["retry-after", "request-id", "www-authenticate", "x-ms-resource-unit", "x-ms-throttle-limit-percentage"];

/// A text that stays in the body unless an escape has to be decoded.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The whole answer.
#[derive(Deserialize)]
pub(super) struct Answers<'a> {
    #[serde(borrow)]
    pub(super) responses: Items<'a>,
}

/// Its items, in the order they came.
pub(super) struct Items<'a>(pub(super) Vec<ItemAnswer<'a>>);

/// The answer to one request of the batch.
#[derive(Deserialize)]
pub(super) struct ItemAnswer<'a> {
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    status: Option<&'a RawValue>,
    #[serde(default, borrow)]
    headers: Headers<'a>,
    #[serde(default, borrow)]
    pub(super) body: Option<&'a RawValue>,
}

impl ItemAnswer<'_> {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The place in the batch that its id names, as a text or a number.
    pub(super) fn place(&self, of: usize) -> Option<usize> {
        let id = self.id?.get();
        let number: usize = if id.starts_with('"') {
            serde_json::from_str::<Text<'_>>(id).ok()?.0.trim().parse().ok()?
        } else {
            id.parse().ok()?
        };
        (1..=of).contains(&number).then(|| number - 1)
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.status?.get().parse().ok()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Items<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of answers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Items<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            if items.len() == MOST_ITEMS {
                return Err(A::Error::custom(format_args!("more than {MOST_ITEMS} answers in a batch")));
            }
            items.push(item);
        }
        Ok(Items(items))
    }
}

/// Those of [`HEADERS`] that are there, as text; the first of each name.
#[derive(Default)]
struct Headers<'a>(Vec<(&'static str, Cow<'a, str>)>);

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers: an object of texts, or null")
    }

    fn visit_unit<E>(self) -> Result<Headers<'de>, E> {
        Ok(Headers::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers<'de>, A::Error> {
        let mut headers = Headers::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let name = HEADERS.iter().find(|name| name.eq_ignore_ascii_case(&key.0));
            match name.filter(|name| headers.0.iter().all(|(known, _)| known != *name)) {
                Some(name) => {
                    let value: &RawValue = map.next_value()?;
                    // A value that is no text is no header.
                    if let Ok(text) = serde_json::from_str::<Text<'de>>(value.get()) {
                        headers.0.push((name, text.0));
                    }
                }
                None => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(headers)
    }
}
