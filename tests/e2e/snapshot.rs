//! `FullImportStrategy: Snapshot`: a first import from lists read side by side gives what the walk gives, or falls back
//! to it.
//!
//! The lists may be older than the delta link that was taken before them: what they missed comes with the run after,
//! which reads everything again.

use connector_abi::{CONNECTOR_END, CONNECTOR_END_PARTIAL};
use host_harness::simulator::{Change, Delta, Exchange, Fault, FaultAction, Kind, Lists, Route, World};
use serde_json::{Value, json};

use crate::relay::Relay;
use crate::world::{Pulled, Tenant};

fn world() -> World {
    World { users: 2600, deleted_users: 9, groups: 300, edges: 600, large_group: None, ..World::default() }
}

/// Small pages, so that there is something to cut.
fn snapshot(world: World) -> Tenant {
    Tenant::of(world).with("FullImportStrategy", "Snapshot").with("PageSize", 50)
}

/// Lines of one object type without the name of their set, sorted, each once.
fn objects(pulled: &Pulled, object_type: &str) -> Vec<String> {
    let mut lines: Vec<_> = pulled.of("Upsert", object_type).map(Value::to_string).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

fn warnings(pulled: &Pulled) -> String {
    pulled.result["Warnings"].to_string()
}

fn lists(seen: &[Exchange]) -> usize {
    seen.iter().filter(|x| matches!(x.route, Route::USERS_LIST)).count()
}

#[test]
fn a_snapshot_gives_the_records_of_the_walk() {
    let walked = Tenant::of(world()).pull(None);
    let listed = snapshot(world()).pull(None);
    assert_eq!((walked.status, listed.status), (CONNECTOR_END, CONNECTOR_END));
    for object_type in ["User", "Group"] {
        assert!(objects(&walked, object_type) == objects(&listed, object_type), "{object_type}");
    }
    assert!(!warnings(&listed).contains("SnapshotNotWhole"), "{}", warnings(&listed));
}

#[test]
fn a_snapshot_lists_everybody_once_and_walks_no_feed() {
    let delta = Delta { empty_pages: false, ..Delta::default() };
    let tenant = snapshot(World { delta, ..world() });
    let pulled = tenant.pull(None);
    let seen = tenant.requests();
    let feed = |kind| seen.iter().filter(move |x| x.feed == Some(kind)).count();
    assert_eq!((feed(Kind::User), feed(Kind::Group)), (2, 2), "a link, and the round from it");
    assert!(lists(&seen) > 2600 / 50, "{} lists", lists(&seen));
    assert_eq!(
        pulled.of("Upsert", "User").count(),
        objects(&pulled, "User").len(),
        "whoever stands at a cut comes once"
    );
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn the_run_after_a_snapshot_walks_the_feed_whatever_the_days_say() {
    let tenant = snapshot(world()).with("FullReconcileDays", 0);
    tenant.import();
    tenant.sim.apply(&tenant.sim.random_changes(5, 60)).unwrap();
    let second = tenant.import();
    let third = tenant.import();
    let mode = |result: &Value| result["ObjectTypes"]["User"]["Mode"].clone();
    assert_eq!((mode(&second.result), mode(&third.result)), (json!("Full"), json!("Delta")));
    tenant.assert_equals_truth();
}

#[test]
fn what_changes_while_the_lists_are_read_is_drained_from_the_link_taken_before() {
    let tenant = snapshot(World { groups: 2, edges: 4, ..world() }).with("MaxConcurrency", 1);
    // All over the tenant, in ranges that were listed by then and in ranges that were not.
    let delete = (1..40).map(|n| Change::delete_user(format!("#{}", n * 60))).collect::<Vec<_>>();
    tenant.sim.on_request(60, delete);
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END);
    assert_eq!((pulled.of("Delete", "User").count(), warnings(&pulled)), (39, "[]".to_owned()));
    let known = objects(&pulled, "User").len();
    assert!(known > 2561 && known < 2600, "{known} were listed, some of them before they were deleted");
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn lists_that_are_not_the_whole_are_replaced_by_the_walk() {
    let tenant = snapshot(world());
    let relay = Relay::before(&tenant.sim.origin());
    let mut emptied = false;
    relay.rewrite(move |asked, answered| {
        // One range answers as if nobody were in it: the sum is no longer the count.
        if asked.target.starts_with("/v1.0/users?") && asked.target.contains("$top=50") && !emptied {
            emptied = true;
            answered.set_json(&json!({ "value": [] }));
        }
    });
    let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END);
    assert!(warnings(&pulled).contains("SnapshotNotWhole"), "{}", warnings(&pulled));
    assert_eq!(objects(&pulled, "User").len(), 2600);
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_graph_that_refuses_ranges_is_walked() {
    let tenant = snapshot(world());
    tenant.sim.add_fault(Fault::always(Route::USERS_LIST, FaultAction::status(400)).on_url("$orderby"));
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END);
    assert!(warnings(&pulled).contains("SnapshotNotWhole") && objects(&pulled, "User").len() == 2600);
}

/// Graph's documents have said at times that it does not compare names in a plain list.
#[test]
fn graph_that_refuses_the_list_of_a_range_is_walked() {
    for status in [400, 501] {
        let tenant = snapshot(world()).with("MaxRetries", 0);
        tenant.sim.add_fault(Fault::always(Route::USERS_LIST, FaultAction::status(status)).on_url("$top=50"));
        assert_walks(&tenant);
    }
}

#[test]
fn graph_that_refuses_a_link_without_rows_is_walked() {
    for status in [400, 501] {
        let tenant = snapshot(world()).with("MaxRetries", 0);
        let latest = Fault::always(Route::USERS_DELTA, FaultAction::status(status)).on_url("$deltatoken=latest");
        tenant.sim.add_fault(latest);
        assert_walks(&tenant);
    }
}

#[test]
fn graph_that_brings_rows_with_the_link_is_walked() {
    let tenant = snapshot(world());
    let relay = Relay::before(&tenant.sim.origin());
    relay.rewrite(|asked, answered| {
        if asked.target.contains("/users/delta?") && asked.target.contains("=latest") {
            let mut page = answered.json();
            page["value"] = json!([{ "id": "0a1b2c3d-0000-4000-8000-00000000beef" }]);
            answered.set_json(&page);
        }
    });
    let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
    assert_walks(&tenant);
    assert_eq!(
        relay.seen().iter().filter(|asked| asked.target.contains("=latest")).count(),
        2,
        "users and groups, once"
    );
}

/// Fails unless users come by the feed, all of them, and the Warning does not blame the operator's filter.
#[track_caller]
fn assert_walks(tenant: &Tenant) {
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END, "{:#}", pulled.result);
    let told = warnings(&pulled);
    assert!(told.contains("SnapshotNotWhole") && !told.contains("correct it"), "{told}");
    assert_eq!(objects(&pulled, "User").len(), 2600);
}

/// As many users come as go: the count stays the same, and what the lists bring does not.
fn comings_and_goings() -> Vec<Change> {
    let user = |n: u32| json!({ "userPrincipalName": format!("zz{n}@contoso.com"), "displayName": "Zoe" });
    let come = (0..60).map(|n| Change::add_user(user(n).as_object().unwrap().clone()));
    (1..=60).map(|n| Change::delete_user(format!("#{}", n * 40))).chain(come).collect()
}

#[test]
fn tenant_that_gains_and_loses_objects_while_it_is_listed_keeps_its_snapshot() {
    let tenant = snapshot(World { groups: 2, edges: 4, ..world() }).with("MaxConcurrency", 1);
    tenant.sim.on_request(60, comings_and_goings());
    let pulled = tenant.pull(None);
    assert_eq!((pulled.status, warnings(&pulled)), (CONNECTOR_END, "[]".to_owned()));
    assert!(tenant.sim.impossible_changes().is_empty(), "{:?}", tenant.sim.impossible_changes());
    let known = objects(&pulled, "User").len();
    assert!(known > 2600 && known < 2660, "{known} users came; the lists alone do not bring 2600");
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn lists_that_leave_objects_out_are_replaced_by_the_walk_although_the_tenant_changes() {
    let tenant = snapshot(World { groups: 2, edges: 4, ..world() }).with("MaxConcurrency", 1);
    let relay = Relay::before(&tenant.sim.origin());
    let mut cut = false;
    relay.rewrite(move |asked, answered| {
        if asked.target.starts_with("/v1.0/users?") && asked.target.contains("$top=50") && !cut {
            cut = true;
            let mut page = answered.json();
            page["value"].as_array_mut().unwrap().pop();
            answered.set_json(&page);
        }
    });
    tenant.sim.on_request(60, comings_and_goings());
    let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END);
    assert!(warnings(&pulled).contains("SnapshotNotWhole"), "one user is missing: {}", warnings(&pulled));
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_range_that_cannot_be_read_ends_the_type_and_keeps_no_link() {
    let tenant = snapshot(world()).with("MaxRetries", 0);
    tenant.sim.add_fault(Fault::always(Route::USERS_LIST, FaultAction::status(500)).on_url("$top=50"));
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END_PARTIAL);
    assert!(!pulled.watermark().contains("\"u\""), "{}", pulled.watermark());
    tenant.sim.clear_faults();
    assert_eq!(tenant.pull(Some(pulled.watermark())).of("Upsert", "User").count(), 2600, "it begins anew");
}

#[test]
fn deleted_users_come_first_where_memberships_follow_the_feed() {
    let tenant = snapshot(world()).with("MembershipMode", "Delta");
    let pulled = tenant.pull(None);
    assert_eq!(pulled.of("Delete", "User").count(), 9);
    let seen = tenant.requests();
    assert!(seen.iter().all(|x| x.route != Route::GROUPS_LIST), "groups come with their members by the feed");
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn lists_that_lag_are_made_good_by_the_next_run() {
    let lists = Lists { lag_changes: 30, varying_lag: true, ..Lists::default() };
    let tenant = snapshot(World { lists, ..world() });
    tenant.sim.apply(&tenant.sim.random_changes(11, 200)).unwrap();
    tenant.import();
    tenant.sim.settle();
    tenant.import();
    tenant.assert_equals_truth();
}
