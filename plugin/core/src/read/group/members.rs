//! Memberships, recomputed: the members of *all* groups in scope, on every run, as a Full set.
//!
//! Reading only the groups that the groups feed returned would drop the edges of every unchanged group. With
//! `MembershipMode: Delta` they come with the groups feed instead, and nothing is to be done here.

use super::hidden::sees_hidden;
use super::members_survey;
use super::recompute::Recompute;
use super::scope::first_group;
use crate::config::Config;
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::read::run::Run;
use crate::read::survey::Survey;
use crate::read::way::{Probe, Way, allowed};
use crate::sync::{Asked, Keeps, Position, Start, TypeMark, Watermark, fingerprint};
use crate::types::{GROUP, GROUP_MEMBER, ObjectType};

/// Members of all groups in scope, on every run.
#[derive(Debug)]
pub(in crate::read) struct Members;

/// Names the groups whose members are read.
pub(super) fn fingerprint_of(config: &Config) -> String {
    fingerprint(&["GroupMember", config.group_selection_filter.as_ref().map_or("", |filter| filter.text())])
}

impl Way for Members {
    fn asked(&self, object_type: &'static ObjectType, config: &Config) -> Option<Asked> {
        (!config.follows_members()).then(|| Asked {
            object_type,
            fingerprint: fingerprint_of(config),
            keeps: Keeps::Place,
            plain: false,
            needs_bin: false,
            reconciles: false,
        })
    }

    fn comes_with(&self, config: &Config) -> Option<&'static ObjectType> {
        config.follows_members().then_some(&GROUP)
    }

    fn import(&self, _: &'static ObjectType, run: Run<'_>) -> Result<(), Error> {
        let start = run.plan.start(&GROUP_MEMBER);
        if start == Start::Done {
            run.was_finished(&GROUP_MEMBER);
            return Ok(());
        }
        let (writer, fingerprint) = (run.writer(&GROUP_MEMBER), fingerprint_of(run.config));
        let place = |mark: &mut Watermark, set: &str, page: Option<String>| {
            let (fingerprint, set) = (fingerprint.clone(), Some(set.to_owned()));
            let position = Position { fingerprint, set, page, ..Position::default() };
            mark.of_mut(&GROUP_MEMBER).position = Some(position);
        };
        let sees_hidden = sees_hidden(run.graph);
        Recompute { run, writer, place: &place, follows: false, sees_hidden }.read(start)?;
        writer.end(|mark| *mark.of_mut(&GROUP_MEMBER) = TypeMark::default())
    }

    fn probe(&self, _: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Probe, graph::Error> {
        let Some(group) = first_group(graph, config)? else { return Ok(Probe::NothingToRead) };
        allowed(graph, &format!("/groups/{group}/members?$select=id&$top=1&$count=true"), true)
    }

    fn survey(&self, _: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Survey, graph::Error> {
        members_survey::survey(graph, config, config.follows_members())
    }
}
