//! What a source really holds, in the shape the mesh should have it.
//!
//! The attribute lists and the few conversions (phones joined by a comma, empty array is null) are written a second
//! time, in `types`, from the contract's text and not from the connector's `Describe`: a list that both sides share
//! proves nothing.

mod types; // a row for each object type

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::simulator;
use types::{Expected, Kind};

/// One thing the source holds.
#[derive(Debug, Clone, PartialEq)]
pub struct TruthRow {
    /// `User`, …
    pub object_type: String,
    /// Its SourceId.
    pub source_id: String,
    /// Every property, as the source spells it; of an edge its ends among them.
    pub attributes: Map<String, Value>,
}

/// How a row is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It must be there and visible.
    Object,
    /// It must be there and not dormant.
    Edge,
    /// It must be there; what the source no longer has may be there too.
    Event,
}

impl TruthRow {
    /// A row of these properties. Without an id it is an edge that has none of its own.
    pub fn new(object_type: &str, id: Option<&str>, attributes: Map<String, Value>) -> Result<TruthRow> {
        let source_id = match (id, &of(object_type)?.kind) {
            (Some(id), _) => id.to_owned(),
            (None, Kind::Edge { key }) => {
                let parts = key.iter().map(|name| attributes.get(*name).and_then(Value::as_str));
                parts
                    .collect::<Option<Vec<_>>>()
                    .with_context(|| format!("an end of {object_type} is missing"))?
                    .join(":")
            }
            (None, _) => anyhow::bail!("the id of {object_type} is missing"),
        };
        Ok(TruthRow { object_type: object_type.to_owned(), source_id, attributes })
    }

    /// Reads one line of the simulator's truth: the attributes stand in a member of that name, or beside the type.
    /// `None`: the line is of an object type that no connector imports yet.
    pub fn of_line(line: &str) -> Result<Option<TruthRow>> {
        let members: Map<String, Value> = serde_json::from_str(line).context("not a line of a truth")?;
        let imported = |name: &str| types::ALL.iter().any(|it| it.name == name);
        match members.get("ObjectType").and_then(Value::as_str) {
            Some(name) if !imported(name) => Ok(None),
            _ => TruthRow::of_members(members).map(Some),
        }
    }

    fn of_members(mut members: Map<String, Value>) -> Result<TruthRow> {
        let mut text = |name: &str| members.remove(name).and_then(|value| value.as_str().map(str::to_owned));
        let object_type = text("ObjectType").context("ObjectType is missing")?;
        let id = text("id");
        let attributes = match members.remove("attributes") {
            Some(Value::Object(attributes)) => attributes,
            Some(_) => anyhow::bail!("attributes is no object"),
            None => members,
        };
        TruthRow::new(&object_type, id.as_deref(), attributes)
    }

    /// All of a simulator's truth in this process.
    pub fn of(truth: &simulator::Truth) -> impl Iterator<Item = Result<TruthRow>> + use<> {
        types::rows(truth)
    }

    /// A property that is a text; empty for any other.
    pub fn text(&self, name: &str) -> &str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// How it is compared.
    pub fn class(&self) -> Result<Class> {
        class(&self.object_type)
    }

    /// What the mesh should hold of it: the attributes that are always imported, and `extra` ones as they are.
    pub fn expected(&self, extra: &BTreeSet<String>) -> Result<Map<String, Value>> {
        let of = of(&self.object_type)?;
        let wanted = |name: &str| of.attributes.contains(&name) || extra.contains(name);
        let chosen = self.attributes.iter().filter(|(name, _)| wanted(name));
        let held = chosen.map(|(name, value)| (name.clone(), in_the_mesh(of, name, value)));
        Ok(held.filter(|(_, value)| !value.is_null()).collect())
    }

    /// The ExternalId, where the configuration chose this attribute. Edges have their SourceId, which the mesh keeps
    /// once.
    pub fn external_id(&self, chosen: &str) -> Result<Option<&str>> {
        let by_attribute = matches!(of(&self.object_type)?.kind, Kind::Object { external_id_is_chosen: true });
        Ok(if by_attribute && chosen != "id" {
            self.attributes.get(chosen).and_then(Value::as_str)
        } else {
            Some(&self.source_id)
        })
    }
}

/// The object types that a configuration imports which switches nothing.
pub fn by_default() -> impl Iterator<Item = &'static str> {
    types::ALL.iter().filter(|it| it.by_default).map(|it| it.name)
}

/// How rows of an object type are compared.
pub fn class(object_type: &str) -> Result<Class> {
    Ok(match of(object_type)?.kind {
        Kind::Object { .. } => Class::Object,
        Kind::Edge { .. } => Class::Edge,
        Kind::Event => Class::Event,
    })
}

fn of(object_type: &str) -> Result<&'static Expected> {
    let found = types::ALL.iter().find(|it| it.name == object_type);
    found.with_context(|| format!("{object_type} has no row in host-harness/src/truth/types.rs"))
}

fn in_the_mesh(of: &Expected, name: &str, value: &Value) -> Value {
    match value {
        Value::Array(items) if items.is_empty() => Value::Null,
        Value::Array(items) if of.joined.contains(&name) => {
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
        let attributes = json!({"businessPhones": ["1", "2, ext"], "displayName": "Ann", "mail": null, "age": 3});
        let row = TruthRow::new("User", Some("u1"), attributes.as_object().cloned().unwrap()).unwrap();
        let expected = row.expected(&BTreeSet::new()).unwrap();
        assert_eq!(Value::Object(expected), json!({"businessPhones": "1,2, ext", "displayName": "Ann"}));
        assert_eq!(in_the_mesh(of("Group").unwrap(), "groupTypes", &json!([])), Value::Null);
    }

    #[test]
    fn edge_without_an_id_is_known_by_its_ends() {
        let row = TruthRow::of_line(r#"{"ObjectType":"GroupMember","groupId":"g","memberId":"m","memberType":"User"}"#)
            .unwrap()
            .unwrap();
        assert_eq!(
            (row.source_id.as_str(), row.class().unwrap(), row.text("memberType")),
            ("g:m", Class::Edge, "User")
        );
        assert!(TruthRow::of_line(r#"{"ObjectType":"GroupMember","groupId":"g"}"#).is_err());
    }

    #[test]
    fn type_without_a_row_is_an_error_that_names_the_place() {
        let error = TruthRow::new("Planet", Some("p"), Map::new()).unwrap_err().to_string();
        assert!(TruthRow::of_line(r#"{"ObjectType":"Planet","id":"p","attributes":{}}"#).unwrap().is_none());
        assert!(error.contains("Planet has no row in host-harness/src/truth/types.rs"), "{error}");
    }
}
