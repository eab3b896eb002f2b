//! How object types are read: one room for each way of reading, one line for each in [`way_of`].
//!
//! ```text
//! feed/       objects, by the change feed of their collection: rounds, recycle bin, Snapshot
//! group/      groups and their members: filter, memberships that follow the feed, confirm, repair, restored, Reconcile
//! children/   members of one object after the other, through $batch
//! run  way    what a run shares, what a way of reading must answer        over   types that wait for others
//! lookup  distinct  selected  survey   single objects by id; lists checked against their count; $select; sizes
//! ```
//!
//! What is read is said in `types/`; nothing here but `group/` names an object type.

mod children;
mod distinct;
mod feed;
mod group;
mod lookup;
mod over;
mod run;
mod selected;
mod survey;
mod way;

pub use over::Over;
pub use run::{Run, TypeRun};
pub use survey::{Finding, Further, Size, Survey};
pub use way::{Probe, Way};

use crate::config::{Config, ExternalId};
use crate::error::Error;
use crate::sync::{Asked, Plan, Wanted, Watermark, fingerprint, plan};
use crate::types::{self, ObjectType, Read};

/// How an object type is read.
pub fn way_of(object_type: &ObjectType) -> &'static dyn Way {
    match object_type.read {
        Read::Feed(_) => &feed::ByFeed,
        Read::Groups(_) => &group::Groups,
        Read::Members => &group::Members,
    }
}

/// The object types that are switched on, in the order of `Describe`.
pub fn switched_on(config: &Config) -> Vec<&'static ObjectType> {
    types::ALL.iter().copied().filter(|object_type| config.imports(object_type)).collect()
}

/// Where a run of this configuration starts, from what the host kept. `leads_here` says whether a link is one of the
/// configured Graph; `now` is seconds since 1970.
pub fn plan_of(
    config: &Config,
    watermark: Option<&Watermark>,
    tenant: &str,
    now: u64,
    leads_here: impl Fn(&str) -> bool,
) -> Result<Plan, Error> {
    let plain = is_plain(config);
    let asked = |object_type: &'static ObjectType| {
        let asked = way_of(object_type).asked(object_type, config)?;
        Some(Asked { plain, ..asked })
    };
    let types: Vec<Asked> = switched_on(config).into_iter().filter_map(asked).collect();
    let named: Vec<&str> =
        types.iter().flat_map(|asked| [asked.object_type.name, asked.fingerprint.as_str()]).collect();
    let wanted = Wanted {
        tenant,
        origin: &config.graph_origin,
        types: &types,
        all: &fingerprint(&named),
        repairs: group::repairs(config),
        follows_members: config.follows_members(),
        reconcile_days: config.full_reconcile_days,
        now,
    };
    plan(watermark, &wanted, leads_here)
}

/// Whether the configuration asks for no more than another implementation would, so that its bare links fit.
fn is_plain(config: &Config) -> bool {
    config.group_selection_filter.is_none()
        && types::ALL.iter().all(|object_type| config.added_to(object_type).is_empty())
        && config.external_id == ExternalId::Id
        && !config.follows_members()
}
