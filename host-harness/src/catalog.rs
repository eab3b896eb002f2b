//! What a connector says about its object types, read from its `Describe`.
//!
//! The engine's rules ask two things of an object type: its class (object, edge, event) and, for an edge, which
//! attributes are its ends. Neither this file nor the store knows the name of an object type; in the harness only the
//! table of a simulated tenant's truth does (`truth/types.rs`).

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many ends an edge can have.
pub const MAX_ENDS: usize = 3;

/// The parts of `Describe` that a host works with. Unknown members are ignored.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Catalog {
    /// The connector's name, `EntraId`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The contract it implements, as text.
    pub abi: String,
    /// `Import`.
    pub direction: String,
    /// `Check`, `Delta`, …
    pub capabilities: Vec<String>,
    /// Values of `Mode` in AuthJson.
    pub auth_modes: Vec<String>,
    /// How it throttles, in words.
    pub throttling: String,
    /// What its watermark is.
    pub watermark: Value,
    /// JSON Schema of ConfigJson.
    pub config_schema: Value,
    /// JSON Schema of AuthJson.
    pub auth_schema: Value,
    /// What it delivers.
    pub object_types: Vec<ObjectType>,
}

/// One object type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ObjectType {
    /// `User`, `GroupMember`, …
    pub name: String,
    /// What kind of thing its records are.
    pub class: Class,
    /// The key of ConfigJson that switches it. Several types may share one.
    pub switch: Option<String>,
    /// Whether it is on when neither that key nor `Preset` is written.
    pub default: bool,
    /// The values of `Preset` that switch it on.
    pub presets: Vec<String>,
    /// Permissions it needs with default settings.
    pub permissions: Vec<String>,
    /// For a permission, others that do as well.
    pub accepted_instead: BTreeMap<String, Vec<String>>,
    /// Settings that need other permissions.
    pub when: Vec<When>,
    /// Licence it needs.
    pub licence: Option<String>,
    /// How it follows changes.
    pub delta: Option<String>,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// For an edge: what it connects.
    pub ends: Vec<End>,
    /// For an edge whose records come in scopes: the attribute that names the scope.
    pub scope_attribute: Option<String>,
}

/// A setting of ConfigJson that needs other permissions.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct When {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: Value,
    /// What is needed then.
    pub permissions: Vec<String>,
}

/// How records of an object type are to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum Class {
    /// A connection between two objects.
    Edge,
    /// Something that happened: only ever added.
    Event,
    /// A thing with attributes of its own; also a class of a later version of the contract.
    #[default]
    #[serde(other)]
    Object,
}

/// An attribute of an object type.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Attribute {
    /// camelCase, as in the service.
    pub name: String,
    /// `String`, `Boolean`, `Integer`, `Number`, `DateTime`, `StringArray`, `Json`.
    pub r#type: String,
    /// Whether every record has it.
    pub always: bool,
}

/// One end of an edge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct End {
    /// The attribute that holds the SourceId of what is at this end.
    pub attribute: String,
    /// What may be there.
    pub object_types: Vec<String>,
    /// The attribute that says what is there, where that differs from record to record.
    pub type_attribute: Option<String>,
}

impl Class {
    /// As it stands in `Describe`.
    pub fn name(self) -> &'static str {
        match self {
            Class::Object => "Object",
            Class::Edge => "Edge",
            Class::Event => "Event",
        }
    }
}

impl Catalog {
    /// Reads a `Describe` text.
    pub fn parse(describe: &str) -> Result<Catalog> {
        serde_json::from_str(describe).context("the connector's Describe is not what the contract says")
    }

    /// The object type of that name. One that `Describe` does not list is kept as a plain object.
    pub fn object_type(&self, name: &str) -> ObjectType {
        let listed = self.object_types.iter().find(|object_type| object_type.name == name);
        listed.cloned().unwrap_or_else(|| ObjectType { name: name.to_owned(), ..ObjectType::default() })
    }

    /// The object types that this ConfigJson switches on: by the value of their switch where one is written, else by
    /// the preset, else by default.
    pub fn switched_on(&self, config: &Value) -> Vec<&ObjectType> {
        let preset = config.get("Preset").and_then(Value::as_str);
        let on = |object_type: &&ObjectType| {
            let written = object_type.switch.as_deref().and_then(|switch| config.get(switch)?.as_bool());
            written.unwrap_or_else(|| match preset {
                Some(preset) => object_type.presets.iter().any(|name| name == preset),
                None => object_type.default,
            })
        };
        self.object_types.iter().filter(on).collect()
    }
}

impl ObjectType {
    /// An edge's ends, that of its scope first where it has one.
    pub fn ends_from_scope(&self) -> Vec<End> {
        let mut ends = self.ends.clone();
        ends.sort_by_key(|end| Some(&end.attribute) != self.scope_attribute.as_ref());
        ends
    }

    /// The object type that scopes are of; `None` where there are no scopes, or several types may be theirs.
    pub fn scope_type(&self) -> Option<&str> {
        let scope = self.scope_attribute.as_ref()?;
        match self.ends.iter().find(|end| end.attribute == *scope)?.object_types.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Whether an edge is *of* the object at its first end: that end is its scope, or its only one. Such an edge goes
    /// when the object leaves scope.
    pub fn is_of_its_first_end(&self) -> bool {
        self.scope_attribute.is_some() || self.ends.len() == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBE: &str = r#"{"Name":"EntraId","Version":"1.0.0","New":1,"ObjectTypes":[
        {"Name":"User","Class":"Object","Switch":"ImportUsers","Default":true},
        {"Name":"GroupMember","Class":"Edge","Switch":"ImportMemberships","Default":true,"ScopeAttribute":"groupId",
         "Ends":[{"Attribute":"memberId","TypeAttribute":"memberType"},{"Attribute":"groupId","ObjectTypes":["Group"]}]},
        {"Name":"Mood","Class":"Weather","Switch":"ImportMoods","Default":false}]}"#;

    #[test]
    fn switches_decide_what_is_imported_and_defaults_fill_in() {
        let catalog = Catalog::parse(DESCRIBE).unwrap();
        let names = |config: Value| catalog.switched_on(&config).iter().map(|t| t.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(serde_json::json!({})), ["User", "GroupMember"]);
        assert_eq!(names(serde_json::json!({"ImportUsers": false, "ImportMoods": true})), ["GroupMember", "Mood"]);
    }

    #[test]
    fn preset_decides_where_no_switch_is_written_and_one_switch_may_have_several_types() {
        let of = |name: &str, switch: &str, presets: &[&str]| serde_json::json!({"Name": name, "Switch": switch, "Default": presets.contains(&"Basic"), "Presets": presets});
        let types =
            [of("A", "ImportA", &["Basic", "Wide"]), of("B", "ImportBs", &["Wide"]), of("C", "ImportBs", &["Wide"])];
        let catalog = Catalog::parse(&serde_json::json!({"ObjectTypes": types}).to_string()).unwrap();
        for (config, on) in [
            ("{}", "A"),
            (r#"{"Preset": null, "ImportBs": null}"#, "A"),
            (r#"{"Preset": "Wide"}"#, "ABC"),
            (r#"{"Preset": "Wide", "ImportBs": false}"#, "A"),
            (r#"{"Preset": "Wide", "ImportA": null}"#, "ABC"),
            (r#"{"Preset": "Unknown"}"#, ""),
            (r#"{"ImportBs": true}"#, "ABC"),
        ] {
            let config = serde_json::from_str(config).unwrap();
            let names: String = catalog.switched_on(&config).iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names, on, "{config}");
        }
    }

    #[test]
    fn scope_end_comes_first_however_they_are_listed() {
        let catalog = Catalog::parse(DESCRIBE).unwrap();
        let ends = catalog.object_type("GroupMember").ends_from_scope();
        assert_eq!(ends.iter().map(|end| end.attribute.as_str()).collect::<Vec<_>>(), ["groupId", "memberId"]);
    }

    #[test]
    fn unknown_class_and_unlisted_type_are_plain_objects() {
        let catalog = Catalog::parse(DESCRIBE).unwrap();
        assert_eq!(catalog.object_type("Mood").class, Class::Object);
        assert_eq!(catalog.object_type("Nothing").class, Class::Object);
    }
}
