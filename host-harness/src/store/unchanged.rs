//! Edges of open scopes that came as the store holds them, in memory instead of as a written touch for each.
//!
//! A Recompute of unchanged memberships brings every edge and changes none. If a complete Scope finds all older edges
//! of its group here, nothing has to be removed and nothing to be written. Whatever else asks for touches (a Scope that
//! does remove something, an End, a Begin, a checkpoint inside a group) has them written first.

use std::collections::{HashMap, HashSet};

use anyhow::Result;
use rusqlite::Connection;

use super::edge_rows;

/// How many edges are kept at most, some 5 MiB. Beyond that they are written, so that a group may have any size. Tests
/// keep three, so that they see both.
const KEPT: usize = if cfg!(test) { 3 } else { 100_000 };

/// The edges, per type and scope, by their second end. Edges with an id of their own or a third end are not kept.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    scopes: HashMap<(i64, i64), HashSet<i64>>,
    edges: usize,
}

impl Unchanged {
    /// Keeps an edge that came as it is held. `touch`: the store's clock.
    pub(super) fn keep(&mut self, connection: &Connection, type_id: i64, from: i64, to: i64, touch: i64) -> Result<()> {
        if self.edges >= KEPT {
            self.write(connection, touch)?;
        }
        self.edges += usize::from(self.scopes.entry((type_id, from)).or_default().insert(to));
        Ok(())
    }

    /// Whether every edge of the scope that nothing touched since `since` came unchanged: then none is to be removed.
    /// Forgets the scope's edges either way, and writes them where they are needed.
    pub(super) fn close_scope(
        &mut self,
        connection: &Connection,
        type_id: i64,
        from: i64,
        since: Option<i64>,
        touch: i64,
    ) -> Result<bool> {
        let Some(kept) = self.scopes.remove(&(type_id, from)) else { return Ok(false) };
        self.edges -= kept.len();
        if let Some(since) = since
            && edge_rows::all_untouched_are(connection, type_id, from, since, &kept)?
        {
            return Ok(true);
        }
        edge_rows::touch_all(connection, type_id, from, &kept, touch)?;
        Ok(false)
    }

    /// Writes the touches of all that is kept.
    pub(super) fn write(&mut self, connection: &Connection, touch: i64) -> Result<()> {
        self.edges = 0;
        for ((type_id, from), kept) in self.scopes.drain() {
            edge_rows::touch_all(connection, type_id, from, &kept, touch)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_a_fixed_number_is_kept_in_memory() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch("CREATE TABLE edge (type_id, first_id, second_id, third_id, key, attributes, touch)")
            .unwrap();
        let mut unchanged = Unchanged::default();
        for member in 0..20 {
            unchanged.keep(&connection, 1, member % 2, member, 7).unwrap();
            let kept: usize = unchanged.scopes.values().map(HashSet::len).sum();
            assert!(kept <= KEPT && kept == unchanged.edges, "{kept}");
        }
    }
}
