//! What every reading of a run shares: Graph, the configuration, where each type starts, and where records go.

use std::sync::Arc;

use super::over::Over;
use crate::cancel::Cancel;
use crate::config::{self, Config};
use crate::graph::Graph;
use crate::sync::{Hold, Ledger, Notes, OnExpired, Plan, RecordSink, SetWriter, Tally};
use crate::types::ObjectType;

/// The counts of one object type of a run, and its deletes where they are held back.
#[derive(Debug)]
pub struct TypeRun {
    /// The counts.
    pub tally: Arc<Tally>,
    /// `MaxDeletes`.
    pub hold: Option<Hold>,
}

/// A run.
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
    pub lines: &'a [TypeRun],
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
    pub fn writer(&self, object_type: &ObjectType) -> SetWriter<'a> {
        let line = self.lines.iter().find(|line| line.tally.object_type() == object_type.name);
        let Some(line) = line else { unreachable!("{} is imported without being switched on", object_type.name) };
        SetWriter { sink: self.sink, tally: &line.tally, ledger: self.ledger, hold: line.hold.as_ref() }
    }

    /// The interrupted run that this one resumes had finished the type.
    pub(super) fn was_finished(&self, object_type: &ObjectType) {
        self.writer(object_type).tally.finished_before();
        self.ledger.was_finished(object_type.name);
    }

    pub(super) fn on_expired(&self) -> OnExpired {
        match self.config.on_delta_expired {
            config::OnDeltaExpired::Fail => OnExpired::Fail,
            config::OnDeltaExpired::FullSync => OnExpired::FullSync,
        }
    }
}
