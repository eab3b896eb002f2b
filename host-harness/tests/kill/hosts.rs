//! A tenant, the program as an operator installs it, and a look at stores from outside.
//!
//! The tenant lives in the test, so that it survives the host and can be asked how far the host came.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use host_harness::compare::compare;
use host_harness::library::connector_library;
use host_harness::simulator::{Simulator, World};
use host_harness::store::Mesh;
use host_harness::truth::TruthRow;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::json;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_host-harness");

/// A tenant and a folder with everything that leads to it.
pub(crate) struct Hosts {
    pub(crate) sim: Simulator,
    pub(crate) folder: tempfile::TempDir,
}

impl Hosts {
    pub(crate) fn of(world: World, mode: &str) -> Hosts {
        let folder = tempfile::tempdir().unwrap();
        let library = connector_library().unwrap();
        std::fs::create_dir(folder.path().join("Connectors")).unwrap();
        std::fs::copy(&library, folder.path().join("Connectors").join(library.file_name().unwrap())).unwrap();
        let sim = Simulator::start(world).unwrap();
        let (tenant, origin) = (sim.tenant_id(), sim.origin());
        let config = json!({"TenantId": tenant, "GraphEndpoint": origin, "AuthorityHost": origin,
            "RetryBaseSeconds": 0.01, "PageSize": 50, "MembershipMode": mode});
        let auth = json!({"Mode": "ClientSecret", "ClientId": sim.client_id(), "ClientSecret": sim.client_secret()});
        std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
        std::fs::write(folder.path().join("auth.json"), auth.to_string()).unwrap();
        Hosts { sim, folder }
    }

    /// The arguments of an import into `store`. No limit is ever passed: random changes may remove a lot.
    pub(crate) fn arguments(store: &Path, full: bool) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["import", "--config", "config.json", "--auth", "auth.json", "--max-removals", "1000000000", "--store"]
                .map(str::to_owned)
                .to_vec();
        arguments.push(store.display().to_string());
        if full {
            arguments.push("--full".to_owned());
        }
        arguments
    }

    pub(crate) fn command(&self, store: &Path, full: bool) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).args(Hosts::arguments(store, full)).stdin(Stdio::null());
        command
    }

    /// An import nobody looks at.
    pub(crate) fn spawn(&self, store: &Path, full: bool) -> Child {
        self.command(store, full).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// An import to its end, which must be a good one; answers what it printed.
    #[track_caller]
    pub(crate) fn import(&self, store: &Path, full: bool) {
        let output = self.command(store, full).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stdout));
    }

    pub(crate) fn differences(&self, store: &Path) -> String {
        let found = compare(&Mesh::open(store).unwrap(), TruthRow::of(&self.sim.truth())).unwrap();
        if found.is_empty() { String::new() } else { found.to_string() }
    }
}

/// What SQLite itself says of a store; `ok`.
pub(crate) fn integrity(store: &Path) -> String {
    let connection = Connection::open(store).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// The watermark of the only instance.
pub(crate) fn watermark(store: &Path) -> Option<String> {
    Mesh::open(store).ok()?.watermark("EntraId").ok()?
}

/// Every row of every table.
pub(crate) fn everything(store: &Path) -> Vec<String> {
    let connection = Connection::open(store).unwrap();
    let names: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut all = Vec::new();
    for name in names {
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<Cell> = (0..columns).map(|column| row.get(column).unwrap()).collect();
            all.push(format!("{name} {cells:?}"));
        }
    }
    all
}

/// Waits, with a limit that no machine needs.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(120), "{what} did not happen in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Numbers that look random and are the same for the same seed (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// Below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

/// Takes the files of a killed host away as they lie there: whoever opens them next has nothing but the disk, as after
/// a crash, and no shared memory of a reader that looked on.
pub(crate) fn as_left(store: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir(to).unwrap();
    let copy = to.join("mesh.db");
    for end in ["", "-wal"] {
        let of = |path: &Path| PathBuf::from(format!("{}{end}", path.display()));
        if of(store).exists() {
            std::fs::copy(of(store), of(&copy)).unwrap();
        }
    }
    copy
}
