//! `client-request-id`: a fresh GUID for every try, which Graph echoes and Microsoft's support can search for.
//!
//! A retry gets a new one: two tries under one id could not be told apart in Graph's logs.

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
}
