//! Groups: by delta, or by a filtered list where `GroupSelectionFilter` is set.
//!
//! Graph refuses any such filter on `/groups/delta`, so a filtered selection is read by `GET /groups?$filter=…` on every
//! run, as a whole set. `members` is never selected here: memberships have their own importer.

use super::selected::selection;
use super::{Importer, Probe, Run, allowed};
use crate::config::Config;
use crate::error::Error;
use crate::graph::{Get, Graph, query_value};
use crate::mapping::Selection;
use crate::model::{Member, Page};
use crate::schema::{GROUP, ObjectType};
use crate::sync::{Feed, Key, Tally, fingerprint, unreadable, walk_delta, walk_list};

/// The object type `Group`.
#[derive(Debug)]
pub(super) struct Group;

fn selection_of(config: &Config) -> Selection {
    selection(&GROUP, &config.group_attributes, &["groupTypes"], None)
}

/// Names what is asked for.
pub(super) fn fingerprint_of(config: &Config) -> String {
    fingerprint(&["Group", &selection_of(config).select()])
}

/// The list of groups in scope: `select` of them, `top` a page. With a filter it is an advanced query, which may use all
/// of Graph's operators; the header must then be sent with every page.
pub(super) fn list_query(config: &Config, select: &str, top: u16) -> (String, bool) {
    match &config.group_selection_filter {
        None => (format!("/groups?$select={select}&$top={top}"), false),
        Some(filter) => {
            (format!("/groups?$filter={}&$select={select}&$top={top}&$count=true", query_value(filter)), true)
        }
    }
}

/// The id of one group in scope.
pub(super) fn first_group(graph: &Graph, config: &Config) -> Result<Option<String>, Error> {
    let (query, advanced) = list_query(config, "id", 1);
    let read = graph.get(&Get { link: graph.link(&query), advanced }, |answer| {
        let page = Page::<Member<'_>>::read_plain(answer.body).map_err(unreadable)?;
        Ok(page.rows.into_iter().find_map(|row| row.id).map(std::borrow::Cow::into_owned))
    });
    read.map_err(Into::into)
}

impl Importer for Group {
    fn object_type(&self) -> &'static ObjectType {
        &GROUP
    }

    fn is_on(&self, config: &Config) -> bool {
        config.import_groups
    }

    fn import(&self, run: Run<'_>, tally: &Tally) -> Result<(), Error> {
        let selection = selection_of(run.config);
        if run.config.group_selection_filter.is_some() {
            let (query, advanced) = list_query(run.config, &selection.select(), run.config.page_size);
            return walk_list(run.graph, run.writer(tally), run.graph.link(&query), advanced, &selection, Key::Groups);
        }
        let fingerprint = fingerprint_of(run.config);
        let feed = Feed { path: "/groups/delta", key: Key::Groups, selection: &selection, fingerprint: &fingerprint };
        walk_delta(run.graph, run.writer(tally), &feed, &run.plan.groups)
    }

    fn probe(&self, graph: &Graph, config: &Config) -> Result<Probe, Error> {
        let (query, advanced) = list_query(config, "id", 1);
        allowed(graph, &query, advanced)
    }
}
