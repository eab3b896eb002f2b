//! ConfigJson, checked: what the rest of the connector may rely on without looking again.
//!
//! Here, and not in a key's type, stands what binds keys to each other: a mode that needs other keys is refused at the
//! mode, since that is what the operator wrote, and the words name the key to change.

use std::path::PathBuf;
use std::time::Duration;

use super::auth::RawAuth;
use super::by_type;
use super::chosen::{Chosen, listed};
use super::fields::Fields;
use super::one_cloud;
use super::problems::Problems;
use super::raw::RawConfig;
use super::tenant::Tenant;
use crate::filter::Filter;
use crate::types::{FOLLOWED, ObjectType};

/// Which property is a user's `ExternalId`; groups always have their id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ExternalId {
    /// Graph's id, which never changes.
    #[default]
    Id,
    /// The sign-in name, which may.
    UserPrincipalName,
}

/// How memberships follow changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MembershipMode {
    /// The members of all groups in scope are read on every run.
    #[default]
    Recompute,
    /// From the change feed of groups. Users, groups and memberships are then all imported, and a filter can be
    /// evaluated here.
    Delta,
}

/// What happens to an object type whose delta link Graph no longer accepts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnDeltaExpired {
    /// It ends, and the run asks for a full import.
    #[default]
    Fail,
    /// It is read in full, in the same run.
    FullSync,
}

/// How a first import reads users and groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FullImportStrategy {
    /// It walks the change feed from its beginning.
    #[default]
    DeltaWalk,
    /// It reads lists side by side, then what changed meanwhile.
    Snapshot,
}

/// A checked ConfigJson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory.
    pub tenant: Tenant,
    /// Which groups are in scope; `None`: all.
    pub group_selection_filter: Option<Filter>,
    /// Rows per page of lists and member reads, 1 to 999.
    pub page_size: u16,
    /// What is said of each object type, in the order of Describe.
    pub object_types: Vec<Chosen>,
    /// Users' ExternalId.
    pub external_id: ExternalId,
    /// How memberships follow changes.
    pub membership_mode: MembershipMode,
    /// What an expired delta link leads to.
    pub on_delta_expired: OnDeltaExpired,
    /// How a first import reads users and groups.
    pub full_import_strategy: FullImportStrategy,
    /// Most deletes of one object type in a delta run, 1 to 100,000; `None`: no limit.
    pub max_deletes: Option<u32>,
    /// Days between re-reads of everything, up to 90; 0 is never.
    pub full_reconcile_days: u16,
    /// Graph's origin in lower case, without default port and slash.
    pub graph_origin: String,
    /// The token service's origin, likewise.
    pub authority: String,
    /// The token's scope.
    pub scope: String,
    /// The proxy's origin; `None` leaves the choice to the system's settings.
    pub proxy: Option<String>,
    /// Further trusted certificates; absolute, not yet looked at.
    pub ca_file: Option<PathBuf>,
    /// Repetitions of one request.
    pub max_retries: u32,
    /// Wait per attempt where Graph names none.
    pub retry_base: Duration,
    /// Requests under way at once, 1 to 64.
    pub max_concurrency: usize,
}

/// Reads ConfigJson; `None` after a mistake without which nothing more can be said. Look at `problems` as well.
pub(super) fn read(text: &str, problems: &mut Problems) -> Option<Config> {
    let mut fields = Fields::open(text, problems)?;
    let raw = RawConfig::read(&mut fields);
    let object_types = by_type::read(&mut fields, raw.preset.0.0);
    fields.finish(&super::keys_of_config(), RawAuth::KEYS);
    check(raw, object_types, problems)
}

fn check(raw: RawConfig, object_types: Vec<Chosen>, problems: &mut Problems) -> Option<Config> {
    if !object_types.iter().any(|chosen| chosen.on) {
        let switches: Vec<&str> = by_type::switches().iter().map(|switch| switch.key).collect();
        let switches = listed(&switches);
        problems.whole().report("every Import… switch off", format!("at least one of {switches} true or absent"), None);
    }
    let filter = raw.group_selection_filter.0.map(|filter| filter.0);
    let membership_mode = raw.membership_mode.0.0;
    if membership_mode == MembershipMode::Delta {
        delta_memberships(&object_types, filter.as_ref(), problems);
    }
    let cloud = raw.cloud.0.0;
    let (endpoint, authority, scope) = (&raw.graph_endpoint.0, &raw.authority_host.0, &raw.graph_scope.0);
    let written =
        [endpoint.as_ref().map(|it| &*it.0), authority.as_ref().map(|it| &*it.0), scope.as_ref().map(|it| &*it.0)];
    one_cloud::check(cloud, written, problems);
    Some(Config {
        tenant: raw.tenant_id?.0,
        group_selection_filter: filter,
        page_size: raw.page_size.0.0,
        object_types,
        external_id: raw.external_id_attribute.0.0,
        membership_mode,
        on_delta_expired: raw.on_delta_expired.0.0,
        full_import_strategy: raw.full_import_strategy.0.0,
        max_deletes: raw.max_deletes.0.map(|limit| limit.0),
        full_reconcile_days: raw.full_reconcile_days.0.0,
        graph_origin: raw.graph_endpoint.0.map_or_else(|| cloud.graph().to_owned(), |origin| origin.0),
        authority: raw.authority_host.0.map_or_else(|| cloud.authority().to_owned(), |origin| origin.0),
        scope: raw.graph_scope.0.map_or_else(|| cloud.scope(), |scope| scope.0),
        proxy: raw.proxy.0.map(|proxy| proxy.0),
        ca_file: raw.ca_file.0.map(|file| file.0),
        max_retries: raw.max_retries.0.0.into(),
        retry_base: raw.retry_base_seconds.0.0,
        max_concurrency: raw.max_concurrency.0.0.into(),
    })
}

/// What `MembershipMode` "Delta" needs of other keys: the feed of groups names members of every type, so their objects
/// must be imported beside them, and a changed group must be judged by its row alone.
fn delta_memberships(object_types: &[Chosen], filter: Option<&Filter>, problems: &mut Problems) {
    let mut refuse = |instead: String| {
        problems.key("MembershipMode").report("\"Delta\"", format!("\"Recompute\", or {instead}"), None);
    };
    let is_off = |needed: &&&ObjectType| object_types.iter().any(|chosen| chosen.name == needed.name && !chosen.on);
    for off in FOLLOWED.iter().filter(is_off) {
        refuse(format!("{} true: memberships from the change feed need it", off.switch.key));
    }
    if let Some(why) = filter.and_then(Filter::why_not_here) {
        refuse(format!("another GroupSelectionFilter: {why}"));
    }
}
