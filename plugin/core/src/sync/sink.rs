//! Where records go, and the writer of one object type's sets.
//!
//! The queue itself belongs to the operation; down here it is a trait. `push` may block for as long as the host does
//! not fetch: that is the back-pressure, and a cancel ends it. Whoever reads on many threads asks for a turn first,
//! since answers that nobody fetches are memory.

use super::hold::Hold;
use super::ledger::Ledger;
use super::tally::Tally;
use super::watermark::Watermark;
use crate::code::Code;
use crate::error::{Error, Kind};
use crate::mapping::{Begin, Issue, Mode, Reason, Records};

/// Takes records in order.
pub trait RecordSink: Sync {
    /// Queues the lines. `checkpoint`, if given, is good once these lines and all before them are stored.
    fn push(&self, records: &Records, checkpoint: Option<String>) -> Result<(), Error>;

    /// Rows after which a checkpoint is due.
    fn checkpoint_rows(&self) -> u64;

    /// Blocks until another reader may start. All `readers` may run while the host keeps up, and only one while the
    /// queue is full. A cancel ends the wait.
    fn admit(&self, readers: usize) -> Result<(), Error>;

    /// A reader that was admitted has delivered what it read.
    fn leave(&self);
}

/// A reader's turn to ask for rows and to deliver them; given back when dropped.
pub struct Turn<'a>(&'a dyn RecordSink);

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Turn")
    }
}

impl Turn<'_> {
    /// Waits for a turn, as one of `readers`.
    pub fn of(sink: &dyn RecordSink, readers: usize) -> Result<Turn<'_>, Error> {
        sink.admit(readers)?;
        Ok(Turn(sink))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// A fresh name for a set: 128 random bits.
pub fn set_id() -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|e| Error::new(Kind::Internal, "the operating system gave no random bytes").with_cause(e))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// A set, named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// Full or Delta.
    pub mode: Mode,
    /// Its name.
    pub id: String,
    /// Whether it goes on where an interrupted run stopped.
    pub resumed: bool,
}

impl Set {
    /// A new set.
    pub fn new(mode: Mode) -> Result<Set, Error> {
        Ok(Set { mode, id: set_id()?, resumed: false })
    }

    /// A Full set of an interrupted run.
    pub fn resumed(id: String) -> Set {
        Set { mode: Mode::Full, id, resumed: true }
    }
}

/// Writes the sets of one object type: Begin, rows, End.
#[derive(Clone, Copy)]
pub struct SetWriter<'a> {
    /// The queue.
    pub sink: &'a dyn RecordSink,
    /// The counts.
    pub tally: &'a Tally,
    /// The watermark.
    pub ledger: &'a Ledger,
    /// Holds Deletes of Delta sets back.
    pub hold: Option<&'a Hold>,
}

impl std::fmt::Debug for SetWriter<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetWriter").field("tally", self.tally).finish_non_exhaustive()
    }
}

impl SetWriter<'_> {
    /// No lines yet, of this object type.
    pub fn records(&self, mode: Mode) -> Records {
        match self.hold {
            Some(_) if mode == Mode::Delta => Records::holding(self.tally.object_type()),
            _ => Records::new(self.tally.object_type()),
        }
    }

    /// Whether Deletes are held: the type's place must not move meanwhile.
    pub fn is_holding(&self) -> bool {
        self.hold.is_some_and(Hold::is_holding)
    }

    /// Opens a set. `change` takes away what the watermark says of a set that this one voids.
    pub fn begin(
        &self,
        set: &Set,
        absence: Reason,
        attributes: &[String],
        change: impl FnOnce(&mut Watermark),
    ) -> Result<(), Error> {
        self.tally.begin(set.mode, set.resumed);
        if let Some(hold) = self.hold {
            hold.drop_all();
        }
        let mut records = Records::new(self.tally.object_type());
        records.begin(&Begin { mode: set.mode, set_id: &set.id, resumed: set.resumed, absence, attributes });
        self.ledger.advance(false, change, |_| self.sink.push(&records, None))
    }

    /// Queues rows.
    pub fn push(&self, mut records: Records) -> Result<(), Error> {
        self.account(&mut records)?;
        if records.is_empty() { Ok(()) } else { self.sink.push(&records, None) }
    }

    /// Queues rows and moves the watermark past them; a checkpoint goes with them when it is due. `change` is told
    /// whether the type's place may move: not while Deletes are held here or by the type that shares the place.
    pub fn advance(
        &self,
        mut records: Records,
        checkpoint: bool,
        rider: Option<&SetWriter<'_>>,
        change: impl FnOnce(&mut Watermark, bool),
    ) -> Result<(), Error> {
        self.account(&mut records)?;
        let free = !self.is_holding() && !rider.is_some_and(SetWriter::is_holding);
        self.ledger.advance(
            checkpoint && free,
            |mark| change(mark, free),
            |text| {
                if records.is_empty() && text.is_none() { Ok(()) } else { self.sink.push(&records, text) }
            },
        )
    }

    /// Sends these objects as soft-deleted. They count towards `MaxDeletes` and are not held back: the objects are in
    /// the recycle bin, and no row of the feed says so.
    pub fn deliver_deletes(&self, ids: &[String], records: &Records) -> Result<(), Error> {
        if let Some(hold) = self.hold {
            hold.deliver(ids, self.tally.object_type())?;
        }
        self.tally.wrote(records.written());
        self.sink.push(records, None)
    }

    fn account(&self, records: &mut Records) -> Result<(), Error> {
        if let Some(hold) = self.hold {
            hold.note(records.take_events(), self.tally.object_type())?;
        }
        self.tally.wrote(records.written());
        Ok(())
    }

    /// Queues the Deletes that were held back and came to no more than their limit.
    pub fn release_held(&self) -> Result<(), Error> {
        let Some(hold) = self.hold else { return Ok(()) };
        let mut records = Records::new(self.tally.object_type());
        hold.release(&mut records);
        self.tally.wrote(records.written());
        if records.is_empty() { Ok(()) } else { self.sink.push(&records, None) }
    }

    /// Closes a whole set after which the type goes on with another one.
    pub fn end_stage(&self, change: impl FnOnce(&mut Watermark)) -> Result<(), Error> {
        let records = self.closing(true, None)?;
        self.ledger.advance(true, change, |text| self.sink.push(&records, text))
    }

    /// Closes the type's last set, whole; `change` moves its place.
    pub fn end(&self, change: impl FnOnce(&mut Watermark)) -> Result<(), Error> {
        let records = self.closing(true, None)?;
        self.ledger.finish(&[self.ended()], true, change, |text| self.sink.push(&records, text))
    }

    /// The object type, and whether something of it was left unread.
    fn ended(&self) -> (&'static str, bool) {
        (self.tally.object_type(), self.tally.is_partial())
    }

    /// Closes this set and that of a type that shares its place, with one checkpoint for both.
    pub fn end_with(&self, rider: &SetWriter<'_>, change: impl FnOnce(&mut Watermark)) -> Result<(), Error> {
        let records = self.closing(true, None)?;
        self.sink.push(&records, None)?;
        let records = rider.closing(true, None)?;
        self.ledger.finish(&[self.ended(), rider.ended()], true, change, |text| self.sink.push(&records, text))
    }

    /// Closes a type that could not be read to its end; `change` takes its place inside the round away.
    pub fn give_up(&self, error: &Error, change: impl FnOnce(&mut Watermark)) -> Result<(), Error> {
        if let Some(hold) = self.hold {
            hold.drop_all();
        }
        if !self.tally.is_open() {
            self.begin(&Set::new(Mode::Delta)?, Reason::SoftDeleted, &[], |_| {})?;
        }
        let records = self.closing(false, Some(error))?;
        self.ledger.finish(&[self.ended()], false, change, |text| self.sink.push(&records, text))
    }

    fn closing(&self, complete: bool, error: Option<&Error>) -> Result<Records, Error> {
        if complete {
            self.release_held()?;
        }
        let mut records = Records::new(self.tally.object_type());
        if let Some(error) = error {
            records.issue(&Issue {
                scope: None,
                source_id: None,
                code: Code::TypeUnread(error.kind),
                message: &error.message,
                request_id: error.request_id(),
            });
        }
        self.tally.wrote(records.written());
        records.end(complete, self.tally.set_counts());
        self.tally.end(complete);
        Ok(records)
    }
}
