//! Removes what a set did not mention, and keeps count of it for the guard.
//!
//! The count of a set is written into the store with the removals it counts, so that many small Scopes, each with a
//! checkpoint of its own, add up over kills and resumes. What a newcomer gets wrong: the count does not start again with a
//! new Begin. A set that was stopped never ends, and if its successor began at zero, an import repeated every hour would
//! remove the store in portions; so the count ends only with an End.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension};

use super::guard::{AbsentRows, LISTED, Removal, RemovalGuard, RemovalStop, RemovedEnd};
use super::object_rows;
use super::record::{Absence, Mode};
use super::{edge_rows, nodes};
use crate::catalog::Class;

/// The removals of one run.
#[derive(Debug, Default)]
pub(super) struct Absences {
    guard: RemovalGuard,
    /// Of the types whose set is open.
    accounts: HashMap<i64, Account>,
    /// What went since the last commit, to be listed should it have to come back.
    pending: BTreeMap<String, AbsentRows>,
}

#[derive(Debug, Clone, Copy)]
struct Account {
    /// Rows of the type when the set began; of a Delta set, which seldom removes anything, when it first did.
    held: Option<u64>,
    removed: u64,
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

    /// A set begins: its account is opened, or that of a set that never ended is carried on.
    pub(super) fn begin(&mut self, connection: &Connection, of: Type<'_>, mode: Mode) -> Result<()> {
        if self.guard.is_lifted() {
            // What is accepted counts for nothing, then or later.
            return self.end(connection, of.id);
        }
        let carried = kept(connection, of.id)?;
        let account = match (carried, mode) {
            (Some(account), _) => account,
            (None, Mode::Full) => Account { held: Some(held(connection, of)?), removed: 0 },
            (None, _) => Account { held: None, removed: 0 },
        };
        self.accounts.insert(of.id, account);
        keep(connection, of.id, account)
    }

    /// A set ends: what it removed is settled.
    pub(super) fn end(&mut self, connection: &Connection, type_id: i64) -> Result<()> {
        self.accounts.remove(&type_id);
        connection.prepare_cached("DELETE FROM removal_mark WHERE type_id = ?1")?.execute([type_id])?;
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
        self.count_rows(connection, of)?;
        let listed = self.named(connection, of, &listed)?;
        let removed = edge_rows::delete_untouched_of(connection, of.id, scope, since)? as u64;
        self.charge(connection, of, removed, listed)?;
        Ok(removed)
    }

    /// Removes the edges of a type that nothing touched since `floor`, except those of scopes whose last Scope was
    /// incomplete. Says how many.
    pub(super) fn of_edges(&mut self, connection: &Connection, of: Type<'_>, floor: i64) -> Result<u64> {
        let listed = edge_rows::untouched(connection, of.id, floor, LISTED)?;
        let listed = self.named(connection, of, &listed)?;
        let removed = edge_rows::delete_untouched(connection, of.id, floor)? as u64;
        self.charge(connection, of, removed, listed)?;
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
        if !self.guard.is_lifted() {
            let listed =
                absent.iter().take(LISTED).map(|key| called(connection, key.node)).collect::<Result<Vec<_>>>()?;
            let listed = listed.into_iter().map(|end| Removal { id: end.id, name: end.name, ends: None }).collect();
            self.charge(connection, of, absent.len() as u64, listed)?;
            if absence == Absence::LeftScope {
                self.edges_along_with(connection, &absent)?;
            }
        }
        for key in &absent {
            match absence {
                Absence::SoftDeleted => object_rows::soft_delete(connection, *key)?,
                Absence::LeftScope => object_rows::leave_scope(connection, *key)?,
            };
        }
        Ok(absent.len() as u64)
    }

    /// A group that leaves scope takes its edges along, and nobody sent a Delete for those either.
    fn edges_along_with(&mut self, connection: &Connection, absent: &[object_rows::Key]) -> Result<()> {
        for (id, name) in edge_rows::scoped_types(connection)? {
            let of = Type { id, name: &name, class: Class::Edge };
            let (mut removed, mut listed) = (0, Vec::new());
            for key in absent {
                removed += edge_rows::count_of(connection, id, key.node)?;
                if listed.len() < LISTED {
                    listed.extend(edge_rows::untouched_of(connection, id, key.node, i64::MAX, LISTED - listed.len())?);
                }
            }
            let listed = self.named(connection, of, &listed)?;
            let alone = !self.accounts.contains_key(&id);
            let carried = if alone { kept(connection, id)? } else { None };
            if alone && removed > 0 {
                self.accounts.insert(id, carried.unwrap_or(Account { held: None, removed: 0 }));
            }
            self.count_rows(connection, of)?;
            self.charge(connection, of, removed, listed)?;
            if alone && removed > 0 {
                // Added to a set that was stopped and will be taken up; without one, this End is judged by itself.
                if carried.is_none() {
                    self.end(connection, id)?;
                }
                self.accounts.remove(&id);
            }
        }
        Ok(())
    }

    /// Counts the rows of a type before the first of them goes, where its Begin did not.
    fn count_rows(&mut self, connection: &Connection, of: Type<'_>) -> Result<()> {
        if let Some(account) = self.accounts.get_mut(&of.id)
            && account.held.is_none()
        {
            account.held = Some(held(connection, of)?);
        }
        Ok(())
    }

    fn charge(&mut self, connection: &Connection, of: Type<'_>, removed: u64, listed: Vec<Removal>) -> Result<()> {
        let Some(account) = self.accounts.get_mut(&of.id).filter(|_| removed > 0) else { return Ok(()) };
        let held = account.held.unwrap_or(0);
        let pending = self.pending.entry(of.name.to_owned()).or_insert_with(|| AbsentRows {
            held,
            removed_before: account.removed,
            ..AbsentRows::default()
        });
        pending.would_go += removed;
        let room = LISTED.saturating_sub(pending.listed.len());
        pending.listed.extend(listed.into_iter().take(room));
        account.removed += removed;
        let account = *account;
        if self.guard.refuses(account.removed, held) {
            return Err(RemovalStop {
                object_type: of.name.to_owned(),
                guard: self.guard,
                types: std::mem::take(&mut self.pending),
            }
            .into());
        }
        keep(connection, of.id, account)
    }

    /// Edges with the names of their ends, as many as the list has room for.
    fn named(&self, connection: &Connection, of: Type<'_>, edges: &[edge_rows::Key]) -> Result<Vec<Removal>> {
        let have = self.pending.get(of.name).map_or(0, |rows| rows.listed.len());
        if self.guard.is_lifted() || have >= LISTED {
            return Ok(Vec::new());
        }
        let named = edges.iter().take(LISTED - have).map(|key| {
            let ends = [called(connection, key.from)?, called(connection, key.to)?];
            let id = if key.own.is_empty() { format!("{}:{}", ends[0].id, ends[1].id) } else { key.own.clone() };
            Ok(Removal { id, name: None, ends: Some(ends) })
        });
        named.collect()
    }
}

fn kept(connection: &Connection, type_id: i64) -> Result<Option<Account>> {
    let mut statement = connection.prepare_cached("SELECT held, removed FROM removal_mark WHERE type_id = ?1")?;
    let account = statement.query_row([type_id], |row| {
        let (held, removed): (Option<i64>, i64) = (row.get(0)?, row.get(1)?);
        Ok(Account { held: held.map(i64::unsigned_abs), removed: removed.unsigned_abs() })
    });
    Ok(account.optional()?)
}

fn keep(connection: &Connection, type_id: i64, account: Account) -> Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO removal_mark (type_id, held, removed) VALUES (?1, ?2, ?3)")?
        .execute((type_id, account.held.map(i64::try_from).transpose()?, i64::try_from(account.removed)?))?;
    Ok(())
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
    if node == nodes::NOBODY {
        return Ok(RemovedEnd::default());
    }
    let mut statement = connection.prepare_cached(
        "SELECT source_id, (SELECT CAST(coalesce(attributes ->> 'displayName', external_id) AS TEXT) FROM object WHERE node_id = node.id)
         FROM node WHERE id = ?1",
    )?;
    Ok(statement.query_row([node], |row| Ok(RemovedEnd { id: row.get(0)?, name: row.get(1)? }))?)
}
