//! One file per object type: what it asks Graph for and how its pages become records.
//!
//! Adding an object type is a file here, a line in [`ALL`], its table in `schema/` and its switch in `config/`. An importer never sleeps,
//! never retries and never reads an HTTP status: `graph/` does, and hands up a reason to decide by.

mod group;
mod group_member;
mod scope_queue;
mod selected;
mod user;

use crate::cancel::Cancel;
use crate::config::Config;
use crate::error::Error;
use crate::graph::{Get, Graph};
use crate::schema::ObjectType;
use crate::sync::{Ledger, Plan, RecordSink, SetWriter, Tally, Wanted};

/// What every importer of a run shares.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Graph.
    pub graph: &'a Graph,
    /// The configuration.
    pub config: &'a Config,
    /// Where the feeds start.
    pub plan: &'a Plan,
    /// Where records go.
    pub sink: &'a dyn RecordSink,
    /// The watermark of the run.
    pub ledger: &'a Ledger,
    /// Ends the run.
    pub cancel: &'a Cancel,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run").field("plan", self.plan).finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// The writer of one object type's set.
    pub fn writer(&self, tally: &'a Tally) -> SetWriter<'a> {
        SetWriter { sink: self.sink, tally, ledger: self.ledger }
    }
}

/// One object type.
pub trait Importer: Sync {
    /// What `Describe` says of it.
    fn object_type(&self) -> &'static ObjectType;

    /// Whether the configuration switches it on.
    fn is_on(&self, config: &Config) -> bool;

    /// Writes one set, Begin to End. On an error the set is open: the caller closes it.
    fn import(&self, run: Run<'_>, tally: &Tally) -> Result<(), Error>;

    /// One real read, the smallest that needs the permission.
    fn probe(&self, graph: &Graph, config: &Config) -> Result<Probe, Error>;
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
fn allowed(graph: &Graph, path_and_query: &str, advanced: bool) -> Result<Probe, Error> {
    let request = Get { link: graph.link(path_and_query), advanced };
    let request_id = graph.get(&request, |answer| Ok(answer.request_id.map(str::to_owned)))?;
    Ok(Probe::Read { request_id })
}

/// Every object type, in the order of `Describe`.
pub static ALL: &[&dyn Importer] = &[&user::User, &group::Group, &group_member::GroupMember];

/// What the configuration asks the feeds for, for the plan.
#[derive(Debug, Clone)]
pub struct Asked {
    users: Option<String>,
    groups: Option<String>,
    defaults: bool,
}

impl Asked {
    /// From the configuration.
    pub fn from(config: &Config) -> Asked {
        Asked {
            users: config.import_users.then(|| user::fingerprint_of(config)),
            groups: (config.import_groups && config.group_selection_filter.is_none())
                .then(|| group::fingerprint_of(config)),
            defaults: config.group_selection_filter.is_none()
                && config.user_attributes.is_empty()
                && config.group_attributes.is_empty()
                && config.external_id == crate::config::ExternalId::Id,
        }
    }

    /// As the plan wants it.
    pub fn wanted<'a>(&'a self, tenant: &'a str, origin: &'a str, now: u64) -> Wanted<'a> {
        Wanted {
            tenant,
            origin,
            users: self.users.as_deref(),
            groups: self.groups.as_deref(),
            defaults: self.defaults,
            now,
        }
    }
}
