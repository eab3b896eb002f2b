//! Mesh against truth, row by row.
//!
//! "Equal" is what the contract says: live objects with every attribute, and edges that are not dormant. The truth is a
//! stream and the mesh is asked for one row at a time, so that tenants of any size can be compared; only a hash of each
//! key is kept, to name what the mesh holds too much.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};

use anyhow::Result;
use serde_json::{Map, Value};

use crate::store::Mesh;
use crate::truth::{TruthRow, expected};

/// Differences that are described; beyond that they are counted.
const DESCRIBED: usize = 20;

/// What is compared, and how ids are chosen.
#[derive(Debug, Clone)]
pub struct Comparison {
    types: BTreeSet<String>,
    extra: BTreeMap<String, BTreeSet<String>>,
    external_id: String,
}

/// What was compared and what is not equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Differences {
    /// The first differences, in words.
    pub first: Vec<String>,
    /// All of them.
    pub count: u64,
    /// Rows of the truth that were compared, per object type.
    pub compared: BTreeMap<String, u64>,
}

impl Default for Comparison {
    /// Users, groups and memberships with the attributes that are always imported; the external id is the id.
    fn default() -> Comparison {
        Comparison {
            types: ["User", "Group", "GroupMember"].map(str::to_owned).into(),
            extra: BTreeMap::new(),
            external_id: "id".to_owned(),
        }
    }
}

impl Comparison {
    /// Looks at these object types only.
    #[must_use]
    pub fn of_types(mut self, types: &[&str]) -> Comparison {
        self.types = types.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Expects these attributes of an object type as well.
    #[must_use]
    pub fn with_attributes(mut self, object_type: &str, names: &[&str]) -> Comparison {
        self.extra.insert(object_type.to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
        self
    }

    /// Expects this attribute as the external id of users.
    #[must_use]
    pub fn with_external_id(mut self, attribute: &str) -> Comparison {
        attribute.clone_into(&mut self.external_id);
        self
    }

    /// Compares everything.
    pub fn run(&self, mesh: &Mesh, truth: impl Iterator<Item = Result<TruthRow>>) -> Result<Differences> {
        let mut differences = Differences::default();
        let mut known = HashSet::new();
        for row in truth {
            let row = row?;
            let (object_type, key) = identity(&row);
            if !self.types.contains(object_type) {
                continue;
            }
            *differences.compared.entry(object_type.to_owned()).or_default() += 1;
            known.insert(hash(object_type, &key));
            match &row {
                TruthRow::Object { object_type, id, attributes } => {
                    self.object(mesh, object_type, id, attributes, &mut differences)?;
                }
                TruthRow::Membership { group, member, member_type } => {
                    membership(mesh, group, member, member_type, &mut differences)?;
                }
            }
        }
        for object_type in &self.types {
            too_much(mesh, object_type, &known, &mut differences)?;
        }
        Ok(differences)
    }

    fn object(
        &self,
        mesh: &Mesh,
        object_type: &str,
        id: &str,
        attributes: &Map<String, Value>,
        differences: &mut Differences,
    ) -> Result<()> {
        let Some(object) = mesh.object(object_type, id)?.filter(|object| !object.hidden) else {
            differences.add(|| format!("{object_type} {id} is missing"));
            return Ok(());
        };
        let none = BTreeSet::new();
        let expected = expected(object_type, attributes, self.extra.get(object_type).unwrap_or(&none));
        let names: BTreeSet<&String> = expected.keys().chain(object.attributes.keys()).collect();
        for name in names {
            let (should, is) =
                (expected.get(name).unwrap_or(&Value::Null), object.attributes.get(name).unwrap_or(&Value::Null));
            if should != is {
                differences.add(|| format!("{object_type} {id}: {name} is {is}, should be {should}"));
            }
        }
        let by_attribute = self.external_id != "id" && object_type == "User";
        let external = if by_attribute { attributes.get(&self.external_id).and_then(Value::as_str) } else { Some(id) };
        if object.external_id.as_deref() != external {
            differences
                .add(|| format!("{object_type} {id}: external id is {:?}, should be {external:?}", object.external_id));
        }
        Ok(())
    }
}

/// Compares users, groups and memberships with the defaults of a configuration.
pub fn compare(mesh: &Mesh, truth: impl Iterator<Item = Result<TruthRow>>) -> Result<Differences> {
    Comparison::default().run(mesh, truth)
}

fn membership(mesh: &Mesh, group: &str, member: &str, member_type: &str, differences: &mut Differences) -> Result<()> {
    match mesh.edge("GroupMember", &format!("{group}:{member}"))? {
        None => differences.add(|| format!("GroupMember {group}:{member} is missing")),
        Some(edge) if edge.dormant => differences.add(|| format!("GroupMember {group}:{member} is dormant")),
        Some(edge) if edge.attributes.get("memberType").and_then(Value::as_str) != Some(member_type) => {
            let is = edge.attributes.get("memberType").unwrap_or(&Value::Null).clone();
            differences.add(|| format!("GroupMember {group}:{member}: memberType is {is}, should be {member_type:?}"));
        }
        Some(_) => {}
    }
    Ok(())
}

/// Visible rows of the mesh that the truth does not have.
fn too_much(mesh: &Mesh, object_type: &str, known: &HashSet<u64>, differences: &mut Differences) -> Result<()> {
    mesh.each_object(Some(object_type), |object| {
        if !object.hidden && !known.contains(&hash(object_type, &object.source_id)) {
            differences.add(|| format!("{object_type} {} is there and should not be", object.source_id));
        }
        Ok(())
    })?;
    mesh.each_edge(Some(object_type), |edge| {
        if !edge.dormant && !known.contains(&hash(object_type, &edge.source_id)) {
            differences.add(|| format!("{object_type} {} is there and should not be", edge.source_id));
        }
        Ok(())
    })
}

fn identity(row: &TruthRow) -> (&str, String) {
    match row {
        TruthRow::Object { object_type, id, .. } => (object_type, id.clone()),
        TruthRow::Membership { group, member, .. } => ("GroupMember", format!("{group}:{member}")),
    }
}

fn hash(object_type: &str, key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (object_type, key).hash(&mut hasher);
    hasher.finish()
}

impl Differences {
    /// Whether mesh and truth are equal.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Rows compared in all.
    pub fn rows(&self) -> u64 {
        self.compared.values().sum()
    }

    fn add(&mut self, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < DESCRIBED {
            self.first.push(words());
        }
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "{} rows, no difference", self.rows());
        }
        write!(f, "{} differences in {} rows", self.count, self.rows())?;
        self.first.iter().try_for_each(|words| write!(f, "\n  {words}"))
    }
}

#[cfg(test)]
mod tests;
