//! Values written in a filter, and texts without their case.
//!
//! What OData knows but no group's property can be (GUIDs, durations, times of day) is kept as its name: it is well
//! formed.

use serde_json::Number;

use super::moment::{self, Moment, Read};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Null,
    Flag(bool),
    /// Without its quotes; after binding also without its case.
    Text(String),
    Number(Number),
    Moment(Moment),
    /// Of a type that no property of groups has; what it is.
    Other(&'static str),
}

/// A value that begins with a digit or a minus sign and stands without quotes; `None` when it is none.
pub(super) fn unquoted(text: &str) -> Option<Literal> {
    if let Some(number) = number(text) {
        return Some(number);
    }
    if moment::is_time(text) {
        return Some(Literal::Other("a time of day"));
    }
    Some(match moment::read(text)? {
        Read::Moment(moment) => Literal::Moment(moment),
        Read::WithoutZone => Literal::Other("a date-time without Z at its end"),
    })
}

fn number(text: &str) -> Option<Literal> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Literal::Number(whole.into()));
    }
    // Suffixes of older OData versions, which some parsers still take.
    let plain = text.strip_suffix(['L', 'l', 'F', 'f', 'M', 'm', 'D', 'd']);
    if !is_decimal(plain.unwrap_or(text)) {
        return None;
    }
    let number = if plain.is_some() { None } else { text.parse().ok().and_then(Number::from_f64) };
    Some(number.map_or(Literal::Other("a number of this form"), Literal::Number))
}

/// `-1`, `1.5`, `1e-3`.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(digits)
}

/// A text without its case. Letter by letter, unlike `str::to_lowercase`, which writes a sigma at the end of a word in
/// another way: the start of a text must stay the start of its folded form.
pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
}
