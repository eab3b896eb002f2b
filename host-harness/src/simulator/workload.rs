//! The services behind Graph that do not share the directory's limits, and how each refuses.
//!
//! Two refusals look alike and mean different things: a permission that was not consented to, and a licence that the
//! tenant does not have. Which code says which depends on the service.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A service with limits and errors of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Workload {
    /// Users, groups, applications, roles: limited by resource units.
    Directory,
    /// Reads that select keys of applications.
    KeyCredentials,
    /// Privileged Identity Management.
    PrivilegedIdentity,
    /// Sign-ins and what is made of them.
    Reports,
}

/// What a tenant has paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Licence {
    /// Microsoft Entra ID P1.
    P1,
    /// Microsoft Entra ID P2, or Governance.
    P2,
}

/// The licences of a tenant.
pub type Licences = BTreeSet<Licence>;

/// Requests in a window of time, for services that do not count resource units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Limits {
    /// Reads a minute that select keys of service principals; no limit when absent.
    pub key_credentials_per_minute: Option<u32>,
    /// Reads of reports in 10 seconds; no limit when absent.
    pub reports_per_10_seconds: Option<u32>,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { key_credentials_per_minute: Some(150), reports_per_10_seconds: Some(5) }
    }
}

impl Limits {
    /// No limits at all.
    pub fn none() -> Limits {
        Limits { key_credentials_per_minute: None, reports_per_10_seconds: None }
    }

    /// How many requests a window of how many milliseconds takes.
    pub(crate) fn of(&self, workload: Workload) -> Option<(u32, u64)> {
        match workload {
            Workload::KeyCredentials => self.key_credentials_per_minute.map(|most| (most, 60_000)),
            Workload::Reports => self.reports_per_10_seconds.map(|most| (most, 10_000)),
            Workload::Directory | Workload::PrivilegedIdentity => None,
        }
    }
}

/// Status, code and message of a refusal.
pub(crate) type Refused = (u16, &'static str, String);

impl Workload {
    pub(crate) const ALL: [Workload; 4] =
        [Workload::Directory, Workload::KeyCredentials, Workload::PrivilegedIdentity, Workload::Reports];

    /// A permission is missing.
    pub(crate) fn denied(self, permission: &str) -> Refused {
        match self {
            Workload::Directory | Workload::KeyCredentials => {
                (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.".to_owned())
            }
            // The message is itself JSON.
            Workload::PrivilegedIdentity => (
                403,
                "UnknownError",
                format!(
                    "{{\"errorCode\":\"PermissionScopeNotGranted\",\"message\":\"Authorization failed due to missing \
                     permission scope {permission}.\"}}"
                ),
            ),
            Workload::Reports => (
                403,
                "Authentication_MSGraphPermissionMissing",
                format!(
                    "The principal does not have required Microsoft Graph permission(s): {permission} to call this API."
                ),
            ),
        }
    }

    /// A licence is missing.
    pub(crate) fn unlicensed(self) -> Refused {
        match self {
            Workload::PrivilegedIdentity | Workload::Directory | Workload::KeyCredentials => (
                400,
                "AadPremiumLicenseRequired",
                "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license.".to_owned(),
            ),
            Workload::Reports => (
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "Neither tenant is B2C or tenant doesn't have premium license".to_owned(),
            ),
        }
    }
}
