//! Filter text to tokens.
//!
//! Quotes inside a string are doubled, not escaped; dates and GUIDs stand without quotes and are kept as words.

use super::Refused;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, keyword, number, date or GUID.
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

pub(super) fn tokens(filter: &str) -> Result<Vec<Token>, Refused> {
    let mut tokens = Vec::new();
    let mut rest = filter.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character {
            ' ' | '\t' | '\r' | '\n' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            ',' => tokens.push(Token::Comma),
            ':' => tokens.push(Token::Colon),
            '\'' => {
                let mut text = String::new();
                loop {
                    match rest.next() {
                        Some((_, '\'')) if rest.next_if(|(_, next)| *next == '\'').is_some() => text.push('\''),
                        Some((_, '\'')) => break,
                        Some((_, other)) => text.push(other),
                        None => {
                            return Err(Refused::syntax(format!(
                                "There is an unterminated string literal at position {at} in '{filter}'."
                            )));
                        }
                    }
                }
                tokens.push(Token::Text(text));
            }
            other if is_word(other) => {
                let mut word = String::from(other);
                // A colon inside a word belongs to it in dates only: `c:c eq` must stay three tokens.
                while let Some((_, next)) =
                    rest.next_if(|(_, next)| is_word(*next) || (*next == ':' && looks_like_a_moment(&word)))
                {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
            other => {
                return Err(Refused::syntax(format!(
                    "Syntax error: character '{other}' is not valid at position {at} in '{filter}'."
                )));
            }
        }
    }
    Ok(tokens)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '/' | '$' | '.' | '-' | '+')
}

fn looks_like_a_moment(word: &str) -> bool {
    word.len() > 10 && word.as_bytes()[..4].iter().all(u8::is_ascii_digit) && word.contains('T')
}
