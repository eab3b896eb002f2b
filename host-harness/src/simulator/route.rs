//! The endpoints of the simulator, as the journal and faults name them.

use serde::{Deserialize, Serialize};

/// An endpoint of the simulator, as journal and faults name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum Route {
    /// In a fault: every route but the control routes.
    #[default]
    Any,
    /// `POST /{tenant}/oauth2/v2.0/token`.
    Token,
    /// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
    OpenId,
    /// `GET /msi/token`: the managed identity of App Service.
    ManagedIdentity,
    /// `/users/delta`.
    UsersDelta,
    /// `/groups/delta`.
    GroupsDelta,
    /// `/users`.
    UsersList,
    /// `/groups`.
    GroupsList,
    /// `/users/{id}`.
    User,
    /// `/groups/{id}`.
    Group,
    /// `/groups/{id}/members`, also with a cast or `$count`.
    Members,
    /// `/groups/{id}/owners`.
    Owners,
    /// `/users/{id}/memberOf`, `/groups/{id}/memberOf`, also with the cast `/microsoft.graph.group`.
    MemberOf,
    /// `/directory/deletedItems/microsoft.graph.user`.
    DeletedUsers,
    /// `/directory/deletedItems/microsoft.graph.group`.
    DeletedGroups,
    /// `/users/$count`, `/groups/$count`.
    Count,
    /// `/applications`.
    Applications,
    /// `/$batch`.
    Batch,
    /// `/_simulator/…`; never matched by a fault.
    Control,
    /// Anything else.
    Unknown,
}
