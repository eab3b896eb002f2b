//! Users, by delta: `/users/delta`.
//!
//! The filter and `PageSize` have no say here: Graph ignores `$top` on delta and refuses filters.

use super::plain::PlainRounds;
use super::selected::selection;
use super::snapshot::{self, Listed};
use super::survey::{FEED_PAGE, Size, Survey, counted, pages};
use super::{Importer, Probe, Run, allowed, group, is_plain};
use crate::config::{Config, ExternalId, FullImportStrategy};
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::mapping::Selection;
use crate::sync::{Asked, Feed, Keeps, Start, fingerprint, walk_round};
use crate::types::{ObjectType, USER};

/// The object type `User`.
#[derive(Debug)]
pub(super) struct User;

/// Every user has a principal name, and no two have the same.
const NAMES: Listed = Listed { path: "/users", name: "userPrincipalName" };

fn selection_of(config: &Config) -> Selection {
    let external_id = (config.external_id == ExternalId::UserPrincipalName).then_some("userPrincipalName");
    selection(&USER, config.added_to(&USER), &["businessPhones"], external_id)
}

/// Names what is asked for. The external id is part of it: it decides what records carry.
pub(super) fn fingerprint_of(config: &Config) -> String {
    let external_id = if config.external_id == ExternalId::UserPrincipalName { "userPrincipalName" } else { "id" };
    fingerprint(&["User", &selection_of(config).select(), external_id])
}

impl Importer for User {
    fn object_type(&self) -> &'static ObjectType {
        &USER
    }

    fn asked(&self, config: &Config) -> Option<Asked> {
        Some(Asked {
            object_type: &USER,
            fingerprint: fingerprint_of(config),
            keeps: Keeps::Link { collection: NAMES.path },
            plain: is_plain(config),
            needs_bin: group::follows_members(config),
            reconciles: false,
        })
    }

    fn import(&self, run: Run<'_>) -> Result<(), Error> {
        let start = run.plan.start(&USER);
        if start == Start::Done {
            run.was_finished(USER.name);
            return Ok(());
        }
        let (selection, fingerprint) = (selection_of(run.config), fingerprint_of(run.config));
        let feed = Feed {
            path: "/users/delta",
            selection: &selection,
            relations: "",
            fingerprint: &fingerprint,
            repairs: false,
            object_type: &USER,
        };
        let watches = run.follows_members().then_some(&USER);
        let mut rounds = PlainRounds::new(run, feed, watches);
        let start = rounds.listed_first(start, NAMES)?;
        walk_round(run.graph, &feed, start, run.on_expired(), run.notes, &mut rounds)
    }

    fn probe(&self, graph: &Graph, config: &Config) -> Result<Probe, graph::Error> {
        allowed(graph, &format!("/users?$select={}&$top=1", selection_of(config).select()), false)
    }

    fn survey(&self, graph: &Graph, config: &Config) -> Result<Survey, graph::Error> {
        let users = counted(graph, "/users?$select=id&$top=1&$count=true")?;
        // Where memberships follow the feed, the recycle bin is read too.
        let bin = u64::from(group::follows_members(config));
        let size = match config.full_import_strategy {
            FullImportStrategy::DeltaWalk => Size::walked(users, pages(users.unwrap_or(0), FEED_PAGE) + bin, 1),
            FullImportStrategy::Snapshot => snapshot::size(users, config, bin),
        };
        Ok(Survey { size, further: Vec::new() })
    }
}
