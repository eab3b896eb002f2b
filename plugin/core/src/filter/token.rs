//! A filter's text to tokens, one at a time, each with its place.
//!
//! A mistake becomes a token too: the parser meets it in its turn, so that the first mistake of the text is the one
//! told.

use super::literal::{self, Literal};
use crate::guid::{GUID_LENGTH, starts_with_guid};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A property, function, variable or keyword; `$count`, `@alias`; with dots in it a type.
    Name(String),
    /// A value whose form tells that it is one.
    Literal(Literal),
    /// A JSON array or object.
    Json,
    Open,
    Close,
    Comma,
    Colon,
    Slash,
    Minus,
    /// `=`, `!=`, `&&` and their like: signs of other languages, and `=` of named arguments.
    Sign(String),
    /// A character that stands in no filter.
    Stray,
    /// What should stand here instead.
    Bad(&'static str),
    End,
}

/// The rest of a text.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'t> {
    rest: &'t str,
    /// Characters in front of the rest.
    read: usize,
}

impl<'t> Tokens<'t> {
    pub(super) fn of(text: &'t str) -> Tokens<'t> {
        Tokens { rest: text, read: 0 }
    }

    /// The next token and where it begins, counted from 1.
    pub(super) fn next(&mut self) -> (usize, Token) {
        self.take_while(|letter| matches!(letter, ' ' | '\t' | '\r' | '\n'));
        let position = self.read + 1;
        let Some(first) = self.rest.chars().next() else { return (position, Token::End) };
        let token = match first {
            '(' => self.single(Token::Open),
            ')' => self.single(Token::Close),
            ',' => self.single(Token::Comma),
            ':' => self.single(Token::Colon),
            '/' => self.single(Token::Slash),
            '\'' => self.text().map_or(UNCLOSED, |text| Token::Literal(Literal::Text(text))),
            '[' | '{' => self.json(),
            '=' | '!' | '<' | '>' | '&' | '|' => Token::Sign(self.take_while(|c| "=!<>&|".contains(c)).to_owned()),
            _ if self.at_guid() => {
                self.take(GUID_LENGTH);
                Token::Literal(Literal::Other("a GUID without quotes"))
            }
            '0'..='9' => self.value(),
            '-' if self.rest[1..].starts_with(|next: char| next.is_ascii_digit()) => self.value(),
            '-' => self.single(Token::Minus),
            '$' | '@' | '_' => self.name(),
            _ if first.is_alphabetic() => self.name(),
            '"' | '\u{2018}'..='\u{201f}' | '`' | '\u{b4}' => self.single(QUOTES),
            '%' => self.single(ENCODED),
            _ if first.is_whitespace() => self.single(SPACE),
            _ => self.single(Token::Stray),
        };
        (position, token)
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.read += taken.chars().count();
        taken
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        self.take(self.rest.find(|letter| !fits(letter)).unwrap_or(self.rest.len()))
    }

    fn single(&mut self, token: Token) -> Token {
        self.take(self.rest.chars().next().map_or(0, char::len_utf8));
        token
    }

    /// What stands between quotes, a doubled quote in it being one; `None` when it has no end.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            self.take(1);
            text.push_str(self.take(self.rest.find('\'')?));
            if !self.rest[1..].starts_with('\'') {
                break;
            }
            self.take(1);
            text.push('\'');
        }
        self.take(1);
        Some(text)
    }

    /// A number, date or date-time.
    fn value(&mut self) -> Token {
        let value = self.take_while(|letter| letter.is_alphanumeric() || matches!(letter, '.' | ':' | '+' | '-'));
        literal::unquoted(value).map_or(VALUE, Token::Literal)
    }

    fn at_guid(&self) -> bool {
        starts_with_guid(self.rest) && !self.rest[GUID_LENGTH..].starts_with(in_name)
    }

    fn name(&mut self) -> Token {
        let start = self.take(1 + self.rest.chars().next().map_or(0, |first| first.len_utf8() - 1));
        let rest = self.take_while(in_name);
        if matches!(start, "$" | "@") && rest.is_empty() {
            return Token::Stray;
        }
        let name = format!("{start}{rest}");
        // `duration'PT1H'`, and a member of an enumeration `Some.Type'Member'`: a word and its text are one value.
        let typed = ["duration", "binary", "geography", "geometry", "guid", "datetime", "datetimeoffset", "time"];
        let is_typed = name.contains('.') || typed.iter().any(|word| word.eq_ignore_ascii_case(&name));
        if is_typed && self.rest.starts_with('\'') {
            return self.text().map_or(UNCLOSED, |_| Token::Literal(Literal::Other("a value of such a type")));
        }
        Token::Name(name)
    }

    /// From a bracket to the one that closes it; what stands between is Graph's to judge.
    fn json(&mut self) -> Token {
        let mut open = 0_usize;
        let mut quote = None;
        let mut letters = self.rest.char_indices();
        while let Some((at, letter)) = letters.next() {
            match (quote, letter) {
                (Some('"'), '\\') => drop(letters.next()),
                (Some(closing), _) if closing == letter => quote = None,
                (None, '"' | '\'') => quote = Some(letter),
                (None, '[' | '{') => open += 1,
                (None, ']' | '}') => open -= 1,
                _ => {}
            }
            if open == 0 {
                self.take(at + letter.len_utf8());
                return Token::Json;
            }
        }
        Token::Bad("a closing bracket for the one that begins here")
    }
}

const UNCLOSED: Token =
    Token::Bad("a closing quote ' for the text that begins here (a quote inside a text is doubled: 'O''Neil')");
const QUOTES: Token = Token::Bad("straight single quotes around a text: 'Sales'");
const ENCODED: Token = Token::Bad("the filter in plain text: the connector encodes it for the address by itself");
const SPACE: Token = Token::Bad("an ordinary space; this one is another kind, as web pages have it");
const VALUE: Token = Token::Bad("a text in quotes, a number, or a date-time such as 2024-01-31T00:00:00Z");

fn in_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.')
}
