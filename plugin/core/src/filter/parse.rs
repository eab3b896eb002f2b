//! Tokens to an [`Expression`], by recursive descent in OData's order: `or` binds weakest, then `and`, the comparisons,
//! arithmetic, `not` and minus, and strongest `in` and `has`.
//!
//! So `not displayName eq 'x'` means `(not displayName) eq 'x'`, which nobody wants: well formed, and told when it is
//! bound. Keywords are read without their case, `null`, `true` and `false` with it: to Graph, `Null` is a property.

use super::SyntaxError;
use super::expression::{Expression, Operator};
use super::literal::Literal;
use super::token::{Token, Tokens};

/// Levels of nesting; a host's thread may have a small stack.
pub(super) const DEEPEST: usize = 64;

const INFIX: [&str; 16] =
    ["eq", "ne", "gt", "ge", "lt", "le", "in", "and", "or", "has", "add", "sub", "mul", "div", "divby", "mod"];

const OPERAND: &str = "a property, a function such as startswith, not, or a value (texts in single quotes)";

/// Reads a whole filter.
pub(super) fn parse(text: &str) -> Result<Expression, SyntaxError> {
    let blank = text.chars().take_while(|letter| letter.is_whitespace()).count();
    let start = text.trim_start();
    if start.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("$filter"))
        && start[7..].trim_start().starts_with('=')
    {
        return Err(SyntaxError { position: blank + 1, message: "the filter alone, without $filter=".to_owned() });
    }
    let mut tokens = Tokens::of(text);
    let (position, token) = tokens.next();
    let mut parser = Parser { tokens, token, position, depth: 0, condition: false };
    let parsed = parser.expression()?;
    match parser.token {
        Token::End => Ok(parsed),
        _ => Err(parser.no_operator("the end of the filter")),
    }
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    /// The token that is next, and where it stands.
    token: Token,
    position: usize,
    depth: usize,
    /// What was read last is true or false by its form, so that no comparison can follow.
    condition: bool,
}

impl Parser<'_> {
    fn next(&mut self) -> Token {
        let (position, token) = self.tokens.next();
        self.position = position;
        std::mem::replace(&mut self.token, token)
    }

    fn error(&self, expected: impl Into<String>) -> SyntaxError {
        let message = match self.token {
            Token::Bad(instead) => instead.to_owned(),
            _ => expected.into(),
        };
        SyntaxError { position: self.position, message }
    }

    /// After an operand neither an operator nor `end` followed.
    fn no_operator(&self, end: &str) -> SyntaxError {
        let expected = if self.condition {
            format!("and, or, or {end}")
        } else {
            "an operator such as eq, ne, ge, le or in".to_owned()
        };
        let near = match &self.token {
            Token::Name(word) | Token::Sign(word) => meant(word, self.condition),
            _ => None,
        };
        self.error(near.map_or(expected.clone(), |near| format!("{expected} (did you mean {near}?)")))
    }

    fn is(&self, keyword: &str) -> bool {
        matches!(&self.token, Token::Name(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        if found {
            self.next();
        }
        found
    }

    fn accept(&mut self, token: &Token) -> bool {
        let found = self.token == *token;
        if found {
            self.next();
        }
        found
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, SyntaxError>) -> Result<T, SyntaxError> {
        if self.depth == DEEPEST {
            return Err(self.error(format!("an expression that is nested no deeper than {DEEPEST} levels")));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn expression(&mut self) -> Result<Expression, SyntaxError> {
        self.deeper(Self::disjunction)
    }

    fn disjunction(&mut self) -> Result<Expression, SyntaxError> {
        self.chain("or", Self::conjunction, Expression::Or)
    }

    fn conjunction(&mut self) -> Result<Expression, SyntaxError> {
        self.chain("and", Self::comparison, Expression::And)
    }

    fn chain(
        &mut self,
        keyword: &str,
        part: impl Fn(&mut Self) -> Result<Expression, SyntaxError>,
        whole: impl FnOnce(Vec<Expression>) -> Expression,
    ) -> Result<Expression, SyntaxError> {
        let first = part(self)?;
        if !self.is(keyword) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.keyword(keyword) {
            parts.push(part(self)?);
        }
        self.condition = true;
        Ok(whole(parts))
    }

    fn comparison(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.sum()?;
        while let Some(operator) = self.operator() {
            let right = self.sum()?;
            left = match left {
                Expression::Compare(..) | Expression::Foreign(_) => left.chained("a comparison of a comparison"),
                left => Expression::Compare(operator, Box::new(left), Box::new(right)),
            };
            self.condition = true;
        }
        Ok(left)
    }

    fn operator(&mut self) -> Option<Operator> {
        let Token::Name(word) = &self.token else { return None };
        let operator = Operator::of(word)?;
        self.next();
        Some(operator)
    }

    fn sum(&mut self) -> Result<Expression, SyntaxError> {
        self.arithmetic(&["add", "sub"], |parser| parser.arithmetic(&["mul", "div", "divby", "mod"], Self::unary))
    }

    fn arithmetic(
        &mut self,
        keywords: &[&str],
        part: impl Fn(&mut Self) -> Result<Expression, SyntaxError>,
    ) -> Result<Expression, SyntaxError> {
        let mut left = part(self)?;
        while let Some(keyword) = keywords.iter().find(|keyword| self.is(keyword)) {
            self.next();
            part(self)?;
            left = left.chained(&format!("arithmetic ({keyword})"));
            self.condition = false;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, SyntaxError> {
        if self.keyword("not") {
            let inner = self.deeper(Self::unary)?;
            self.condition = true;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.accept(&Token::Minus) {
            self.deeper(Self::unary)?;
            return Ok(Expression::foreign("arithmetic (-)"));
        }
        self.membership()
    }

    fn membership(&mut self) -> Result<Expression, SyntaxError> {
        let mut left = self.primary()?;
        loop {
            if self.keyword("has") {
                self.primary()?;
                left = left.chained("the operator has");
            } else if self.keyword("in") {
                left = match left {
                    left @ (Expression::Name(_) | Expression::Literal(_)) if self.token == Token::Open => {
                        self.next();
                        Expression::In(Box::new(left), self.list()?)
                    }
                    left if self.accept(&Token::Open) => {
                        self.list()?;
                        left.chained("the operator in behind anything but a property")
                    }
                    left => {
                        self.primary()?;
                        left.chained("the operator in before anything but a list in parentheses")
                    }
                };
            } else {
                return Ok(left);
            }
            self.condition = true;
        }
    }

    /// At least one expression, then the closing parenthesis.
    fn list(&mut self) -> Result<Vec<Expression>, SyntaxError> {
        let mut items = vec![self.expression()?];
        while self.accept(&Token::Comma) {
            items.push(self.expression()?);
        }
        self.close_list()?;
        Ok(items)
    }

    fn close(&mut self) -> Result<(), SyntaxError> {
        if self.accept(&Token::Close) { Ok(()) } else { Err(self.no_operator("a closing parenthesis )")) }
    }

    /// The end of a list's values or a function's arguments.
    fn close_list(&mut self) -> Result<(), SyntaxError> {
        let expected = "a comma or a closing parenthesis )";
        if self.accept(&Token::Close) {
            return Ok(());
        }
        // Between values no operator was forgotten.
        Err(if self.condition { self.no_operator(expected) } else { self.error(expected) })
    }

    fn primary(&mut self) -> Result<Expression, SyntaxError> {
        let read = match &self.token {
            Token::Open => {
                self.next();
                let inner = self.expression()?;
                self.close()?;
                inner
            }
            Token::Literal(_) | Token::Json => match self.next() {
                Token::Literal(literal) => Expression::Literal(literal),
                _ => Expression::foreign("values in JSON"),
            },
            Token::Name(word) if !INFIX.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)) => match self.next() {
                Token::Name(name) => self.named(name)?,
                _ => return Err(self.error(OPERAND)),
            },
            Token::Sign(sign) if sign == "!" => return Err(self.error(format!("{OPERAND} (did you mean not?)"))),
            _ => return Err(self.error(OPERAND)),
        };
        self.condition = read.is_condition();
        Ok(read)
    }

    /// What begins with a name: a value, a property, a function, a path.
    fn named(&mut self, name: String) -> Result<Expression, SyntaxError> {
        match name.as_str() {
            "null" => return Ok(Expression::Literal(Literal::Null)),
            "true" | "false" => return Ok(Expression::Literal(Literal::Flag(name == "true"))),
            _ => {}
        }
        if self.accept(&Token::Open) {
            let arguments = self.arguments()?;
            return Ok(Expression::Call(name.to_ascii_lowercase(), arguments));
        }
        let mut last: Option<String> = None;
        while self.accept(&Token::Slash) {
            if !matches!(self.token, Token::Name(_)) {
                return Err(self.error("the name of a property, any, all or $count"));
            }
            let Token::Name(segment) = self.next() else { continue };
            if self.accept(&Token::Open) {
                let collection = if last.is_none() { Some(name) } else { None };
                return self.called_on(collection, &segment);
            }
            last = Some(segment);
        }
        Ok(match last {
            None => Expression::Name(name),
            Some(last) if last == "$count" => Expression::foreign("$count"),
            Some(last) => Expression::foreign(&format!("the nested property {}/…/{}", cut(&name), cut(&last))),
        })
    }

    /// A function behind a path, its parenthesis being read; `collection` is the path if it is a single name.
    fn called_on(&mut self, collection: Option<String>, function: &str) -> Result<Expression, SyntaxError> {
        let any = function.eq_ignore_ascii_case("any");
        if !any && !function.eq_ignore_ascii_case("all") {
            self.arguments()?;
            return Ok(Expression::foreign(&format!("the function {}()", cut(function))));
        }
        let condition = if any && self.accept(&Token::Close) { None } else { Some(self.lambda()?) };
        Ok(match collection {
            Some(collection) if any => Expression::Any { collection, condition },
            Some(_) => Expression::foreign("all()"),
            None => Expression::foreign("any() and all() on a nested property"),
        })
    }

    /// `variable: condition)`.
    fn lambda(&mut self) -> Result<(String, Box<Expression>), SyntaxError> {
        if !matches!(self.token, Token::Name(_)) {
            return Err(self.error("a variable and a colon, as in any(c:c eq 'Unified')"));
        }
        let Token::Name(variable) = self.next() else { return Err(self.error(OPERAND)) };
        if !self.accept(&Token::Colon) {
            return Err(self.error("a colon behind the variable, as in any(c:c eq 'Unified')"));
        }
        let condition = self.expression()?;
        self.close()?;
        Ok((variable, Box::new(condition)))
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, SyntaxError> {
        if self.accept(&Token::Close) {
            return Ok(Vec::new());
        }
        let mut arguments = Vec::new();
        loop {
            let mut argument = self.expression()?;
            if matches!(&self.token, Token::Sign(sign) if sign == "=") && matches!(argument, Expression::Name(_)) {
                self.next();
                self.expression()?;
                argument = Expression::foreign("named arguments");
            }
            arguments.push(argument);
            if !self.accept(&Token::Comma) {
                break;
            }
        }
        self.close_list()?;
        Ok(arguments)
    }
}

impl Expression {
    /// One foreign part for all of it: of two reasons the first is told.
    fn chained(self, what: &str) -> Expression {
        match self {
            Expression::Foreign(_) => self,
            _ => Expression::foreign(what),
        }
    }
}

/// A name is told by its beginning: a text can be megabytes of it.
pub(super) fn cut(name: &str) -> &str {
    name.char_indices().nth(60).map_or(name, |(end, _)| &name[..end])
}

/// The keyword that a word, where only an operator can stand, was most likely meant to be.
fn meant(word: &str, condition: bool) -> Option<&'static str> {
    const ELSEWHERE: [(&str, &str); 17] = [
        ("=", "eq"),
        ("==", "eq"),
        ("is", "eq"),
        ("equals", "eq"),
        ("!=", "ne"),
        ("<>", "ne"),
        ("neq", "ne"),
        ("isnot", "ne"),
        (">", "gt"),
        (">=", "ge"),
        ("gte", "ge"),
        ("<", "lt"),
        ("<=", "le"),
        ("lte", "le"),
        ("&&", "and"),
        ("||", "or"),
        ("adn", "and"),
    ];
    let (comparisons, logic) = INFIX.split_at(7);
    let possible = if condition { &logic[..2] } else { comparisons };
    let foreign = ELSEWHERE.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(word)).map(|(_, ours)| *ours);
    let swapped = || possible.iter().copied().find(|keyword| keyword.chars().rev().eq(word.to_lowercase().chars()));
    foreign.or_else(swapped).filter(|keyword| possible.contains(keyword))
}
