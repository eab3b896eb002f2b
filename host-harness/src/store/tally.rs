//! What a run brought and what it did to the store, per object type.
//!
//! Not the same as the connector's own counts: a host can tell a change from a repetition and a delete from a delete of
//! something it never held, the connector cannot.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::record::Issue;

/// Issues that are kept word for word; beyond that they are counted.
const ISSUES_KEPT: usize = 1000;

/// Counts of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Tally {
    /// Records of any kind.
    pub records: u64,
    /// Records of a kind this host does not know: skipped.
    pub unknown_records: u64,
    /// Per object type: what is committed.
    pub types: BTreeMap<String, TypeTally>,
    /// The first issues, word for word.
    pub issues: Vec<Issue>,
    /// Issues in all.
    pub issue_count: u64,
    /// Object types about which an Issue came that was no mere Warning.
    pub failed_types: BTreeSet<String>,
    /// Where the connector's account and the host's differ.
    pub notes: Vec<String>,
}

/// Counts of one object type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TypeTally {
    /// The modes of its sets, in order.
    pub modes: Vec<String>,
    /// Whether its sets ended, and whole. A whole Full set makes up for whatever came before it.
    pub complete: bool,
    /// Upserts of something that was not there.
    pub added: u64,
    /// Upserts that changed something.
    pub changed: u64,
    /// Upserts that changed nothing.
    pub unchanged: u64,
    /// Deletes of something that was there.
    pub deleted: u64,
    /// Objects that left scope and were there.
    pub left_scope: u64,
    /// Objects and edges removed because a whole set, or a complete scope, did not mention them.
    pub removed_by_absence: u64,
    /// Scopes closed.
    pub scopes: u64,
    /// Scopes whose last word was that they could not be read, those of a resumed set from before included.
    pub unread_scopes: u64,
    /// Of these, scopes about which the last Issue was a mere Warning (hidden membership): no reason to call a run
    /// partial.
    pub warned_scopes: u64,
    /// Issues.
    pub issues: u64,
    /// Deletes not followed, because the mode of their set does not allow it.
    pub ignored: u64,
}

impl Tally {
    pub(super) fn issue(&mut self, issue: Issue) {
        self.issue_count += 1;
        if issue.severity != "Warning" {
            self.failed_types.extend(issue.object_type.clone());
        }
        if self.issues.len() < ISSUES_KEPT {
            self.issues.push(issue);
        }
    }
}

impl TypeTally {
    /// Upserts of any effect.
    pub fn upserts(&self) -> u64 {
        self.added + self.changed + self.unchanged
    }

    /// Everything that made the store another.
    pub fn changes(&self) -> u64 {
        self.added + self.changed + self.deleted + self.left_scope + self.removed_by_absence
    }
}
