//! One attribute value: Graph's JSON → the record's JSON, written straight behind what the record holds already.
//!
//! Scalars pass as the bytes they came in. Strings with escapes are decoded once, because Graph's escapes may hold a
//! lone surrogate that no host can read; arrays are written anew, because white space in them could break the line.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::record::write_text;
use crate::model::Text;

/// Neither a scalar nor an array of strings, or text that cannot be decoded. Nothing was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unexpected;

/// Writes a scalar as it is, an array of strings as a JSON array.
pub(super) fn plain(raw: &RawValue, out: &mut Vec<u8>) -> Result<(), Unexpected> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') if text.contains('\\') => written(out, |out| read(text).deserialize_str(OneText { out })),
        Some(b'[') => written(out, |out| read(text).deserialize_seq(Texts { out, joined: false })),
        Some(b'{') | None => Err(Unexpected),
        // `1e999` is JSON by its grammar, and more than most parsers of hosts take.
        Some(b'-' | b'0'..=b'9') if serde_json::from_str::<f64>(text).is_err() => Err(Unexpected),
        Some(_) => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
}

/// Writes an array of strings as one string with commas, no space; empty is null.
pub(super) fn joined(raw: &RawValue, out: &mut Vec<u8>) -> Result<(), Unexpected> {
    match raw.get() {
        null @ "null" => {
            out.extend_from_slice(null.as_bytes());
            Ok(())
        }
        text => written(out, |out| read(text).deserialize_seq(Texts { out, joined: true })),
    }
}

/// A scalar string's text, for an external id.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Option<Text<'_>>>(raw.get()).ok().flatten().map(|text| text.0)
}

fn read(text: &str) -> serde_json::Deserializer<serde_json::de::StrRead<'_>> {
    serde_json::Deserializer::from_str(text)
}

/// Takes back what was written before it went wrong.
fn written(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Result<(), Unexpected> {
    let start = out.len();
    write(out).map_err(|_| {
        out.truncate(start);
        Unexpected
    })
}

/// Decodes a string and writes it anew.
struct OneText<'o> {
    out: &'o mut Vec<u8>,
}

impl Visitor<'_> for OneText<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        write_text(self.out, text);
        Ok(())
    }
}
/// Writes the strings of an array, as an array or as one string.
struct Texts<'o> {
    out: &'o mut Vec<u8>,
    joined: bool,
}

impl<'de> Visitor<'de> for Texts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of strings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Texts { out, joined } = self;
        if !joined {
            out.push(b'[');
        }
        let mut first = true;
        while items.next_element_seed(Item { out: &mut *out, joined, first })?.is_some() {
            first = false;
        }
        match joined {
            false => out.push(b']'),
            true if first => out.extend_from_slice(b"null"),
            true => {}
        }
        Ok(())
    }
}

/// Writes one of them.
struct Item<'o> {
    out: &'o mut Vec<u8>,
    joined: bool,
    first: bool,
}

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Item<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        let Item { out, joined, first } = self;
        match (first, joined) {
            (true, _) => write_text(out, text),
            (false, false) => {
                out.push(b',');
                write_text(out, text);
            }
            // `"a"` and `"b"` become `"a,b"`: the comma takes the place of the quotes between them.
            (false, true) => {
                out.pop();
                let quote = out.len();
                write_text(out, text);
                out[quote] = b',';
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn through(map: fn(&RawValue, &mut Vec<u8>) -> Result<(), Unexpected>, json: &str) -> Option<String> {
        let mut out = b"before ".to_vec();
        let mapped = map(&raw(json), &mut out);
        let text = String::from_utf8(out).unwrap();
        let written = text.strip_prefix("before ").expect("what was there stays");
        assert!(mapped.is_ok() || written.is_empty(), "{json} left {written} behind");
        mapped.is_ok().then(|| written.to_owned())
    }

    #[test]
    fn arrays_join_with_commas_and_without_spaces() {
        assert_eq!(through(joined, r#"["+1 425, ext. 3", "+49"]"#).as_deref(), Some(r#""+1 425, ext. 3,+49""#));
        assert_eq!(through(joined, r#"["a\"", "", "\u000a"]"#).as_deref(), Some(r#""a\",,\n""#));
        assert_eq!(through(joined, r#"[""]"#).as_deref(), Some(r#""""#));
        assert_eq!(through(joined, "[]").as_deref(), Some("null"));
        assert_eq!(through(joined, "null").as_deref(), Some("null"));
        assert_eq!(through(joined, "7").as_deref(), None);
        assert_eq!(through(joined, r#"["a", null]"#).as_deref(), None);
    }

    #[test]
    fn scalars_pass_and_string_arrays_stay_arrays() {
        assert_eq!(through(plain, "true").as_deref(), Some("true"));
        assert_eq!(through(plain, r#""O\"Neil \ud83d\ude00""#).as_deref(), Some(r#""O\"Neil 😀""#));
        assert_eq!(through(plain, "[ \"a\",\n\"b\" ]").as_deref(), Some(r#"["a","b"]"#));
        assert_eq!(through(plain, "[ ]").as_deref(), Some("[]"));
    }

    #[test]
    fn what_no_host_could_read_is_unexpected() {
        assert_eq!(through(plain, r#""\ud83d""#).as_deref(), None);
        assert_eq!(through(plain, r#"{"a":1}"#).as_deref(), None);
        assert_eq!(through(plain, "[1]").as_deref(), None);
        assert_eq!(through(plain, r#"["a", "\ud83d"]"#).as_deref(), None);
        assert_eq!(through(plain, "-1e999").as_deref(), None);
    }
}
