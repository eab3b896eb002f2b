//! Hosts of other versions on today's library: every released header stays, unchanged, and hosts built against it run.
//!
//! Easy to get wrong: a test that compiles against the current header proves nothing about those who compiled
//! last year. The rows `c-1.0` and `c-later` of the table run the whole suite; here is what no row can show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use host_harness::library::connector_library;
use host_harness::simulator::{Simulator, World};
use serde_json::json;

use crate::language::Language;

/// Released headers and what they hash to. A line is added with a release and never changed.
const RELEASED: &[(&str, u64)] = &[("1.0", 0xa4c5_5c38_35e3_bc43)];

fn abi() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/abi")
}

fn header(version: &str) -> String {
    fs::read_to_string(abi().join(format!("connector-{version}.h"))).unwrap()
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[test]
fn a_released_header_is_never_edited_and_has_a_row_in_the_table() {
    let files = fs::read_dir(abi()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> =
        files.filter_map(|name| Some(name.strip_prefix("connector-")?.strip_suffix(".h")?.to_owned())).collect();
    found.sort();
    assert_eq!(found, RELEASED.iter().map(|(version, _)| *version).collect::<Vec<_>>(), "tests/abi against RELEASED");
    for (version, as_released) in RELEASED {
        assert_eq!(
            hash(&header(version)),
            *as_released,
            "connector-{version}.h was released: hosts are built against it"
        );
        let row = format!("c-{version}");
        assert!(Language::all().any(|language| language.id == row), "no row {row}: hosts of {version} are not run");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_host_whose_structs_have_grown_imports_and_nobody_writes_into_what_it_added() {
    let library = connector_library().unwrap();
    let sim = Simulator::start(World { users: 300, groups: 20, edges: 200, ..World::gentle() }).unwrap();
    let origin = sim.origin();
    let config = json!({"TenantId": sim.tenant_id(), "GraphEndpoint": origin, "AuthorityHost": origin}).to_string();
    let auth = json!({"Mode": "ClientSecret", "ClientId": sim.client_id(), "ClientSecret": sim.client_secret()});
    for (version, _) in RELEASED {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("connector.h"), header(version)).unwrap();
        let program = folder.path().join("grown");
        let mut cc = Command::new("cc");
        cc.args(["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-pedantic", "-Werror", "-I"]);
        let built =
            cc.arg(folder.path()).arg(abi().join("grown.c")).arg("-o").arg(&program).arg("-ldl").output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let run = Command::new(&program).arg(&library).arg(&config).arg(auth.to_string()).output().unwrap();
        assert!(run.status.success(), "{version}: {}", String::from_utf8_lossy(&run.stderr));
        let records: u64 = String::from_utf8(run.stdout).unwrap().trim().parse().unwrap();
        assert!(records > 500, "{records} records");
    }
}
