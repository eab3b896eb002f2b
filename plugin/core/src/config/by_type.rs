//! The keys that come with object types: a switch for each, and for some a list of further attributes.
//!
//! They are read, and described as JSON Schema, from the table of object types: a type that joins it has its keys.
//! Several types may name one switch.

use schemars::Schema;
use serde_json::{Value, json};

use super::attribute_names::{self, ExtraAttribute};
use super::chosen::Chosen;
use super::fields::Fields;
use super::problems::Place;
use crate::types::{self, Extra, ObjectType, Preset, Switch};

/// Every switch, once, in the order of the table.
pub(super) fn switches() -> Vec<&'static Switch> {
    let mut switches: Vec<&Switch> = Vec::new();
    for object_type in types::ALL {
        if !switches.iter().any(|switch| switch.key == object_type.switch.key) {
            switches.push(&object_type.switch);
        }
    }
    switches
}

fn extras() -> impl Iterator<Item = (&'static ObjectType, Extra)> {
    types::ALL.iter().filter_map(|object_type| Some((*object_type, object_type.extra?)))
}

/// The keys, in the order in which they are read.
pub(super) fn keys() -> impl Iterator<Item = &'static str> {
    switches().into_iter().map(|switch| switch.key).chain(extras().map(|(_, extra)| extra.key))
}

/// What the document says of each object type: a switch that is written wins, else the preset decides.
pub(super) fn read(fields: &mut Fields<'_>, preset: Preset) -> Vec<Chosen> {
    let on: Vec<(&str, bool)> = switches()
        .into_iter()
        .map(|switch| {
            let written = fields.optional_by(switch.key, |found, place| read_switch(switch, found, place));
            (switch.key, written.unwrap_or(switch.presets.contains(&preset)))
        })
        .collect();
    let is_on = |switch: &Switch| on.iter().any(|(key, on)| *key == switch.key && *on);
    let chosen = types::ALL.iter().map(|object_type| {
        let added = |extra: Extra| {
            fields.optional_by(extra.key, |found, place| attribute_names::read(object_type, found, place))
        };
        let added: Vec<ExtraAttribute> = object_type.extra.and_then(added).unwrap_or_default();
        Chosen { name: object_type.name, on: is_on(&object_type.switch), added }
    });
    chosen.collect()
}

/// Only true and false are: neither `"true"` nor 1. null leaves the choice to the preset, where it has one.
fn read_switch(switch: &Switch, found: &Value, place: &mut Place<'_>) -> Option<bool> {
    if found.is_null() && switch.depends_on_preset() {
        return None;
    }
    if found.as_bool().is_none() {
        place.refuse(found, if switch.depends_on_preset() { "true, false or null" } else { "true or false" });
    }
    found.as_bool()
}

/// The same as [`read`], as JSON Schema.
pub(super) fn describe(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for switch in switches() {
        // A form that writes defaults into the document would otherwise switch a preset off.
        let property = if switch.depends_on_preset() {
            json!({ "description": switch.help, "type": ["boolean", "null"] })
        } else {
            json!({ "description": switch.help, "type": "boolean", "default": switch.default() })
        };
        properties.insert(switch.key.to_owned(), property);
    }
    for (object_type, extra) in extras() {
        let mut property = attribute_names::schema(object_type);
        property["description"] = json!(extra.help);
        property["default"] = json!([]);
        properties.insert(extra.key.to_owned(), property);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::problems::Problems;
    use crate::error::Document;

    fn accepted(presets: &'static [Preset], found: &Value) -> (Option<bool>, bool) {
        let mut problems = Problems::new(Document::Config);
        let switch = Switch { key: "ImportThings", help: "Whether things are imported.", presets };
        let read = read_switch(&switch, found, &mut problems.key(switch.key));
        (read, problems.is_empty())
    }

    #[test]
    fn null_leaves_the_choice_to_a_preset_and_is_refused_where_no_preset_has_one() {
        assert_eq!(accepted(&[Preset::Governance], &Value::Null), (None, true));
        assert_eq!(accepted(&[Preset::Governance], &json!(false)), (Some(false), true));
        assert_eq!(accepted(&[Preset::Governance], &json!("true")), (None, false));
        assert_eq!(accepted(Preset::ALL, &Value::Null), (None, false));
    }
}
