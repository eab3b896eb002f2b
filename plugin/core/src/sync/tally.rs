//! What one object type has delivered, counted while it runs: the source of its `End` and of its line in the result.
//!
//! Several threads count at once (members of groups are read concurrently), so the counts are atomics.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::mapping::{Counts, Mode};

/// The counts of one object type in this run.
#[derive(Debug)]
pub struct Tally {
    object_type: &'static str,
    mode: AtomicU8,
    complete: AtomicBool,
    upserts: AtomicU64,
    deletes: AtomicU64,
    left_scope: AtomicU64,
    unread_scopes: AtomicU64,
    issues: AtomicU64,
    unread_because: Mutex<Option<Error>>,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeTotals {
    /// Its name.
    pub object_type: &'static str,
    /// `None`: it never began.
    pub mode: Option<Mode>,
    /// Whether its list was read to the end.
    pub complete: bool,
    /// What its End counts.
    pub counts: Counts,
    /// Issue records.
    pub issues: u64,
}

impl Tally {
    /// Counts at zero.
    pub fn new(object_type: &'static str) -> Tally {
        Tally {
            object_type,
            mode: AtomicU8::new(0),
            complete: AtomicBool::new(false),
            upserts: AtomicU64::new(0),
            deletes: AtomicU64::new(0),
            left_scope: AtomicU64::new(0),
            unread_scopes: AtomicU64::new(0),
            issues: AtomicU64::new(0),
            unread_because: Mutex::new(None),
        }
    }

    /// The object type counted here.
    pub fn object_type(&self) -> &'static str {
        self.object_type
    }

    /// A set begins.
    pub fn begin(&self, mode: Mode) {
        self.mode.store(if mode == Mode::Full { 1 } else { 2 }, Ordering::Relaxed);
    }

    /// The set ended whole.
    pub fn completed(&self) {
        self.complete.store(true, Ordering::Relaxed);
    }

    /// Upserts, deletes and issues were written.
    pub fn wrote(&self, upserts: u64, deletes: u64, issues: u64) {
        self.upserts.fetch_add(upserts, Ordering::Relaxed);
        self.deletes.fetch_add(deletes, Ordering::Relaxed);
        self.issues.fetch_add(issues, Ordering::Relaxed);
    }

    /// A scope was closed without having been read whole. `because`: the failure, when it was one.
    pub fn unread_scope(&self, because: Option<&Error>) {
        self.unread_scopes.fetch_add(1, Ordering::Relaxed);
        if let Some(error) = because {
            let mut first = self.unread_because.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.clone());
        }
    }

    /// The first failure that left a scope unread.
    pub fn unread_because(&self) -> Option<Error> {
        self.unread_because.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The counts now.
    pub fn totals(&self) -> TypeTotals {
        let get = |n: &AtomicU64| n.load(Ordering::Relaxed);
        TypeTotals {
            object_type: self.object_type,
            mode: match self.mode.load(Ordering::Relaxed) {
                1 => Some(Mode::Full),
                2 => Some(Mode::Delta),
                _ => None,
            },
            complete: self.complete.load(Ordering::Relaxed),
            counts: Counts {
                upserts: get(&self.upserts),
                deletes: get(&self.deletes),
                left_scope: get(&self.left_scope),
                unread_scopes: get(&self.unread_scopes),
            },
            issues: get(&self.issues),
        }
    }
}
