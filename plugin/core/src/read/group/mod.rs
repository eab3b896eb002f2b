//! Groups and who is in them, in one of three ways.
//!
//! * By delta, judged here: Graph takes no filter on `/groups/delta`, so `GroupSelectionFilter` is evaluated on the
//!   rows.
//! * By delta with `members` selected (`MembershipMode: Delta`): the feed brings groups *and* memberships.
//! * As a list on every run, where the filter cannot be evaluated here and Graph has to.
//!
//! A row of the feed is not a group. It may be a slice of one, a change of one, or only an id.

mod again;
mod followed;
mod hidden;
mod judge;
mod listed;
mod members;
mod members_survey;
mod recompute;
mod reconcile;
mod restored;
mod rounds;
mod row;
mod scope;

pub(super) use members::Members;
pub(super) use scope::repairs;

use scope::{EVERY_GROUP, fingerprint_of, first_group, is_listed, list_query, scope_count, selection_of};

use super::feed::{PlainRounds, snapshot};
use super::run::Run;
use super::survey::{FEED_PAGE, Finding, Further, Size, Survey, counted, pages};
use super::way::{Probe, Way, allowed};
use crate::code::Code;
use crate::config::{Config, FullImportStrategy};
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::sync::{Asked, Feed, Keeps, Stage, Start, Warning, walk_round};
use crate::types::{GROUP, GROUP_MEMBER, ObjectType};

/// Groups, with their members where these follow the feed.
#[derive(Debug)]
pub(super) struct Groups;

impl Way for Groups {
    fn warning(&self, config: &Config) -> Option<Warning> {
        let why = config.group_selection_filter.as_ref()?.why_not_here()?;
        Some(Warning {
            code: Code::FilteredList,
            object_type: Some(GROUP.name),
            message: format!(
                "groups are read as a full list on every run, since only Graph can evaluate GroupSelectionFilter: {why}"
            ),
        })
    }

    fn asked(&self, object_type: &'static ObjectType, config: &Config) -> Option<Asked> {
        let listed = is_listed(config);
        Some(Asked {
            object_type,
            fingerprint: fingerprint_of(config),
            keeps: if listed { Keeps::Place } else { Keeps::Link { collection: "/groups" } },
            plain: false,
            needs_bin: false,
            reconciles: config.follows_members(),
        })
    }

    fn import(&self, _: &'static ObjectType, run: Run<'_>) -> Result<(), Error> {
        let follows = run.config.follows_members();
        let start = run.plan.start(&GROUP);
        if start == Start::Done {
            run.was_finished(&GROUP);
            if follows {
                run.was_finished(&GROUP_MEMBER);
            }
            return Ok(());
        }
        let (selection, fingerprint) = (selection_of(run.config), fingerprint_of(run.config));
        if is_listed(run.config) {
            return listed::read(run, &selection, &fingerprint, start, listed::AfterList::Over);
        }
        let feed = Feed {
            path: "/groups/delta",
            selection: &selection,
            relations: if follows { ",members" } else { "" },
            fingerprint: &fingerprint,
            repairs: true,
            object_type: &GROUP,
        };
        let start = match reconcile::if_restored_objects_were_lost(run, start)? {
            Start::Reconcile { link, place } => {
                let since = reconcile::read_everything(run, &selection, &fingerprint, place)?;
                Start::Delta { link, page: None, stage: Stage::Drain, since: Some(since) }
            }
            other => other,
        };
        if run.config.group_selection_filter.is_none() && !follows {
            let mut rounds = PlainRounds::new(run, feed, false);
            let start = rounds.listed_first(start)?;
            return walk_round(run.graph, &feed, start, run.on_expired(), run.notes, &mut rounds);
        }
        if follows && run.config.group_selection_filter.is_some() && start == Start::full() {
            // Judged here, the filter never meets Graph until a Reconcile lists groups by it. Should Graph refuse it,
            // the operator is to know today and not in a week.
            first_group(run.graph, run.config)?;
        }
        let reconciles = matches!(start, Start::Delta { stage: Stage::Drain, .. });
        let mut rounds = rounds::GroupRounds::new(run, feed, reconciles);
        walk_round(run.graph, &feed, start, run.on_expired(), run.notes, &mut rounds)
    }

    fn probe(&self, _: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Probe, graph::Error> {
        let (query, advanced) = list_query(config, &selection_of(config).select(), 1);
        allowed(graph, &query, advanced)
    }

    fn survey(&self, _: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Survey, graph::Error> {
        let scope = scope_count(graph, config)?;
        if is_listed(config) {
            let requests = pages(scope.unwrap_or(0), config.page_size.into());
            return Ok(Survey { size: Size::walked(scope, requests, 1), further: Vec::new() });
        }
        let filtered = config.group_selection_filter.is_some();
        let walked = if filtered { counted(graph, EVERY_GROUP)? } else { scope };
        let follows = config.follows_members();
        let requests = pages(walked.unwrap_or(0), FEED_PAGE) + u64::from(follows);
        if config.full_import_strategy == FullImportStrategy::Snapshot && !filtered && !follows {
            return Ok(Survey { size: snapshot::size(scope, config, 0), further: Vec::new() });
        }
        let size = Size::walked(scope, requests, 1 + u64::from(filtered));
        // Pages with members in them are smaller, down to a single group.
        let size = Size { at_least: size.at_least || walked.is_none() || follows, ..size };
        Ok(Survey { size, further: if follows { vec![recycle_bin(graph)] } else { Vec::new() } })
    }
}

/// Memberships that follow the feed need the recycle bin of groups, and that needs a permission of its own.
fn recycle_bin(graph: &Graph) -> Further {
    let read = allowed(graph, "/directory/deletedItems/microsoft.graph.group?$select=id&$top=1", false);
    let finding = match read {
        Ok(_) => Finding::Granted("the recycle bin of groups was read".to_owned()),
        Err(error) => Finding::Refused(error),
    };
    Further { permission: "Group.Read.All", finding }
}
