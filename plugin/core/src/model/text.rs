//! A JSON text that stays where it is, in the answer's bytes, unless an escape has to be decoded.
//!
//! What a newcomer would get wrong: serde borrows a `Cow<str>` where it is a field of its own, marked with `borrow`. Inside an
//! `Option`, in a `Vec` or as a key it compiles just as well, and copies every text.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};

/// A text, borrowed where it can be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// A text or null, for `deserialize_with`.
pub(super) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    Option::<Text<'de>>::deserialize(deserializer).map(|text| text.map(|text| text.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Member, Page, RowSeed};

    fn is_borrowed(text: Option<&Cow<'_, str>>) -> bool {
        matches!(text, Some(Cow::Borrowed(_)))
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
