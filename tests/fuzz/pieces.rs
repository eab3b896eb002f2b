//! Changes a text piece by piece: words, quoted texts, brackets with what they hold.
//!
//! An engine that knows bytes alone needs several lucky steps to write `null` where `{}` stood, and the text between
//! two of them is no JSON and reaches nothing. Used by the engine's program (`bin/core.rs`) and by the plain replay of
//! its corpus (`plugin/core/src/fuzz/replay.rs`), so it takes nothing but chance: `below(end)` is a number below `end`.

use std::ops::Range;

/// What a piece may become.
const PIECES: [&str; 14] =
    ["null", "true", "0", "1", "-1", "1.5", "1e0", "1e999", "\"\"", "[]", "{}", "\"\\t\"", "\"\\ud800\"", "\"a@b:c\""];

/// What may come to stand inside a piece.
const LETTERS: [&str; 16] =
    ["\\t", "\\u0000", "\\ud800", "\\n", " ", "0", "5", ".5", "e0", "@", "/..", "%2e", "ß", "\t", "''", "\\\""];

/// The text with one of its pieces changed.
pub(crate) fn exchange(input: &[u8], mut below: impl FnMut(usize) -> usize) -> Vec<u8> {
    let pieces = pieces(input);
    let mut made = input.to_vec();
    if pieces.is_empty() {
        return made;
    }
    let piece = pieces[below(pieces.len())].clone();
    match below(4) {
        0 => drop(made.splice(piece, input[pieces[below(pieces.len())].clone()].iter().copied())),
        1 => drop(made.splice(piece, PIECES[below(PIECES.len())].bytes())),
        2 => {
            let at = piece.start + below(piece.len() + 1);
            drop(made.splice(at..at, LETTERS[below(LETTERS.len())].bytes()));
        }
        _ => drop(made.drain(piece)),
    }
    made
}

fn pieces(input: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut open, mut closing, mut word) = (Vec::new(), Vec::new(), 0, 0);
    for (at, byte) in input.iter().enumerate() {
        match byte {
            b'"' | b'\'' if at + 1 != closing => {
                if let Some(end) = end_of_text(input, at) {
                    // What stands between is looked through too: links and filters have pieces of their own.
                    closing = end;
                    found.push(at..end);
                }
            }
            b'{' | b'[' | b'(' => open.push(at),
            b'}' | b']' | b')' => found.extend(open.pop().map(|start| start..at + 1)),
            _ if byte.is_ascii_alphanumeric() => {
                if at == 0 || !input[at - 1].is_ascii_alphanumeric() {
                    word = at;
                }
                if input.get(at + 1).is_none_or(|next| !next.is_ascii_alphanumeric()) {
                    found.push(word..at + 1);
                }
            }
            _ => {}
        }
    }
    found
}

/// Behind the quote that closes the text which begins at `start`.
fn end_of_text(input: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match input.get(at)? {
            b'\\' => at += 2,
            byte if *byte == input[start] => return Some(at + 1),
            _ => at += 1,
        }
    }
}
