//! Secrets: text that cannot be printed and is overwritten when it goes.

use schemars::{Schema, json_schema};
use serde_json::Value;
use zeroize::Zeroizing;

use super::key::Shape;
use super::problems::Place;

/// A secret. It has no `Debug`, no `Display` and no `Clone`: what holds one cannot be printed by accident either, since
/// it cannot derive them. (Never put a bare `Zeroizing` into such a struct: that prints what is in it.)
#[expect(missing_debug_implementations, reason = "so that nothing can print it")]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over; it is overwritten when the secret is dropped.
    pub fn new(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }

    /// The text, for the moment in which it is sent. Never log it, never put it into an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `ClientSecret`. A value that looks like a GUID is taken, although it is usually the id of the secret pasted instead
/// of its value: older tools made secrets that are GUIDs, and the token service names the mistake (AADSTS7000215).
impl Shape for Secret {
    fn expected() -> String {
        "the value of the application's client secret".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let text = found.as_str().filter(|text| !text.is_empty());
        let clean = text.filter(|text| !text.starts_with(' ') && !text.ends_with(' ') && !text.contains(is_control));
        match (text, clean) {
            (_, Some(text)) => return Some(Secret::new(text.to_owned())),
            (Some(_), None) => place.report(
                "a string with a space at its start or end, or a line break or other control character in it",
                Self::expected() + " alone (the file or variable it comes from probably ends in a line break)",
                None,
            ),
            (None, None) => place.refuse(found, Self::expected()),
        }
        None
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            // Forms hide what is written there.
            "writeOnly": true,
            // The second: a reference that the host should have resolved.
            "not": { "anyOf": [
                { "pattern": r"^ | $|[\x00-\x1f\x7f]" },
                { "pattern": "^[sS][eE][cC][rR][eE][tT]://" }
            ] }
        })
    }
}

fn is_control(c: char) -> bool {
    c.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use std::fmt::{Debug, Display};

    use super::*;
    use crate::config::{Auth, Pem};

    /// Does not compile for a type that has the trait: then there are two functions of that name to choose from.
    macro_rules! assert_without {
        ($trait:ident: $($type:ty),+) => {{
            trait Answer<Which> {
                fn unambiguous() {}
            }
            impl<T: ?Sized> Answer<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> Answer<Has> for T {}
            $(let _ = <$type as Answer<_>>::unambiguous;)+
        }};
    }

    #[test]
    fn what_holds_a_secret_can_be_neither_printed_nor_copied() {
        assert_without!(Debug: Secret, Auth, Pem);
        assert_without!(Display: Secret, Auth, Pem);
        assert_without!(Clone: Secret, Auth, Pem);
        assert_without!(ToString: Secret, Auth, Pem);
    }

    #[test]
    fn a_secret_is_overwritten_when_it_goes() {
        // That `Zeroizing` overwrites is its own promise; that the text lives in one, and nowhere else, is ours.
        fn lives_in_zeroizing(Secret(text): &Secret) -> &Zeroizing<String> {
            text
        }
        assert!(std::mem::needs_drop::<Secret>());
        assert_eq!(size_of::<Secret>(), size_of::<String>());
        assert_eq!(lives_in_zeroizing(&Secret::new("hush".to_owned())).as_str(), "hush");
    }
}
