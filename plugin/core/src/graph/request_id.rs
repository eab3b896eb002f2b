//! `client-request-id`: a fresh GUID for every try, which Graph echoes and Microsoft's support can search for.
//!
//! A retry gets a new one: two tries under one id could not be told apart in Graph's logs. Graph's own `request-id`
//! comes back in answers. It goes into log lines, records and errors, so it is accepted only in the form of an id.

/// A GUID of version 4 (RFC 9562 §5.4).
pub(crate) fn fresh() -> String {
    let mut bytes = [0; 16];
    // The id only correlates logs: if the system has no randomness to give, a constant one is better than no import.
    let _ = getrandom::fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let n = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        n >> 80 & 0xffff,
        n >> 64 & 0xffff,
        n >> 48 & 0xffff,
        n & 0xffff_ffff_ffff
    )
}

/// Characters of an id at most; Graph's are GUIDs.
const LONGEST: usize = 64;

/// So few characters in common with a secret are chance.
const CHANCE: usize = 8;

/// An id out of an answer: letters, digits and hyphens, or nothing.
pub(crate) fn accepted(id: &str) -> Option<&str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!id.is_empty() && id.len() <= LONGEST && id.bytes().all(fits)).then_some(id)
}

/// Whether the id is a part of the secret, or holds the beginning of one: a secret, too, can be letters and digits.
pub(crate) fn repeats(id: &str, secret: &str) -> bool {
    let start = secret.get(..CHANCE);
    id.len() >= CHANCE && (secret.contains(id) || start.is_some_and(|start| id.contains(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_guid_of_version_4_and_never_the_same() {
        let (one, two) = (fresh(), fresh());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(one.match_indices('-').map(|(at, _)| at).collect::<Vec<_>>(), [8, 13, 18, 23]);
        assert_eq!(&one[14..15], "4");
        assert!("89ab".contains(&one[19..20]));
    }

    #[test]
    fn id_of_another_form_is_not_accepted() {
        let guid = fresh();
        assert_eq!(accepted(&guid), Some(&*guid));
        for other in ["", "a b", "secret~", "a\nb", "{7}", "é", &"a".repeat(65)] {
            assert_eq!(accepted(other), None, "{other}");
        }
    }

    #[test]
    fn id_with_a_part_of_a_secret_is_told_from_chance() {
        let secret = "AbCdEfGh12345678";
        for id in ["AbCdEfGh12345678", "x-AbCdEfGh", "EfGh12345678"] {
            assert!(repeats(id, secret), "{id}");
        }
        for id in ["5678", "AbCdEfG", &*fresh()] {
            assert!(!repeats(id, secret), "{id}");
        }
        assert!(!repeats("anything-at-all", "short"));
    }
}
