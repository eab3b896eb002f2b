//! A text about half-way between two: where a range of names is cut.
//!
//! Only how even the two parts are depends on it, never whether they are the whole: Graph orders names by rules of its
//! own, which nothing here tries to follow. Case is folded, and characters that names seldom have are taken for a
//! neighbour.

/// What a cut is made of, in the order of their bytes.
const CHARACTERS: &[u8] = b"-.0123456789@_abcdefghijklmnopqrstuvwxyz";

/// The end of a text, each character, and what lies behind them all.
const DIGITS: u64 = CHARACTERS.len() as u64 + 2;

/// Characters behind the common beginning that are looked at.
const PLACES: u32 = 8;

/// A text between the two, both as Graph gave them; `None` where they are too close.
pub(super) fn between(low: &str, high: &str) -> Option<String> {
    let (low, high) = (low.to_lowercase(), high.to_lowercase());
    let same = low.chars().zip(high.chars()).take_while(|(a, b)| a == b).count();
    let (from, to) = (number(&low, same), number(&high, same));
    if to <= from {
        return None;
    }
    let middle = from + (to - from) / 2;
    let mut cut: String = low.chars().take(same).collect();
    for place in (0..PLACES).rev() {
        match character(middle / DIGITS.pow(place) % DIGITS) {
            Some(character) => cut.push(character),
            None => break,
        }
        if cut > low && cut < high {
            return Some(cut);
        }
    }
    // Half of the first character is none: the beginning of the later text is the nearest there is.
    let beginning: String = high.chars().take(same + 1).collect();
    (beginning > low && beginning < high).then_some(beginning)
}

fn number(text: &str, from: usize) -> u64 {
    let characters = text.chars().map(digit).skip(from).chain(std::iter::repeat(0));
    characters.take(PLACES as usize).fold(0, |number, digit| number * DIGITS + digit)
}

fn digit(character: char) -> u64 {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii() => CHARACTERS.partition_point(|known| *known <= byte) as u64,
        _ => DIGITS - 1,
    }
}

fn character(digit: u64) -> Option<char> {
    let place = usize::try_from(digit).ok()?.checked_sub(1)?;
    CHARACTERS.get(place).copied().map(char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_short_and_between() {
        for (low, high, cut) in [
            ("a", "z", "m"),
            ("user000@contoso.com", "user999@contoso.com", "user4"),
            ("Ab", "aD", "ac"),
            ("a", "a-b", "a-"),
        ] {
            assert_eq!(between(low, high).as_deref(), Some(cut), "{low} {high}");
        }
    }

    #[test]
    fn texts_that_are_too_close_have_none() {
        for (low, high) in [("same", "same"), ("Same", "same"), ("z", "a"), ("a!", "a\""), ("", "")] {
            assert_eq!(between(low, high), None, "{low} {high}");
        }
    }

    #[test]
    fn neighbours_are_cut_by_a_longer_text() {
        let cut = between("user1", "user2").unwrap();
        assert!(cut.starts_with("user1") && cut.len() > 5, "{cut}");
    }
}
