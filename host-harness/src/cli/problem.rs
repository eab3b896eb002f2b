//! An error of the connector, for the person who has to mend it.
//!
//! The connector says what is wrong; what to type next is the host's to say, because it knows its own commands.

use std::io::{self, Write};

use connector_abi::status::Status;
use serde_json::Value;

use super::table::visible;
use crate::connector::status_name;

/// How many problems a connector of this project lists; the contract sets no number.
const LISTED: usize = 100;

/// Prints an error JSON: message, every problem with its place, Graph's request id, and what to do.
pub(super) fn print(error: &Value, status: Status, err: &mut dyn Write) -> io::Result<()> {
    let code = error["Code"].as_str().unwrap_or_default();
    let problems = error["Problems"].as_array().map_or(&[][..], Vec::as_slice);
    // The message of an error with several problems is their list, which follows.
    let message = match problems.len() {
        0 | 1 => visible(error["Message"].as_str().unwrap_or("the connector gave no reason")),
        LISTED.. => format!("at least {LISTED} mistakes in the documents"),
        several => format!("{several} mistakes in the documents"),
    };
    let code_shown = if code.is_empty() { status_name(status) } else { code.to_owned() };
    writeln!(err, "error: {message} ({code_shown}, {status})")?;
    // The message of a single mistake of a document has its place already; that of an unusable watermark has not.
    let told = |problem: &Value| problem["Path"].as_str().is_some_and(|path| message.contains(path));
    for problem in problems.iter().filter(|problem| problems.len() > 1 || !told(problem)) {
        writeln!(err, "  {}", place(problem))?;
    }
    for cause in error["Causes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        writeln!(err, "  because: {}", visible(cause))?;
    }
    let http = &error["Http"];
    for (name, label) in [
        ("Status", "HTTP status"),
        ("Code", "Graph's code"),
        ("RequestId", "Graph's request id"),
        ("ClientRequestId", "client request id"),
    ] {
        match &http[name] {
            Value::Null => {}
            Value::String(text) => writeln!(err, "  {label}: {}", visible(text))?,
            other => writeln!(err, "  {label}: {other}")?,
        }
    }
    if let Some(advice) = advice(code) {
        writeln!(err, "  what to do: {advice}")?;
    }
    Ok(())
}

/// One problem of a document: where, what was found, what is expected, what was probably meant.
fn place(problem: &Value) -> String {
    let text = |name: &str| problem[name].as_str().map(visible);
    let parts = [text("Document"), text("Path")];
    let mut line = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
    if let Some(found) = text("Found") {
        line.extend([": found ", &found]);
    }
    if let Some(expected) = text("Expected") {
        line.extend([", expected ", &expected]);
    }
    if let Some(nearest) = text("Nearest") {
        line.extend(["; did you mean ", &nearest, "?"]);
    }
    line
}

/// The next step for each code of the contract.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "InvalidConfig" => "correct what is named above; 'describe' lists every key with its default",
        "InvalidWatermark" => {
            "the stored watermark belongs to another tenant or service: import with --full, or into another --store"
        }
        "WatermarkExpired" => "the source no longer knows the stored position: import with --full",
        "Auth" => {
            "correct what is named above: TenantId and Cloud stand in ConfigJson; ClientId, and the secret's value (not its id), in AuthJson; the secret's end in the application's registration. 'check' tries the sign-in alone"
        }
        "Forbidden" => {
            "grant the permission to the application and give admin consent; 'check' says which one is missing"
        }
        "Throttled" => {
            "the source asks for fewer requests: lower MaxConcurrency, or run when other applications do not"
        }
        "Network" => "check name resolution, proxy and firewall from this machine to the configured endpoints",
        "Service" => "the source failed: try again, and quote the request id to its support if it stays",
        "TooManyDeletes" => {
            "look at the deleted objects in the source; if they are meant, raise MaxDeletes for one run"
        }
        "NotSupported" => "this connector cannot do that; see 'describe'",
        "Internal" => "a bug in the connector: please report it with the run's log (import --verbose)",
        "OutOfMemory" => "the host has too little memory",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_problem_is_shown_with_place_and_nearest_key() {
        let error = json!({"Code": "InvalidConfig", "Message": "two mistakes", "Problems": [
            {"Document": "Config", "Path": "/PageSize", "Found": "\"999\"", "Expected": "whole number 1…999", "Nearest": null},
            {"Document": "Config", "Path": "/TennantId", "Found": "an unknown key", "Expected": null, "Nearest": "TenantId"}],
            "Http": {"RequestId": "r-1"}});
        let mut out = Vec::new();
        print(&error, -3, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("Config /PageSize: found \"999\", expected whole number 1…999\n"), "{text}");
        assert!(text.contains("did you mean TenantId?") && text.contains("Graph's request id: r-1"), "{text}");
        assert!(text.starts_with("error: 2 mistakes in the documents (InvalidConfig, -3)\n"), "{text}");
    }

    #[test]
    fn mistake_of_a_whole_document_is_listed_among_others() {
        let error = json!({"Code": "InvalidConfig", "Message": "two mistakes", "Problems": [
            {"Document": "Config", "Path": "", "Found": "every Import… switch off", "Expected": "one on", "Nearest": null},
            {"Document": "Config", "Path": "/PageSize", "Found": "0", "Expected": "whole number 1…999", "Nearest": null}]});
        let mut out = Vec::new();
        print(&error, -3, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("  Config: found every Import… switch off") && text.contains("/PageSize: found 0"),
            "{text}"
        );
    }

    #[test]
    fn every_final_code_of_the_contract_has_advice() {
        for (status, _, code) in connector_abi::status::STATUS_NAMES {
            let own = ["InvalidArgument", "Cancelled", "Busy", "InvalidState"].contains(code);
            assert!(*status >= 0 || own || advice(code).is_some(), "{code}");
        }
    }
}
