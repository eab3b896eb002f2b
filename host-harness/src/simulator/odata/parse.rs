//! Tokens to a [`Filter`], by recursive descent: `or` binds weakest, then `and`, then `not`.
//!
//! Keywords and function names are read without regard to case, `null`, `true` and `false` are not: `Null` is a
//! property that does not exist, as it is to Graph.

use serde_json::{Value, json};

use super::token::{Token, tokens};
use super::{Filter, Operator, Refused};

/// Parse a whole filter.
pub(crate) fn parse(filter: &str) -> Result<Filter, Refused> {
    let mut parser = Parser { tokens: tokens(filter)?, at: 0, filter };
    let parsed = parser.disjunction()?;
    match parser.peek() {
        None => Ok(parsed),
        Some(_) => Err(parser.unexpected()),
    }
}

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    filter: &'a str,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn unexpected(&self) -> Refused {
        Refused::syntax(format!("Syntax error at position {} in '{}'.", self.at, self.filter))
    }

    fn expect(&mut self, wanted: &Token) -> Result<(), Refused> {
        if self.peek() == Some(wanted) {
            self.at += 1;
            return Ok(());
        }
        Err(self.unexpected())
    }

    fn keyword(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word));
        if found {
            self.at += 1;
        }
        found
    }

    fn disjunction(&mut self) -> Result<Filter, Refused> {
        let mut left = self.conjunction()?;
        while self.keyword("or") {
            left = Filter::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Result<Filter, Refused> {
        let mut left = self.negation()?;
        while self.keyword("and") {
            left = Filter::And(Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Result<Filter, Refused> {
        if self.keyword("not") {
            return Ok(Filter::Not(Box::new(self.negation()?)));
        }
        if self.peek() == Some(&Token::Open) {
            self.at += 1;
            let inner = self.disjunction()?;
            self.expect(&Token::Close)?;
            return Ok(inner);
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Filter, Refused> {
        let Some(Token::Word(word)) = self.next() else { return Err(self.unexpected()) };
        let function = match word.to_ascii_lowercase().as_str() {
            "startswith" => Some(Operator::StartsWith),
            "endswith" => Some(Operator::EndsWith),
            "contains" => Some(Operator::Contains),
            _ => None,
        };
        if let Some(operator) = function {
            self.expect(&Token::Open)?;
            let Some(Token::Word(path)) = self.next() else { return Err(self.unexpected()) };
            self.expect(&Token::Comma)?;
            let Some(Token::Text(text)) = self.next() else { return Err(self.unexpected()) };
            self.expect(&Token::Close)?;
            return Ok(Filter::Compare { path, operator, literal: Value::String(text) });
        }
        if let Some(path) = word.strip_suffix("/any").or_else(|| word.strip_suffix("/Any")) {
            return self.any(path.to_owned());
        }
        if self.keyword("in") {
            return self.membership(word);
        }
        let operator = match self.next() {
            Some(Token::Word(operator)) => comparison(&operator),
            _ => None,
        };
        let Some(operator) = operator else { return Err(self.unexpected()) };
        let literal = self.literal()?;
        match (word.strip_suffix("/$count"), literal.as_u64()) {
            (Some(path), Some(number)) => Ok(Filter::Count { path: path.to_owned(), operator, number }),
            (Some(_), None) => Err(self.unexpected()),
            (None, _) => Ok(Filter::Compare { path: word, operator, literal }),
        }
    }

    fn any(&mut self, path: String) -> Result<Filter, Refused> {
        self.expect(&Token::Open)?;
        if self.peek() == Some(&Token::Close) {
            self.at += 1;
            return Ok(Filter::AnyAtAll { path });
        }
        let Some(Token::Word(variable)) = self.next() else { return Err(self.unexpected()) };
        self.expect(&Token::Colon)?;
        let inner = Box::new(self.disjunction()?);
        self.expect(&Token::Close)?;
        Ok(Filter::Any { path, variable, inner })
    }

    fn membership(&mut self, path: String) -> Result<Filter, Refused> {
        self.expect(&Token::Open)?;
        let mut literals = vec![self.literal()?];
        while self.peek() == Some(&Token::Comma) {
            self.at += 1;
            literals.push(self.literal()?);
        }
        self.expect(&Token::Close)?;
        Ok(Filter::In { path, literals })
    }

    fn literal(&mut self) -> Result<Value, Refused> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Value::String(text)),
            Some(Token::Word(word)) => match word.as_str() {
                "null" => Ok(Value::Null),
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                other if other.parse::<i64>().is_ok() => Ok(json!(other.parse::<i64>().unwrap_or_default())),
                // Dates and GUIDs; anything else that starts with a letter is a property that is not there.
                other if other.len() >= 10 && other.contains('-') => Ok(Value::String(word)),
                other => Err(Refused::syntax(format!("Could not find a property named '{other}'."))),
            },
            _ => Err(self.unexpected()),
        }
    }
}

fn comparison(word: &str) -> Option<Operator> {
    Some(match word.to_ascii_lowercase().as_str() {
        "eq" => Operator::Eq,
        "ne" => Operator::Ne,
        "ge" => Operator::Ge,
        "le" => Operator::Le,
        "gt" => Operator::Gt,
        "lt" => Operator::Lt,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_stronger_than_or() {
        let parsed = parse("mail eq 'a' or mail eq 'b' and mail eq 'c'").unwrap();
        assert!(matches!(parsed, Filter::Or(_, right) if matches!(*right, Filter::And(_, _))));
    }

    #[test]
    fn doubled_quotes_are_one() {
        let Filter::Compare { literal, .. } = parse("displayName eq 'O''Neil'").unwrap() else { panic!() };
        assert_eq!(literal, json!("O'Neil"));
    }

    #[test]
    fn lambdas_dates_and_functions_parse() {
        for filter in [
            "groupTypes/any(c:c eq 'Unified')",
            "NOT groupTypes/any(c: c eq 'Unified') and securityEnabled eq true",
            "not(startsWith(displayName,'SEC-'))",
            "createdDateTime ge 2024-01-01T00:00:00Z",
            "id in ('a','b')",
            "assignedLicenses/$count eq 0",
            "proxyAddresses/any(p:endswith(p,'x'))",
        ] {
            assert!(parse(filter).is_ok(), "{filter}");
        }
    }

    #[test]
    fn broken_filters_are_refused() {
        for filter in [
            "",
            "displayName eq",
            "displayName eq 'x",
            "eq 'x'",
            "(mail eq 'a'",
            "mail eq Null",
            "a b c",
            "mail eq 'a' x",
        ] {
            assert!(parse(filter).is_err(), "{filter}");
        }
    }
}
