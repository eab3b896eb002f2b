//! Objects by the change feed of their collection, `/users/delta`.
//!
//! The filter and `PageSize` have no say here: Graph ignores `$top` on delta and refuses filters.

mod recycle_bin;
mod rounds;
mod settled;
mod sign;
pub(super) mod snapshot;
mod thin;

pub(super) use recycle_bin::{deliver as deliver_bin, look_again as look_again_in_bin, note as note_bins};
pub(super) use rounds::PlainRounds;
pub(super) use settled::settle;
pub(super) use sign::sign_of;

use super::run::Run;
use super::selected::selection;
use super::survey::{FEED_PAGE, Size, Survey, counted, pages};
use super::way::{Probe, Way, allowed};
use crate::config::{Config, ExternalId, FullImportStrategy};
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::mapping::Selection;
use crate::sync::{Asked, Feed, Keeps, Start, fingerprint, walk_round};
use crate::types::{FeedOf, ObjectType, Read};

/// Every row of the feed becomes a record.
#[derive(Debug)]
pub(super) struct ByFeed;

/// What the table says of the feed.
fn feed_of(object_type: &ObjectType) -> &'static FeedOf {
    match object_type.read {
        Read::Feed(feed) | Read::Groups(feed) => feed,
        Read::Members => unreachable!("{} is read by no feed of its own", object_type.name),
    }
}

/// The attribute that is the external id, where it is not the id.
fn external_id(object_type: &ObjectType, config: &Config) -> Option<&'static str> {
    let may_be_named = config.external_id == ExternalId::UserPrincipalName;
    feed_of(object_type).external_id.filter(|_| may_be_named)
}

fn selection_of(object_type: &ObjectType, config: &Config) -> Selection {
    let joined = feed_of(object_type).joined;
    selection(object_type, config.added_to(object_type), joined, external_id(object_type, config))
}

/// Names what is asked for. The external id is part of it: it decides what records carry.
fn fingerprint_of(object_type: &ObjectType, config: &Config) -> String {
    let select = selection_of(object_type, config).select();
    fingerprint(&[object_type.name, &select, external_id(object_type, config).unwrap_or("id")])
}

/// Whether the recycle bin matters: memberships follow a feed that does not mention objects in it.
fn watches_bin(object_type: &ObjectType, config: &Config) -> bool {
    config.follows_members() && feed_of(object_type).bin.is_some()
}

impl Way for ByFeed {
    fn asked(&self, object_type: &'static ObjectType, config: &Config) -> Option<Asked> {
        Some(Asked {
            object_type,
            fingerprint: fingerprint_of(object_type, config),
            keeps: Keeps::Link { collection: feed_of(object_type).collection },
            plain: false,
            needs_bin: watches_bin(object_type, config),
            reconciles: false,
        })
    }

    fn import(&self, object_type: &'static ObjectType, run: Run<'_>) -> Result<(), Error> {
        let start = run.plan.start(object_type);
        if start == Start::Done {
            run.was_finished(object_type);
            return Ok(());
        }
        let selection = selection_of(object_type, run.config);
        let fingerprint = fingerprint_of(object_type, run.config);
        let feed = Feed {
            path: &format!("{}/delta", feed_of(object_type).collection),
            selection: &selection,
            relations: "",
            fingerprint: &fingerprint,
            repairs: false,
            object_type,
        };
        let mut rounds = PlainRounds::new(run, feed, watches_bin(object_type, run.config));
        let start = rounds.listed_first(start)?;
        walk_round(run.graph, &feed, start, run.on_expired(), run.notes, &mut rounds)
    }

    fn probe(&self, object_type: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Probe, graph::Error> {
        let (collection, select) = (feed_of(object_type).collection, selection_of(object_type, config).select());
        allowed(graph, &format!("{collection}?$select={select}&$top=1"), false)
    }

    fn survey(&self, object_type: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Survey, graph::Error> {
        let feed = feed_of(object_type);
        let objects = counted(graph, &format!("{}?$select=id&$top=1&$count=true", feed.collection))?;
        let bin = u64::from(watches_bin(object_type, config));
        let size = match (config.full_import_strategy, feed.sorted_by) {
            (FullImportStrategy::Snapshot, Some(_)) => snapshot::size(objects, config, bin),
            _ => Size::walked(objects, pages(objects.unwrap_or(0), FEED_PAGE) + bin, 1),
        };
        Ok(Survey { size, further: Vec::new() })
    }
}
