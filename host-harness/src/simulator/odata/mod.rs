//! The part of OData that directory objects understand: `$filter` expressions, parsed, judged and evaluated.
//!
//! Judging is a step of its own, because Graph refuses much that parses: operators a property does not know, and
//! anything that needs an advanced query (`ConsistencyLevel: eventual` and `$count=true`) without being one.

mod evaluate;
mod judge;
mod parse;
mod text_order;
mod token;

pub(crate) use evaluate::holds;
pub(crate) use judge::judge;
pub(crate) use parse::parse;
pub use text_order::TextOrder;

use serde_json::Value;

/// Why a filter was refused, in Graph's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Refused {
    pub(crate) fn syntax(detail: impl AsRef<str>) -> Refused {
        Refused { code: "BadRequest", message: format!("Invalid filter clause: {}", detail.as_ref()) }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Refused {
        Refused { code: "Request_UnsupportedQuery", message: message.into() }
    }
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Ge,
    Le,
    Gt,
    Lt,
    StartsWith,
    EndsWith,
    Contains,
}

impl Operator {
    /// The word of the filter language.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Operator::Eq => "eq",
            Operator::Ne => "ne",
            Operator::Ge => "ge",
            Operator::Le => "le",
            Operator::Gt => "gt",
            Operator::Lt => "lt",
            Operator::StartsWith => "startswith",
            Operator::EndsWith => "endswith",
            Operator::Contains => "contains",
        }
    }
}

/// A parsed filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Not(Box<Filter>),
    Compare {
        path: String,
        operator: Operator,
        literal: Value,
    },
    In {
        path: String,
        literals: Vec<Value>,
    },
    /// `path/any(x: …)`; inside, the variable stands as its own path.
    Any {
        path: String,
        variable: String,
        inner: Box<Filter>,
    },
    /// `path/any()`: not empty.
    AnyAtAll {
        path: String,
    },
    /// `path/$count eq 0` and the like.
    Count {
        path: String,
        operator: Operator,
        number: u64,
    },
}
