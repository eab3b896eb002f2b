//! A text about half-way between two: where a range of names is cut.
//!
//! Only how even the two parts are depends on it, never whether they are the whole: Graph orders names by rules of its own,
//! which nothing here tries to follow. Case is folded, digits come before letters, and the rest before or behind both.

/// What comes before `0`, then `0` to `9`, then `a` to `z`, then what comes behind.
const DIGITS: u64 = 38;

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
    None
}

fn number(text: &str, from: usize) -> u64 {
    let characters = text.chars().map(digit).skip(from).chain(std::iter::repeat(0));
    characters.take(PLACES as usize).fold(0, |number, digit| number * DIGITS + digit)
}

fn digit(character: char) -> u64 {
    match character {
        '0'..='9' => 1 + u64::from(character as u32 - u32::from('0')),
        'a'..='z' => 11 + u64::from(character as u32 - u32::from('a')),
        _ if character.is_ascii() => 0,
        _ => DIGITS - 1,
    }
}

fn character(digit: u64) -> Option<char> {
    match u32::try_from(digit) {
        Ok(digit @ 1..=10) => char::from_u32(u32::from('0') + digit - 1),
        Ok(digit @ 11..=36) => char::from_u32(u32::from('a') + digit - 11),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_short_and_between() {
        for (low, high, cut) in [("a", "z", "m"), ("user000@contoso.com", "user999@contoso.com", "user4"), ("Ab", "aD", "ac")]
        {
            assert_eq!(between(low, high).as_deref(), Some(cut), "{low} {high}");
        }
    }

    #[test]
    fn texts_that_are_too_close_have_none() {
        for (low, high) in [("same", "same"), ("Same", "same"), ("z", "a"), ("a-", "a_"), ("", "")] {
            assert_eq!(between(low, high), None, "{low} {high}");
        }
    }

    #[test]
    fn neighbours_are_cut_by_a_longer_text() {
        let cut = between("user1", "user2").unwrap();
        assert!(cut.starts_with("user1") && cut.len() > 5, "{cut}");
    }
}
