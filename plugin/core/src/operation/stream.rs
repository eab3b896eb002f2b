//! The bounded queue between the connector's threads and the host's: order, back-pressure, cancel, wake-up.
//!
//! Producers write lines into one open batch; it is cut when full, and earlier when the host has nothing left to fetch,
//! so that a fast host waits for no batch to fill and a slow one gets full ones. `armed` is set under the lock exactly
//! when Pending is answered and taken when something arrives. Then the wake-up is due; `notifier.rs` calls it.

mod notifier;

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::counters::Counters;
use crate::error::{Error, Kind};
use crate::mapping::Records;
use crate::sync::RecordSink;
pub(super) use notifier::Notifier;

/// Calls the host's wake-up.
pub type Waker = Box<dyn Fn() + Send>;

/// Batch sizes; zeros in the host's options become these defaults.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Records in a batch.
    pub rows: usize,
    /// Bytes in a batch; one larger record goes alone.
    pub bytes: usize,
    /// Batches that may wait.
    pub queued: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { rows: 1000, bytes: 1024 * 1024, queued: 4 }
    }
}

impl Limits {
    /// How many of `readers` should run while `waiting` batches are queued.
    fn worth(&self, waiting: usize, readers: usize) -> usize {
        let free = self.queued.saturating_sub(waiting);
        (readers * free).div_ceil(self.queued.max(1)).max(1)
    }

    /// Bytes to reserve in a batch. An empty batch gets space for the `left` bytes at hand; a batch that already holds
    /// rows gets space for a full batch of rows of that size. Unused capacity is wiped on free as well, so
    /// over-reserving costs time.
    fn room(&self, open: &Batch, left: usize) -> usize {
        let held = open.rows.len();
        let expected = match usize::try_from(open.row_count) {
            Ok(count) if count > 0 => (held / count + 1).saturating_mul(self.rows.saturating_sub(count)).min(4 * held),
            _ => left,
        };
        expected.min(self.bytes.saturating_sub(held))
    }
}

/// Some records, in order.
#[derive(Debug, Default)]
pub struct Batch {
    /// 0, 1, 2, …
    pub sequence: u64,
    /// Lines.
    pub row_count: u64,
    /// NDJSON.
    pub rows: Vec<u8>,
    /// Good once everything up to here is stored.
    pub checkpoint: Option<String>,
    /// Upserts and Deletes among the lines.
    changes: u64,
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub enum Ending {
    /// Everything was delivered; the new watermark.
    End(Option<String>),
    /// In order, but not everything was delivered.
    EndPartial(Option<String>),
    /// Not in order.
    Failed(Error),
}

/// What `next` answers.
#[derive(Debug)]
pub enum Next {
    /// A batch.
    Batch(Batch),
    /// Nothing within the time.
    Pending,
    /// Another thread is inside.
    Busy,
    /// It is over; every further call says the same.
    Ended(Ending),
}

#[derive(Default)]
struct State {
    open: Batch,
    queue: VecDeque<Batch>,
    sequence: u64,
    /// Readers that ask for rows or deliver them.
    reading: usize,
    ending: Option<Ending>,
    /// The ending was told: nothing can change it any more.
    told: bool,
    inside: bool,
    armed: bool,
    last_checkpoint: Option<String>,
}

impl State {
    /// Puts the open batch behind those that wait.
    fn close(&mut self) {
        let sequence = self.sequence;
        self.sequence += 1;
        self.queue.push_back(Batch { sequence, ..std::mem::take(&mut self.open) });
    }
}

/// The queue.
pub(super) struct Stream {
    limits: Limits,
    counters: Counters,
    state: Mutex<State>,
    /// Something for the host.
    ready: Condvar,
    /// Room for producers.
    room: Condvar,
    notifier: Option<Notifier>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("limits", &self.limits).finish_non_exhaustive()
    }
}

fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "the operation was cancelled")
}

impl Stream {
    pub(super) fn new(limits: Limits, counters: Counters, notifier: Option<Notifier>) -> Stream {
        Stream { limits, counters, state: Mutex::default(), ready: Condvar::new(), room: Condvar::new(), notifier }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that something arrived; to be called without the lock.
    fn announce(&self, armed: bool) {
        self.ready.notify_all();
        if armed && let Some(notifier) = &self.notifier {
            notifier.notify();
        }
    }

    fn is_full(&self, open: &Batch, more: usize) -> bool {
        open.row_count > 0
            && (open.row_count as usize >= self.limits.rows || open.rows.len() + more > self.limits.bytes)
    }

    /// Moves the open batch into the queue, waiting for room; `false` when the operation has ended meanwhile.
    fn cut<'a>(&'a self, mut state: MutexGuard<'a, State>) -> Result<MutexGuard<'a, State>, Error> {
        while state.queue.len() >= self.limits.queued && state.ending.is_none() {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ending.is_some() {
            return Err(cancelled());
        }
        if state.open.row_count == 0 && state.open.checkpoint.is_none() {
            return Ok(state);
        }
        state.close();
        let armed = std::mem::take(&mut state.armed);
        drop(state);
        self.announce(armed);
        Ok(self.lock())
    }

    /// The operation is over. What is queued is still delivered; a cancel was faster if there was one.
    pub(super) fn finish(&self, ending: Ending) {
        let mut state = self.lock();
        if state.open.row_count > 0 {
            match self.cut(state) {
                Ok(again) => state = again,
                Err(_) => return,
            }
        }
        if state.ending.is_none() {
            state.ending = Some(ending);
        }
        let armed = std::mem::take(&mut state.armed);
        drop(state);
        self.room.notify_all();
        self.announce(armed);
    }

    /// Drops what is queued and ends every wait.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        if state.told {
            return;
        }
        state.queue.clear();
        state.open = Batch::default();
        state.ending = Some(Ending::Failed(cancelled()));
        let armed = std::mem::take(&mut state.armed);
        drop(state);
        self.room.notify_all();
        self.announce(armed);
    }

    /// After this, no wake-up is called. Waits for one that is being called.
    pub(super) fn forget_waker(&self) {
        if let Some(notifier) = &self.notifier {
            notifier.forget();
        }
    }

    pub(super) fn last_checkpoint(&self) -> Option<String> {
        self.lock().last_checkpoint.clone()
    }

    pub(super) fn next(&self, timeout: Option<Duration>) -> Next {
        let deadline = timeout.map(|t| Instant::now() + t);
        let mut state = self.lock();
        if state.inside {
            return Next::Busy;
        }
        state.inside = true;
        loop {
            // These rows came while another batch still waited. Nobody may come to close theirs: the source can be
            // silent for an hour now.
            if state.queue.is_empty() && state.ending.is_none() && state.open.row_count > 0 {
                state.close();
            }
            if let Some(batch) = state.queue.pop_front() {
                state.inside = false;
                if batch.checkpoint.is_some() {
                    state.last_checkpoint.clone_from(&batch.checkpoint);
                }
                drop(state);
                self.counters.delivered(batch.changes);
                self.room.notify_all();
                return Next::Batch(batch);
            }
            if let Some(ending) = state.ending.clone() {
                state.inside = false;
                state.told = true;
                if let Ending::End(Some(checkpoint)) | Ending::EndPartial(Some(checkpoint)) = &ending {
                    state.last_checkpoint = Some(checkpoint.clone());
                }
                return Next::Ended(ending);
            }
            state = match deadline {
                None => self.ready.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        state.inside = false;
                        state.armed = true;
                        return Next::Pending;
                    }
                    self.ready.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl RecordSink for Stream {
    fn checkpoint_rows(&self) -> u64 {
        self.limits.rows as u64
    }

    fn admit(&self, readers: usize) -> Result<(), Error> {
        let mut state = self.lock();
        while state.ending.is_none() && state.reading >= self.limits.worth(state.queue.len(), readers) {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.ending.is_some() {
            return Err(cancelled());
        }
        state.reading += 1;
        Ok(())
    }

    fn leave(&self) {
        self.lock().reading -= 1;
        self.room.notify_all();
    }

    fn push(&self, records: &Records, checkpoint: Option<String>) -> Result<(), Error> {
        self.counters.fetched(records.rows());
        let mut changes = records.rows();
        let mut left = records.size();
        let mut state = self.lock();
        for line in records.lines() {
            // Again after each cut: while it waited for room, another producer may have begun the next batch.
            while self.is_full(&state.open, line.len()) {
                state = self.cut(state)?;
            }
            if state.ending.is_some() {
                return Err(cancelled());
            }
            let open = &mut state.open;
            if open.rows.capacity() - open.rows.len() < line.len() {
                open.rows.reserve_exact(self.limits.room(open, left).max(line.len()));
            }
            state.open.rows.extend_from_slice(line);
            left -= line.len();
            state.open.row_count += 1;
            // Counted with the first batch these lines go into; exact once the operation is over.
            state.open.changes += std::mem::take(&mut changes);
        }
        if checkpoint.is_some() {
            if state.ending.is_some() {
                return Err(cancelled());
            }
            let nothing_open = state.open.row_count == 0;
            match state.queue.back_mut() {
                // All it covers is in batches that wait: the last of them carries it.
                Some(last) if nothing_open => last.checkpoint = checkpoint,
                _ => {
                    state.open.checkpoint = checkpoint;
                    drop(self.cut(state)?);
                }
            }
        } else if state.queue.is_empty() && state.open.row_count > 0 {
            drop(self.cut(state)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
