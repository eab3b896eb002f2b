//! Claims challenges of continuous access evaluation: a 401 that says which claims the next token must carry
//! (`entra/identity-platform/claims-challenge`).
//!
//! The connector does not announce that it can handle them (`xms_cc` with `cp1`): whoever does gets tokens of a day
//! that can be revoked at any moment, and loses the plain ones of an hour, for nothing that an import of minutes would
//! gain. A tenant's policies can challenge all the same, so the demand is read and answered with one token and one
//! replay.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Both alphabets (by way of this one), with and without padding, all of which have been seen.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a challenge demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// JSON, for the form field `claims`; `None` where it could not be read.
    pub(crate) claims: Option<String>,
}

/// The challenge among the values of `WWW-Authenticate`. There may be several values with several challenges each, and
/// parameters come in any order (RFC 9110 §11.6.1).
pub(crate) fn challenge<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Challenge> {
    values.into_iter().flat_map(challenges).find_map(|parameters| {
        let parameter =
            |name: &str| parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let demanded = parameter("error").is_some_and(|error| error == "insufficient_claims");
        demanded.then(|| Challenge { claims: parameter("claims").and_then(|text| decode(text)) })
    })
}

fn decode(text: &str) -> Option<String> {
    let url_safe = text.trim().replace('+', "-").replace('/', "_");
    let claims = String::from_utf8(LENIENT.decode(url_safe).ok()?).ok()?;
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&claims).is_ok().then_some(claims)
}

/// Each challenge of a value by its parameters. Commas stand between challenges and between parameters alike: a word
/// with no `=` behind it begins the next challenge.
fn challenges(value: &str) -> Vec<Vec<(String, String)>> {
    let mut found: Vec<Vec<(String, String)>> = Vec::new();
    let mut rest = value;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let end = rest.find([' ', '\t', ',', '=', '"']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after = after.trim_start_matches([' ', '\t']);
        if let Some(after) = after.strip_prefix('=') {
            let (text, after) = parameter(after.trim_start_matches([' ', '\t']));
            if let Some(parameters) = found.last_mut() {
                parameters.push((word.to_owned(), text));
            }
            rest = after;
        } else if word.is_empty() {
            // Neither word nor value: what follows cannot be understood.
            let mut next = after.chars();
            if next.next().is_none() {
                return found;
            }
            rest = next.as_str();
        } else {
            found.push(Vec::new());
            rest = after;
        }
    }
}

/// A parameter's value, and what follows it.
fn parameter(rest: &str) -> (String, &str) {
    let Some(quoted) = rest.strip_prefix('"') else {
        let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
        return (rest[..end].to_owned(), &rest[end..]);
    };
    let mut text = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (text, &quoted[at + 1..]),
            '\\' => text.extend(letters.next().map(|(_, escaped)| escaped)),
            other => text.push(other),
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"},"x":"?>~ÿ"}}"#;

    fn encoded() -> String {
        base64::engine::general_purpose::STANDARD.encode(CLAIMS)
    }

    fn claims(values: &[&str]) -> Option<Challenge> {
        challenge(values.iter().copied())
    }

    fn demand(claims: Option<&str>) -> Challenge {
        Challenge { claims: claims.map(str::to_owned) }
    }

    #[test]
    fn graphs_own_form_is_read() {
        let value = format!(
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
             client_id=\"00000003-0000-0000-c000-000000000000\", errorDescription=\"a \\\"b\\\", c\", \
             error=\"insufficient_claims\", claims=\"{}\"",
            encoded()
        );
        assert_eq!(claims(&[&value]), Some(demand(Some(CLAIMS))));
    }

    #[test]
    fn parameters_stand_in_any_order_and_in_any_of_several_values() {
        let value = format!("Bearer claims={}, Error = insufficient_claims", encoded().trim_end_matches('='));
        for values in [
            vec!["Negotiate", &value],
            vec![&value, "Basic realm=\"x\""],
            vec!["Bearer realm=\"\", error=\"invalid_token\"", &value],
        ] {
            assert_eq!(claims(&values), Some(demand(Some(CLAIMS))), "{values:?}");
        }
        let joined = format!("Negotiate abc==, Basic realm=\"a, b\", {value}, Digest a=b");
        assert_eq!(claims(&[&joined]), Some(demand(Some(CLAIMS))));
    }

    #[test]
    fn base64_is_read_with_and_without_padding_and_in_both_alphabets() {
        let standard = encoded();
        assert!(standard.contains(['+', '/']) && standard.ends_with('='), "{standard}");
        let url_safe = standard.replace('+', "-").replace('/', "_");
        for text in [&standard, standard.trim_end_matches('='), &url_safe, url_safe.trim_end_matches('=')] {
            let value = format!("Bearer error=\"insufficient_claims\", claims=\"{text}\"");
            assert_eq!(claims(&[&value]), Some(demand(Some(CLAIMS))), "{text}");
        }
    }

    #[test]
    fn a_demand_that_cannot_be_read_is_still_one() {
        let not_json = base64::engine::general_purpose::STANDARD.encode("[]");
        for text in ["", "claims=\"%%%\"", "claims=\"eyJ9\"", &format!("claims=\"{not_json}\""), "claims=\"eyJ"] {
            assert_eq!(
                claims(&[&format!("Bearer error=\"insufficient_claims\", {text}")]),
                Some(demand(None)),
                "{text}"
            );
        }
    }

    #[test]
    fn another_error_is_no_demand_whatever_its_words() {
        for value in [
            "",
            "Bearer",
            "\"",
            "Bearer realm=\"error=insufficient_claims\"",
            "Bearer error=\"invalid_token\", errorDescription=\"insufficient_claims\", claims=\"e30=\"",
            "Bearer claims=\"e30=\", Negotiate error=x",
            "error=\"insufficient_claims\"",
        ] {
            assert_eq!(claims(&[value]), None, "{value}");
        }
        // Each challenge has its own parameters.
        assert_eq!(claims(&["Bearer error=insufficient_claims, Basic claims=e30"]), Some(demand(None)));
    }
}
