//! Which groups are in scope, and how they are asked for.

use crate::config::Config;
use crate::graph::{self, Get, Graph, query_value};
use crate::mapping::{Reason, Selection};
use crate::model::{Member, Page};
use crate::read::children::Source;
use crate::read::selected::selection;
use crate::read::survey::counted;
use crate::sync::{fingerprint, unreadable};
use crate::types::{GROUP, GROUP_MEMBER};

/// What is asked for: the attributes, then what the filter names beyond them.
pub(super) fn selection_of(config: &Config) -> Selection {
    let named = config.group_selection_filter.as_ref().map_or(&[][..], |filter| filter.properties());
    selection(&GROUP, config.added_to(&GROUP), GROUP.feed().map_or(&[], |feed| feed.joined), None).judged_by(named)
}

/// Whether Graph has to evaluate the filter: groups are then read as a list on every run.
pub(super) fn is_listed(config: &Config) -> bool {
    config.group_selection_filter.as_ref().is_some_and(|filter| filter.why_not_here().is_some())
}

/// Names what is asked for: attributes, filter, and whether memberships come with it.
pub(super) fn fingerprint_of(config: &Config) -> String {
    let filter = config.group_selection_filter.as_ref().map_or("", |filter| filter.text());
    let members = if config.follows_members() { "members" } else { "" };
    let select = selection_of(config).select();
    if filter.is_empty() && members.is_empty() {
        return fingerprint(&["Group", &select]);
    }
    fingerprint(&["Group", &select, filter, members])
}

/// Who is in a group.
pub(super) static MEMBERS: Source =
    Source { parents: "/groups", children: "members?$select=id", object_type: &GROUP_MEMBER };

/// Whether groups are judged and read one by one, so that some of them may be left for the next run.
pub(in crate::read) fn repairs(config: &Config) -> bool {
    config.imports(&GROUP) && !is_listed(config)
}

/// How a host treats a group that a list did not bring: with a filter it may well exist.
pub(super) fn absence(config: &Config) -> Reason {
    if config.group_selection_filter.is_some() { Reason::LeftScope } else { Reason::SoftDeleted }
}

/// The list of groups in scope: `select` of them, `top` a page. With a filter it is an advanced query, which may use
/// all of Graph's operators; the header must then be sent with every page.
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
pub(super) const EVERY_GROUP: &str = "/groups?$select=id&$top=1&$count=true";
