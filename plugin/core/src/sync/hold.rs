//! `MaxDeletes`: deletes of a Delta set are held back until its End, and let go only if there are not too many.
//!
//! A row of the same id that comes later takes the held Delete away, so at most one is held per id. While anything is
//! held the type's place must not move: an interrupted run could not tell the next one what it was holding. Removals
//! that a host infers from Full sets and Scopes are the host's to guard.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Kind};
use crate::mapping::{Event, Records};

/// Ids named in the error.
const SAMPLES: usize = 5;

/// The Deletes of one object type that are held back.
#[derive(Debug)]
pub struct Hold {
    limit: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// By id: its place among all that came, and the record.
    deletes: HashMap<String, (u64, Vec<u8>)>,
    came: u64,
    /// Deletes that were delivered at once, and count all the same.
    delivered: HashSet<String>,
}

impl Held {
    fn count(&self) -> usize {
        if self.delivered.is_empty() {
            return self.deletes.len();
        }
        let twice = self.deletes.keys().filter(|id| self.delivered.contains(*id)).count();
        self.deletes.len() + self.delivered.len() - twice
    }
}

impl Hold {
    /// At most `limit` Deletes may come.
    pub fn new(limit: u32) -> Hold {
        Hold { limit: limit as usize, held: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is held.
    pub fn is_holding(&self) -> bool {
        !self.lock().deletes.is_empty()
    }

    /// Takes note of what happened to ids, in order.
    pub fn note(&self, events: Vec<Event>, object_type: &'static str) -> Result<(), Error> {
        let mut held = self.lock();
        for event in events {
            match event {
                Event::Live(id) => drop(held.deletes.remove(&id)),
                Event::Delete { id, line } => {
                    held.came += 1;
                    let came = held.came;
                    held.deletes.insert(id, (came, line));
                }
            }
        }
        // Only so many are kept in memory: a later row could take some back, but a source that removes that much and
        // brings it again within one round is one to look at anyway.
        if held.count() > self.limit { Err(self.too_many(&held, object_type)) } else { Ok(()) }
    }

    /// Deletes that are to be delivered at once, since nothing takes them back: they count like held ones.
    pub fn deliver(&self, ids: &[String], object_type: &'static str) -> Result<(), Error> {
        let mut held = self.lock();
        let before = held.delivered.clone();
        held.delivered.extend(ids.iter().cloned());
        if held.count() <= self.limit {
            return Ok(());
        }
        let error = self.too_many(&held, object_type);
        held.delivered = before;
        Err(error)
    }

    /// Gives up what is held, in the order it came.
    pub fn release(&self, into: &mut Records) {
        let mut deletes: Vec<_> = std::mem::take(&mut self.lock().deletes).into_values().collect();
        deletes.sort_unstable_by_key(|(came, _)| *came);
        for (_, line) in &deletes {
            into.release(line);
        }
    }

    /// Drops what is held.
    pub fn drop_all(&self) {
        self.lock().deletes.clear();
    }

    fn too_many(&self, held: &Held, object_type: &'static str) -> Error {
        let mut samples: Vec<_> = held.deletes.iter().collect();
        samples.sort_unstable_by_key(|(_, (came, _))| *came);
        let mut samples: Vec<_> = samples.into_iter().map(|(id, _)| id.as_str()).collect();
        samples.extend(held.delivered.iter().map(String::as_str));
        samples.truncate(SAMPLES);
        Error::new(
            Kind::TooManyDeletes,
            format!(
                "{object_type}: more than MaxDeletes ({}) objects are to be deleted, among them {}; none of the deletes held back was \
                 delivered and the watermark of this object type stays. If these deletes are meant, raise MaxDeletes or set it \
                 to null for one run",
                self.limit,
                samples.join(", ")
            ),
        )
        .with_object_type(object_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Reason;

    fn page(deletes: &[&str], live: &[&str]) -> Vec<Event> {
        let mut records = Records::holding("User");
        for id in deletes {
            records.delete(id, None, Reason::SoftDeleted);
        }
        for id in live {
            records.upsert(id, None, |_| {});
        }
        records.take_events()
    }

    #[test]
    fn deletes_within_the_limit_come_at_the_end_in_their_order() {
        let hold = Hold::new(2);
        hold.note(page(&["b", "a"], &[]), "User").unwrap();
        let mut last = Records::new("User");
        hold.release(&mut last);
        let ids: Vec<_> = last.lines().map(|l| String::from_utf8_lossy(l).contains("\"b\"")).collect();
        assert_eq!((ids, last.written().counts.deletes, hold.is_holding()), (vec![true, false], 2, false));
    }

    #[test]
    fn a_row_that_comes_later_takes_its_delete_away() {
        let hold = Hold::new(1);
        hold.note(page(&["a"], &["a"]), "User").unwrap();
        assert!(!hold.is_holding());
        hold.note(page(&["a", "a"], &[]), "User").unwrap();
        assert!(hold.is_holding(), "twice the same is one");
    }

    #[test]
    fn one_more_than_the_limit_names_count_and_samples() {
        let error = Hold::new(1).note(page(&["a", "b"], &[]), "User").unwrap_err();
        assert_eq!(error.kind, Kind::TooManyDeletes);
        assert!(error.message.contains("MaxDeletes (1)") && error.message.contains("a, b"), "{}", error.message);
    }

    #[test]
    fn deletes_delivered_at_once_count_with_those_held_back() {
        let hold = Hold::new(2);
        hold.deliver(&["a".to_owned()], "User").unwrap();
        hold.note(page(&["a", "b"], &[]), "User").unwrap();
        assert!(hold.note(page(&["c"], &[]), "User").is_err());
        assert!(Hold::new(0).deliver(&["a".to_owned()], "User").unwrap_err().message.contains("among them a"));
    }
}
