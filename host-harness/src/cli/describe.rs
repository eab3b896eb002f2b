//! `describe`: a connector at a glance.

use anyhow::Result;
use serde_json::Value;

use super::args::Describe;
use super::table::Table;
use super::{Console, connector};
use crate::catalog::Catalog;

pub(super) fn run(describe: &Describe, console: &mut Console<'_>) -> Result<u8> {
    let identified = connector(&describe.connector)?;
    if describe.json {
        writeln!(console.out, "{}", identified.describe)?;
        return Ok(0);
    }
    let catalog = &identified.catalog;
    writeln!(
        console.out,
        "{} {}  (contract {}, {})",
        catalog.name,
        catalog.version,
        catalog.abi,
        identified.connector.path().display()
    )?;
    writeln!(console.out, "direction     {}", catalog.direction)?;
    writeln!(console.out, "capabilities  {}", catalog.capabilities.join(", "))?;
    writeln!(console.out, "signs in by   {}", catalog.auth_modes.join(", "))?;
    if let Some(style) = catalog.watermark["Style"].as_str() {
        let days = catalog.watermark["LifetimeDays"]
            .as_u64()
            .map_or_else(String::new, |days| format!(", good for {days} days"));
        writeln!(console.out, "watermark     {style}{days}")?;
    }
    if !catalog.throttling.is_empty() {
        writeln!(console.out, "throttling    {}", catalog.throttling)?;
    }
    writeln!(console.out, "\nObject types")?;
    object_types(catalog).print(console.out)?;
    for (title, schema) in [("ConfigJson", &catalog.config_schema), ("AuthJson", &catalog.auth_schema)] {
        writeln!(console.out, "\n{title}")?;
        keys(schema).print(console.out)?;
    }
    Ok(0)
}

fn object_types(catalog: &Catalog) -> Table {
    let mut table = Table::new(&["Name", "Class", "Switch", "On", "Attributes", "Permissions", "Licence"]).right(&[4]);
    for it in &catalog.object_types {
        table.row([
            it.name.as_str(),
            it.class.name(),
            it.switch.as_deref().unwrap_or("-"),
            if it.default { "yes" } else { "no" },
            &it.attributes.len().to_string(),
            &it.permissions.join(", "),
            it.licence.as_deref().unwrap_or("-"),
        ]);
    }
    table
}

/// The keys of a JSON Schema; one with variants lists the keys of each.
fn keys(schema: &Value) -> Table {
    let mut table = Table::new(&["Key", "Default", "Meaning"]).widest(120);
    let variants = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    for variant in std::iter::once(schema).chain(variants.into_iter().flatten()) {
        let required: Vec<&str> =
            variant["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (key, property) in variant["properties"].as_object().into_iter().flatten() {
            let default = match &property["default"] {
                Value::Null if !property["const"].is_null() => property["const"].to_string(),
                Value::Null if required.contains(&key.as_str()) => "required".to_owned(),
                default => default.to_string(),
            };
            let meaning = property["description"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
            table.row([key, default.as_str(), meaning]);
        }
    }
    table
}
