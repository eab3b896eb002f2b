//! The watermark as it grows during a run, shared by the object types.
//!
//! Each type moves its own entry, after its `End`; the lock is held until that `End` is queued, so that of two
//! checkpoints the later one never lacks what the earlier one had.

use std::sync::{Mutex, PoisonError};

use super::watermark::{Entry, Key, Watermark};
use crate::error::Error;

/// The run's watermark.
#[derive(Debug)]
pub struct Ledger {
    watermark: Mutex<Watermark>,
}

impl Ledger {
    /// Starts from what the host brought, with the tenant and origin of this run.
    pub fn new(watermark: Watermark) -> Ledger {
        Ledger { watermark: Mutex::new(watermark) }
    }

    /// Moves `key`, if there is something to move, and gives out the new watermark through `queue`.
    pub fn give_out(
        &self,
        moved: Option<(Key, Option<Entry>)>,
        queue: impl FnOnce(String) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut watermark = self.watermark.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((key, entry)) = moved {
            watermark.set(key, entry);
        }
        queue(watermark.to_text())
    }

    /// The watermark now.
    pub fn text(&self) -> String {
        self.watermark.lock().unwrap_or_else(PoisonError::into_inner).to_text()
    }
}
