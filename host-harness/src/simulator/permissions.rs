//! Application permissions that were consented to: a set, of which a world names what differs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What the application may read. Everything that an endpoint asks for at least is granted unless it is revoked; what
/// covers more, such as `Directory.Read.All`, is not granted unless it is named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Permissions {
    /// Granted beside those of [`Permissions::GRANTED`].
    pub granted: BTreeSet<String>,
    /// Of all of them, those that are not granted after all.
    pub revoked: BTreeSet<String>,
}

impl Permissions {
    /// Those that are granted unless they are revoked.
    pub const GRANTED: [&'static str; 9] = [
        "User.Read.All",
        "GroupMember.Read.All",
        "Group.Read.All",
        "Member.Read.Hidden",
        "Device.Read.All",
        "Application.Read.All",
        "OrgContact.Read.All",
        "RoleManagement.Read.Directory",
        "AuditLog.Read.All",
    ];

    /// All but these.
    pub fn without(names: &[&str]) -> Permissions {
        let mut permissions = Permissions::default();
        for name in names {
            permissions.revoke(name);
        }
        permissions
    }

    /// Take one away.
    pub fn revoke(&mut self, name: &str) {
        self.revoked.insert(name.to_owned());
    }

    /// Give one.
    pub fn grant(&mut self, name: &str) {
        self.revoked.remove(name);
        self.granted.insert(name.to_owned());
    }

    /// The names of all that are granted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let also = self.granted.iter().map(String::as_str).filter(|name| !Self::GRANTED.contains(name));
        Self::GRANTED.into_iter().chain(also).filter(|name| !self.revoked.contains(*name))
    }

    /// Whether one of several is granted, each of which would do.
    pub(crate) fn allow(&self, any_of: &[&str]) -> bool {
        self.names().any(|name| any_of.contains(&name))
    }
}
