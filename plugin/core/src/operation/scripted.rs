//! An operation whose records come out of a test's closure instead of Microsoft Graph: threads, queue and ending are
//! the real ones, and there is no socket, so that Miri can run what stands above.
//!
//! Only tests have it: the feature is off, and nobody but dev-dependencies may switch it on
//! (tests/e2e/dependencies.rs).

use std::sync::Arc;

use serde::Serialize;

use super::result::ResultNotes;
use super::stream::{Ending, Limits, Notifier, Stream, Waker};
use super::{Operation, Purpose};
use crate::cancel::Cancel;
use crate::counters::Counters;
use crate::error::Error;
use crate::log::{Level, Log};
use crate::mapping::Records;
use crate::sync::RecordSink;

/// What the closure may do: what an import does.
pub struct Script {
    stream: Arc<Stream>,
    /// Set when the host cancels.
    pub cancel: Cancel,
    /// Taken along by the host's next call.
    pub log: Log,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

impl Script {
    /// Delivers one record, waiting for room like an import.
    pub fn deliver<T: Serialize>(&self, record: &T, checkpoint: Option<&str>) -> Result<(), Error> {
        let mut records = Records::new("User");
        records.line(record);
        self.stream.push(&records, checkpoint.map(str::to_owned))
    }
}

impl Operation {
    /// Starts an operation that does what `work` says.
    pub fn scripted(
        limits: Limits,
        wake: Option<Waker>,
        work: impl FnOnce(&Script) -> Ending + Send + 'static,
    ) -> Result<Operation, Error> {
        Operation::launch(move || {
            let (cancel, counters, log) = (Cancel::new(), Counters::new(), Log::new(Level::Debug));
            let notes = Arc::new(ResultNotes::new(Purpose::Import, Vec::new(), counters.clone()));
            let notifier = wake.map(Notifier::start).transpose()?;
            let stream = Arc::new(Stream::new(limits, counters.clone(), notifier));
            let script = Script { stream: Arc::clone(&stream), cancel: cancel.clone(), log: log.clone() };
            Ok((Operation { stream, cancel, counters, log, notes }, script, work))
        })
    }
}
