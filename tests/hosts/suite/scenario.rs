//! What is asked of every host, and when it did the same as the Rust host.
//!
//! Each run has a simulated tenant of its own, always the same one, so no host sees what another did. Easy to get
//! wrong: a scenario proves nothing unless the reference did what its name says, so that is proved first.

use anyhow::{Result, ensure};
use connector_abi::{
    CONNECTOR_E_CANCELLED, CONNECTOR_E_INVALID_CONFIG, CONNECTOR_E_NOT_SUPPORTED, CONNECTOR_END, CONNECTOR_END_PARTIAL,
};
use host_harness::simulator::{Change, Delta, Fault, FaultAction, Route, Simulator, World};
use serde_json::{Map, Value, json};

use crate::language::Workshop;
use crate::record;
use crate::run::{Host, Order, Said};

/// Rows of the scenario with awkward text.
const AWKWARD_ROWS: u32 = 10_000;
/// Users of the scenario that is cancelled, and how many of them lie on a page.
const CANCELLED: (u32, u32) = (600, 20);

/// One scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    /// Everything, read by several workers.
    Full,
    /// Everything, one request at a time: the order is the connector's.
    InOrder,
    /// In full, then by its watermark after changes.
    Delta,
    /// Cancelled while the service is silent, then gone on with.
    Cancel,
    /// A mistake in each document.
    WrongConfig,
    /// What this connector does not do.
    Export,
    /// The connection test.
    Check,
    /// Text that breaks what is not careful, both ways.
    Awkward,
}

impl Scenario {
    pub(crate) const ALL: [Scenario; 8] = [
        Scenario::Full,
        Scenario::InOrder,
        Scenario::Delta,
        Scenario::Cancel,
        Scenario::WrongConfig,
        Scenario::Export,
        Scenario::Check,
        Scenario::Awkward,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Scenario::Full => "full",
            Scenario::InOrder => "in order",
            Scenario::Delta => "delta",
            Scenario::Cancel => "cancel, resume",
            Scenario::WrongConfig => "wrong config",
            Scenario::Export => "export",
            Scenario::Check => "check",
            Scenario::Awkward => "10,000 awkward rows",
        }
    }

    fn world(self) -> World {
        let world = match self {
            Scenario::Cancel => World {
                users: CANCELLED.0,
                groups: 0,
                edges: 0,
                delta: Delta { user_page: CANCELLED.1, ..World::gentle().delta },
                ..World::gentle()
            },
            Scenario::Awkward => World {
                users: AWKWARD_ROWS,
                groups: 0,
                edges: 0,
                client_secret: "häß~日本/😀+&=% \"quoted\" \\ \u{202b}سر\u{202c}".into(),
                ..World::gentle()
            },
            Scenario::WrongConfig | Scenario::Export => World { users: 1, groups: 0, edges: 0, ..World::gentle() },
            Scenario::Full => World::default(),
            // Batches are shuffled by the number of the request, and users and groups take turns as the threads do.
            Scenario::InOrder | Scenario::Delta | Scenario::Check => {
                World { shuffled_batches: false, ..World::default() }
            }
        };
        // The same moments for every host: what the tenant looks like hangs on the clock too.
        World { clock_start: Some(1_790_000_000), ..world }
    }

    fn config(self, sim: &Simulator) -> String {
        let mut config = Map::new();
        config.insert("TenantId".into(), sim.tenant_id().into());
        for origin in ["GraphEndpoint", "AuthorityHost"] {
            config.insert(origin.into(), sim.origin().into());
        }
        if self != Scenario::Full {
            config.insert("MaxConcurrency".into(), 1.into());
        }
        if matches!(self, Scenario::Cancel | Scenario::Awkward) {
            config.insert("ImportGroups".into(), false.into());
            config.insert("ImportMemberships".into(), false.into());
        }
        if self == Scenario::WrongConfig {
            config.insert("PageSize".into(), 1_000.into());
            config.insert("MaxConcurency".into(), "häß 😀".into());
        }
        Value::Object(config).to_string()
    }

    fn auth(self, sim: &Simulator) -> String {
        let mut auth =
            json!({"Mode": "ClientSecret", "ClientId": sim.client_id(), "ClientSecret": sim.client_secret()});
        if self == Scenario::WrongConfig {
            auth["ClientId"] = 7.into();
        }
        auth.to_string()
    }

    /// Has a host do it; one answer for each run of the host.
    pub(crate) fn perform(self, host: &Host, workshop: &Workshop, id: &str) -> Result<Vec<Said>> {
        let sim = Simulator::start(self.world())?;
        let (config, auth) = (self.config(&sim), self.auth(&sim));
        let folder = workshop.folder(&format!("{id}/{}", self.name().replace([' ', ','], "-")))?;
        let run = |operation, cancel_after| {
            let watermark = folder.join("watermark");
            let order = Order { config: &config, auth: &auth, operation, watermark, cancel_after };
            host.run(&workshop.connectors(), &folder, &order)
        };
        match self {
            Scenario::Full | Scenario::InOrder | Scenario::WrongConfig => Ok(vec![run("import", 0)?]),
            Scenario::Export => Ok(vec![run("export", 0)?]),
            Scenario::Check => Ok(vec![run("check", 0)?]),
            Scenario::Awkward => {
                sim.apply(&awkward_users())?;
                Ok(vec![run("import", 0)?])
            }
            Scenario::Delta => {
                let full = run("import", 0)?;
                sim.apply(&sim.random_changes(6, 150))?;
                Ok(vec![full, run("import", 0)?])
            }
            Scenario::Cancel => {
                // Behind the first checkpoint, which comes after 16 pages, the service falls silent: without the cancel
                // the run would not end.
                let silence = Fault::always(Route::USERS_DELTA, FaultAction::StallMidBody).on_page(25);
                sim.add_fault(silence);
                let cancelled = run("import", u64::from(20 * CANCELLED.1))?;
                sim.clear_faults();
                Ok(vec![cancelled, run("import", 0)?])
            }
        }
    }

    /// That the reference did what the name says: else every host could agree on nothing.
    pub(crate) fn prove_reference(self, runs: &[Said]) {
        let last = runs.last().unwrap();
        let rows = |said: &Said| said.lines.iter().filter(|line| line.starts_with("{\"Kind\":\"Upsert\"")).count();
        match self {
            Scenario::Full | Scenario::InOrder => {
                assert_eq!(last.status, CONNECTOR_END, "{}", last.result);
                assert!(rows(last) > 3_000 && last.checkpoints > 2, "{} rows, {}", rows(last), last.checkpoints);
                let types = record::by_type(&last.lines);
                assert_eq!(types.keys().copied().collect::<Vec<_>>(), ["Group", "GroupMember", "User"]);
            }
            Scenario::Delta => {
                assert_eq!(last.status, CONNECTOR_END, "{}", last.result);
                assert_eq!(last.result["ObjectTypes"]["User"]["Mode"], "Delta");
                assert!(rows(last) > 50, "{} rows", rows(last));
                assert!(last.lines.iter().any(|line| line.starts_with("{\"Kind\":\"Delete\"")));
            }
            Scenario::Cancel => {
                let first = &runs[0];
                assert_eq!((first.status, first.checkpoints > 0), (CONNECTOR_E_CANCELLED, true), "{}", first.result);
                assert_eq!(last.status, CONNECTOR_END, "{}", last.result);
                assert!(last.lines[0].contains("\"Resumed\":true"), "{}", last.lines[0]);
                // Neither all in the first nor all over again.
                assert!(rows(first) < CANCELLED.0 as usize && rows(last) < CANCELLED.0 as usize);
            }
            Scenario::WrongConfig => {
                assert_eq!(last.status, CONNECTOR_E_INVALID_CONFIG);
                assert_eq!(last.error["Problems"].as_array().map(Vec::len), Some(3), "{}", last.error);
            }
            Scenario::Export => assert_eq!(last.status, CONNECTOR_E_NOT_SUPPORTED),
            Scenario::Check => assert!(rows(last) == 0 && last.lines.len() > 3, "{:?}", last.lines),
            Scenario::Awkward => {
                assert_eq!((last.status, rows(last)), (CONNECTOR_END, AWKWARD_ROWS as usize), "{}", last.result);
                for piece in
                    AWKWARD.iter().filter(|piece| !piece.contains(['"', '\\', '\n', '\r', '\t', '\0', '\u{8}']))
                {
                    assert!(last.lines.iter().any(|line| line.contains(piece)), "{piece:?} never came");
                }
            }
        }
    }

    /// Whether a host did as the reference.
    pub(crate) fn judge(self, expected: &[Said], found: &[Said]) -> Result<()> {
        for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
            // How far a run came before it was cancelled is the machine's.
            let cancelled = self == Scenario::Cancel && number == 0;
            let before = |what: &str| format!("run {}, {what}", number + 1);
            ensure!(found.describe == expected.describe, before("Describe"));
            ensure!(
                (found.exit, found.status) == (expected.exit, expected.status),
                "{}: {:?} for {:?}: {} {}",
                before("exit code and status"),
                (found.exit, found.status),
                (expected.exit, expected.status),
                found.result,
                found.error
            );
            ensure!(found.error == expected.error, "{}: {} for {}", before("error"), found.error, expected.error);
            let (one, other) = (lasting_result(&found.result, cancelled), lasting_result(&expected.result, cancelled));
            ensure!(one == other, "{}: {one} for {other}", before("result"));
            ensure!((found.log_lines > 0) == (expected.log_lines > 0), before("log lines"));
            ensure!(found.watermark.is_some() == expected.watermark.is_some(), before("watermark"));
            if matches!(found.status, CONNECTOR_END | CONNECTOR_END_PARTIAL) {
                let told = found.result["Watermark"].as_str();
                ensure!(found.watermark.as_deref() == told, "{}: stored otherwise than told", before("watermark"));
            }
            match self {
                Scenario::Full => record::same_multiset(&expected.lines, &found.lines)?,
                Scenario::Cancel if cancelled => record::same_beginning(&expected.lines, &found.lines)?,
                // Which page it goes on with hangs on the checkpoint that came last; below.
                Scenario::Cancel => {}
                _ => record::same_order(&expected.lines, &found.lines)?,
            }
        }
        if self == Scenario::Cancel {
            ensure!(found[1].lines[0].contains("\"Resumed\":true"), "the second run began anew: {}", found[1].lines[0]);
            let users = |runs: &[Said]| {
                let mut users: Vec<String> = runs.iter().flat_map(|said| said.lines.iter()).cloned().collect();
                users.retain(|line| line.starts_with("{\"Kind\":\"Upsert\""));
                users.sort_unstable();
                users.dedup();
                users
            };
            ensure!(users(found).len() == CANCELLED.0 as usize, "{} users of both runs", users(found).len());
            record::same_order(&users(expected), &users(found))?;
        }
        Ok(())
    }
}

/// A result without what hangs on the machine and the moment.
fn lasting_result(result: &Value, cancelled: bool) -> Value {
    let mut kept = result.clone();
    if let Value::Object(members) = &mut kept {
        for member in ["Requests", "Retries", "ThrottledMs", "BytesReceived", "ElapsedMs", "Watermark"] {
            members.remove(member);
        }
        if cancelled {
            members.remove("ObjectTypes");
        }
    }
    kept
}

/// Pieces of text, each of which some language, line reader or terminal takes for something else.
const AWKWARD: [&str; 24] = [
    "häß",
    "日本語",
    "😀",
    "👩‍👩‍👧‍👦",
    "𠮷野家",
    "\u{202b}الخوارزمي\u{202c}",
    "e\u{301}",
    "\u{feff}",
    "\u{2028}",
    "\u{2029}",
    "\u{85}",
    "\u{7f}",
    "\u{fffd}",
    "\u{10ffff}",
    "\u{e000}",
    "İıſẞ",
    "\"",
    "\\",
    "\\u0041",
    "\r\n",
    "\t",
    "\0",
    "\u{8}",
    "%s%n{0}${x}",
];

/// Gives every user texts of such pieces, another one each.
fn awkward_users() -> Vec<Change> {
    let text = |number: usize| {
        let piece = |at: usize| AWKWARD[at % AWKWARD.len()];
        format!("{}{number} {}{}", piece(number), piece(number / 24), piece(number / 576 + number))
    };
    (0..AWKWARD_ROWS as usize)
        .map(|number| {
            let mut properties = Map::new();
            properties.insert("displayName".into(), text(number).into());
            properties.insert("officeLocation".into(), text(number + 7).into());
            // One in a thousand is longer than what a pipe or a small buffer holds.
            let repeated = if number % 1_000 == 0 { 5_000 } else { 1 };
            properties.insert("jobTitle".into(), text(number + 13).repeat(repeated).into());
            Change::update_user(format!("#{number}"), properties)
        })
        .collect()
}
