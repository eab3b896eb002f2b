//! Where records go, and the writer of one set.
//!
//! The queue itself belongs to the operation; down here it is a trait with two calls. `push` may block for as long as the
//! host does not fetch: that is the back-pressure, and a cancel ends it.

use super::ledger::Ledger;
use super::tally::Tally;
use super::watermark::{Entry, Key};
use crate::error::{Error, Kind};
use crate::mapping::{Begin, Issue, Mode, Reason, Records, Severity};

/// Takes records in order.
pub trait RecordSink: Sync {
    /// Queues the lines. `checkpoint`, if given, is good once these lines and all before them are stored.
    fn push(&self, records: &Records, checkpoint: Option<String>) -> Result<(), Error>;
}

/// A fresh name for a set: 128 random bits.
pub fn set_id() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(Kind::Internal, "the operating system gave no random bytes").with_cause(e))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// Writes one set of one object type: Begin, rows, End.
#[derive(Clone, Copy)]
pub struct SetWriter<'a> {
    /// The queue.
    pub sink: &'a dyn RecordSink,
    /// The counts.
    pub tally: &'a Tally,
    /// The watermark.
    pub ledger: &'a Ledger,
}

impl std::fmt::Debug for SetWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetWriter").field("tally", self.tally).finish_non_exhaustive()
    }
}

impl SetWriter<'_> {
    /// No lines yet, of this object type.
    pub fn records(&self) -> Records {
        Records::new(self.tally.object_type())
    }

    /// Opens the set.
    pub fn begin(&self, mode: Mode, absence: Reason, attributes: &[String]) -> Result<(), Error> {
        self.tally.begin(mode);
        let mut records = self.records();
        records.begin(&Begin { mode, set_id: &set_id()?, absence, attributes });
        self.sink.push(&records, None)
    }

    /// Closes a whole set; `moved` is the feed's new place.
    pub fn end(&self, moved: Option<(Key, Option<Entry>)>) -> Result<(), Error> {
        self.tally.completed();
        let mut records = self.records();
        records.end(true, self.tally.totals().counts);
        self.ledger.give_out(moved, |watermark| self.sink.push(&records, Some(watermark)))
    }

    /// Closes a set that could not be read to its end. The feed's place stays where it was.
    pub fn give_up(&self, error: &Error) -> Result<(), Error> {
        let mut records = self.records();
        self.tally.wrote(0, 0, 1);
        records.issue(&Issue {
            scope: None,
            source_id: None,
            severity: Severity::Error,
            code: error.kind.code(),
            message: &error.message,
            request_id: error.http.as_ref().and_then(|h| h.request_id.as_deref()),
        });
        records.end(false, self.tally.totals().counts);
        self.ledger.give_out(None, |watermark| self.sink.push(&records, Some(watermark)))
    }
}
