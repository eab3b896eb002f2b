//! The order of texts. Graph's is not documented, so the tenant can have one of several.

use serde::{Deserialize, Serialize};

/// How `gt`, `ge`, `lt`, `le` and `$orderby` order texts. Texts that differ in case alone are equal in each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TextOrder {
    /// By code points of the lower-case text: `_` comes before letters.
    #[default]
    OrdinalLower,
    /// By code points of the upper-case text, as .NET's ordinal comparison without case: `_` comes after letters.
    OrdinalUpper,
    /// As a dictionary: accents decide last, punctuation comes before digits, hyphens and apostrophes are skipped.
    Culture,
}

impl TextOrder {
    /// Texts are ordered as their keys are. The lower-case text at the end keeps different texts apart.
    pub(crate) fn key(self, text: &str) -> String {
        let lower = text.to_lowercase();
        let first: String = match self {
            TextOrder::OrdinalLower => return lower,
            TextOrder::OrdinalUpper => lower.chars().map(upper).collect(),
            TextOrder::Culture => lower.chars().filter(|c| !matches!(c, '-' | '\'')).map(without_accent).collect(),
        };
        format!("{first}\0{lower}")
    }
}

/// The upper-case letter, where it is a single one.
fn upper(letter: char) -> char {
    let mut upper = letter.to_uppercase();
    upper.next().filter(|_| upper.next().is_none()).unwrap_or(letter)
}

fn without_accent(letter: char) -> char {
    match letter {
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        'ý' | 'ÿ' => 'y',
        // Below every digit.
        punctuation if punctuation.is_ascii_punctuation() => char::from(u8::try_from(punctuation).unwrap_or(0) / 5),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(order: TextOrder) -> String {
        let mut names = ["APP_1", "apple", "Ärzte", "co-op", "Coop2", "Zoo", "été", "1st"];
        names.sort_by_key(|name| order.key(name));
        names.join(" ")
    }

    #[test]
    fn each_order_puts_underscore_accent_and_hyphen_in_another_place() {
        assert_eq!(sorted(TextOrder::OrdinalLower), "1st APP_1 apple co-op Coop2 Zoo Ärzte été");
        assert_eq!(sorted(TextOrder::OrdinalUpper), "1st apple APP_1 co-op Coop2 Zoo Ärzte été");
        assert_eq!(sorted(TextOrder::Culture), "1st APP_1 apple Ärzte co-op Coop2 été Zoo");
    }

    #[test]
    fn case_alone_makes_no_difference() {
        for order in [TextOrder::OrdinalLower, TextOrder::OrdinalUpper, TextOrder::Culture] {
            assert_eq!(order.key("ÄRZTE_1"), order.key("ärzte_1"));
            assert_ne!(order.key("Ärzte"), order.key("Arzte"));
        }
    }
}
