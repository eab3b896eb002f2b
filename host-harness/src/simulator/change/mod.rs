//! Changes to the tenant, as scripts name them, in code and in JSON.
//!
//! An object is named by its id or by `#n`, its number: `#0` is the first, and added objects count on from the last one of
//! the base tenant, recycle bin included. A script is applied whole or not at all.

pub(crate) mod script;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::simulator::kinds::identity::ObjectKind;

/// One change of the directory. In JSON: `{"change": "deleteUser", "user": "#12"}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Change {
    /// A new user with these properties and no others.
    AddUser {
        /// Graph's names and values.
        #[serde(default)]
        properties: Map<String, Value>,
    },
    /// New values for some properties; null clears one.
    UpdateUser {
        /// Which user.
        user: String,
        /// Graph's names and values.
        properties: Map<String, Value>,
    },
    /// Two users exchange their user principal names; nothing else of them.
    SwapUserNames {
        /// Which user.
        user: String,
        /// With whom.
        other: String,
    },
    /// Into the recycle bin. The user's memberships stay recorded.
    DeleteUser {
        /// Which user.
        user: String,
    },
    /// Out of the recycle bin, with all memberships.
    RestoreUser {
        /// Which user.
        user: String,
    },
    /// Gone for good, and out of all groups.
    PurgeUser {
        /// Which user.
        user: String,
    },
    /// A new, empty group with these properties; a security group unless they say otherwise.
    AddGroup {
        /// Graph's names and values.
        #[serde(default)]
        properties: Map<String, Value>,
    },
    /// New values for some properties; null clears one.
    UpdateGroup {
        /// Which group.
        group: String,
        /// Graph's names and values.
        properties: Map<String, Value>,
    },
    /// Delete a group: into the recycle bin or gone at once, as its sort and the world decide.
    DeleteGroup {
        /// Which group.
        group: String,
    },
    /// Out of the recycle bin, with all members.
    RestoreGroup {
        /// Which group.
        group: String,
    },
    /// Gone for good.
    PurgeGroup {
        /// Which group.
        group: String,
    },
    /// A new direct member.
    AddMember {
        /// Which group.
        group: String,
        /// Which object.
        member: String,
        /// What sort of object; read from the id when `member` is one.
        #[serde(default)]
        member_type: ObjectKind,
    },
    /// One direct member less.
    RemoveMember {
        /// Which group.
        group: String,
        /// Which object.
        member: String,
        /// What sort of object; read from the id when `member` is one.
        #[serde(default)]
        member_type: ObjectKind,
    },
}

/// What a change amounts to, finer than its form: for counting what a script covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChangeKind {
    UserAdded,
    UserUpdated,
    UserRenamed,
    UserNamesSwapped,
    UserDisabled,
    UserPropertyCleared,
    UserDeleted,
    UserRestored,
    UserPurged,
    GroupAdded,
    GroupUpdated,
    GroupRenamed,
    GroupPropertyCleared,
    GroupVisibilityChanged,
    GroupDeleted,
    GroupRestored,
    GroupPurged,
    MemberAdded,
    MemberRemoved,
}

impl ChangeKind {
    /// Every kind.
    pub const ALL: [ChangeKind; 19] = [
        ChangeKind::UserAdded,
        ChangeKind::UserUpdated,
        ChangeKind::UserRenamed,
        ChangeKind::UserNamesSwapped,
        ChangeKind::UserDisabled,
        ChangeKind::UserPropertyCleared,
        ChangeKind::UserDeleted,
        ChangeKind::UserRestored,
        ChangeKind::UserPurged,
        ChangeKind::GroupAdded,
        ChangeKind::GroupUpdated,
        ChangeKind::GroupRenamed,
        ChangeKind::GroupPropertyCleared,
        ChangeKind::GroupVisibilityChanged,
        ChangeKind::GroupDeleted,
        ChangeKind::GroupRestored,
        ChangeKind::GroupPurged,
        ChangeKind::MemberAdded,
        ChangeKind::MemberRemoved,
    ];
}

impl Change {
    /// What this change amounts to.
    pub fn kind(&self) -> ChangeKind {
        match self {
            Change::AddUser { .. } => ChangeKind::UserAdded,
            Change::UpdateUser { properties, .. } => {
                if properties.contains_key("userPrincipalName") {
                    ChangeKind::UserRenamed
                } else if properties.get("accountEnabled") == Some(&Value::Bool(false)) {
                    ChangeKind::UserDisabled
                } else if properties.values().any(Value::is_null) {
                    ChangeKind::UserPropertyCleared
                } else {
                    ChangeKind::UserUpdated
                }
            }
            Change::SwapUserNames { .. } => ChangeKind::UserNamesSwapped,
            Change::DeleteUser { .. } => ChangeKind::UserDeleted,
            Change::RestoreUser { .. } => ChangeKind::UserRestored,
            Change::PurgeUser { .. } => ChangeKind::UserPurged,
            Change::AddGroup { .. } => ChangeKind::GroupAdded,
            Change::UpdateGroup { properties, .. } => {
                if properties.contains_key("displayName") {
                    ChangeKind::GroupRenamed
                } else if properties.contains_key("visibility") {
                    ChangeKind::GroupVisibilityChanged
                } else if properties.values().any(Value::is_null) {
                    ChangeKind::GroupPropertyCleared
                } else {
                    ChangeKind::GroupUpdated
                }
            }
            Change::DeleteGroup { .. } => ChangeKind::GroupDeleted,
            Change::RestoreGroup { .. } => ChangeKind::GroupRestored,
            Change::PurgeGroup { .. } => ChangeKind::GroupPurged,
            Change::AddMember { .. } => ChangeKind::MemberAdded,
            Change::RemoveMember { .. } => ChangeKind::MemberRemoved,
        }
    }
}

/// What a script did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSummary {
    /// How many changes of each kind were applied.
    pub counts: BTreeMap<ChangeKind, u32>,
    /// The ids of added users and groups, in the order of the script.
    pub created: Vec<String>,
}

impl ChangeSummary {
    /// How many changes there were in all.
    pub fn total(&self) -> u32 {
        self.counts.values().sum()
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, formatter)
    }
}
