//! HTTP/2 over TLS, which is what Graph speaks: all requests of an import share one connection.
//!
//! The other tests run over plain HTTP/1.1, where each worker has a connection of its own. What differs is what breaks
//! together: a reset costs every request under way, a stall only its own.

use std::time::Duration;

use connector_abi::CONNECTOR_END;
use host_harness::connector::Next;
use host_harness::simulator::{Fault, FaultAction, Route, World};
use serde_json::Value;

use crate::world::{Tenant, records};

/// A tenant behind TLS that speaks HTTP/2, or does not.
fn over_tls(http2: bool, world: World) -> Tenant {
    let tenant = Tenant::of(World { https: true, http2, ..world });
    let authority = tenant.folder().join("ca.pem");
    std::fs::write(&authority, tenant.sim.ca_pem().unwrap()).unwrap();
    tenant.with("CaFile", authority.to_str().unwrap())
}

fn gentle() -> World {
    World { users: 40, groups: 25, edges: 120, ..World::gentle() }
}

#[test]
fn every_request_over_tls_is_http2_and_one_connection_carries_them_all() {
    for (http2, protocol) in [(true, "HTTP/2.0"), (false, "HTTP/1.1")] {
        let tenant = over_tls(http2, World::default());
        tenant.import();
        tenant.assert_equals_truth();
        let journal = tenant.requests();
        let of = |route| journal.iter().filter(|asked| asked.route == route).count();
        assert!(
            [Route::Token, Route::USERS_DELTA, Route::GROUPS_DELTA, Route::Batch].iter().all(|route| of(*route) > 0)
        );
        let odd: Vec<_> = journal.iter().filter(|asked| asked.protocol != protocol).collect();
        assert!(odd.is_empty(), "{odd:?}");
        assert!(!http2 || tenant.sim.connections() == 1, "{} connections", tenant.sim.connections());
    }
}

#[test]
fn an_import_brings_the_same_records_over_both() {
    let [two, one] = [true, false].map(|http2| {
        let mut pulled = over_tls(http2, World { clock_start: Some(1_700_000_000), ..World::default() }).pull(None);
        assert_eq!(pulled.status, CONNECTOR_END, "{:#}", pulled.result);
        // A set's id is made up anew each time.
        pulled.records.iter_mut().for_each(|record| record["SetId"] = Value::Null);
        let mut records: Vec<_> = pulled.records.iter().map(Value::to_string).collect();
        records.sort();
        records
    });
    let differing: Vec<_> = two.iter().zip(&one).filter(|(two, one)| two != one).collect();
    assert!(two.len() == one.len() && differing.is_empty(), "{} and {} records: {differing:#?}", two.len(), one.len());
}

#[test]
fn a_break_of_the_shared_connection_costs_no_row() {
    let broken = [
        FaultAction::ConnectionReset,
        FaultAction::ResetMidBody,
        FaultAction::StallThenReset { after_ms: 50 },
        FaultAction::SlowDrip { bytes: 200, delay_ms: 1 },
        FaultAction::GzipDamage,
        FaultAction::status(503),
    ];
    for action in broken {
        // The others are under way when it breaks.
        let tenant = over_tls(true, World { latency_ms: 5, ..gentle() });
        let struck = [Route::Token, Route::USERS_DELTA, Route::GROUPS_DELTA, Route::GROUPS_LIST, Route::Batch];
        for route in struck {
            tenant.sim.add_fault(Fault::once(route, action.clone()));
        }
        tenant.import();
        tenant.assert_equals_truth();
        let journal = tenant.requests();
        let met = |route: &Route| journal.iter().any(|asked| asked.route == *route && asked.faulted);
        assert!(struck.iter().all(met), "{action:?} was not met everywhere");
        assert!(journal.iter().all(|asked| asked.protocol == "HTTP/2.0"));
    }
}

#[test]
fn a_stalled_page_holds_back_no_other_feed_of_its_connection() {
    let tenant = over_tls(true, gentle());
    tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::StallMidBody));
    let mut operation = tenant.start(None).unwrap();
    let mut open = vec!["Group", "GroupMember"];
    while !open.is_empty() {
        let batch = match operation.next(Duration::from_secs(120)).unwrap() {
            Next::Batch(batch) => batch,
            other => panic!("{open:?} did not end: {other:?}"),
        };
        let ended = |object_type: &str| {
            records(&batch).iter().any(|record| record["Kind"] == "End" && record["ObjectType"] == object_type)
        };
        open.retain(|object_type| !ended(object_type));
    }
    // A connector that had given up on the stall would have gone on in a second one.
    assert_eq!(tenant.sim.connections(), 1);
}
