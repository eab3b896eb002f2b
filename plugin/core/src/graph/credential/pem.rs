//! PEM texts (RFC 7468): labelled blocks of base64 between lines of dashes, anything else around them.
//!
//! Own code where a library would do, for one reason: a private key runs through here, and what a library collects on
//! its way is not overwritten. Every buffer here is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// A block.
pub(super) struct Block {
    pub(super) label: String,
    /// Empty where `encrypted`.
    pub(super) der: Zeroizing<Vec<u8>>,
    /// By the older way, in which the block's own headers say so (RFC 1421 §4.6.1.1).
    pub(super) encrypted: bool,
}

/// The blocks of a text, or what is wrong with one of them.
pub(super) fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
        let mut encrypted = false;
        loop {
            match lines.next() {
                None => return Err("a PEM block without its END line: the text was cut".to_owned()),
                Some(line) if line == end => break,
                Some(line) if line.contains(':') => encrypted |= line.contains("ENCRYPTED"),
                Some(line) => base64.push_str(line),
            }
        }
        let mut der = Zeroizing::new(Vec::new());
        if !encrypted {
            der.resize(base64::decoded_len_estimate(base64.len()), 0);
            let length = STANDARD
                .decode_slice(base64.as_bytes(), &mut der)
                .map_err(|_| format!("a PEM block {} whose content is damaged", known(label)))?;
            der.truncate(length);
        }
        blocks.push(Block { label: label.to_owned(), der, encrypted });
    }
    Ok(blocks)
}

/// A label for an error: none that somebody made up.
fn known(label: &str) -> &str {
    match label {
        "CERTIFICATE" | "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" => label,
        _ => "of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_among_other_text_and_with_any_line_ends() {
        let text = "Bag Attributes\r\n  friendlyName: x\r\n-----BEGIN A-----\r\nAAE\r\nC\r\n-----END A-----\r\n\
                    -----BEGIN B-----\nAw==\n-----END B-----";
        let found: Vec<_> = blocks(text).unwrap().into_iter().map(|b| (b.label, b.der.to_vec())).collect();
        assert_eq!(found, [("A".to_owned(), vec![0, 1, 2]), ("B".to_owned(), vec![3])]);
    }

    #[test]
    fn a_block_that_is_cut_or_damaged_is_told() {
        assert!(blocks("-----BEGIN A-----\nAAEC\n").is_err_and(|why| why.contains("cut")));
        assert!(blocks("-----BEGIN hush-----\nA!\n-----END hush-----").is_err_and(|why| !why.contains("hush")));
    }

    #[test]
    fn a_block_that_says_it_is_encrypted_is_not_decoded() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAEC\n-----END RSA PRIVATE KEY-----";
        let blocks = blocks(text).unwrap();
        assert!(blocks[0].encrypted && blocks[0].der.is_empty());
    }
}
