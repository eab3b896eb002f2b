//! What a connection test wants to know of an object type beside its permission: how much there is, and what a full
//! import of it will ask of Graph.
//!
//! All of it is rough, and says so. Counts come from `$count=true` on a list and not from `/$count`: that answers plain
//! text, to a client that accepts JSON.

use serde::Deserialize;

use crate::graph::{self, Get, Graph, Unreadable};

/// Rows of a page of a delta feed. Not documented; what users report (`/users/delta`, steadily).
pub(super) const FEED_PAGE: u64 = 200;

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Size {
    /// Records of a full import; `None` where Graph did not say.
    pub objects: Option<u64>,
    /// How `objects` was found, where it was not counted.
    pub sampled: Option<String>,
    /// Requests of a full import.
    pub requests: u64,
    /// More may be needed, and nobody can know before.
    pub at_least: bool,
    /// Requests that may be under way at once.
    pub lanes: u64,
    /// What Graph's throttling will charge for them.
    pub units: u64,
    /// Requests this survey made.
    pub reads: u64,
}

/// A permission beyond those that an object type cannot do without.
#[derive(Debug)]
pub struct Further {
    /// Application permission of Microsoft Graph.
    pub permission: &'static str,
    /// What is known of it.
    pub finding: Finding,
}

/// What is known of a permission.
#[derive(Debug)]
pub enum Finding {
    /// A read that needs it was answered.
    Granted(String),
    /// A read that needs it was refused.
    Refused(graph::Error),
    /// Nothing needs it.
    NotNeeded(String),
    /// No read can tell.
    Unclear(String),
}

/// All of it.
#[derive(Debug)]
pub struct Survey {
    /// How much there is.
    pub size: Size,
    /// Permissions that complete the type.
    pub further: Vec<Further>,
}

#[derive(Deserialize)]
struct Counted {
    #[serde(rename = "@odata.count", default)]
    count: Option<u64>,
}

/// How many objects a list would show; `None` where Graph leaves the number out.
pub(super) fn counted(graph: &Graph, path_and_query: &str) -> Result<Option<u64>, graph::Error> {
    let request = Get { link: graph.link(path_and_query), advanced: true };
    graph.get(&request, |answer| {
        let counted: Counted = serde_json::from_slice(answer.body).map_err(|e| Unreadable(e.to_string()))?;
        Ok(counted.count)
    })
}

/// Pages that so many rows need; an empty collection is a page too.
pub(super) fn pages(rows: u64, per_page: u64) -> u64 {
    rows.div_ceil(per_page.max(1)).max(1)
}

impl Size {
    /// A feed or list that is walked page by page.
    pub(super) fn walked(objects: Option<u64>, requests: u64, reads: u64) -> Size {
        Size { objects, sampled: None, requests, at_least: objects.is_none(), lanes: 1, units: requests, reads }
    }
}
