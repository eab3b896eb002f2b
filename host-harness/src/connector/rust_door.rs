//! The abi_stable door: the same operations for hosts written in Rust, without a pointer in sight.
//!
//! Do not use `ConnectorModuleRef::load_from_directory`; it remembers the first library of the process for ever.
//! A host with several connectors initialises the root module of each file, as here.

use std::path::Path;
use std::sync::Arc;

use abi_stable::library::{LibraryError, RootModule, lib_header_from_path};
use abi_stable::std_types::{ROption, RResult, RStr, RVec};
use anyhow::{Context, Result, bail};
use connector_abi::root_module::{ConnectorModuleRef, RunOptions};
use connector_abi::status::{
    CONNECTOR_ABI_MAJOR, CONNECTOR_END, CONNECTOR_END_PARTIAL, CONNECTOR_OK, CONNECTOR_PENDING, Status,
};
use connector_abi::structs::{OperationHandle, Progress};

use super::{Batch, Bytes, Door, HostSide, Job, LogLine, Next, Rows, StartError, StartRequest};
use crate::loader::{LoadError, RawFunctions};

/// A library behind its abi_stable root module.
pub(super) struct RustDoor {
    module: ConnectorModuleRef,
}

impl RustDoor {
    pub(super) fn load(path: &Path) -> Result<RustDoor, LoadError> {
        let module = root_module::<ConnectorModuleRef>(path)?;
        let version = module.abi_version()();
        if version >> 16 != CONNECTOR_ABI_MAJOR {
            return Err(LoadError::OtherMajor(version >> 16, version & 0xffff));
        }
        Ok(RustDoor { module })
    }
}

/// The root module of the library at `path`, as a host with the module type `M` knows it. abi_stable compares every
/// type of both sides before anything is called.
pub fn root_module<M: RootModule>(path: &Path) -> Result<M, LoadError> {
    let refused = |error: &dyn std::fmt::Display| LoadError::NotALibrary(error.to_string());
    let path = std::path::absolute(path).map_err(|error| refused(&error))?;
    let header = lib_header_from_path(&path).map_err(|error| refused(&error))?;
    header.init_root_module::<M>().map_err(|error| match error {
        LibraryError::AbiInstability(report) => LoadError::OtherLayout(differences(&report.to_string())),
        other => refused(&other),
    })
}

/// What differs, out of abi_stable's report, which prints the layouts of all types involved, one after the other: for
/// each difference the members that lead to it, then `Error:`, `Expected:` and `Found:`. Three are enough to read.
fn differences(report: &str) -> String {
    let mut found = Vec::new();
    for section in report.split(" error(s)") {
        let Some((place, faults)) = section.split_once("\nError:") else { continue };
        let place = place.split("Layout of expected type").next().unwrap_or_default();
        let members = place.lines().filter_map(|line| line.trim().strip_prefix("field_name:"));
        // Of abi_stable's own making: the pointer to the module, and what a function returns.
        let path: Vec<&str> = members.filter(|name| !["0", "__returns"].contains(name)).collect();
        for fault in faults.split("\nError:") {
            let after = |label: &str| fault.split_once(label).and_then(|(_, text)| text.trim().lines().next());
            let [expected, there] = ["Expected:", "Found:"].map(|label| after(label).unwrap_or("?").trim());
            let what = fault.lines().next().unwrap_or_default().trim();
            found.push(format!("{}: {what}, {expected} here and {there} in the library", path.join(".")));
        }
    }
    let more = found.len().saturating_sub(3);
    found.truncate(3);
    if more > 0 {
        found.push(format!("{more} more"));
    }
    if found.is_empty() { "abi_stable does not say which".into() } else { found.join("; ") }
}

impl std::fmt::Debug for RustDoor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RustDoor").finish_non_exhaustive()
    }
}

impl Door for RustDoor {
    fn abi_version(&self) -> u32 {
        self.module.abi_version()()
    }

    fn describe(&self) -> Result<String> {
        Ok(self.module.describe()().into_string())
    }

    fn start(&self, job: Job, request: &StartRequest<'_>, _: &Arc<HostSide>) -> Result<OperationHandle, StartError> {
        let function = match job {
            Job::Import => self.module.import(),
            Job::Export => self.module.export(),
            Job::Check => self.module.check(),
        };
        let options = RunOptions {
            watermark: request
                .watermark
                .filter(|text| !text.is_empty())
                .map_or(ROption::RNone, |text| ROption::RSome(text.into())),
            max_batch_rows: request.max_batch_rows,
            max_batch_bytes: request.max_batch_bytes,
            max_queued_batches: request.max_queued_batches,
            max_log_level: request.log_level.unwrap_or(0),
        };
        match function(RStr::from(request.config), RStr::from(request.auth), options) {
            RResult::ROk(handle) => Ok(handle),
            RResult::RErr(refusal) => {
                Err(StartError { status: refusal.status, error_json: refusal.error_json.into_string() })
            }
        }
    }

    fn next(&self, operation: OperationHandle, timeout_ms: u32, host: &HostSide) -> Result<Next> {
        let delivery = self.module.next()(operation, timeout_ms);
        let lines = delivery.log.into_iter();
        host.log().extend(lines.map(|line| LogLine { level: line.level, message: line.message.into_string() }));
        Ok(match delivery.status {
            CONNECTOR_OK => Next::Batch(Batch {
                sequence: delivery.sequence,
                row_count: delivery.row_count,
                rows: Rows(Bytes::Owned(delivery.rows)),
                checkpoint: text(delivery.checkpoint)?,
            }),
            CONNECTOR_PENDING => Next::Pending,
            CONNECTOR_END => Next::End { checkpoint: text(delivery.checkpoint)? },
            CONNECTOR_END_PARTIAL => Next::EndPartial { checkpoint: text(delivery.checkpoint)? },
            failed if failed < 0 => Next::Failed(failed),
            other => bail!("next answered {other}, which no version 1 of the contract has"),
        })
    }

    fn cancel(&self, operation: OperationHandle) -> Status {
        self.module.cancel()(operation)
    }

    fn progress(&self, operation: OperationHandle) -> Result<Progress, Status> {
        let counters = self.module.progress()(operation).into_result()?;
        Ok(Progress {
            struct_size: size_of::<Progress>() as u32,
            state: counters.state,
            rows_fetched: counters.rows_fetched,
            rows_delivered: counters.rows_delivered,
            requests: counters.requests,
            retries: counters.retries,
            throttled_ms: counters.throttled_ms,
            bytes_received: counters.bytes_received,
            elapsed_ms: counters.elapsed_ms,
            total_rows_estimate: counters.total_rows_estimate,
        })
    }

    fn result(&self, operation: OperationHandle) -> Result<String, Status> {
        self.module.result()(operation).into_result().map(abi_stable::std_types::RString::into_string)
    }

    fn release(&self, operation: OperationHandle) -> Status {
        self.module.release()(operation)
    }

    fn raw(&self) -> Option<&RawFunctions> {
        None
    }
}

/// A checkpoint; `None` when there is none.
fn text(bytes: RVec<u8>) -> Result<Option<String>> {
    let text =
        String::from_utf8(bytes.into_vec()).context("the connector handed out a checkpoint that is not UTF-8")?;
    Ok((!text.is_empty()).then_some(text))
}
