//! What the base objects of every kind are computed from.

use super::identity::Ids;
use super::settings::Settings;

/// The seed of one tenant and what goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) seed: u64,
    pub(crate) ids: Ids,
    pub(crate) domain: String,
    pub(crate) settings: Settings,
}
