//! The connection test: a token, then one real read for each object type that is switched on, as records.
//!
//! A token proves nothing: one without any permission is issued just as readily, and every read then answers 403. So each
//! object type is read once, with the smallest request that needs its permission.

use serde_json::json;

use super::Context;
use super::stream::Ending;
use crate::error::{Error, Kind};
use crate::importer::{ALL, Importer, Probe};
use crate::mapping::Records;
use crate::sync::RecordSink;

/// Writes the rows of the check.
pub(super) fn run(context: &Context) -> Ending {
    rows(context).unwrap_or_else(Ending::Failed)
}

fn rows(context: &Context) -> Result<Ending, Error> {
    let token = context.graph.token();
    if let Err(e) = &token
        && e.kind == Kind::Cancelled
    {
        return Err(e.clone());
    }
    let mut passed = token.is_ok();
    push(context, "", &Row::of_token(token.as_ref().err()))?;
    for importer in ALL.iter().filter(|i| i.is_on(&context.config)) {
        let row = if token.is_ok() {
            probed(context, *importer)?
        } else {
            Row::skipped("no token, so nothing could be read")
        };
        passed &= row.outcome != "Failed";
        push(
            context,
            importer.object_type().name,
            &Row { permission: Some(importer.object_type().permissions.join(", ")), ..row },
        )?;
    }
    Ok(if passed { Ending::End(None) } else { Ending::EndPartial(None) })
}

struct Row {
    step: &'static str,
    outcome: &'static str,
    message: String,
    remedy: Option<String>,
    permission: Option<String>,
    request_id: Option<String>,
}

impl Row {
    fn of_token(error: Option<&Error>) -> Row {
        let (outcome, message) = match error {
            None => ("Passed", "a token was issued".to_owned()),
            Some(e) => ("Failed", e.message.clone()),
        };
        let remedy =
            error.map(|_| "mend TenantId, Cloud or the credentials as the message says, then check again".to_owned());
        let request_id = error.and_then(|e| e.http.as_ref()?.request_id.clone());
        Row { step: "Token", outcome, message, remedy, permission: None, request_id }
    }

    fn skipped(why: &str) -> Row {
        Row {
            step: "Permission",
            outcome: "Skipped",
            message: why.to_owned(),
            remedy: None,
            permission: None,
            request_id: None,
        }
    }
}

fn probed(context: &Context, importer: &dyn Importer) -> Result<Row, Error> {
    let row = |outcome, message: String, remedy, request_id| Row {
        step: "Permission",
        outcome,
        message,
        remedy,
        permission: None,
        request_id,
    };
    Ok(match importer.probe(&context.graph, &context.config) {
        Ok(Probe::Read { request_id }) => {
            row("Passed", "one object was asked for and the read was allowed".into(), None, request_id)
        }
        Ok(Probe::NothingToRead) => {
            row("Unknown", "there is nothing in scope to try the permission on".into(), None, None)
        }
        Err(e) if e.kind == Kind::Cancelled => return Err(e),
        Err(e) => {
            let remedy = match e.kind {
                Kind::Forbidden => format!(
                    "in the Entra admin center open App registrations, this application, API permissions; add the application permission {} and choose Grant admin consent",
                    importer.object_type().permissions.join(" and ")
                ),
                Kind::InvalidConfig => "mend GroupSelectionFilter as Graph's words say".to_owned(),
                Kind::Network => "let this machine reach the Graph endpoint, through Proxy if there is one".to_owned(),
                _ => "try again; if it stays so, give Microsoft's support the request id".to_owned(),
            };
            row("Failed", e.message.clone(), Some(remedy), e.http.as_ref().and_then(|h| h.request_id.clone()))
        }
    })
}

fn push(context: &Context, object_type: &'static str, row: &Row) -> Result<(), Error> {
    let json = json!({
        "Kind": "Check",
        "ObjectType": if object_type.is_empty() { None } else { Some(object_type) },
        "Step": row.step,
        "Outcome": row.outcome,
        "Message": row.message,
        "Remedy": row.remedy,
        "Permission": row.permission,
        "EstimatedObjects": null,
        "EstimatedRequests": null,
        "RequestId": row.request_id,
    });
    let mut records = Records::new(object_type);
    records.line(&json);
    context.stream.push(&records, None)
}
