//! Status codes and limits: explicit numbers, never reused, only ever added to on the negative side.
//!
//! The C spelling of these constants is written by hand in `include/cbindgen.toml` (cbindgen drops `usize::MAX`, loses
//! parentheses and unsigned suffixes); a C test compares each with the value here.

/// A result: not negative is success, negative is failure. A host treats an unknown negative value as
/// CONNECTOR_E_INTERNAL; no non-negative value will be added within a major version.
pub type Status = i32;

/// Major version of this contract. A host refuses a library with another one, naming both.
pub const CONNECTOR_ABI_MAJOR: u32 = 1;
/// Minor version of this contract. A higher one only adds.
pub const CONNECTOR_ABI_MINOR: u32 = 0;
/// `(major << 16) | minor`, as [`crate::functions::ConnectorAbiVersion`] answers it.
pub const CONNECTOR_ABI_VERSION: u32 = (CONNECTOR_ABI_MAJOR << 16) | CONNECTOR_ABI_MINOR;

/// As a length: the text ends at its first NUL.
pub const CONNECTOR_NUL_TERMINATED: usize = usize::MAX;
/// As a timeout in milliseconds: no limit.
pub const CONNECTOR_FOREVER: u32 = u32::MAX;
/// The longest text a host may pass, in bytes: 16 MiB each. [`CONNECTOR_NUL_TERMINATED`] is the one length above it
/// that is no error; a NUL-terminated text is searched this far and no further.
pub const CONNECTOR_MAX_INPUT: usize = 16 * 1024 * 1024;

/// Done; for OperationNext: a batch was delivered.
pub const CONNECTOR_OK: Status = 0;
/// OperationNext: finished, everything was delivered; `checkpoint` is the new watermark.
pub const CONNECTOR_END: Status = 1;
/// OperationNext: nothing arrived within `timeout_ms`.
pub const CONNECTOR_PENDING: Status = 2;
/// OperationNext: ended in order, but some object type or scope was not delivered; `checkpoint` moved only for what
/// was.
pub const CONNECTOR_END_PARTIAL: Status = 3;

/// Null pointer, bad UTF-8, bad length, bad `struct_size`, unknown or released operation. Concerns that call alone.
pub const CONNECTOR_E_INVALID_ARGUMENT: Status = -1;
/// ExportAsync of an import-only connector; an option or flag this connector does not have.
pub const CONNECTOR_E_NOT_SUPPORTED: Status = -2;
/// ConfigJson or AuthJson is malformed or incomplete; the error JSON lists every mistake.
pub const CONNECTOR_E_INVALID_CONFIG: Status = -3;
/// The watermark is not this connector's, or of another tenant or service. Import again without it.
pub const CONNECTOR_E_INVALID_WATERMARK: Status = -4;
/// The service no longer knows the position the watermark names. Import again without it.
pub const CONNECTOR_E_WATERMARK_EXPIRED: Status = -5;
/// No token could be had: wrong or expired secret, unknown tenant or application.
pub const CONNECTOR_E_AUTH: Status = -6;
/// The token works, a permission is missing.
pub const CONNECTOR_E_FORBIDDEN: Status = -7;
/// The service still throttled after the last retry.
pub const CONNECTOR_E_THROTTLED: Status = -8;
/// DNS, connection, TLS, reset or timeout.
pub const CONNECTOR_E_NETWORK: Status = -9;
/// The service failed (5xx) or gave an answer that cannot be read.
pub const CONNECTOR_E_SERVICE: Status = -10;
/// OperationCancel or OperationRelease ended it.
pub const CONNECTOR_E_CANCELLED: Status = -11;
/// Another thread is inside OperationNext of this operation. Concerns that call alone.
pub const CONNECTOR_E_BUSY: Status = -12;
/// The process forked after first use, or a result was asked for too early.
pub const CONNECTOR_E_INVALID_STATE: Status = -13;
/// Memory could not be had.
pub const CONNECTOR_E_OUT_OF_MEMORY: Status = -14;
/// A bug in the connector, caught; the host process is unharmed.
pub const CONNECTOR_E_INTERNAL: Status = -15;
/// More objects would be deleted than the configuration allows; nothing of that object type was deleted.
pub const CONNECTOR_E_TOO_MANY_DELETES: Status = -16;

/// Log level: the operation cannot go on.
pub const CONNECTOR_LOG_ERROR: u32 = 1;
/// Log level: something an operator should look at.
pub const CONNECTOR_LOG_WARN: u32 = 2;
/// Log level: the course of an operation. The default.
pub const CONNECTOR_LOG_INFO: u32 = 3;
/// Log level: each request and each wait.
pub const CONNECTOR_LOG_DEBUG: u32 = 4;

/// `connector_progress.state`: still running.
pub const CONNECTOR_STATE_RUNNING: u32 = 0;
/// `connector_progress.state`: ended with [`CONNECTOR_END`].
pub const CONNECTOR_STATE_SUCCEEDED: u32 = 1;
/// `connector_progress.state`: ended with a negative status.
pub const CONNECTOR_STATE_FAILED: u32 = 2;
/// `connector_progress.state`: cancelled.
pub const CONNECTOR_STATE_CANCELLED: u32 = 3;
/// `connector_progress.state`: ended with [`CONNECTOR_END_PARTIAL`].
pub const CONNECTOR_STATE_PARTIAL: u32 = 4;

/// Every status with its name in the header and its `Code` in error JSON, for tests and for messages.
pub const STATUS_NAMES: &[(Status, &str, &str)] = &[
    (CONNECTOR_OK, "CONNECTOR_OK", "Ok"),
    (CONNECTOR_END, "CONNECTOR_END", "End"),
    (CONNECTOR_PENDING, "CONNECTOR_PENDING", "Pending"),
    (CONNECTOR_END_PARTIAL, "CONNECTOR_END_PARTIAL", "EndPartial"),
    (CONNECTOR_E_INVALID_ARGUMENT, "CONNECTOR_E_INVALID_ARGUMENT", "InvalidArgument"),
    (CONNECTOR_E_NOT_SUPPORTED, "CONNECTOR_E_NOT_SUPPORTED", "NotSupported"),
    (CONNECTOR_E_INVALID_CONFIG, "CONNECTOR_E_INVALID_CONFIG", "InvalidConfig"),
    (CONNECTOR_E_INVALID_WATERMARK, "CONNECTOR_E_INVALID_WATERMARK", "InvalidWatermark"),
    (CONNECTOR_E_WATERMARK_EXPIRED, "CONNECTOR_E_WATERMARK_EXPIRED", "WatermarkExpired"),
    (CONNECTOR_E_AUTH, "CONNECTOR_E_AUTH", "Auth"),
    (CONNECTOR_E_FORBIDDEN, "CONNECTOR_E_FORBIDDEN", "Forbidden"),
    (CONNECTOR_E_THROTTLED, "CONNECTOR_E_THROTTLED", "Throttled"),
    (CONNECTOR_E_NETWORK, "CONNECTOR_E_NETWORK", "Network"),
    (CONNECTOR_E_SERVICE, "CONNECTOR_E_SERVICE", "Service"),
    (CONNECTOR_E_CANCELLED, "CONNECTOR_E_CANCELLED", "Cancelled"),
    (CONNECTOR_E_BUSY, "CONNECTOR_E_BUSY", "Busy"),
    (CONNECTOR_E_INVALID_STATE, "CONNECTOR_E_INVALID_STATE", "InvalidState"),
    (CONNECTOR_E_OUT_OF_MEMORY, "CONNECTOR_E_OUT_OF_MEMORY", "OutOfMemory"),
    (CONNECTOR_E_INTERNAL, "CONNECTOR_E_INTERNAL", "Internal"),
    (CONNECTOR_E_TOO_MANY_DELETES, "CONNECTOR_E_TOO_MANY_DELETES", "TooManyDeletes"),
];
