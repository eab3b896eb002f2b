//! Removes what the source no longer lists or no longer has in scope, and counts it for the guard.
//!
//! Once the guard is passed, removing and counting go on, but nothing is committed any more: the run is *held back*. So
//! the stop can name the whole number, and not the first row too many.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use rusqlite::Connection;

use super::edge_rows::EdgeType;
use super::guard::{AbsentRows, LISTED, Removal, RemovalGuard, RemovalStop, RemovedEnd};
use super::record::{Absence, Mode};
use super::removal_counts::{self, Count};
use super::{edge_rows, nodes, object_rows};
use crate::catalog::Class;

/// The removals of one run.
#[derive(Debug, Default)]
pub(super) struct Absences {
    guard: RemovalGuard,
    /// Per type, the count up to which the operator accepts removals.
    accepted: HashMap<i64, u64>,
    /// What went since the last commit, to be listed should it have to come back.
    pending: BTreeMap<String, AbsentRows>,
    /// The first type that passed the guard.
    over: Option<String>,
}

/// An object type, as the store numbers and the connector names it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type<'a> {
    pub(super) id: i64,
    pub(super) name: &'a str,
    pub(super) class: Class,
}

impl Absences {
    pub(super) fn guarded_by(guard: RemovalGuard) -> Absences {
        Absences { guard, ..Absences::default() }
    }

    /// Accepts what the latest stop showed, under the limits that it passed. False when there is none.
    pub(super) fn accept_shown(&mut self, connection: &Connection, instance: i64) -> Result<bool> {
        let Some((guard, accepted)) = removal_counts::shown(connection, instance)? else { return Ok(false) };
        (self.guard, self.accepted) = (guard, accepted);
        Ok(true)
    }

    /// Whether the guard was passed.
    pub(super) fn are_held_back(&self) -> bool {
        self.over.is_some()
    }

    /// What the run is stopped for. `whole`: it was read to its end, so the counts are complete.
    pub(super) fn stop(&mut self, whole: bool) -> RemovalStop {
        RemovalStop {
            object_type: self.over.take().unwrap_or_default(),
            guard: self.guard,
            whole,
            types: std::mem::take(&mut self.pending),
        }
    }

    /// A set begins. A count that another set of the type left without an End goes on.
    pub(super) fn begin(&mut self, connection: &Connection, of: Type<'_>, mode: Mode) -> Result<()> {
        if self.guard.is_lifted() {
            return removal_counts::forget(connection, of.id);
        }
        if mode == Mode::Full {
            // Counted before the set's own rows come.
            let count = self.count(connection, of)?;
            removal_counts::add(connection, of.id, of.id, count.held, 0)?;
        }
        Ok(())
    }

    /// Everything so far is in the store for good.
    pub(super) fn committed(&mut self) {
        self.pending.clear();
    }

    /// Removes the edges of one scope that nothing touched since `since`. Says how many.
    pub(super) fn of_scope(&mut self, connection: &Connection, of: Type<'_>, scope: i64, since: i64) -> Result<u64> {
        // Most scopes lose nothing: the list is the cheaper question, and for those the only one.
        let listed = edge_rows::untouched_of(connection, of.id, scope, since, LISTED)?;
        if listed.is_empty() {
            return Ok(0);
        }
        let count = self.count(connection, of)?;
        let listed = self.named(connection, of, &listed)?;
        let removed = edge_rows::delete_untouched_of(connection, of.id, scope, since)? as u64;
        self.charge(connection, of, of.id, count, removed, listed)?;
        Ok(removed)
    }

    /// Removes the edges of a type that nothing touched since `floor`, except those of scopes whose last Scope was
    /// incomplete. Says how many.
    pub(super) fn of_edges(&mut self, connection: &Connection, of: Type<'_>, floor: i64) -> Result<u64> {
        let count = self.count(connection, of)?;
        let listed = edge_rows::untouched(connection, of.id, floor, LISTED)?;
        let listed = self.named(connection, of, &listed)?;
        let removed = edge_rows::delete_untouched(connection, of.id, floor)? as u64;
        self.charge(connection, of, of.id, count, removed, listed)?;
        Ok(removed)
    }

    /// Removes the objects of a type that nothing touched since `floor`, as the set's Begin says. Says how many.
    pub(super) fn of_objects(
        &mut self,
        connection: &Connection,
        of: Type<'_>,
        floor: i64,
        absence: Absence,
    ) -> Result<u64> {
        let absent = object_rows::untouched(connection, of.id, floor)?;
        self.count_objects(connection, of, &absent)?;
        if absence == Absence::LeftScope {
            self.count_edges_along_with(connection, of.id, &absent)?;
        }
        for key in &absent {
            match absence {
                Absence::SoftDeleted => object_rows::soft_delete(connection, *key, floor)?,
                Absence::LeftScope => object_rows::leave_scope(connection, *key)?,
            };
        }
        if absence == Absence::LeftScope {
            // Deleted once, restored out of scope since then: such a set has no row for it.
            for node in nodes::marked_before(connection, of.id, floor)? {
                object_rows::wake(connection, node)?;
            }
        }
        Ok(absent.len() as u64)
    }

    /// Removes an object of which a row says that it left scope. True when there was one.
    ///
    /// Counted like an absent one: a filter that was changed by mistake brings such a row for each object that is held.
    /// An object that was never held costs nothing.
    pub(super) fn of_left_object(
        &mut self,
        connection: &Connection,
        of: Type<'_>,
        key: object_rows::Key,
    ) -> Result<bool> {
        if !self.guard.is_lifted() {
            if object_rows::is_visible(connection, key)? {
                self.count_objects(connection, of, &[key])?;
            }
            self.count_edges_along_with(connection, of.id, &[key])?;
        }
        object_rows::leave_scope(connection, key)
    }

    /// Removes an edge of which a row says that it left scope. True when there was one.
    pub(super) fn of_left_edge(
        &mut self,
        connection: &Connection,
        of: Type<'_>,
        edge_type: &EdgeType,
        source_id: &str,
    ) -> Result<bool> {
        let count = self.count(connection, of)?;
        let gone = edge_rows::delete(connection, edge_type, source_id)?;
        let listed = Removal { id: source_id.to_owned(), ..Removal::default() };
        self.charge(connection, of, of.id, count, u64::from(gone), vec![listed])?;
        Ok(gone)
    }

    /// Counts visible objects that are about to go.
    fn count_objects(&mut self, connection: &Connection, of: Type<'_>, going: &[object_rows::Key]) -> Result<()> {
        if self.guard.is_lifted() || going.is_empty() {
            return Ok(());
        }
        let count = self.count(connection, of)?;
        let room = self.room(of.name);
        let named = |key: &object_rows::Key| {
            called(connection, key.node).map(|end| Removal { id: end.id, name: end.name, ends: Vec::new() })
        };
        let listed = going.iter().take(room).map(named).collect::<Result<Vec<_>>>()?;
        self.charge(connection, of, of.id, count, going.len() as u64, listed)
    }

    /// Counts the edges that objects of the type `by` take along when they leave scope.
    fn count_edges_along_with(&mut self, connection: &Connection, by: i64, going: &[object_rows::Key]) -> Result<()> {
        if self.guard.is_lifted() {
            return Ok(());
        }
        for (id, name) in edge_rows::owned_types(connection)? {
            let of = Type { id, name: &name, class: Class::Edge };
            let (mut removed, mut listed, room) = (0, Vec::new(), self.room(&name));
            for key in going {
                let edges = edge_rows::count_of(connection, id, key.node)?;
                removed += edges;
                if edges > 0 && listed.len() < room {
                    listed.extend(edge_rows::untouched_of(connection, id, key.node, i64::MAX, room - listed.len())?);
                }
            }
            if removed > 0 {
                let count = self.count(connection, of)?;
                let listed = self.named(connection, of, &listed)?;
                self.charge(connection, of, by, count, removed, listed)?;
            }
        }
        Ok(())
    }

    /// What was counted of a type so far; ask before the first of its rows goes.
    fn count(&self, connection: &Connection, of: Type<'_>) -> Result<Count> {
        if self.guard.is_lifted() {
            return Ok(Count { held: 0, removed: 0 });
        }
        match removal_counts::of(connection, of.id)? {
            Some(count) => Ok(count),
            None => Ok(Count { held: held(connection, of)?, removed: 0 }),
        }
    }

    /// Adds rows of a type that went by a set of the type `by` to `count`, which is what was counted before.
    fn charge(
        &mut self,
        connection: &Connection,
        of: Type<'_>,
        by: i64,
        count: Count,
        removed: u64,
        listed: Vec<Removal>,
    ) -> Result<()> {
        if self.guard.is_lifted() || removed == 0 {
            return Ok(());
        }
        let accepted = self.accepted.get(&of.id).copied().unwrap_or(0);
        let room = self.room(of.name);
        let pending = self.pending.entry(of.name.to_owned()).or_insert_with(|| AbsentRows {
            held: count.held,
            removed_before: count.removed,
            accepted,
            ..AbsentRows::default()
        });
        pending.would_go += removed;
        pending.listed.extend(listed.into_iter().take(room));
        let total = count.removed + removed;
        if self.over.is_none() && self.guard.refuses(total, count.held) && total > accepted {
            self.over = Some(of.name.to_owned());
        }
        removal_counts::add(connection, of.id, by, count.held, removed)
    }

    /// How many more rows of a type the list of a stop takes.
    fn room(&self, name: &str) -> usize {
        LISTED - self.pending.get(name).map_or(0, |rows| rows.listed.len())
    }

    /// Edges with the names of their ends, as many as the list has room for.
    fn named(&self, connection: &Connection, of: Type<'_>, edges: &[edge_rows::Key]) -> Result<Vec<Removal>> {
        if self.guard.is_lifted() {
            return Ok(Vec::new());
        }
        let named = edges.iter().take(self.room(of.name)).map(|key| {
            let told = key.ends.iter().filter(|node| **node != nodes::NOBODY);
            let ends = told.map(|node| called(connection, *node)).collect::<Result<Vec<_>>>()?;
            let of_ends = || ends.iter().map(|end| end.id.as_str()).collect::<Vec<_>>().join(":");
            let id = if key.own.is_empty() { of_ends() } else { key.own.clone() };
            Ok(Removal { id, name: None, ends })
        });
        named.collect()
    }
}

fn held(connection: &Connection, of: Type<'_>) -> Result<u64> {
    let sql = if of.class == Class::Edge {
        "SELECT count(*) FROM edge WHERE type_id = ?1"
    } else {
        "SELECT count(*) FROM object WHERE type_id = ?1 AND hidden = 0"
    };
    Ok(connection.prepare_cached(sql)?.query_row([of.id], |row| row.get(0)).map(i64::unsigned_abs)?)
}

fn called(connection: &Connection, node: i64) -> Result<RemovedEnd> {
    let mut statement = connection.prepare_cached(
        "SELECT source_id, (SELECT CAST(coalesce(attributes ->> 'displayName', external_id) AS TEXT) FROM object WHERE node_id = node.id)
         FROM node WHERE id = ?1",
    )?;
    Ok(statement.query_row([node], |row| Ok(RemovedEnd { id: row.get(0)?, name: row.get(1)? }))?)
}
