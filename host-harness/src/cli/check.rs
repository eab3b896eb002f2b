//! `check`: "test connection", for the person who has to mend what is wrong.
//!
//! A row is a line, and what to do stands under what is wrong, in the same column: a list of remedies below the table
//! would have to be matched by eye. Outcomes and words are the connector's; the exit code is that of the contract's
//! status.

use std::io;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use connector_abi::status::{CONNECTOR_END, CONNECTOR_END_PARTIAL};
use serde_json::{Value, json};

use super::args::Check;
use super::table::{grouped, visible, wrapped};
use super::{Console, connector, problem, read};
use crate::connector::{Next, Operation, StartRequest};
use crate::interrupt::Interrupt;
use crate::report::Outcome;
use crate::secrets::Secrets;
use crate::store::Mesh;

/// The column of words is never narrower, whatever the terminal.
const NARROWEST: usize = 40;

pub(super) fn run(check: &Check, console: &mut Console<'_>) -> Result<u8> {
    let identified = connector(&check.connector)?;
    let catalog = &identified.catalog;
    let config = read("ConfigJson", &check.documents.config)?;
    let auth = read("AuthJson", &check.documents.auth)?;
    let secrets = Secrets::in_folder(check.documents.secrets.clone().unwrap_or_else(Secrets::default_folder));
    let resolved = secrets.resolve(&auth)?;
    for warning in &resolved.warnings {
        writeln!(console.err, "warning: {warning}")?;
    }
    let watermark = match &check.store {
        Some(store) => stored(store, check.instance.as_deref().unwrap_or(&catalog.name), console)?,
        None => None,
    };
    let request = StartRequest {
        config: &config,
        auth: &resolved.auth_json,
        watermark: watermark.as_deref(),
        ..StartRequest::default()
    };
    let (status, rows, error) = match identified.connector.check(&request) {
        Ok(mut operation) => {
            let mut rows = Vec::new();
            let status = pull(&mut operation, &mut rows)?;
            let result = operation.result_json().ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
            (status, rows, result.map_or(Value::Null, |result| result["Error"].clone()))
        }
        Err(refused) => (refused.status, Vec::new(), serde_json::from_str(&refused.error_json).unwrap_or(Value::Null)),
    };
    let outcome = Outcome::of(status);
    if check.json {
        let document = json!({
            "Connector": {"Name": catalog.name, "Version": catalog.version},
            "Outcome": outcome.name(),
            "Status": status,
            "Checks": rows,
            "Error": error,
        });
        writeln!(console.out, "{document:#}")?;
    } else {
        table(&rows, console.columns, console.out)?;
    }
    if status < 0 {
        problem::print(&error, status, console.err)?;
    }
    Ok(outcome.exit_code())
}

/// The watermark that a store holds for an instance.
fn stored(store: &std::path::Path, instance: &str, console: &mut Console<'_>) -> Result<Option<String>> {
    let watermark = Mesh::open(store)?.watermark(instance).context("the store could not be read")?;
    if watermark.is_none() {
        writeln!(
            console.err,
            "warning: {} holds no watermark of the instance {}: its first import is a full one",
            store.display(),
            visible(instance)
        )?;
    }
    Ok(watermark)
}

/// The rows of a check, and how it ended. Records of another kind are for another host.
fn pull(operation: &mut Operation, rows: &mut Vec<Value>) -> Result<i32> {
    let interrupt = Interrupt::of_process();
    loop {
        if interrupt.is_raised() {
            operation.cancel();
        }
        match operation.next(Duration::from_millis(250))? {
            Next::Pending => {}
            Next::Batch(batch) => {
                for line in batch.rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    match serde_json::from_slice::<Value>(line) {
                        Ok(row) if row["Kind"] == "Check" => rows.push(row),
                        Ok(_) => {}
                        Err(error) => bail!("the connector broke the contract: a record that is no JSON: {error}"),
                    }
                }
            }
            Next::End { .. } => return Ok(CONNECTOR_END),
            Next::EndPartial { .. } => return Ok(CONNECTOR_END_PARTIAL),
            Next::Failed(status) => return Ok(status),
        }
    }
}

fn text<'r>(row: &'r Value, name: &str) -> Option<&'r str> {
    row[name].as_str().filter(|text| !text.is_empty())
}

/// What is said of a row, each part a paragraph.
fn words(row: &Value) -> Vec<String> {
    let message = visible(text(row, "Message").unwrap_or("-"));
    // A row's permission is told by its step's name alone where there is just one.
    let mut parts = vec![match text(row, "Permission").filter(|_| row["Step"] == "Permission") {
        Some(permission) => format!("{}: {message}", visible(permission)),
        None => message,
    }];
    parts.extend(text(row, "Remedy").map(|remedy| format!("What to do: {}", visible(remedy))));
    if let (Some(id), "Failed") = (text(row, "RequestId"), text(row, "Outcome").unwrap_or_default()) {
        parts.push(format!("Graph's request id: {}", visible(id)));
    }
    parts
}

/// Prints rows, the last column wrapped to the width of the terminal.
fn table(rows: &[Value], columns: usize, out: &mut dyn io::Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let cells = |row: &Value| ["ObjectType", "Step", "Outcome"].map(|name| visible(text(row, name).unwrap_or("-")));
    let header = ["Object type", "Step", "Outcome"].map(str::to_owned);
    let all: Vec<[String; 3]> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
    let width = |column: usize| all.iter().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let left: usize = widths.iter().map(|width| width + 2).sum();
    let room = columns.saturating_sub(left).max(NARROWEST);
    let head = |cells: &[String; 3]| {
        let [a, b, c] = widths;
        format!("{:a$}  {:b$}  {:c$}  ", cells[0], cells[1], cells[2])
    };
    writeln!(out, "{}What", head(&all[0]))?;
    for (row, cells) in rows.iter().zip(&all[1..]) {
        let lines = words(row).into_iter().flat_map(|part| wrapped(&part, room));
        for (number, line) in lines.enumerate() {
            let start = if number == 0 { head(cells) } else { " ".repeat(left) };
            writeln!(out, "{start}{line}")?;
        }
    }
    let count = |outcome: &str| rows.iter().filter(|row| row["Outcome"] == outcome).count() as u64;
    let counts = ["Passed", "Failed", "Skipped", "Unknown"].map(|outcome| (outcome.to_lowercase(), count(outcome)));
    let counts: Vec<String> = counts
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{} {word}", grouped(*count)))
        .collect();
    writeln!(out, "\n{}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(rows: &[Value], columns: usize) -> String {
        let mut out = Vec::new();
        table(rows, columns, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn failed() -> Value {
        json!({"Kind": "Check", "ObjectType": "GroupMember", "Step": "Permission", "Outcome": "Failed",
            "Message": "the application lacks a permission for /groups", "Remedy": "open App registrations and grant it \
            there, then press the button that is called Grant admin consent", "Permission": "GroupMember.Read.All", "RequestId": "r-1"})
    }

    #[test]
    fn a_row_says_what_is_wrong_and_what_to_do_within_the_terminal() {
        for columns in [80, 120] {
            let text = printed(&[failed()], columns);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                flat.contains("GroupMember Permission Failed GroupMember.Read.All: the application lacks"),
                "{text}"
            );
            assert!(flat.contains("What to do: open App registrations") && flat.contains("request id: r-1"), "{text}");
            assert!(flat.ends_with("1 failed"), "{text}");
        }
    }

    #[test]
    fn what_a_directory_says_never_reaches_the_terminal_raw() {
        let row = json!({"Step": "Token", "Outcome": "Passed", "Message": "a\u{1b}[2Jb\nc", "ObjectType": null});
        assert!(printed(&[row], 10).contains("a\\u{1b}[2Jb\\nc"));
    }
}
