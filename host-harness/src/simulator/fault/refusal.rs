//! The shapes in which Graph refuses a delta link.

use serde::{Deserialize, Serialize};

/// The ways Graph refuses a delta link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    /// 410 Gone with a Location that starts anew.
    GoneWithLocation,
    /// 400 `syncStateNotFound`.
    SyncStateNotFound,
    /// 400 `Request_UnsupportedQuery`, "older than 30 days".
    OlderThan30Days,
    /// 410 `resyncRequired`.
    ResyncRequired,
    /// 410 `SyncStateNotFound`, as the mail service spells it.
    SyncStateGone,
    /// 410 `resyncChangesApplyDifferences`.
    ApplyDifferences,
    /// 410 `resyncChangesUploadDifferences`.
    UploadDifferences,
}

impl Refusal {
    /// Every way.
    pub const ALL: [Refusal; 7] = [
        Refusal::GoneWithLocation,
        Refusal::SyncStateNotFound,
        Refusal::OlderThan30Days,
        Refusal::ResyncRequired,
        Refusal::SyncStateGone,
        Refusal::ApplyDifferences,
        Refusal::UploadDifferences,
    ];
}
