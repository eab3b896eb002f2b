//! Opaque tokens without a table: a value is serialised, scrambled and checked, and travels inside the token.
//!
//! A million pages need no memory in the simulator, and an altered token is told from a genuine one. This keeps honest
//! clients from peeking and careless ones from editing; it is not cryptography.

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::seed::mix;

/// Seals and opens the tokens of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Seal {
    key: u64,
    plus: bool,
}

const CHECK: usize = 8;
const NONCE: usize = 8;

impl Seal {
    /// `plus` puts plus signs into tokens, which only an untouched link survives.
    pub(crate) fn new(key: u64, plus: bool) -> Seal {
        Seal { key, plus }
    }

    pub(crate) fn seal(&self, nonce: u64, value: &impl Serialize) -> String {
        let mut payload = serde_json::to_vec(value).unwrap_or_default();
        let check = self.check(nonce, &payload);
        self.scramble(nonce, &mut payload);
        let mut bytes = nonce.to_be_bytes().to_vec();
        bytes.extend_from_slice(&check);
        bytes.extend_from_slice(&payload);
        format!("{}{}", self.prefix(), encode(&bytes, self.alphabet()))
    }

    pub(crate) fn open<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let bytes = decode(token.strip_prefix(self.prefix())?, self.alphabet())?;
        let (nonce, rest) = bytes.split_at_checked(NONCE)?;
        let (check, payload) = rest.split_at_checked(CHECK)?;
        let nonce = u64::from_be_bytes(nonce.try_into().ok()?);
        let mut payload = payload.to_vec();
        self.scramble(nonce, &mut payload);
        if self.check(nonce, &payload) != check {
            return None;
        }
        serde_json::from_slice(&payload).ok()
    }

    fn prefix(&self) -> &'static str {
        if self.plus { "0+" } else { "0." }
    }

    fn alphabet(&self) -> &'static [u8; 64] {
        if self.plus { &WITH_PLUS } else { &WITH_DASH }
    }

    fn scramble(&self, nonce: u64, payload: &mut [u8]) {
        for (block, bytes) in payload.chunks_mut(8).enumerate() {
            let stream = mix(self.key, nonce, block as u64).to_be_bytes();
            for (byte, mask) in bytes.iter_mut().zip(stream) {
                *byte ^= mask;
            }
        }
    }

    fn check(&self, nonce: u64, payload: &[u8]) -> [u8; CHECK] {
        let mut hash = Sha256::new();
        hash.update(self.key.to_be_bytes());
        hash.update(nonce.to_be_bytes());
        hash.update(payload);
        let mut check = [0; CHECK];
        check.copy_from_slice(&hash.finalize()[..CHECK]);
        check
    }
}

static WITH_PLUS: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+_";
static WITH_DASH: [u8; 64] = *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base 64 without padding.
fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            text.push(char::from(alphabet[((group >> (18 - 6 * digit)) & 63) as usize]));
        }
    }
    text
}

fn decode(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for chunk in text.as_bytes().chunks(4) {
        if chunk.len() == 1 {
            return None;
        }
        let mut group = 0_u32;
        for symbol in chunk {
            group = (group << 6) | alphabet.iter().position(|known| known == symbol)? as u32;
        }
        group <<= 6 * (4 - chunk.len());
        // Bits beyond the last whole byte must be zero: one text only for each token.
        if group & ((1 << (8 * (4 - chunk.len()))) - 1) != 0 {
            return None;
        }
        bytes.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(bytes)
}

/// Standard base 64 with padding, as HTTP headers carry it.
pub(crate) fn base64(bytes: &[u8]) -> String {
    let mut text = encode(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// Base 64 for names and links, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    encode(bytes, &WITH_DASH)
}

/// The inverse of [`base64url`].
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    decode(text, &WITH_DASH)
}

/// The inverse of [`base64`]; padding is optional.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    decode(text.trim_end_matches('='), b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        let seal = Seal::new(5, true);
        for length in 0..20 {
            let value = "x".repeat(length);
            let token = seal.seal(9, &value);
            assert_eq!(seal.open::<String>(&token), Some(value));
            for at in 0..token.len() {
                let mut altered = token.clone().into_bytes();
                altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
                assert_eq!(seal.open::<String>(&String::from_utf8(altered).unwrap()), None, "altered at {at}");
            }
            assert_eq!(seal.open::<String>(&token.replace('+', " ")), None);
            assert_eq!(Seal::new(6, true).open::<String>(&token), None);
        }
    }

    #[test]
    fn base64_is_the_standard_one() {
        assert_eq!(base64(b"client:secret?>"), "Y2xpZW50OnNlY3JldD8+");
        assert_eq!(base64(b"a"), "YQ==");
        assert_eq!(from_base64("YQ=="), Some(b"a".to_vec()));
    }
}
