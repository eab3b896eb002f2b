//! Percent-encoding of the value of a query option.
//!
//! Quotes, commas and parentheses stay as they are, which RFC 3986 §3.4 allows and which keeps filters readable; `#`,
//! `&`, `+`, `%`, spaces and everything beyond ASCII would change their meaning on the way and are encoded.

use std::fmt::Write as _;

/// The encoded value.
///
/// ```
/// use entra_id_core::percent::query_value;
/// assert_eq!(query_value("startswith(displayName,'R&D #1')"), "startswith(displayName,'R%26D%20%231')");
/// ```
pub fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if is_plain(byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// How many bytes [`query_value`] has.
pub fn query_length(text: &str) -> usize {
    text.bytes().map(|byte| if is_plain(byte) { 1 } else { 3 }).sum()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$'()*,:@/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_stays_readable_and_survives() {
        assert_eq!(query_value("startswith(displayName,'O''Neil')"), "startswith(displayName,'O''Neil')");
        assert_eq!(query_value("mail eq 'a+b&c#d%e=f?g;h'"), "mail%20eq%20'a%2Bb%26c%23d%25e%3Df%3Fg%3Bh'");
        assert_eq!(query_value("Zürich \u{1f600}\n\""), "Z%C3%BCrich%20%F0%9F%98%80%0A%22");
    }

    #[test]
    fn length_is_that_of_the_encoded_value() {
        for text in ["", "displayName eq 'ä'", "a&b#c+d%", "(x),'y'"] {
            assert_eq!(query_length(text), query_value(text).len(), "{text}");
        }
    }
}
