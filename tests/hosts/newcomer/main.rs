//! The newcomer's path: an empty folder, the library, one host and what the page says to type.
//!
//! The commands are read out of `tests/hosts/README.md` and `docs/contract.md` and run as they stand there, so the
//! pages cannot say one thing and the hosts need another. Nothing of this machine may help: the environment is empty,
//! Python runs without its site packages, and its folder of programs holds nothing but `python3`, `cp` and `cat`.
//!
//! These tests belong to the package `host-harness`, for the program `host-harness simulate` that the page names.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so and stop"
)]

mod page; // what the pages tell a newcomer to type

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use host_harness::library::{connector_library, library_file_name};
use host_harness::simulator_process::SimulatorProcess;
use serde_json::Value;

/// A folder with nothing in it but the library and the two documents, and the tenant that they lead to.
struct Empty {
    folder: tempfile::TempDir,
    programs: tempfile::TempDir,
    _simulator: SimulatorProcess,
}

impl Empty {
    fn folder() -> Empty {
        let folder = tempfile::tempdir().unwrap();
        let connectors = folder.path().join("Connectors");
        fs::create_dir(&connectors).unwrap();
        fs::copy(connector_library().unwrap(), connectors.join(library_file_name())).unwrap();
        let simulator = SimulatorProcess::start(Path::new(env!("CARGO_BIN_EXE_host-harness")), [""; 0]).unwrap();
        let tenant = simulator.tenant().unwrap();
        for document in ["config.json", "auth.json"] {
            let text = page::document(document)
                .replace("tenantId", &quoted(&tenant.id))
                .replace("clientId", &quoted(&tenant.client_id))
                .replace("clientSecret", &quoted(&tenant.client_secret))
                .replace("origin", &quoted(simulator.origin()));
            let _: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{document}: {error}: {text}"));
            fs::write(folder.path().join(document), text).unwrap();
        }
        Empty { folder, programs: tempfile::tempdir().unwrap(), _simulator: simulator }
    }

    /// Types `commands` and answers what they print.
    #[track_caller]
    fn types(&self, commands: &str, path: &Path) -> String {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-eu", "-c", commands]).current_dir(self.folder.path()).env_clear().env("PATH", path);
        let output = shell.output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{}\n{commands}\n{out}{err}", output.status);
        out
    }

    /// A folder with these programs and no other. None: no Python here.
    fn with_python(&self) -> Option<&Path> {
        let real = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok()?;
        let real = String::from_utf8(real.stdout).unwrap();
        let folder = self.programs.path();
        for tool in ["cp", "cat"] {
            std::os::unix::fs::symlink(on_path(tool)?, folder.join(tool)).unwrap();
        }
        // Without the packages and the variables of this machine.
        let wrapper = folder.join("python3");
        fs::write(&wrapper, format!("#!/bin/sh\nexec '{}' -I -S \"$@\"\n", real.trim())).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        Some(folder)
    }

    /// The Upserts that a host wrote, without repetitions.
    #[track_caller]
    fn rows(&self, file: &str) -> BTreeSet<String> {
        let text = fs::read_to_string(self.folder.path().join(file)).unwrap();
        let rows: BTreeSet<String> =
            text.split('\n').filter(|line| line.starts_with("{\"Kind\":\"Upsert\"")).map(str::to_owned).collect();
        assert!(rows.len() > 1_000, "{} rows", rows.len());
        rows
    }

    /// That the last command of `commands` imports in full, and when it is typed again goes on from its own watermark.
    #[track_caller]
    fn imports_twice(&self, commands: &str, path: &Path) {
        let said = |text: String| -> Value { serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap() };
        let full = said(self.types(commands, path));
        assert_eq!((&full["status"], &full["result"]["ObjectTypes"]["User"]["Mode"]), (&1.into(), &"Full".into()));
        let rows = self.rows("rows.ndjson");
        assert!(rows.len() as u64 <= full["records"].as_u64().unwrap(), "{full}");
        let delta = said(self.types(commands.lines().last().unwrap(), path));
        assert_eq!((&delta["status"], &delta["result"]["ObjectTypes"]["User"]["Mode"]), (&1.into(), &"Delta".into()));
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn on_path(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| file.is_file())
}

/// Says so where Python is missing; under `CONNECTOR_TEST_ALL_HOSTS=1` that is a failure, as in the suite.
fn no_python() {
    assert!(std::env::var_os("CONNECTOR_TEST_ALL_HOSTS").is_none_or(|it| it != "1"), "python3 is not on this machine");
    let _ = writeln!(std::io::stderr(), "skipped, python3 is not on this machine (.ci/hosts installs it)");
}

#[test]
fn the_python_host_runs_in_an_empty_folder_with_nothing_but_the_library() {
    let empty = Empty::folder();
    let Some(path) = empty.with_python() else { return no_python() };
    empty.imports_twice(&page::from_an_empty_folder("python3 "), path);
}

#[test]
fn the_c_host_runs_in_an_empty_folder_with_nothing_but_a_compiler_and_the_header() {
    let empty = Empty::folder();
    let path = std::env::var_os("PATH").unwrap();
    empty.imports_twice(&page::from_an_empty_folder("cc "), Path::new(&path));
}

#[test]
fn the_minimal_hosts_of_the_contract_run_as_they_stand() {
    let empty = Empty::folder();
    let place = empty.folder.path();
    fs::create_dir(place.join("include")).unwrap();
    fs::copy(page::root().join("include/connector.h"), place.join("include/connector.h")).unwrap();

    let (source, commands) = page::minimal_host("c");
    fs::write(place.join("minimal.c"), source).unwrap();
    empty.types(&commands, Path::new(&std::env::var_os("PATH").unwrap()));
    let in_c = empty.rows("rows.ndjson");

    let Some(path) = empty.with_python() else { return no_python() };
    let (source, commands) = page::minimal_host("python");
    fs::write(place.join("minimal.py"), source).unwrap();
    let said = empty.types(&commands, path);
    assert!(said.starts_with("EntraId "), "{}", said.lines().next().unwrap_or_default());
    fs::write(place.join("rows.ndjson"), said).unwrap();
    assert!(empty.rows("rows.ndjson") == in_c, "the two minimal hosts of the contract read different rows");
}
