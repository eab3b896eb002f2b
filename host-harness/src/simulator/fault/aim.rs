//! Which requests a fault is meant for.
//!
//! A walk through pages is told apart by its links: what a next link leads to is `nextLink`, also within the round that
//! a delta link began.

use serde::{Deserialize, Serialize};

use super::{Fault, FaultAction};
use crate::simulator::percent::decode;
use crate::simulator::route::Route;

/// The calls of a walk through pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Call {
    /// All of them.
    #[default]
    Any,
    /// The one that names its options: page 1, or a read that has no pages.
    First,
    /// A next link: page 2 and later, of a list or of a round.
    NextLink,
    /// A delta link: page 1 of a later round.
    DeltaLink,
}

impl Call {
    fn of(decoded: &str) -> Call {
        let url = decoded.to_lowercase();
        let token = url.split_once("$deltatoken=").map(|(_, token)| token);
        if url.contains("$skiptoken=") {
            Call::NextLink
        // An empty token starts over, as the Location of a refusal says.
        } else if token
            .is_some_and(|token| !token.is_empty() && !token.starts_with(['&']) && !token.starts_with("latest"))
        {
            Call::DeltaLink
        } else {
            Call::First
        }
    }
}

/// What a fault is told from a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) route: Route,
    pub(crate) url: &'a str,
    /// The id of the object that is addressed.
    pub(crate) object: Option<&'a str>,
    pub(crate) in_batch: bool,
}

impl Subject<'_> {
    pub(super) fn call(&self) -> Call {
        Call::of(&decode(self.url, false))
    }
}

impl Fault {
    /// `page` is the page of its walk that is asked for.
    pub(super) fn matches(&self, asked: &Subject<'_>, page: u32) -> bool {
        let decoded = decode(asked.url, false);
        (self.route == Route::Any || self.route == asked.route)
            && (self.call == Call::Any || self.call == Call::of(&decoded))
            && self.page.is_none_or(|wanted| wanted == page)
            && self.object.as_ref().is_none_or(|id| asked.object.is_some_and(|asked| asked.eq_ignore_ascii_case(id)))
            && self.url_contains.as_ref().is_none_or(|text| asked.url.contains(text) || decoded.contains(text))
            && match self.action {
                FaultAction::RefuseDeltaLink { .. } => Call::of(&decoded) == Call::DeltaLink,
                FaultAction::MissingItem => asked.in_batch,
                _ => true,
            }
    }
}
