//! C programs in processes of their own, against a simulated tenant: what a host does wrong, and how it ends.
//!
//! The programs stand in `tests/boundary/`. The same tests run them under valgrind and AddressSanitizer: `.ci/valgrind`
//! and `.ci/address-sanitizer` set the variables below. Each case is a process of its own, so that one that dies ends
//! only its own test.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use host_harness::library::connector_library;
use host_harness::simulator::{Call, Fault, FaultAction, Route, World};
use serde_json::Value;

use crate::world::Tenant;

/// Words before every program: `valgrind --error-exitcode=99`.
const TOOL: &str = "CONNECTOR_TEST_TOOL";
/// Words for the C compiler: `-fsanitize=address`.
const FLAGS: &str = "CONNECTOR_TEST_CFLAGS";
/// Another build of the library than the one the tests make.
const LIBRARY: &str = "CONNECTOR_TEST_LIBRARY";

fn words(variable: &str) -> Vec<String> {
    std::env::var(variable).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

pub(crate) fn library() -> PathBuf {
    std::env::var_os(LIBRARY).map_or_else(|| connector_library().unwrap(), PathBuf::from)
}

/// A program of `tests/boundary/`, compiled, beside the two texts of its tenant.
pub(crate) struct Host {
    program: PathBuf,
    folder: PathBuf,
}

impl Host {
    pub(crate) fn new(name: &str, tenant: &Tenant) -> Host {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tenant.folder();
        std::fs::write(folder.join("config.json"), tenant.config()).unwrap();
        std::fs::write(folder.join("auth.json"), tenant.auth()).unwrap();
        let program = folder.join(name);
        let compiled = Command::new("cc")
            .args(["-std=c11", "-g", "-Wall", "-Wextra", "-pedantic", "-Werror"])
            .args(words(FLAGS))
            .arg("-I")
            .arg(root.join("include"))
            .arg(root.join("tests/boundary").join(name).with_extension("c"))
            .arg("-o")
            .arg(&program)
            .args(["-ldl", "-pthread"])
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Host { program, folder }
    }

    /// The command that runs it on `library` with more arguments behind the two texts.
    pub(crate) fn command(&self, library: &Path, arguments: &[&str]) -> Command {
        let line: Vec<String> = words(TOOL).into_iter().chain([self.program.display().to_string()]).collect();
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).arg(library).args(["config.json", "auth.json"]).args(arguments);
        command.current_dir(&self.folder);
        command
    }

    /// Runs it to its end.
    pub(crate) fn run_on(&self, library: &Path, arguments: &[&str]) -> Output {
        self.command(library, arguments).output().unwrap()
    }

    /// Runs it to a good end and answers what it says of itself.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.run_on(&library(), arguments);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {}\n{out}{err}", self.program.display(), output.status);
        // What a tool says goes where a script can read it; a program of ours says nothing when all went well.
        eprint!("{err}");
        assert!(under_a_tool() || err.is_empty(), "{err}");
        eprintln!("{}", out.trim_end());
        serde_json::from_str(out.trim_end()).unwrap_or_else(|e| panic!("{e}: {out}"))
    }
}

#[cfg(target_os = "linux")]
#[test]
fn every_misuse_is_answered_and_an_import_goes_well_among_them() {
    let tenant = Tenant::small();
    // 16 MiB read byte by byte are minutes under valgrind, and its guard pages are the same everywhere.
    let lengths = if under_a_tool() { "short" } else { "long" };
    let said = Host::new("misuse", &tenant).run(&[lengths]);
    assert_eq!((said["failed"].as_u64(), said["threads"].as_u64()), (Some(0), Some(1)));
    // A table that lost its rows would pass as well.
    assert!(said["checks"].as_u64().unwrap() > 1000, "{said}");
}

/// Whether host and library are not what they are in the field: slower, and with frames of another size.
pub(crate) fn is_instrumented() -> bool {
    under_a_tool() || std::env::var_os(FLAGS).is_some()
}

fn under_a_tool() -> bool {
    std::env::var_os(TOOL).is_some()
}

/// As often as `plain` in a run without a tool; under one, a few times are slow enough.
pub(crate) fn times(plain: usize) -> usize {
    if under_a_tool() { plain.min(3) } else { plain }
}

#[cfg(target_os = "linux")]
#[test]
fn a_forked_child_is_told_so_by_every_function_whatever_the_parent_was_doing() {
    let tenant = Tenant::of(World { users: 30, groups: 5, edges: 60, gzip: false, ..World::gentle() });
    // The first child's import comes through. Then the parent's thread stays inside OperationNext for the whole test,
    // and a worker in a read that would take an hour; a byte now and then lets it see that it was cancelled.
    let drip = FaultAction::SlowDrip { bytes: 1, delay_ms: 200 };
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, drip).at(Call::First).after(1));
    // The sanitizer's allocator does not see to its locks at a fork, as the C library's does: a child that allocates
    // waits for ever for a thread it does not have. There only the fork before the first use is left.
    let forks = if std::env::var_os(FLAGS).is_some() { 0 } else { times(100) };
    let said = Host::new("fork", &tenant).run(&[&forks.to_string()]);
    assert_eq!(said["failed"], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_host_that_leaves_in_the_middle_ends_with_its_own_exit_code() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::StallMidBody));
    let host = Host::new("leave", &tenant);
    for round in 0..times(30) {
        let (how, code) = (["return", "exit", "busy"][round % 3], (round + 1).to_string());
        let output = host.run_on(&library(), &[how, &code]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), i32::try_from(round + 1).ok(), "{how}: {}\n{said}", output.status);
        assert!(under_a_tool() || said.is_empty(), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn unloading_under_a_running_worker_harms_nobody() {
    let tenant = Tenant::small();
    let host = Host::new("unload", &tenant);
    for _ in 0..times(25) {
        assert_eq!(host.run(&["30"])["failed"], 0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn two_copies_live_side_by_side_and_do_not_know_each_others_operations() {
    let tenant = Tenant::small();
    let host = Host::new("copies", &tenant);
    let other = tenant.folder().join("libEntraIdToo.so");
    std::fs::copy(library(), &other).unwrap();
    assert_eq!(host.run(&[&other.display().to_string()])["failed"], 0);
}

/// Rounds of the soak; a long one is asked for by this variable.
const ROUNDS: &str = "CONNECTOR_TEST_SOAK";

#[cfg(target_os = "linux")]
#[test]
fn a_soak_of_cancels_and_releases_leaves_no_thread_and_no_memory() {
    let asked = std::env::var(ROUNDS).ok().map(|rounds| rounds.parse::<u64>().expect("a number of rounds"));
    let tenant = Tenant::small();
    let host = Host::new("soak", &tenant);
    let rounds = asked.unwrap_or(if under_a_tool() { 10 } else { 150 });
    for seed in 1..=if asked.is_some() { 3 } else { 1 } {
        let said = host.run(&[&rounds.to_string(), &seed.to_string()]);
        let [threads, in_use, resident] = ["threads", "inUse", "resident"].map(|name| {
            let three = said[name].as_array().unwrap().iter().map(|n| n.as_u64().unwrap());
            three.collect::<Vec<_>>()
        });
        assert_eq!(threads, [1, 1, 1], "{said}");
        if under_a_tool() || std::env::var_os(FLAGS).is_some() {
            // The allocator is the tool's; leaks are its to find.
            continue;
        }
        assert!(said["drained"].as_u64() > Some(0) && said["cancelled"].as_u64() > Some(0), "{said}");
        // A round leaves nothing: 64 bytes each would be less than the smallest thing an operation owns, and a page is
        // what the C library's own lists may differ by.
        let grown = in_use[2].saturating_sub(in_use[1]);
        assert!(grown <= 4096 + 64 * (rounds / 2), "{grown} bytes more in use after the second half: {said}");
        // What the system sees moves by whole stacks of threads, which the C library keeps for the next one.
        let grown = resident[2].saturating_sub(resident[1]);
        assert!(grown <= 4 * 1024 * 1024, "{grown} bytes more resident after the second half: {said}");
    }
}
