//! `GroupSelectionFilter`: an OData filter on groups, parsed once and evaluated on the rows of the groups feed.
//!
//! Graph refuses every such filter on `/groups/delta`, so the connector must judge changed groups by itself, exactly as
//! Graph judges them when it lists groups. Three steps: `parse.rs` takes whatever is OData at all, `bind.rs` decides
//! whether it can be evaluated here, `evaluate.rs` does. A filter that cannot be evaluated here is not a mistake:
//! Graph may accept it, and groups are then read as a list.

mod bind;
mod evaluate;
mod expression;
mod literal;
mod moment;
mod parse;
mod property;
mod token;

use serde_json::value::RawValue;

use self::evaluate::{Row, Test};

/// Seconds since 1970 of an instant as Graph writes it; `None` where it is none.
pub fn instant(text: &str) -> Option<i64> {
    moment::Moment::of(text).map(moment::Moment::seconds)
}

/// A well-formed filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    text: String,
    properties: Vec<String>,
    test: Result<Test, String>,
}

/// Where a text stops being a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The character, counted from 1; one more than there are where the text ends too early.
    pub position: usize,
    /// What was expected there, in words that end the sentence "expected …".
    pub message: String,
}

impl Filter {
    /// Reads a filter; only what no OData parser would take is an error.
    ///
    /// ```
    /// use entra_id_core::filter::Filter;
    /// assert_eq!(Filter::parse("displayName = 'Sales'").unwrap_err().position, 13);
    /// assert_eq!(Filter::parse("startsWith(displayname,'APP-')").unwrap().properties(), ["displayName"]);
    /// ```
    pub fn parse(text: &str) -> Result<Filter, SyntaxError> {
        let (test, properties) = match bind::bind(&parse::parse(text)?) {
            Ok((test, properties)) => (Ok(test), properties),
            Err(reason) => (Err(reason), Vec::new()),
        };
        Ok(Filter { text: text.to_owned(), properties, test })
    }

    /// The filter word for word, as Graph is to get it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What in it cannot be evaluated here, as a sentence without its full stop; `None` when all of it can.
    pub fn why_not_here(&self) -> Option<&str> {
        self.test.as_ref().err().map(String::as_str)
    }

    /// The properties it names in Graph's spelling, in the order of the text and none twice; also `id`, if it is named.
    /// Empty when the filter cannot be evaluated here.
    pub fn properties(&self) -> &[String] {
        &self.properties
    }

    /// Whether a group is selected. `value_of` gives a property's JSON; `None` is read as null, so ask only about a row
    /// that carries every one of [`Filter::properties`].
    ///
    /// A filter that cannot be evaluated here selects nothing: ask [`Filter::why_not_here`] before, or every group
    /// leaves.
    pub fn matches<'v>(&self, value_of: impl Fn(&str) -> Option<&'v RawValue>) -> bool {
        debug_assert!(self.test.is_ok(), "asked to evaluate what cannot be evaluated: {:?}", self.why_not_here());
        let Ok(test) = &self.test else { return false };
        test.holds(&Row::read(&self.properties, value_of), None)
    }
}

#[cfg(test)]
mod tests;
