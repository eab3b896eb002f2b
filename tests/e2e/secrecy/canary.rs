//! Canaries: secrets and tokens that stand nowhere else, and what to search for when looking for them.
//!
//! A canary has a middle of letters and digits, which no encoding of a form or an address changes, between characters
//! that every encoding does change: whoever finds the middle has found the secret, plain or percent-encoded, whole or
//! not. Base64 shifts with what stands before, so it is searched for in all three positions.

use std::fmt::Write as _;

/// Letters and digits of a canary.
const MIDDLE: usize = 24;

/// What is searched for, by name.
pub(super) type Needle = (String, Vec<u8>);

/// A made-up secret of the kind that needs encoding everywhere.
pub(super) fn secret() -> String {
    format!("~{}+/=&%", middle("CanarySecret"))
}

/// A made-up end of an access token; such characters stand in real ones.
pub(super) fn token() -> String {
    format!("-{}_", middle("CanaryToken"))
}

fn middle(begin: &str) -> String {
    let random = std::collections::hash_map::RandomState::new();
    let number = std::hash::BuildHasher::hash_one(&random, begin);
    let mut middle = format!("{begin}{number:020}");
    middle.truncate(MIDDLE);
    middle
}

/// Every form in which a canary may appear.
pub(super) fn needles(name: &str, canary: &str) -> Vec<Needle> {
    let core = canary.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    assert_eq!(core.len(), MIDDLE, "no canary");
    let mut percent = String::new();
    for byte in canary.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => percent.push(char::from(byte)),
            _ => write!(percent, "%{byte:02X}").unwrap(),
        }
    }
    let mut needles = vec![
        (format!("{name}, plain"), canary.as_bytes().to_vec()),
        (format!("{name}, percent-encoded"), percent.into_bytes()),
        (format!("{name}, in part or otherwise encoded"), core.as_bytes().to_vec()),
        (format!("{name}, backwards"), core.bytes().rev().collect()),
        (format!("{name}, in hexadecimal"), core.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect()),
        (format!("{name}, in UTF-16"), core.bytes().flat_map(|byte| [byte, 0]).collect()),
    ];
    for shift in 0..3 {
        let shifted = [&vec![b'x'; shift], core.as_bytes()].concat();
        // Without the first and last characters, which depend on the neighbours.
        let encoded = base64(&shifted);
        needles.push((format!("{name}, in base64 ({shift})"), encoded.as_bytes()[4..28].to_vec()));
    }
    needles
}

/// Of a length that may not be divisible by three; the rest is left out.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let threes = bytes.chunks_exact(3).map(|three| three.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)));
    let letters = threes.flat_map(|three| [18, 12, 6, 0].map(|shift| ALPHABET[three >> shift & 63]));
    letters.map(char::from).collect()
}

/// How often `needle` stands in `bytes`.
pub(super) fn count(bytes: &[u8], needle: &[u8]) -> usize {
    let mut found = 0;
    let mut at = 0;
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == needle[0]) {
        at += next;
        found += usize::from(bytes[at..].starts_with(needle));
        at += 1;
    }
    found
}

#[test]
fn a_canary_is_found_in_every_form() {
    let canary = secret();
    let needles = needles("secret", &canary);
    let forms = [canary.clone(), canary.replace('~', "%7E"), base64(&canary.as_bytes()[..24]), canary.to_uppercase()];
    let found = forms.map(|form| needles.iter().map(|(_, needle)| count(form.as_bytes(), needle)).sum::<usize>());
    assert_eq!(found[3], 0, "the search itself is exact");
    assert!(found[0] == 2 && found[1] == 1 && found[2] == 1, "{found:?}");
}
