//! A short name for "what was asked for", kept beside a delta link.
//!
//! A delta token keeps the options it was made with and says nothing about them: a link made with another `$select`
//! would silently go on delivering the old attributes. FNV-1a is enough: nobody gains by forging it, the host owns the
//! text.

const BASIS: u64 = 0xcbf2_9ce4_8422_2325;

fn step(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
}

/// The hash of one text, for sets that need not keep it.
pub(super) fn hash(text: &str) -> u64 {
    hash_of(text.as_bytes())
}

/// The hash of an id's bytes.
pub(super) fn hash_of(bytes: &[u8]) -> u64 {
    bytes.iter().copied().fold(BASIS, step)
}

/// The fingerprint of the parts, 16 hexadecimal digits. Order matters.
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = BASIS;
    for part in parts {
        // The 0xff byte, which no UTF-8 text holds, keeps ["ab", "c"] and ["a", "bc"] apart.
        for byte in part.bytes().chain([0xff]) {
            hash = step(hash, byte);
        }
    }
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_parts_apart_and_never_changes() {
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        // Frozen: another value here would restart every host's imports as Full.
        assert_eq!(fingerprint(&["id,displayName", "id"]), "1e5e4220f7940b48");
        assert_eq!(fingerprint(&[]), "cbf29ce484222325");
    }
}
