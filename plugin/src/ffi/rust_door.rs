//! The abi_stable door: the same operations under the same handles, for hosts written in Rust.
//!
//! Everything here is safe Rust; abi_stable checks the layout of both sides when the library is loaded.

use std::time::Duration;

use abi_stable::export_root_module;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::{RErr, ROk, RResult, RStr, RString, RVec};
use connector_abi::root_module::{
    ConnectorModule, ConnectorModuleRef, Counters, Delivery, LogLine, Refusal, RunOptions,
};
use connector_abi::{self as abi, OperationHandle, Status};
use entra_id_core::describe::describe;
use entra_id_core::error::Error;
use entra_id_core::log::Level;
use entra_id_core::operation::{Next, Operation, Request};

use super::exports;
use super::guard::{guarded, status};
use super::incoming::limits;
use super::outgoing::LogCallback;
use super::registry::{self, Entry};
use super::signals::blocked;

#[export_root_module]
fn connector_module() -> ConnectorModuleRef {
    ConnectorModule {
        abi_version: exports::ConnectorAbiVersion,
        describe: describe_text,
        import,
        export,
        check,
        next,
        cancel,
        progress,
        result,
        release,
    }
    .leak_into_prefix()
}

extern "C" fn describe_text() -> RString {
    guarded(|| Ok(describe())).unwrap_or_default().into()
}

extern "C" fn import(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<OperationHandle, Refusal> {
    start(config, auth, &options, Operation::import)
}

extern "C" fn check(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<OperationHandle, Refusal> {
    start(config, auth, &options, Operation::check)
}

extern "C" fn export(config: RStr<'_>, auth: RStr<'_>, options: RunOptions) -> RResult<OperationHandle, Refusal> {
    start(config, auth, &options, |_| Err(Operation::export()))
}

fn start(
    config: RStr<'_>,
    auth: RStr<'_>,
    options: &RunOptions,
    begin: impl FnOnce(Request<'_>) -> Result<Operation, Error>,
) -> RResult<OperationHandle, Refusal> {
    let outcome = guarded(|| {
        let watermark = options.watermark.as_ref().map_or(RStr::from_str(""), RString::as_rstr);
        for (name, text) in [("config_json", config), ("auth_json", auth), ("options.watermark", watermark)] {
            if text.len() > abi::CONNECTOR_MAX_INPUT {
                return Err(super::incoming::bad_argument(name, "is longer than 16 MiB (CONNECTOR_MAX_INPUT)"));
            }
        }
        let request = Request {
            config: config.as_str(),
            auth: auth.as_str(),
            watermark: options.watermark.as_ref().map(RString::as_str).into_option(),
            limits: limits(options.max_batch_rows, options.max_batch_bytes, options.max_queued_batches),
            max_log_level: Level::from_number(options.max_log_level),
            wake: None,
        };
        let operation = blocked(|| begin(request))?;
        Ok(registry::add(Entry { operation, log: LogCallback::of(None) }))
    });
    match outcome {
        Ok(operation) => ROk(operation),
        Err(error) => RErr(Refusal { status: error.kind.status(), error_json: error.to_json().to_string().into() }),
    }
}

extern "C" fn next(operation: OperationHandle, timeout_ms: u32) -> Delivery {
    guarded(|| {
        let entry = registry::get(operation)?;
        let timeout = (timeout_ms != abi::CONNECTOR_FOREVER).then(|| Duration::from_millis(timeout_ms.into()));
        let mut delivery = match entry.operation.next(timeout) {
            Next::Batch(batch) => Delivery {
                status: abi::CONNECTOR_OK,
                sequence: batch.sequence,
                row_count: batch.row_count,
                rows: batch.rows.into(),
                checkpoint: RVec::from(batch.checkpoint.unwrap_or_default().into_bytes()),
                log: RVec::new(),
            },
            Next::Pending => Delivery { status: abi::CONNECTOR_PENDING, ..Delivery::default() },
            Next::Busy => Delivery { status: abi::CONNECTOR_E_BUSY, ..Delivery::default() },
            Next::Ended(ending) => {
                let (status, checkpoint) = exports::ended(ending);
                Delivery { status, checkpoint: checkpoint.into_bytes().into(), ..Delivery::default() }
            }
        };
        let lines = entry.operation.take_log();
        delivery.log =
            lines.into_iter().map(|(level, text)| LogLine { level: level as u32, message: text.into() }).collect();
        Ok(delivery)
    })
    .unwrap_or_else(|error| Delivery { status: error.kind.status(), ..Delivery::default() })
}

extern "C" fn cancel(operation: OperationHandle) -> Status {
    status(|| {
        registry::get(operation)?.operation.cancel();
        Ok(abi::CONNECTOR_OK)
    })
}

extern "C" fn progress(operation: OperationHandle) -> RResult<Counters, Status> {
    match guarded(|| exports::counters(operation)) {
        Ok(p) => ROk(Counters {
            state: p.state,
            rows_fetched: p.rows_fetched,
            rows_delivered: p.rows_delivered,
            requests: p.requests,
            retries: p.retries,
            throttled_ms: p.throttled_ms,
            bytes_received: p.bytes_received,
            elapsed_ms: p.elapsed_ms,
            total_rows_estimate: p.total_rows_estimate,
        }),
        Err(error) => RErr(error.kind.status()),
    }
}

extern "C" fn result(operation: OperationHandle) -> RResult<RString, Status> {
    match guarded(|| registry::get(operation)?.operation.result()) {
        Ok(json) => ROk(json.into()),
        Err(error) => RErr(error.kind.status()),
    }
}

extern "C" fn release(operation: OperationHandle) -> Status {
    status(|| {
        registry::remove(operation)?.operation.release();
        Ok(abi::CONNECTOR_OK)
    })
}
