//! First thing in a Delta round: the groups that the run before left to read again.
//!
//! *Repair*: their members could not be read. *Confirm*: they were read because of a feed row, and the read may have
//! been older than the row. Each is read by id and judged first: a group that no longer matches must not come back, and
//! one that is gone is left to its removed row.

use super::followed::Why;
use super::hidden::is_hidden;
use super::judge::merged;
use super::rounds::GroupRounds;
use super::row::GroupRow;
use crate::error::Error;
use crate::mapping::{Mode, ObjectId, Reason, object};
use crate::read::children::Scope;
use crate::read::lookup::{Found, look_up};
use crate::types::GROUP;

/// Groups looked up before their members are read: one `$batch`.
const AT_ONCE: usize = crate::graph::LARGEST_BATCH;

impl GroupRounds<'_> {
    /// Reads what the lists name.
    pub(super) fn read_again(&mut self) -> Result<(), Error> {
        let named: Vec<ObjectId> = self.writer.ledger.with(|mark| {
            let mut ids: Vec<_> = mark.lists.repair.iter().map(|repair| repair.group).collect();
            ids.extend(mark.lists.confirm.iter().filter(|id| !mark.lists.repair.iter().any(|r| r.group == **id)));
            ids
        });
        for some in named.chunks(AT_ONCE) {
            self.read_some_again(some)?;
        }
        Ok(())
    }

    fn read_some_again(&mut self, ids: &[ObjectId]) -> Result<(), Error> {
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let asked: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = look_up(self.run.graph, &GROUP, &asked, self.feed.selection, &mut self.outage)?;
        let mut records = self.writer.records(Mode::Delta);
        let (mut scopes, mut over, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for ((id, name), found) in ids.iter().zip(&names).zip(found) {
            match found {
                Found::Nothing(_) => over.push(*id),
                Found::Failed(error) => failed.push((name, error)),
                Found::Object(values) => {
                    let row = GroupRow { id: name.clone(), removed: None, values, entries: None };
                    let values = merged(&row, None);
                    if self.judge.is_in_scope(name, &values) {
                        object(name, &values, self.feed.selection, Mode::Delta, None, &mut records);
                        scopes.push(Scope::new(name.clone(), is_hidden(self.visibility(&values))));
                    } else {
                        records.delete(name, Some(name), Reason::LeftScope);
                        over.push(*id);
                    }
                }
            }
        }
        self.writer.push(records)?;
        match &self.followed {
            Some(followed) => {
                self.read_again.extend(scopes.iter().filter_map(|scope| ObjectId::parse(&scope.parent)));
                followed.read(scopes, Mode::Delta, Why::Again)?;
            }
            // Recomputed memberships are read elsewhere: with the object all is repaired.
            None => over.extend(scopes.iter().filter_map(|scope| ObjectId::parse(&scope.parent))),
        }
        for (name, error) in failed {
            self.unread(name, Mode::Delta, &error)?;
        }
        self.writer.ledger.with(|mark| over.iter().for_each(|id| mark.lists.forget(*id)));
        Ok(())
    }
}
