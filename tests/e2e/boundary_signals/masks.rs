//! Which signals the library's threads and the host's own thread block, read from `/proc` in a process of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use host_harness::connector::{Connector, DoorKind, Next, StartRequest};
use host_harness::simulator::{Fault, FaultAction, Route, World};
use serde_json::{Value, json};

use crate::boundary_hosts::library;
use crate::child;
use crate::world::Tenant;

/// SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGPROF, SIGPWR and SIGSYS stay open; SIGKILL and
/// SIGSTOP always are.
const OPEN: [u32; 12] = [4, 5, 6, 7, 8, 11, 24, 27, 30, 31, 9, 19];

/// The signals from 1 to 31 that a thread blocks, one bit each. `None` if it has ended.
fn blocked(status: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"))?;
    u64::from_str_radix(mask.trim(), 16).ok().map(|mask| mask & 0x7fff_ffff)
}

fn tasks() -> BTreeSet<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks.map(|task| task.unwrap().file_name().into_string().unwrap()).collect()
}

fn of_host() -> u64 {
    blocked("/proc/thread-self/status").unwrap()
}

#[test]
#[ignore = "the other process of the test below"]
fn the_host() {
    let order = child::order();
    let text = |name: &str| order[name].as_str().unwrap();
    let door = if text("door") == "C" { DoorKind::C } else { DoorKind::AbiStable };
    let connector = Connector::load_through(std::path::Path::new(text("library")), door).unwrap();
    let request = |config| StartRequest { config, auth: text("auth"), ..StartRequest::default() };
    let mut host = vec![of_host()];
    connector.import(&request("{}")).unwrap_err();
    host.push(of_host());
    let before = tasks();
    let mut operation = connector.import(&request(text("config"))).unwrap();
    host.push(of_host());
    // The first connection breaks, so that a worker makes new ones, with threads of their own.
    while operation.progress().unwrap().retries == 0 {
        assert!(matches!(operation.next(Duration::from_millis(50)).unwrap(), Next::Pending | Next::Batch(_)));
    }
    let threads: Vec<Value> = tasks()
        .difference(&before)
        .filter_map(|task| {
            let name = std::fs::read_to_string(format!("/proc/self/task/{task}/comm")).ok()?;
            Some(json!({ "name": name.trim(), "blocked": blocked(&format!("/proc/self/task/{task}/status"))? }))
        })
        .collect();
    operation.cancel();
    drop(operation);
    host.push(of_host());
    child::answer(&json!({ "host": host, "threads": threads }));
}

#[test]
fn library_threads_block_signals_and_host_thread_keeps_its_mask_through_both_doors() {
    let all = 0x7fff_ffff & !OPEN.iter().map(|signal| 1 << (signal - 1)).sum::<u64>();
    for door in ["C", "Rust"] {
        let tenant = Tenant::of(World { users: 30, groups: 5, edges: 60, gzip: false, ..World::gentle() });
        tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::ConnectionReset));
        tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::SlowDrip { bytes: 1, delay_ms: 200 }));
        let order = json!({
            "library": library(), "config": tenant.config(), "auth": tenant.auth(), "door": door,
        });
        let found = child::run("boundary_signals::masks::the_host", &[], &order);
        let own = &found["host"].as_array().unwrap()[0];
        assert!(
            own.as_u64() != Some(all) && found["host"].as_array().unwrap().iter().all(|mask| mask == own),
            "{found}"
        );
        let threads = found["threads"].as_array().unwrap();
        let has = |name: &str| threads.iter().any(|thread| thread["name"].as_str().unwrap().starts_with(name));
        assert!(has("entra-operation") && has("entra-import") && has("reqwest-"), "{door}: {found}");
        let open: Vec<_> = threads.iter().filter(|thread| thread["blocked"] != all).collect();
        assert!(open.is_empty(), "{door}: {open:?} instead of {all}");
    }
}
