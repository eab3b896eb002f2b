//! Groups, in one of three ways.
//!
//! * By delta, judged here: Graph takes no filter on `/groups/delta`, so `GroupSelectionFilter` is evaluated on the rows.
//! * By delta with `members` selected (`MembershipMode: Delta`): the feed brings groups *and* memberships.
//! * As a list on every run, where the filter cannot be evaluated here and Graph has to.
//!
//! A row of the feed is not a group. It may be a slice of one, a change of one, or only an id.

mod again;
mod followed;
mod judge;
mod listed;
mod reconcile;
mod restored;
mod rounds;
mod row;

pub(super) use judge::Judge;

use super::plain::PlainRounds;
use super::selected::selection;
use super::snapshot::{self, Listed};
use super::survey::{FEED_PAGE, Finding, Further, Size, Survey, counted, pages};
use super::{Importer, Probe, Run, allowed, is_plain};
use crate::config::{Config, FullImportStrategy, MembershipMode};
use crate::error::Error;
use crate::graph::{self, Get, Graph, query_value};
use crate::mapping::{Reason, Selection};
use crate::model::{Member, Page};
use crate::sync::{Asked, Feed, Keeps, Stage, Start, Warning, fingerprint, unreadable, walk_round};
use crate::types::{GROUP, GROUP_MEMBER, ObjectType};

/// The object type `Group`.
#[derive(Debug)]
pub(super) struct Group;

/// Every group has a name; many may have the same.
const NAMES: Listed = Listed { path: "/groups", name: "displayName" };

/// What is asked for: the attributes, then what the filter names beyond them.
fn selection_of(config: &Config) -> Selection {
    let named = config.group_selection_filter.as_ref().map_or(&[][..], |filter| filter.properties());
    selection(&GROUP, config.added_to(&GROUP), &["groupTypes"], None).judged_by(named)
}

/// Whether Graph has to evaluate the filter: groups are then read as a list on every run.
pub(super) fn is_listed(config: &Config) -> bool {
    config.group_selection_filter.as_ref().is_some_and(|filter| filter.why_not_here().is_some())
}

/// Names what is asked for: attributes, filter, and whether memberships come with it.
pub(super) fn fingerprint_of(config: &Config) -> String {
    let filter = config.group_selection_filter.as_ref().map_or("", |filter| filter.text());
    let members = if follows_members(config) { "members" } else { "" };
    let select = selection_of(config).select();
    if filter.is_empty() && members.is_empty() {
        return fingerprint(&["Group", &select]);
    }
    fingerprint(&["Group", &select, filter, members])
}

/// Whether memberships come with the groups feed.
pub(super) fn follows_members(config: &Config) -> bool {
    config.membership_mode == MembershipMode::Delta && config.imports(&GROUP_MEMBER)
}

/// Whether groups are judged and read one by one, so that some of them may be left for the next run.
pub(super) fn repairs(config: &Config) -> bool {
    config.imports(&GROUP) && !is_listed(config)
}

/// How a host treats a group that a list did not bring: with a filter it may well exist.
fn absence(config: &Config) -> Reason {
    if config.group_selection_filter.is_some() { Reason::LeftScope } else { Reason::SoftDeleted }
}

/// The list of groups in scope: `select` of them, `top` a page. With a filter it is an advanced query, which may use all
/// of Graph's operators; the header must then be sent with every page.
pub(super) fn list_query(config: &Config, select: &str, top: u16) -> (String, bool) {
    match &config.group_selection_filter {
        None => (format!("/groups?$select={select}&$top={top}"), false),
        Some(filter) => {
            let filter = query_value(filter.text());
            (format!("/groups?$filter={filter}&$select={select}&$top={top}&$count=true"), true)
        }
    }
}

/// The id of one group in scope.
pub(super) fn first_group(graph: &Graph, config: &Config) -> Result<Option<String>, graph::Error> {
    let (query, advanced) = list_query(config, "id", 1);
    graph.get(&Get { link: graph.link(&query), advanced }, |answer| {
        let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
        Ok(page.rows.into_iter().find_map(|row| row.id).map(std::borrow::Cow::into_owned))
    })
}

/// How many groups are in scope; `None` where Graph leaves the number out.
pub(super) fn scope_count(graph: &Graph, config: &Config) -> Result<Option<u64>, graph::Error> {
    match config.group_selection_filter {
        // With a filter the query counts anyway.
        Some(_) => counted(graph, &list_query(config, "id", 1).0),
        None => counted(graph, EVERY_GROUP),
    }
}

/// Counts all groups of the tenant: a feed brings them all, whatever the filter.
const EVERY_GROUP: &str = "/groups?$select=id&$top=1&$count=true";

impl Importer for Group {
    fn object_type(&self) -> &'static ObjectType {
        &GROUP
    }

    fn warning(&self, config: &Config) -> Option<Warning> {
        let why = config.group_selection_filter.as_ref()?.why_not_here()?;
        Some(Warning {
            code: "FilteredList",
            object_type: Some(GROUP.name),
            message: format!(
                "groups are read as a full list on every run, since only Graph can evaluate GroupSelectionFilter: {why}"
            ),
        })
    }

    fn asked(&self, config: &Config) -> Option<Asked> {
        let listed = is_listed(config);
        Some(Asked {
            object_type: &GROUP,
            fingerprint: fingerprint_of(config),
            keeps: if listed { Keeps::Place } else { Keeps::Link { collection: NAMES.path } },
            plain: is_plain(config),
            needs_bin: false,
            reconciles: follows_members(config),
        })
    }

    fn import(&self, run: Run<'_>) -> Result<(), Error> {
        let follows = run.follows_members();
        let start = run.plan.start(&GROUP);
        if start == Start::Done {
            run.was_finished(GROUP.name);
            if follows {
                run.was_finished(GROUP_MEMBER.name);
            }
            return Ok(());
        }
        let (selection, fingerprint) = (selection_of(run.config), fingerprint_of(run.config));
        if is_listed(run.config) {
            return listed::read(run, &selection, &fingerprint, start, listed::Then::Over);
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
            let mut rounds = PlainRounds::new(run, feed, None);
            let start = rounds.listed_first(start, NAMES)?;
            return walk_round(run.graph, &feed, start, run.on_expired(), run.notes, &mut rounds);
        }
        if follows && run.config.group_selection_filter.is_some() && start == Start::full() {
            // Judged here, the filter never meets Graph until a Reconcile lists groups by it. Should Graph refuse it, the
            // operator is to know today and not in a week.
            first_group(run.graph, run.config)?;
        }
        let reconciles = matches!(start, Start::Delta { stage: Stage::Drain, .. });
        let mut rounds = rounds::GroupRounds::new(run, feed, reconciles);
        walk_round(run.graph, &feed, start, run.on_expired(), run.notes, &mut rounds)
    }

    fn probe(&self, graph: &Graph, config: &Config) -> Result<Probe, graph::Error> {
        let (query, advanced) = list_query(config, &selection_of(config).select(), 1);
        allowed(graph, &query, advanced)
    }

    fn survey(&self, graph: &Graph, config: &Config) -> Result<Survey, graph::Error> {
        let scope = scope_count(graph, config)?;
        if is_listed(config) {
            let requests = pages(scope.unwrap_or(0), config.page_size.into());
            return Ok(Survey { size: Size::walked(scope, requests, 1), further: Vec::new() });
        }
        let filtered = config.group_selection_filter.is_some();
        let walked = if filtered { counted(graph, EVERY_GROUP)? } else { scope };
        let follows = follows_members(config);
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
