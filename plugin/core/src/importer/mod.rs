//! One file per object type: what it asks Graph for and how its pages become records.
//!
//! Adding an object type is a file here, a line in [`ALL`], its table in `schema/` and its switch in `config/`. An importer never sleeps,
//! never retries and never reads an HTTP status: `graph/` does, and hands up a reason to decide by.

mod distinct;
mod group;
mod group_member;
mod lookup;
mod member_survey;
mod over;
mod plain;
mod recompute;
mod recycle_bin;
mod scopes;
mod selected;
mod snapshot;
mod survey;
mod thin;
mod user;

use std::sync::Arc;

use crate::cancel::Cancel;
use crate::config::{self, Config};
use crate::error::Error;
use crate::graph::{self, Get, Graph};
use crate::types::{self, ObjectType};
pub use over::Over;
pub use survey::{Finding, Further, Size, Survey};

use crate::sync::{
    Asked, Hold, Ledger, Notes, OnExpired, Plan, RecordSink, SetWriter, Tally, Wanted, Warning, Watermark, fingerprint,
    plan,
};

/// The counts of one object type of a run, and its deletes where they are held back.
#[derive(Debug)]
pub struct Line {
    /// The counts.
    pub tally: Arc<Tally>,
    /// `MaxDeletes`.
    pub hold: Option<Hold>,
}

/// What every importer of a run shares.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Graph.
    pub graph: &'a Graph,
    /// The configuration.
    pub config: &'a Config,
    /// Where each type starts.
    pub plan: &'a Plan,
    /// Where records go.
    pub sink: &'a dyn RecordSink,
    /// The watermark of the run.
    pub ledger: &'a Ledger,
    /// One for each object type that is switched on.
    pub lines: &'a [Line],
    /// For the result.
    pub notes: &'a Notes,
    /// Which object types are over.
    pub over: &'a Over,
    /// Ends the run.
    pub cancel: &'a Cancel,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("plan", self.plan).finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// The writer of an object type that is switched on.
    pub fn writer(&self, object_type: &str) -> SetWriter<'a> {
        let line = self.lines.iter().find(|line| line.tally.object_type() == object_type);
        let Some(line) = line else { unreachable!("{object_type} is imported without being switched on") };
        SetWriter { sink: self.sink, tally: &line.tally, ledger: self.ledger, hold: line.hold.as_ref() }
    }

    /// The interrupted run that this one resumes had finished the type.
    fn was_finished(&self, object_type: &'static str) {
        self.writer(object_type).tally.finished_before();
        self.ledger.was_finished(object_type);
    }

    /// Whether memberships come with the groups feed.
    fn follows_members(&self) -> bool {
        group::follows_members(self.config)
    }

    fn on_expired(&self) -> OnExpired {
        match self.config.on_delta_expired {
            config::OnDeltaExpired::Fail => OnExpired::Fail,
            config::OnDeltaExpired::FullSync => OnExpired::FullSync,
        }
    }
}

/// One object type.
pub trait Importer: Sync {
    /// What `Describe` says of it.
    fn object_type(&self) -> &'static ObjectType;

    /// The object type whose importer brings this one too, and with which it stands and falls.
    fn comes_with(&self, config: &Config) -> Option<&'static str> {
        let _ = config;
        None
    }

    /// What the operator should know of the way in which the configuration has it read.
    fn warning(&self, config: &Config) -> Option<Warning> {
        let _ = config;
        None
    }

    /// What the configuration asks for of it, and what is kept of it from run to run; `None`: it has no mark of its own.
    fn asked(&self, config: &Config) -> Option<Asked>;

    /// Writes the type's sets, Begin to End. On an error a set may be open: the caller closes it.
    fn import(&self, run: Run<'_>) -> Result<(), Error>;

    /// One real read, the smallest that needs the permission and shows what an import selects.
    fn probe(&self, graph: &Graph, config: &Config) -> Result<Probe, graph::Error>;

    /// How much there is, and what completes the type. Asked once the probe was allowed.
    fn survey(&self, graph: &Graph, config: &Config) -> Result<Survey, graph::Error>;
}

/// What a probe found when nothing went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The read was allowed.
    Read {
        /// Graph's `request-id`.
        request_id: Option<String>,
    },
    /// There was nothing to read.
    NothingToRead,
}

/// A read whose rows do not matter.
fn allowed(graph: &Graph, path_and_query: &str, advanced: bool) -> Result<Probe, graph::Error> {
    let request = Get { link: graph.link(path_and_query), advanced };
    let request_id = graph.get(&request, |answer| Ok(answer.request_id.map(str::to_owned)))?;
    Ok(Probe::Read { request_id })
}

/// Every object type, in the order of `Describe`.
pub static ALL: &[&dyn Importer] = &[&user::User, &group::Group, &group_member::GroupMember];

/// Where a run of this configuration starts, from what the host kept. `leads_here` says whether a link is one of the
/// configured Graph; `now` is seconds since 1970.
pub fn plan_of(
    config: &Config,
    watermark: Option<&Watermark>,
    tenant: &str,
    now: u64,
    leads_here: impl Fn(&str) -> bool,
) -> Result<Plan, Error> {
    let on = ALL.iter().filter(|importer| config.imports(importer.object_type()));
    let types: Vec<Asked> = on.filter_map(|importer| importer.asked(config)).collect();
    let named: Vec<&str> =
        types.iter().flat_map(|asked| [asked.object_type.name, asked.fingerprint.as_str()]).collect();
    let wanted = Wanted {
        tenant,
        origin: &config.graph_origin,
        types: &types,
        all: &fingerprint(&named),
        repairs: group::repairs(config),
        follows_members: group::follows_members(config),
        reconcile_days: config.full_reconcile_days,
        now,
    };
    plan(watermark, &wanted, leads_here)
}

/// Whether the configuration asks for no more than another implementation would, so that its bare links fit.
fn is_plain(config: &Config) -> bool {
    config.group_selection_filter.is_none()
        && types::ALL.iter().all(|object_type| config.added_to(object_type).is_empty())
        && config.external_id == config::ExternalId::Id
        && !group::follows_members(config)
}

/// Whether the token proves that hidden members may be read. Without the proof an empty hidden group may have members: Graph
/// answers 200 with an empty list (docs: group list members, "Hidden memberships").
fn sees_hidden(graph: &Graph) -> bool {
    graph.token_has_role("Member.Read.Hidden")
}

/// Whether a group of this `visibility`, as JSON, hides its members.
fn is_hidden(visibility: Option<&serde_json::value::RawValue>) -> bool {
    visibility.is_some_and(|value| value.get() == "\"HiddenMembership\"")
}
