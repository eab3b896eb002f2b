//! The tenants, and who imports them.
//!
//! What makes the connector slow stays on: empty pages, repeated rows, shuffled batches, every type of member. Only the
//! bin is empty and list pages are full, so that requests and edges can be counted by hand.

use serde_json::{Value, json};

use crate::peer::Peer;

/// Who imports.
pub(crate) enum Importer {
    /// This connector, with further keys of ConfigJson.
    Ours(&'static str, &'static str),
    /// A program of somebody else.
    Peer(Peer),
}

/// A tenant, and the importers that are compared over it; the first one is the yardstick.
pub(crate) struct Scenario {
    /// What it is called by on the command line.
    pub(crate) name: &'static str,
    /// What is large about it.
    pub(crate) size: &'static str,
    /// Users, groups, members of each group, milliseconds for each exchange.
    numbers: [u32; 4],
    pub(crate) importers: &'static [Importer],
}

impl Scenario {
    pub(crate) fn world(&self) -> Value {
        let [users, groups, members, latency] = self.numbers;
        json!({
            "users": users, "groups": groups, "groupSize": members, "latencyMs": latency, "deletedUsers": 0,
            "deletedGroups": 0, "lists": {"shortPages": false}, "journalCapacity": 1_000_000,
        })
    }
}

const EVERYTHING: Importer = Importer::Ours("this connector: users, groups, memberships", "{}");

pub(crate) const SCENARIOS: [Scenario; 4] = [
    Scenario {
        name: "latency",
        size: "2,000 groups × 50, 100 ms",
        numbers: [5_000, 2_000, 50, 100],
        importers: &[
            Importer::Ours("this connector: memberships", r#"{"ImportUsers": false, "ImportGroups": false}"#),
            Importer::Ours(
                "this connector: memberships, `MaxConcurrency` 32",
                r#"{"ImportUsers": false, "ImportGroups": false, "MaxConcurrency": 32}"#,
            ),
            Importer::Ours(
                "this connector: groups, memberships; `Snapshot`",
                r#"{"ImportUsers": false, "FullImportStrategy": "Snapshot"}"#,
            ),
            Importer::Ours("this connector: groups, memberships", r#"{"ImportUsers": false}"#),
            Importer::Peer(Peer::NpmClient),
        ],
    },
    Scenario {
        name: "cartography",
        size: "500 users, 100 groups × 50, 100 ms",
        numbers: [500, 100, 50, 100],
        importers: &[EVERYTHING, Importer::Peer(Peer::Cartography)],
    },
    Scenario {
        name: "cartography-0ms",
        size: "500 users, 100 groups × 50, 0 ms",
        numbers: [500, 100, 50, 0],
        importers: &[EVERYTHING, Importer::Peer(Peer::Cartography)],
    },
    Scenario {
        name: "large",
        size: "100,000 users, 5,000 groups × 100, 0 ms",
        numbers: [100_000, 5_000, 100, 0],
        importers: &[EVERYTHING],
    },
];
