//! Cancel and release: at once for the host, soon for the threads behind it.
//!
//! How many milliseconds a cancel takes is measured by `cargo bench -p host-harness` and stands in docs/performance.md;
//! here it only must end, which a wait of an hour would not.

use std::time::{Duration, Instant};

use connector_abi::*;
use host_harness::connector::Next;
use host_harness::simulator::{Fault, FaultAction, Route};
use serde_json::Value;

use crate::throttling::wait;
use crate::world::Tenant;

/// Cancels while another thread stands in `OperationNext`, and takes what that thread and the result say.
fn cancel_inside_next(tenant: &Tenant) -> (Status, Value) {
    let mut operation = tenant.start(None).unwrap();
    let cancel = operation.cancel_handle();
    let status = std::thread::scope(|threads| {
        let inside = threads.spawn(|| {
            loop {
                match operation.next(Duration::MAX).unwrap() {
                    Next::Batch(_) => {}
                    Next::Failed(status) => return status,
                    other => panic!("{other:?}"),
                }
            }
        });
        // Until the fault has been met there is nothing to cancel out of.
        while !tenant.sim.journal().iter().any(|x| x.faulted) {
            std::thread::yield_now();
        }
        cancel.cancel();
        inside.join().unwrap()
    });
    (status, serde_json::from_str(&operation.result_json().unwrap()).unwrap())
}

#[test]
fn cancel_ends_a_retry_after_of_an_hour() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(wait(Route::USERS_DELTA, 429, "3600"));
    let (status, result) = cancel_inside_next(&tenant);
    assert_eq!((status, result["Outcome"].as_str()), (CONNECTOR_E_CANCELLED, Some("Cancelled")));
}

#[test]
fn cancel_ends_a_stalled_body() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::StallMidBody));
    let (status, result) = cancel_inside_next(&tenant);
    assert_eq!((status, result["Error"]["Code"].as_str()), (CONNECTOR_E_CANCELLED, Some("Cancelled")));
}

#[cfg(target_os = "linux")]
#[test]
fn cancel_waits_for_no_worker() {
    if run_alone("cancellation::cancel_waits_for_no_worker") {
        return;
    }
    let tenant = Tenant::small();
    // Once the simulator has the request, its sender waits for headers, where a blocking client cannot be interrupted.
    tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::StallBeforeHeaders));
    let (status, _) = cancel_inside_next(&tenant);
    assert_eq!(status, CONNECTOR_E_CANCELLED);
    assert!(!connector_threads().is_empty(), "one still waits for its headers, and the host did not wait for it");
}

/// Runs a test in a process of its own, where no other test's operations have threads. `false`: this is that process.
#[cfg(target_os = "linux")]
fn run_alone(test: &str) -> bool {
    if std::env::var_os("CONNECTOR_TEST_ALONE").is_some() {
        return false;
    }
    let alone = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env("CONNECTOR_TEST_ALONE", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&alone.stdout).into_owned() + &String::from_utf8_lossy(&alone.stderr);
    assert!(alone.status.success() && said.contains("1 passed"), "{said}");
    true
}

#[test]
fn a_cancelled_operation_drops_what_was_not_fetched_and_stays_cancelled() {
    let tenant = Tenant::small();
    let mut operation = tenant.start(None).unwrap();
    operation.cancel();
    operation.cancel();
    for _ in 0..2 {
        assert!(matches!(operation.next(Duration::ZERO).unwrap(), Next::Failed(CONNECTOR_E_CANCELLED)));
    }
    assert_eq!(operation.progress().unwrap().state, CONNECTOR_STATE_CANCELLED);
}

#[test]
fn a_cancel_after_the_end_changes_nothing() {
    let tenant = Tenant::small();
    let mut operation = tenant.start(None).unwrap();
    while matches!(operation.next(Duration::from_secs(60)).unwrap(), Next::Batch(_)) {}
    operation.cancel();
    assert!(matches!(operation.next(Duration::ZERO).unwrap(), Next::End { .. }));
}

/// Threads of this process that belong to operations of the connector or to its HTTP client.
#[cfg(target_os = "linux")]
fn connector_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(Result::unwrap);
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.map(|n| n.trim().to_owned()).filter(|n| n.starts_with("entra-") || n.starts_with("reqwest-")).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn release_without_draining_leaves_no_thread_behind() {
    if run_alone("cancellation::release_without_draining_leaves_no_thread_behind") {
        return;
    }
    let tenant = Tenant::new();
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::StallMidBody).after(1));
    let mut operation = tenant.start(None).unwrap();
    assert!(matches!(operation.next(Duration::from_secs(60)).unwrap(), Next::Batch(_)));
    assert!(!connector_threads().is_empty());
    drop(operation);
    // The read timeout is one minute; a thread that stands in a stalled body leaves with it.
    let deadline = Instant::now() + Duration::from_secs(90);
    while !connector_threads().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(connector_threads(), Vec::<String>::new());
}
