//! The one error of the connector: a decision for the caller, words for the operator, evidence for Microsoft's support.
//!
//! `Kind` is named after what the caller can do, not after what went wrong inside; the boundary maps it to a status
//! with an exhaustive match. A message says what to do. Neither ever holds a token, a secret or a whole Graph link.

use serde::Serialize;

/// What the host can decide by. Each has its status in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A null, a bad length, bad UTF-8, an unknown operation.
    InvalidArgument,
    /// This connector does not do it.
    NotSupported,
    /// ConfigJson or AuthJson is wrong; `problems` says where.
    InvalidConfig,
    /// The watermark is not ours, or of another tenant or cloud.
    InvalidWatermark,
    /// Graph no longer accepts the delta link.
    WatermarkExpired,
    /// No token.
    Auth,
    /// The token works, a permission is missing.
    Forbidden,
    /// Still throttled after the last retry.
    Throttled,
    /// No answer: DNS, connection, TLS, reset, timeout.
    Network,
    /// 5xx, or an answer that cannot be read, or one that breaks Graph's rules.
    Service,
    /// Ended by the host.
    Cancelled,
    /// Another thread is inside `next`.
    Busy,
    /// Asked too early, or in a forked child.
    InvalidState,
    /// No memory.
    OutOfMemory,
    /// A bug of the connector.
    Internal,
    /// More deletes than `MaxDeletes`.
    TooManyDeletes,
}

impl Kind {
    /// `Code` of the error JSON.
    pub fn code(self) -> &'static str {
        match self {
            Kind::InvalidArgument => "InvalidArgument",
            Kind::NotSupported => "NotSupported",
            Kind::InvalidConfig => "InvalidConfig",
            Kind::InvalidWatermark => "InvalidWatermark",
            Kind::WatermarkExpired => "WatermarkExpired",
            Kind::Auth => "Auth",
            Kind::Forbidden => "Forbidden",
            Kind::Throttled => "Throttled",
            Kind::Network => "Network",
            Kind::Service => "Service",
            Kind::Cancelled => "Cancelled",
            Kind::Busy => "Busy",
            Kind::InvalidState => "InvalidState",
            Kind::OutOfMemory => "OutOfMemory",
            Kind::Internal => "Internal",
            Kind::TooManyDeletes => "TooManyDeletes",
        }
    }

    /// Its status in the header; the boundary's tests compare each with the contract's constant.
    pub fn status(self) -> i32 {
        match self {
            Kind::InvalidArgument => -1,
            Kind::NotSupported => -2,
            Kind::InvalidConfig => -3,
            Kind::InvalidWatermark => -4,
            Kind::WatermarkExpired => -5,
            Kind::Auth => -6,
            Kind::Forbidden => -7,
            Kind::Throttled => -8,
            Kind::Network => -9,
            Kind::Service => -10,
            Kind::Cancelled => -11,
            Kind::Busy => -12,
            Kind::InvalidState => -13,
            Kind::OutOfMemory => -14,
            Kind::Internal => -15,
            Kind::TooManyDeletes => -16,
        }
    }

    /// Whether it ends the whole run, and not only the object type or the group it hit.
    pub fn ends_everything(self) -> bool {
        matches!(self, Kind::Cancelled | Kind::Auth | Kind::InvalidConfig | Kind::Internal | Kind::OutOfMemory)
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn retryable(self) -> bool {
        matches!(self, Kind::Throttled | Kind::Network | Kind::Service | Kind::OutOfMemory)
    }
}

/// What Graph or the token service answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HttpEvidence {
    /// HTTP status.
    pub status: u16,
    /// Graph's `error.code`, or `AADSTS…`.
    pub code: Option<String>,
    /// `request-id`: what Microsoft's support asks for.
    pub request_id: Option<String>,
    /// `client-request-id`: ours, echoed.
    pub client_request_id: Option<String>,
}

/// Which of the host's texts a problem lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Document {
    /// ConfigJson.
    Config,
    /// AuthJson.
    Auth,
    /// The options struct.
    Options,
    /// The watermark.
    Watermark,
}

/// One mistake in one of the host's texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Problem {
    /// Where.
    pub document: Document,
    /// RFC 6901 pointer.
    pub path: String,
    /// What stands there, as JSON, cut short; never a value of AuthJson.
    pub found: String,
    /// What may stand there.
    pub expected: String,
    /// For an unknown key or word: the known one it resembles.
    pub nearest: Option<String>,
}

/// Why an operation, or a part of it, could not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The decision.
    pub kind: Kind,
    /// For the operator: lower case, no full stop, says what to do.
    pub message: String,
    /// The object type it hit, when it hit one.
    pub object_type: Option<&'static str>,
    /// The answer behind it.
    pub http: Option<Box<HttpEvidence>>,
    /// How long the service asked to wait, in milliseconds.
    pub retry_after_ms: u64,
    /// Deeper reasons, outermost first.
    pub causes: Vec<String>,
    /// For `InvalidConfig` and `InvalidWatermark`: every mistake.
    pub problems: Vec<Problem>,
}

impl Error {
    /// Graph's `request-id` of the answer behind it.
    pub fn request_id(&self) -> Option<&str> {
        self.http.as_ref()?.request_id.as_deref()
    }

    /// An error with words and nothing else.
    pub fn new(kind: Kind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            object_type: None,
            http: None,
            retry_after_ms: 0,
            causes: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// With the answer behind it.
    #[must_use]
    pub fn with_http(mut self, http: HttpEvidence) -> Error {
        self.http = Some(Box::new(http));
        self
    }

    /// With a deeper reason.
    #[must_use]
    pub fn with_cause(mut self, cause: impl std::fmt::Display) -> Error {
        self.causes.push(cause.to_string());
        self
    }

    /// With the object type it hit.
    #[must_use]
    pub fn with_object_type(mut self, object_type: &'static str) -> Error {
        self.object_type = Some(object_type);
        self
    }

    /// The error as the contract's JSON (`docs/contract.md`).
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "Code": self.kind.code(),
            "Status": self.kind.status(),
            "Message": self.message,
            "Retryable": self.kind.retryable(),
            "RetryAfterMs": self.retry_after_ms,
            "ObjectType": self.object_type,
            "Http": self.http,
            "Causes": self.causes,
            "Problems": self.problems,
        })
    }
}
