//! The base tenant: what exists before the first change, computed and never stored.
//!
//! Objects have numbers. The first are live, as many as the world says; those that follow lie in the recycle bin from
//! the start, so that a change script has something to restore.

use std::ops::Deref;

use super::kinds::Kind;
use super::kinds::field::Field;
use super::kinds::identity::{Ids, ObjectRef};
use super::kinds::settings::Settings;
use super::kinds::source::Source;
use super::relations::Relation;
use super::relations::layout::{BaseEdges, Layout};
use super::world::World;

/// The computed part of a tenant.
#[derive(Debug)]
pub(crate) struct Base {
    source: Source,
    /// By kind: live objects, and those in the recycle bin.
    counts: Vec<(u32, u32)>,
    /// By relation.
    edges: Vec<Option<Box<dyn BaseEdges>>>,
}

impl Deref for Base {
    type Target = Source;

    fn deref(&self) -> &Source {
        &self.source
    }
}

impl Base {
    pub(crate) fn new(world: &World) -> Base {
        let settings = Settings::of(world);
        let edges: Vec<_> = Relation::ALL.iter().map(|relation| (relation.table().base)(&settings)).collect();
        let needed = |kind: Kind| {
            let of_kind =
                edges.iter().flatten().filter_map(|edges| edges.needs()).filter(|(needed, _)| *needed == kind);
            of_kind.map(|(_, count)| count).max().unwrap_or(0)
        };
        let counts = Kind::ALL.iter().map(|kind| {
            let table = kind.table();
            let live = table.live.iter().map(|key| settings.count(key)).sum::<u32>().max(needed(*kind));
            (live, table.deleted.map_or(0, |key| settings.count(key)))
        });
        let counts = counts.collect();
        let source = Source { seed: world.seed, ids: Ids::new(world.seed), domain: world.domain.clone(), settings };
        Base { source, counts, edges }
    }

    /// How many numbers of a kind are taken, the recycle bin included.
    pub(crate) fn count(&self, kind: Kind) -> u32 {
        let (live, deleted) = self.counts[kind as usize];
        live + deleted
    }

    /// Whether an object of the base tenant lies in the recycle bin.
    pub(crate) fn is_deleted(&self, object: ObjectRef) -> bool {
        object.kind.table().deleted.is_some() && object.number >= self.counts[object.kind as usize].0
    }

    pub(crate) fn field(&self, object: ObjectRef, property: &str) -> Field {
        (object.kind.table().field)(&self.source, object.number, property)
    }

    /// How many slots a parent has in the base tenant.
    pub(crate) fn slots(&self, relation: Relation, parent: u32) -> u32 {
        self.edges[relation as usize].as_ref().map_or(0, |edges| edges.size(parent))
    }

    /// None where a parent has no slots.
    pub(crate) fn layout(&self, relation: Relation, parent: u32) -> Option<Layout> {
        let edges = self.edges[relation as usize].as_ref()?;
        (edges.size(parent) > 0).then(|| edges.layout(parent))
    }

    /// Whether an edge is there before the first change.
    pub(crate) fn has_edge(&self, relation: Relation, parent: u32, child: ObjectRef) -> bool {
        parent < self.count(relation.table().parent)
            && child.number < self.count(child.kind)
            && self.layout(relation, parent).is_some_and(|layout| layout.slot_of(child).is_some())
    }
}
