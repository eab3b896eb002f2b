//! Microsoft's clouds: each has its own token service, its own Graph and its own scope, and tokens of one are worth
//! nothing in another.
//!
//! <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>

use super::choice::Words;

/// `Cloud`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cloud {
    /// Worldwide, GCC included.
    #[default]
    Public,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (DoD).
    UsGovDoD,
    /// Operated by 21Vianet.
    China,
}

impl Words for Cloud {
    const WORDS: &'static [(&'static str, Cloud)] =
        &[("Public", Cloud::Public), ("UsGov", Cloud::UsGov), ("UsGovDoD", Cloud::UsGovDoD), ("China", Cloud::China)];
}

impl Cloud {
    /// Graph's origin.
    pub(super) fn graph(self) -> &'static str {
        match self {
            Cloud::Public => "https://graph.microsoft.com",
            Cloud::UsGov => "https://graph.microsoft.us",
            Cloud::UsGovDoD => "https://dod-graph.microsoft.us",
            Cloud::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The token service's origin.
    pub(super) fn authority(self) -> &'static str {
        match self {
            Cloud::Public => "https://login.microsoftonline.com",
            Cloud::UsGov | Cloud::UsGovDoD => "https://login.microsoftonline.us",
            Cloud::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// The scope of a token for this Graph.
    pub(super) fn scope(self) -> String {
        format!("{}/.default", self.graph())
    }
}
