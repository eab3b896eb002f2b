//! `check`: "test connection".

use std::time::Duration;

use anyhow::{Result, bail};
use connector_abi::status::{CONNECTOR_END, CONNECTOR_END_PARTIAL};
use serde_json::Value;

use super::args::Check;
use super::table::{Table, visible};
use super::{Console, connector, problem, read};
use crate::connector::{Next, Operation, StartRequest};
use crate::interrupt::Interrupt;
use crate::report::Outcome;
use crate::secrets::Secrets;

pub(super) fn run(check: &Check, console: &mut Console<'_>) -> Result<u8> {
    let identified = connector(&check.connector)?;
    let config = read("ConfigJson", &check.documents.config)?;
    let auth = read("AuthJson", &check.documents.auth)?;
    let secrets = Secrets::in_folder(check.documents.secrets.clone().unwrap_or_else(Secrets::default_folder));
    let resolved = secrets.resolve(&auth)?;
    for warning in &resolved.warnings {
        writeln!(console.err, "warning: {warning}")?;
    }
    let request = StartRequest { config: &config, auth: &resolved.auth_json, ..StartRequest::default() };
    let mut operation = match identified.connector.check(&request) {
        Ok(operation) => operation,
        Err(refused) => {
            let error = serde_json::from_str(&refused.error_json).unwrap_or(Value::Null);
            problem::print(&error, refused.status, console.err)?;
            return Ok(1);
        }
    };
    let mut rows = Vec::new();
    let status = pull(&mut operation, |row| {
        if check.json {
            writeln!(console.out, "{row}")?;
        }
        rows.push(row);
        Ok(())
    })?;
    if !check.json {
        print(&rows, console)?;
    }
    if status < 0 {
        let result = operation
            .result_json()
            .ok()
            .and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .unwrap_or(Value::Null);
        problem::print(&result["Error"], status, console.err)?;
    }
    Ok(Outcome::of(status).exit_code())
}

fn pull(operation: &mut Operation, mut each: impl FnMut(Value) -> Result<()>) -> Result<i32> {
    let interrupt = Interrupt::of_process();
    loop {
        if interrupt.is_raised() {
            operation.cancel();
        }
        match operation.next(Duration::from_millis(250))? {
            Next::Pending => {}
            Next::Batch(batch) => {
                for line in batch.rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    match serde_json::from_slice(line) {
                        Ok(row) => each(row)?,
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

fn print(rows: &[Value], console: &mut Console<'_>) -> Result<()> {
    let mut table =
        Table::new(&["Object type", "Step", "Outcome", "Objects", "Requests", "Message"]).right(&[3, 4]).widest(100);
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
    let number = |row: &Value, name: &str| row[name].as_u64().map_or_else(|| "-".to_owned(), |it| it.to_string());
    let checks = || rows.iter().filter(|row| row["Kind"] == "Check");
    for row in checks() {
        table.row([
            text(row, "ObjectType"),
            text(row, "Step"),
            text(row, "Outcome"),
            number(row, "EstimatedObjects"),
            number(row, "EstimatedRequests"),
            text(row, "Message"),
        ]);
    }
    table.print(console.out)?;
    for row in checks().filter(|row| row["Outcome"] == "Failed") {
        writeln!(
            console.out,
            "\n{} {}: {}",
            text(row, "ObjectType"),
            text(row, "Step"),
            visible(&text(row, "Message"))
        )?;
        if let Some(remedy) = row["Remedy"].as_str() {
            writeln!(console.out, "  what to do: {}", visible(remedy))?;
        }
        if let Some(id) = row["RequestId"].as_str() {
            writeln!(console.out, "  Graph's request id: {id}")?;
        }
    }
    Ok(())
}
