//! What a filter says, as a tree, before anybody asks whether it makes sense.
//!
//! A part that will never be evaluated here shrinks to a [`Expression::Foreign`] at once: nothing keeps its operands,
//! so a chain of a million additions is one node and the tree is never deeper than the parser allows.

use super::literal::Literal;

#[derive(Debug)]
pub(super) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Compare(Operator, Box<Expression>, Box<Expression>),
    In(Box<Expression>, Vec<Expression>),
    /// A function's name in lower case.
    Call(String, Vec<Expression>),
    Any {
        collection: String,
        /// The variable and what is said of it; `None`: there is an item at all.
        condition: Option<(String, Box<Expression>)>,
    },
    /// A property, or the variable of the `any` around it.
    Name(String),
    Literal(Literal),
    /// Well-formed, but evaluated by Graph at most: why, as [`super::Filter::why_not_here`] tells it.
    Foreign(String),
}

impl Expression {
    /// A part that the connector leaves to Graph.
    pub(super) fn foreign(what: &str) -> Expression {
        Expression::Foreign(not_evaluated(what))
    }

    /// Whether it is true or false by its form, so that `and` or `or` may follow but no comparison.
    pub(super) fn is_condition(&self) -> bool {
        use Expression::{And, Any, Call, Compare, Foreign, In, Literal, Name, Not, Or};
        match self {
            Or(_) | And(_) | Not(_) | Compare(..) | In(..) | Call(..) | Any { .. } => true,
            Name(_) | Literal(_) | Foreign(_) => false,
        }
    }
}

/// The sentence for operators.
pub(super) fn not_evaluated(what: &str) -> String {
    format!("the connector does not evaluate {what}")
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    pub(super) const ALL: [(&'static str, Operator); 6] = [
        ("eq", Operator::Eq),
        ("ne", Operator::Ne),
        ("gt", Operator::Gt),
        ("ge", Operator::Ge),
        ("lt", Operator::Lt),
        ("le", Operator::Le),
    ];

    /// The keyword, in any case.
    pub(super) fn of(word: &str) -> Option<Operator> {
        Self::ALL.iter().find(|(keyword, _)| keyword.eq_ignore_ascii_case(word)).map(|(_, operator)| *operator)
    }
}
