//! A JSON text that stays where it is, in the answer's bytes, unless an escape has to be decoded.
//!
//! Easy to get wrong: serde borrows a `Cow<str>` where it is a field of its own, marked with `borrow`. Inside an
//! `Option`, in a `Vec` or as a key it compiles just as well, and copies every text.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Error as _};
use serde::{Deserialize, Deserializer};

/// A text, borrowed where it can be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// Bytes of an id or of a type's name at most. An id stands four times in a record; Graph's longest has some sixty.
const LONGEST: usize = 256;

/// An id, a type's name or null, for `deserialize_with`.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    let text = Option::<Text<'de>>::deserialize(deserializer)?;
    match text {
        Some(Text(text)) if text.len() > LONGEST => {
            Err(D::Error::custom(format_args!("an id of more than {LONGEST} bytes")))
        }
        text => Ok(text.map(|text| text.0)),
    }
}

/// As [`optional`], for a key that is read by hand.
pub(super) struct OptionalSeed;

impl<'de> DeserializeSeed<'de> for OptionalSeed {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        optional(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Member, Page, RowSeed};

    fn is_borrowed(text: Option<&Cow<'_, str>>) -> bool {
        matches!(text, Some(Cow::Borrowed(_)))
    }

    #[test]
    fn id_longer_than_any_of_graph_is_refused() {
        for text in [
            r#"{"value":[{"id":"ID"}]}"#,
            r#"{"value":[{"@odata.type":"ID"}]}"#,
            r#"{"value":[{"members@delta":[{"id":"ID"}]}]}"#,
        ] {
            let of = |length: usize| text.replace("ID", &"x".repeat(length));
            let (fits, long) = (of(LONGEST), of(LONGEST + 1));
            let seed = RowSeed { properties: &[] };
            assert!(
                Page::read(fits.as_bytes(), seed).is_ok() && Page::<Member<'_>>::read_plain(fits.as_bytes()).is_ok()
            );
            let refused = Page::read(long.as_bytes(), seed).is_err();
            assert!(refused || Page::<Member<'_>>::read_plain(long.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_text_with_an_escape_is_copied() {
        let text = |json| serde_json::from_str::<Text<'_>>(json).unwrap().0;
        assert!(is_borrowed(Some(&text(r#""Zoë""#))));
        assert_eq!(text(r#""Zo\u00eb""#), "Zoë");
    }

    #[test]
    fn ids_of_rows_and_members_lie_in_the_answer() {
        let text = r##"{"value":[{"id":"g","members@delta":[{"@odata.type":"#microsoft.graph.user","id":"u"}]}]}"##;
        let groups = Page::read(text.as_bytes(), RowSeed { properties: &[] }).unwrap();
        assert!(is_borrowed(groups.rows[0].id.as_ref()));
        let member = groups.rows[0].members[0].member();
        assert!(is_borrowed(member.id.as_ref()) && is_borrowed(member.odata_type.as_ref()));
        let members = Page::<Member<'_>>::read_plain(br#"{"value":[{"id":"m"}]}"#).unwrap();
        assert!(is_borrowed(members.rows[0].id.as_ref()));
    }
}
