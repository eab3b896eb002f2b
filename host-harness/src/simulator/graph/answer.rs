//! An answer of Graph before it becomes bytes, and the error envelope.

use serde_json::{Value, json};

use super::Context;
use crate::simulator::clock::format_zoneless;
use crate::simulator::kinds::Kind;
use crate::simulator::odata::Refused;
use crate::simulator::workload;

/// What an answer carries.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Json(Value),
    /// Said to be JSON, and is not.
    BrokenJson(String),
    Html(String),
    Text(String),
    Empty,
}

/// An answer and what the journal wants to know of it.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Headers a fault script names.
    pub(crate) extra: Vec<(String, String)>,
    pub(crate) body: Body,
    pub(crate) rows: u32,
    /// Resource units charged.
    pub(crate) units: u32,
    /// Set on pages of a delta feed.
    pub(crate) feed: Option<Kind>,
    /// The items of a batch, for the journal.
    pub(crate) items: Vec<crate::simulator::journal::Item>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Body) -> Answer {
        Answer {
            status,
            headers: Vec::new(),
            extra: Vec::new(),
            body,
            rows: 0,
            units: 0,
            feed: None,
            items: Vec::new(),
        }
    }

    /// A page of rows.
    pub(crate) fn page(value: Value) -> Answer {
        let rows = value.get("value").and_then(Value::as_array).map_or(0, |rows| rows.len() as u32);
        Answer { rows, ..Answer::new(200, Body::Json(value)) }
    }

    /// All headers, the endpoint's and a fault's.
    pub(crate) fn all_headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        own.chain(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }
}

/// A refusal, in Graph's terms.
#[derive(Debug, Clone)]
pub(crate) struct GraphError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl GraphError {
    pub(crate) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> GraphError {
        GraphError { status, code: code.into(), message: message.into(), headers: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> GraphError {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn not_found(id: &str) -> GraphError {
        GraphError::new(
            404,
            "Request_ResourceNotFound",
            format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present."),
        )
    }

    pub(crate) fn denied() -> GraphError {
        GraphError::new(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    }

    /// A refusal of one of the services behind Graph.
    pub(crate) fn refused((status, code, message): workload::Refused) -> GraphError {
        GraphError::new(status, code, message)
    }

    pub(crate) fn expired_page() -> GraphError {
        GraphError::new(
            400,
            "Directory_ExpiredPageToken",
            "The specified page token value has expired and can no longer be included in your request.",
        )
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> GraphError {
        GraphError::new(400, "Request_UnsupportedQuery", message)
    }

    /// A `$select` names what a type does not have.
    pub(crate) fn no_property(name: &str, odata_type: &str) -> GraphError {
        let odata_type = odata_type.trim_start_matches('#');
        GraphError::new(
            400,
            "BadRequest",
            format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type '{odata_type}'."
            ),
        )
    }

    pub(crate) fn into_answer(self, context: &Context<'_>) -> Answer {
        let body = json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": format_zoneless(context.service.clock.seconds()),
                "request-id": context.request_id,
                "client-request-id": context.client_request_id,
            }
        }});
        Answer { headers: self.headers, ..Answer::new(self.status, Body::Json(body)) }
    }
}

impl From<Refused> for GraphError {
    fn from(refused: Refused) -> GraphError {
        GraphError::new(400, refused.code, refused.message)
    }
}
