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
use crate::truth::{self, Class, TruthRow};

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
    /// What a configuration imports that switches nothing, with the attributes that are always imported; the external
    /// id is the id.
    fn default() -> Comparison {
        Comparison {
            types: truth::by_default().map(str::to_owned).collect(),
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

    /// Expects this attribute as the external id of the types for which one can be chosen.
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
            if !self.types.contains(&row.object_type) {
                continue;
            }
            *differences.compared.entry(row.object_type.clone()).or_default() += 1;
            known.insert(hash(&row.object_type, &row.source_id));
            match row.class()? {
                Class::Edge => self.edge(mesh, &row, &mut differences)?,
                Class::Object | Class::Event => self.object(mesh, &row, &mut differences)?,
            }
        }
        for object_type in &self.types {
            match truth::class(object_type)? {
                Class::Object => too_many_objects(mesh, object_type, &known, &mut differences)?,
                Class::Edge => too_many_edges(mesh, object_type, &known, &mut differences)?,
                // A host keeps events that the source no longer has.
                Class::Event => {}
            }
        }
        Ok(differences)
    }

    fn object(&self, mesh: &Mesh, row: &TruthRow, differences: &mut Differences) -> Result<()> {
        let Some(object) = mesh.object(&row.object_type, &row.source_id)?.filter(|object| !object.hidden) else {
            differences.add(|| format!("{} {} is missing", row.object_type, row.source_id));
            return Ok(());
        };
        self.attributes(row, &object.attributes, differences)?;
        let external = row.external_id(&self.external_id)?;
        if object.external_id.as_deref() != external {
            let (of, id) = (&row.object_type, &row.source_id);
            differences.add(|| format!("{of} {id}: external id is {:?}, should be {external:?}", object.external_id));
        }
        Ok(())
    }

    fn edge(&self, mesh: &Mesh, row: &TruthRow, differences: &mut Differences) -> Result<()> {
        match mesh.edge(&row.object_type, &row.source_id)? {
            None => differences.add(|| format!("{} {} is missing", row.object_type, row.source_id)),
            Some(edge) if edge.dormant => {
                differences.add(|| format!("{} {} is dormant", row.object_type, row.source_id));
            }
            Some(edge) => self.attributes(row, &edge.attributes, differences)?,
        }
        Ok(())
    }

    fn attributes(&self, row: &TruthRow, held: &Map<String, Value>, differences: &mut Differences) -> Result<()> {
        let none = BTreeSet::new();
        let expected = row.expected(self.extra.get(&row.object_type).unwrap_or(&none))?;
        let names: BTreeSet<&String> = expected.keys().chain(held.keys()).collect();
        for name in names {
            let (should, is) = (expected.get(name).unwrap_or(&Value::Null), held.get(name).unwrap_or(&Value::Null));
            if should != is {
                differences
                    .add(|| format!("{} {}: {name} is {is}, should be {should}", row.object_type, row.source_id));
            }
        }
        Ok(())
    }
}

/// Compares what a configuration imports that switches nothing.
pub fn compare(mesh: &Mesh, truth: impl Iterator<Item = Result<TruthRow>>) -> Result<Differences> {
    Comparison::default().run(mesh, truth)
}

/// Visible objects of the mesh that the truth does not have.
fn too_many_objects(mesh: &Mesh, object_type: &str, known: &HashSet<u64>, differences: &mut Differences) -> Result<()> {
    mesh.each_object(Some(object_type), |object| {
        if !object.hidden && !known.contains(&hash(object_type, &object.source_id)) {
            differences.add(|| format!("{object_type} {} is there and should not be", object.source_id));
        }
        Ok(())
    })
}

/// Edges of the mesh that are not dormant and that the truth does not have.
fn too_many_edges(mesh: &Mesh, object_type: &str, known: &HashSet<u64>, differences: &mut Differences) -> Result<()> {
    mesh.each_edge(Some(object_type), |edge| {
        if !edge.dormant && !known.contains(&hash(object_type, &edge.source_id)) {
            differences.add(|| format!("{object_type} {} is there and should not be", edge.source_id));
        }
        Ok(())
    })
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
