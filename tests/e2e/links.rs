//! Links out of answers: never followed in circles; and what a run that fails half-way leaves in the watermark. That
//! they lead nowhere else is `origins`.

use std::time::Duration;

use connector_abi::*;
use host_harness::connector::Next;
use host_harness::simulator::{Fault, FaultAction, Route, World};
use serde_json::Value;

use crate::world::{Tenant, records};

#[test]
fn a_next_link_that_comes_twice_ends_the_walk_after_three_restarts() {
    let types = ["User", "Group", "GroupMember"];
    for (route, object_type) in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::GROUPS_LIST].into_iter().zip(types) {
        let tenant = Tenant::new().with("PageSize", 20);
        tenant.sim.add_fault(Fault::always(route, FaultAction::RepeatedNextLink).after(1));
        let report = tenant.import_into("mesh.db", true);
        assert_eq!(report.status, CONNECTOR_END_PARTIAL, "{route:?}");
        let message = report.result["ObjectTypes"][object_type]["Error"]["Message"].as_str().unwrap();
        assert!(message.contains("twice") && message.contains("3 times"), "{message}");
    }
}

#[test]
fn members_whose_next_link_comes_twice_are_an_unread_scope() {
    let tenant = Tenant::new().with("PageSize", 20);
    let large = tenant.sim.truth().members().fold(std::collections::BTreeMap::<_, u32>::new(), |mut sizes, edge| {
        *sizes.entry(edge.parent).or_default() += 1;
        sizes
    });
    let (group, _) = large.into_iter().find(|(_, size)| *size > 100).unwrap();
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::RepeatedNextLink).on_url(&group).after(1));
    let report = tenant.import_into("mesh.db", true);
    assert_eq!(
        (report.status, &report.result["ObjectTypes"]["GroupMember"]["UnreadScopes"]),
        (CONNECTOR_END_PARTIAL, &1.into())
    );
    assert!(report.tally.issues.iter().any(|issue| issue.message.contains("twice")));
}

#[test]
fn a_type_that_fails_keeps_its_place_and_the_others_move() {
    let tenant = Tenant::small().with("MaxRetries", 0);
    let before: Value = serde_json::from_str(tenant.pull(None).watermark()).unwrap();
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::status(500)));
    let failed = tenant.pull(Some(&before.to_string()));
    assert_eq!(failed.status, CONNECTOR_END_PARTIAL);
    let after: Value = serde_json::from_str(failed.watermark()).unwrap();
    assert_eq!(
        (&after["u"], &after["x"]["types"]["User"]),
        (&before["u"], &before["x"]["types"]["User"]),
        "what was not delivered is asked for again"
    );
    assert_ne!(after["g"], before["g"], "what was delivered is not");
    assert_eq!(failed.result["Watermark"].as_str(), Some(failed.watermark()));
}

#[test]
fn a_failed_delta_is_made_good_by_the_next_run() {
    let tenant = Tenant::new().with("MaxRetries", 0);
    tenant.import();
    tenant.sim.apply(&tenant.sim.demo_changes()).unwrap();
    for route in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::Batch] {
        tenant.sim.add_fault(Fault::once(route, FaultAction::status(500)));
        assert_eq!(tenant.import_into("mesh.db", false).status, CONNECTOR_END_PARTIAL);
        tenant.sim.clear_faults();
    }
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_checkpoint_covers_only_types_whose_end_came_before_or_with_it() {
    let tenant = Tenant::of(World { users: 900, groups: 200, ..World::default() });
    let mut operation = tenant.start(None).unwrap();
    let mut ended = Vec::new();
    let mut checkpoints = 0;
    while let Next::Batch(batch) = operation.next(Duration::from_secs(60)).unwrap() {
        ended.extend(
            records(&batch)
                .into_iter()
                .filter(|r| r["Kind"] == "End")
                .map(|r| r["ObjectType"].as_str().unwrap().to_owned()),
        );
        if let Some(checkpoint) = &batch.checkpoint {
            checkpoints += 1;
            let mark: Value = serde_json::from_str(checkpoint).unwrap();
            for (key, object_type) in [("u", "User"), ("g", "Group")] {
                assert_eq!(
                    mark.get(key).is_some(),
                    ended.iter().any(|e| e == object_type),
                    "{object_type} at {ended:?}"
                );
            }
        }
    }
    assert_eq!(checkpoints, 3, "one with each End");
}

#[test]
fn transient_damage_of_every_kind_is_survived() {
    let damages = [
        FaultAction::ConnectionReset,
        FaultAction::ResetMidBody,
        FaultAction::TruncatedJson,
        FaultAction::WrongJsonType,
        FaultAction::GzipDamage,
        FaultAction::InvalidToken,
        FaultAction::SlowDrip { bytes: 4000, delay_ms: 1 },
    ];
    for damage in damages {
        let tenant = Tenant::small();
        for route in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::GROUPS_LIST, Route::Batch] {
            tenant.sim.add_fault(Fault::once(route, damage.clone()));
        }
        let report = tenant.import_into("mesh.db", false);
        assert_eq!(report.status, CONNECTOR_END, "{damage:?}: {:#}", report.error);
        tenant.assert_equals_truth();
    }
}
