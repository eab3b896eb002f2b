//! Users, by delta: `/users/delta`.
//!
//! The filter and `PageSize` have no say here: Graph ignores `$top` on delta and refuses filters.

use super::plain::PlainRounds;
use super::selected::selection;
use super::snapshot::{self, Listed};
use super::survey::{FEED_PAGE, Size, Survey, counted, pages};
use super::{Importer, Probe, Run, allowed, group};
use crate::config::{Config, ExternalId, FullImportStrategy};
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::mapping::Selection;
use crate::schema::{ObjectType, USER};
use crate::sync::{Feed, FeedMark, Key, Plan, Start, Watermark, Who, fingerprint, walk_round};

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

    fn feed<'a>(&self, plan: &'a Plan, watermark: &'a Watermark) -> Option<(&'a Start, &'a FeedMark)> {
        Some((&plan.users, &watermark.users))
    }

    fn begins_again(&self, mark: &mut Watermark) {
        mark.users.position = None;
    }

    fn import(&self, run: Run<'_>) -> Result<(), Error> {
        if run.plan.users == Start::Done {
            run.was_finished(USER.name);
            return Ok(());
        }
        let (selection, fingerprint) = (selection_of(run.config), fingerprint_of(run.config));
        let feed = Feed {
            path: "/users/delta",
            key: Key::Users,
            selection: &selection,
            relations: "",
            fingerprint: &fingerprint,
            object_type: USER.name,
        };
        let watches = run.follows_members().then_some(Who::User);
        let mut rounds = PlainRounds::new(run, feed, watches);
        let start = rounds.listed_first(run.plan.users.clone(), NAMES)?;
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
