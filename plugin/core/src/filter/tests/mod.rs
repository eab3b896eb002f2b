//! What is a filter, where one breaks off, what can be evaluated here, and what it then selects.

mod meaning;
mod syntax;
mod truth;

use super::*;

/// A filter that can be evaluated.
fn evaluable(text: &str) -> Filter {
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    assert_eq!(filter.why_not_here(), None, "{text}");
    filter
}
