//! `describe`: a connector at a glance.

use anyhow::Result;
use serde_json::Value;

use super::args::Describe;
use super::table::Table;
use super::{Console, connector};
use crate::catalog::{Catalog, ObjectType};

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
    // A connector without presets has no column for them.
    let with_presets = catalog.object_types.iter().any(|it| !it.presets.is_empty());
    let on = if with_presets { "On with" } else { "On" };
    let mut table =
        Table::new(&["Name", "Class", "Switch", on, "Attributes", "Permissions", "Licence"]).right(&[4]).widest(120);
    for it in &catalog.object_types {
        let on = match (with_presets, it.default) {
            (true, _) if it.presets.is_empty() => "its switch".to_owned(),
            (true, _) => it.presets.join(", "),
            (false, true) => "yes".to_owned(),
            (false, false) => "no".to_owned(),
        };
        table.row([
            it.name.as_str(),
            it.class.name(),
            it.switch.as_deref().unwrap_or("-"),
            &on,
            &it.attributes.len().to_string(),
            &permissions(it),
            it.licence.as_deref().unwrap_or("-"),
        ]);
    }
    table
}

/// What a type needs, what does as well, and what some settings need instead.
fn permissions(of: &ObjectType) -> String {
    let one = |name: &String| match of.accepted_instead.get(name).map(Vec::as_slice) {
        None | Some([]) => name.clone(),
        Some(others) => format!("{name} (or {})", others.join(", ")),
    };
    let least = of.permissions.iter().map(one).collect::<Vec<_>>().join(", ");
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let when =
        of.when.iter().map(|it| format!("; with {} {}: {}", it.key, value(&it.value), it.permissions.join(", ")));
    least + &when.collect::<String>()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(object_types: &str) -> String {
        let catalog = Catalog::parse(&format!(r#"{{"ObjectTypes":{object_types}}}"#)).unwrap();
        let mut out = Vec::new();
        super::object_types(&catalog).print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn presets_permissions_and_what_does_as_well_are_shown() {
        let shown = printed(
            r#"[{"Name":"License","Switch":"ImportLicenses","Presets":["Governance","Wide"],"Permissions":["A.Read"],
                "AcceptedInstead":{"A.Read":["B.Read"]},"When":[{"Key":"Scope","Value":"All","Permissions":["C.Read"]}]},
               {"Name":"ProfilePhoto","Switch":"ImportProfilePhotos"}]"#,
        );
        assert!(shown.contains("On with") && shown.contains("Governance, Wide"), "{shown}");
        assert!(
            shown.contains("A.Read (or B.Read); with Scope All: C.Read") && shown.contains("its switch"),
            "{shown}"
        );
    }

    #[test]
    fn connector_without_presets_says_yes_or_no() {
        let shown = printed(r#"[{"Name":"User","Switch":"ImportUsers","Default":true}]"#);
        assert!(shown.contains("yes") && !shown.contains("On with"), "{shown}");
    }
}
