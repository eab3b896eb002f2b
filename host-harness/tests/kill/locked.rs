//! Two hosts on one store: the second says so and leaves it alone. A lock never outlives its holder.

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use host_harness::simulator::{Fault, FaultAction, Route, World};

use crate::hosts::{Hosts, everything, until};

/// Waits for the end. A second host that goes on would stand in the first one's wait; it is killed and fails the test.
fn ended(mut host: Child) -> Output {
    let since = Instant::now();
    while host.try_wait().unwrap().is_none() {
        if since.elapsed() > Duration::from_secs(60) {
            host.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    host.wait_with_output().unwrap()
}

#[test]
fn second_host_says_so_and_leaves_rows_watermark_and_history_alone() {
    let hosts = Hosts::of(World { users: 30, groups: 5, edges: 60, ..World::gentle() }, "Recompute");
    let store = hosts.folder.path().join("mesh.db");
    hosts.import(&store, false);
    // The first stands in front of its first answer for an hour.
    hosts.sim.add_fault(Fault::always(Route::Token, FaultAction::retry_after(429, "3600")));
    hosts.sim.clear_journal();
    let runs = everything(&store).iter().filter(|row| row.starts_with("run ")).count();
    let mut first = hosts.spawn(&store, false);
    until("the first host", || everything(&store).iter().filter(|row| row.starts_with("run ")).count() > runs);
    let before = everything(&store);
    for full in [false, true] {
        let second = ended(hosts.command(&store, full).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
        let said = String::from_utf8_lossy(&second.stderr);
        assert_eq!(second.status.code(), Some(1), "{said}");
        assert!(said.contains("another import is writing to") && said.contains("--store"), "{said}");
        assert_eq!(everything(&store), before, "the second host changed the store");
    }
    first.kill().unwrap();
    first.wait().unwrap();
    hosts.sim.clear_faults();
    // The lock went with its holder.
    hosts.import(&store, false);
    assert_eq!(hosts.differences(&store), "");
}
