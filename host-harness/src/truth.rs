//! What a source really holds, in the shape the mesh should have it.
//!
//! The attribute lists and the few conversions (phones joined by a comma, empty array is null) are written here a
//! second time, from the contract's text and not from the connector's `Describe`: a list that both sides share proves
//! nothing.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::simulator;

/// Attributes of a user that are always imported.
pub const USER_ATTRIBUTES: &[&str] = &[
    "displayName",
    "userPrincipalName",
    "mail",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "companyName",
    "officeLocation",
    "mobilePhone",
    "businessPhones",
    "accountEnabled",
    "userType",
    "usageLocation",
];

/// Attributes of a group that are always imported.
pub const GROUP_ATTRIBUTES: &[&str] = &[
    "displayName",
    "mailNickname",
    "mail",
    "description",
    "groupTypes",
    "securityEnabled",
    "mailEnabled",
    "visibility",
];

/// Arrays that become one text.
const JOINED: &[&str] = &["businessPhones", "groupTypes"];

/// One thing the source holds.
#[derive(Debug, Clone, PartialEq)]
pub enum TruthRow {
    /// An object.
    Object {
        /// `User` or `Group`.
        object_type: String,
        /// Its id.
        id: String,
        /// Every property, as the source spells it.
        attributes: Map<String, Value>,
    },
    /// A membership.
    Membership {
        /// The group's id.
        group: String,
        /// The member's id.
        member: String,
        /// `User`, `Group`, `Device`, …
        member_type: String,
    },
}

impl TruthRow {
    /// Reads one line of the simulator's truth.
    pub fn parse(line: &str) -> Result<TruthRow> {
        let value: Value = serde_json::from_str(line).context("not a line of a truth")?;
        let text = |name: &str| value[name].as_str().map(str::to_owned).with_context(|| format!("{name} is missing"));
        let object_type = text("ObjectType")?;
        if object_type == "GroupMember" {
            return Ok(TruthRow::Membership {
                group: text("groupId")?,
                member: text("memberId")?,
                member_type: text("memberType")?,
            });
        }
        let attributes = value["attributes"].as_object().cloned().context("attributes is missing")?;
        Ok(TruthRow::Object { object_type, id: text("id")?, attributes })
    }

    /// All of a simulator's truth in this process.
    pub fn of(truth: &simulator::Truth) -> impl Iterator<Item = Result<TruthRow>> + use<> {
        let all = truth.clone();
        let objects = simulator::Kind::ALL.iter().copied().filter(|kind| kind.is_served()).flat_map(move |kind| {
            all.objects(kind).map(move |it| TruthRow::Object {
                object_type: kind.name().to_owned(),
                id: it.id,
                attributes: it.attributes,
            })
        });
        let members = truth.members().map(|it| TruthRow::Membership {
            group: it.parent,
            member: it.child,
            member_type: it.child_type.to_owned(),
        });
        objects.chain(members).map(Ok)
    }
}

/// What the mesh should hold of an object: the attributes always imported, and `extra` ones as they are.
pub fn expected(object_type: &str, attributes: &Map<String, Value>, extra: &BTreeSet<String>) -> Map<String, Value> {
    let always = if object_type == "User" { USER_ATTRIBUTES } else { GROUP_ATTRIBUTES };
    let wanted = |name: &str| always.contains(&name) || extra.contains(name);
    let chosen = attributes.iter().filter(|(name, _)| wanted(name));
    chosen.map(|(name, value)| (name.clone(), in_the_mesh(name, value))).filter(|(_, value)| !value.is_null()).collect()
}

fn in_the_mesh(name: &str, value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) if JOINED.contains(&name) => {
            Value::String(items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arrays_are_joined_and_empty_ones_are_null() {
        let attributes = json!({"businessPhones": ["1", "2, ext"], "displayName": "Ann", "mail": null, "age": 3})
            .as_object()
            .cloned()
            .unwrap();
        let expected = expected("User", &attributes, &BTreeSet::new());
        assert_eq!(Value::Object(expected), json!({"businessPhones": "1,2, ext", "displayName": "Ann"}));
        assert_eq!(in_the_mesh("groupTypes", &json!([])), Value::Null);
    }
}
