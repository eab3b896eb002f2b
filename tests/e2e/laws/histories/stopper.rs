//! Stops an import at a batch or a checkpoint, as a crash would.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use host_harness::import::Watch;
use serde_json::Value;

use super::steps::Stop;

/// Stops an import.
pub(super) struct Stopper {
    pub(super) stop: Stop,
    seen: u32,
    /// Whether the import came that far.
    pub(super) struck: bool,
    /// Object types that had begun and not ended.
    pub(super) under_way: BTreeSet<String>,
}

impl Stopper {
    pub(super) fn new(stop: Stop) -> Stopper {
        Stopper { stop, seen: 0, struck: false, under_way: BTreeSet::new() }
    }

    fn met(&mut self) -> Result<()> {
        self.seen += 1;
        let (Stop::Batch(nth) | Stop::Checkpoint(nth)) = self.stop;
        if self.seen < nth {
            return Ok(());
        }
        self.struck = true;
        bail!("stopped at {:?}", self.stop)
    }
}

impl Watch for Stopper {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        for line in rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let record: Value = serde_json::from_slice(line)?;
            let object_type = record["ObjectType"].as_str().unwrap_or_default();
            match record["Kind"].as_str() {
                Some("Begin") => _ = self.under_way.insert(object_type.to_owned()),
                Some("End") => _ = self.under_way.remove(object_type),
                _ => {}
            }
        }
        if matches!(self.stop, Stop::Batch(_)) { self.met() } else { Ok(()) }
    }

    fn committed(&mut self, _: &str) -> Result<()> {
        if matches!(self.stop, Stop::Checkpoint(_)) { self.met() } else { Ok(()) }
    }
}
