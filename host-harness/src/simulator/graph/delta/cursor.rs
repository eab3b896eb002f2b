//! What a delta token holds, and the shapes in which one is refused.

use serde::{Deserialize, Serialize};

use crate::simulator::fault::Refusal;
use crate::simulator::graph::Context;
use crate::simulator::graph::answer::GraphError;
use crate::simulator::kinds::Kind;
use crate::simulator::relations::Relation;

/// The inside of a `$skiptoken` or `$deltatoken`: the options of the first request and the position.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Cursor {
    #[serde(rename = "k")]
    pub(super) kind: Kind,
    /// The `$select` of the first request; absent for the default properties.
    #[serde(rename = "s", skip_serializing_if = "Option::is_none")]
    pub(super) select: Option<Vec<String>>,
    /// The relation whose entries were asked for.
    #[serde(rename = "m", skip_serializing_if = "Option::is_none")]
    pub(super) follows: Option<Relation>,
    /// The ids of an `id eq` filter.
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    pub(super) ids: Option<Vec<u32>>,
    /// Seconds since 1970.
    #[serde(rename = "t")]
    pub(super) issued: u64,
    #[serde(rename = "r")]
    pub(super) round: Round,
}

/// Where a feed stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Round {
    /// A delta link: everything from this log position on is news.
    #[serde(rename = "d")]
    Since {
        #[serde(rename = "s")]
        since: u32,
    },
    /// Within the first round, which enumerates.
    #[serde(rename = "f")]
    First {
        /// The log's end when the round began.
        #[serde(rename = "s")]
        since: u32,
        /// How many numbers were taken when the round began.
        #[serde(rename = "c")]
        count: u32,
        #[serde(rename = "p")]
        place: Place,
    },
    /// Within a later round, which walks the log.
    #[serde(rename = "l")]
    Later {
        #[serde(rename = "s")]
        since: u32,
        #[serde(rename = "u")]
        until: u32,
        #[serde(rename = "p")]
        place: Place,
    },
}

/// Progress within a round.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    #[serde(rename = "a")]
    pub(super) at: u32,
    /// Objects whose children were not all shown yet, with the slot to go on from.
    #[serde(rename = "q", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pending: Vec<(u32, u32)>,
    /// How many empty pages came at this very place.
    #[serde(rename = "e", default)]
    pub(super) empties: u32,
}

const NO_STATE: &str = "The sync state generation is not found; continuing with a full sync is required.";
const RESYNC: &str = "Resync required. Replace any local items with the server's version.";

/// A delta link turned down.
pub(crate) fn refusal(context: &Context<'_>, collection: &str, shape: Refusal) -> GraphError {
    match shape {
        Refusal::GoneWithLocation => GraphError::new(410, "", "The synchronization state is gone. Start over.")
            .with("location", format!("{}/v1.0/{collection}/delta?$deltatoken=", context.origin)),
        Refusal::SyncStateNotFound => GraphError::new(400, "syncStateNotFound", NO_STATE),
        Refusal::SyncStateGone => GraphError::new(410, "SyncStateNotFound", NO_STATE),
        Refusal::OlderThan30Days => GraphError::unsupported("DeltaLink older than 30 days is not supported."),
        Refusal::ResyncRequired => GraphError::new(410, "resyncRequired", RESYNC),
        Refusal::ApplyDifferences => GraphError::new(410, "resyncChangesApplyDifferences", RESYNC),
        Refusal::UploadDifferences => GraphError::new(410, "resyncChangesUploadDifferences", RESYNC),
    }
}
