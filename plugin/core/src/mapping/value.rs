//! One attribute value: Graph's JSON → the record's JSON.
//!
//! Scalars pass as the bytes they came in. Strings with escapes are decoded once, because Graph's escapes may hold a lone
//! surrogate that no host can read; arrays are written anew, because white space in them could break the line.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// What became of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mapped<'a> {
    /// Compact JSON.
    Json(Cow<'a, str>),
    /// Neither a scalar nor an array of strings, or text that cannot be decoded.
    Unexpected,
}

/// A scalar as it is, an array of strings as a JSON array.
pub(super) fn plain(raw: &RawValue) -> Mapped<'_> {
    let text = raw.get();
    match text.as_bytes().first() {
        Some(b'"') if text.contains('\\') => decoded::<Cow<'_, str>>(text),
        Some(b'[') => decoded::<Vec<Cow<'_, str>>>(text),
        Some(b'{') | None => Mapped::Unexpected,
        // `1e999` is JSON by its grammar, and more than most parsers of hosts take.
        Some(b'-' | b'0'..=b'9') if serde_json::from_str::<f64>(text).is_err() => Mapped::Unexpected,
        Some(_) => Mapped::Json(Cow::Borrowed(text)),
    }
}

/// An array of strings as one string with commas, no space; empty is null.
pub(super) fn joined(raw: &RawValue) -> Mapped<'_> {
    match serde_json::from_str::<Option<Vec<Cow<'_, str>>>>(raw.get()) {
        Ok(None) => Mapped::Json(Cow::Borrowed("null")),
        Ok(Some(items)) if items.is_empty() => Mapped::Json(Cow::Borrowed("null")),
        Ok(Some(items)) => encoded(&items.join(",")),
        Err(_) => Mapped::Unexpected,
    }
}

/// A scalar string's text, for an external id.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Option<BorrowedText<'_>>>(raw.get()).ok().flatten().map(|t| t.0)
}

#[derive(serde::Deserialize)]
struct BorrowedText<'a>(#[serde(borrow)] Cow<'a, str>);

fn decoded<'a, T: serde::Deserialize<'a> + serde::Serialize>(text: &'a str) -> Mapped<'a> {
    match serde_json::from_str::<T>(text) {
        Ok(value) => encoded(&value),
        Err(_) => Mapped::Unexpected,
    }
}

fn encoded<'a, T: serde::Serialize + ?Sized>(value: &T) -> Mapped<'a> {
    serde_json::to_string(value).map_or(Mapped::Unexpected, |json| Mapped::Json(Cow::Owned(json)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn json(text: &str) -> Mapped<'_> {
        Mapped::Json(Cow::Borrowed(text))
    }

    #[test]
    fn arrays_join_with_commas_and_without_spaces() {
        assert_eq!(joined(&raw(r#"["+1 425, ext. 3", "+49"]"#)), json(r#""+1 425, ext. 3,+49""#));
        assert_eq!(joined(&raw("[]")), json("null"));
        assert_eq!(joined(&raw("null")), json("null"));
        assert_eq!(joined(&raw("7")), Mapped::Unexpected);
    }

    #[test]
    fn scalars_pass_and_string_arrays_stay_arrays() {
        assert_eq!(plain(&raw("true")), json("true"));
        assert_eq!(plain(&raw(r#""O\"Neil \ud83d\ude00""#)), json(r#""O\"Neil 😀""#));
        assert_eq!(plain(&raw("[ \"a\",\n\"b\" ]")), json(r#"["a","b"]"#));
    }

    #[test]
    fn what_no_host_could_read_is_unexpected() {
        assert_eq!(plain(&raw(r#""\ud83d""#)), Mapped::Unexpected);
        assert_eq!(plain(&raw(r#"{"a":1}"#)), Mapped::Unexpected);
        assert_eq!(plain(&raw("[1]")), Mapped::Unexpected);
        assert_eq!(plain(&raw("-1e999")), Mapped::Unexpected);
    }
}
