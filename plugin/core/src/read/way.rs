//! A way of reading an object type: what it asks for, how its rows come, how a connection test tries and counts it.

use super::run::Run;
use super::survey::Survey;
use crate::config::Config;
use crate::error::Error;
use crate::graph::{self, Get, Graph};
use crate::sync::{Asked, Warning};
use crate::types::ObjectType;

/// One way of reading. A way never sleeps, never retries and never reads an HTTP status: `graph/` does, and hands up a
/// reason to decide by.
pub trait Way: Sync {
    /// The object type whose reading brings this one too, and with which it stands and falls.
    fn comes_with(&self, config: &Config) -> Option<&'static ObjectType> {
        let _ = config;
        None
    }

    /// What the operator should know of the way in which the configuration has it read.
    fn warning(&self, config: &Config) -> Option<Warning> {
        let _ = config;
        None
    }

    /// What the configuration asks for, and what is kept of it from run to run; `None`: the type has no mark of its
    /// own.
    fn asked(&self, object_type: &'static ObjectType, config: &Config) -> Option<Asked>;

    /// Writes the type's sets, Begin to End. On an error a set may be open: the caller closes it.
    fn import(&self, object_type: &'static ObjectType, run: Run<'_>) -> Result<(), Error>;

    /// One real read, the smallest that needs the permission and shows what an import selects.
    fn probe(&self, object_type: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Probe, graph::Error>;

    /// How much there is, and what completes the type. Asked once the probe was allowed.
    fn survey(&self, object_type: &'static ObjectType, graph: &Graph, config: &Config) -> Result<Survey, graph::Error>;
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
pub(super) fn allowed(graph: &Graph, path_and_query: &str, advanced: bool) -> Result<Probe, graph::Error> {
    let request = Get { link: graph.link(path_and_query), advanced };
    let request_id = graph.get(&request, |answer| Ok(answer.request_id.map(str::to_owned)))?;
    Ok(Probe::Read { request_id })
}
