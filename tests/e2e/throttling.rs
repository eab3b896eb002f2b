//! 429 and 503 with every form of Retry-After, through the loaded library: survived, and in the end surfaced.

use connector_abi::*;
use host_harness::simulator::{Fault, FaultAction, Route, World};

use crate::world::Tenant;

/// One answer that asks to wait.
pub(crate) fn wait(route: Route, status: u16, retry_after: &str) -> Fault {
    Fault::once(route, FaultAction::retry_after(status, retry_after))
}

#[test]
fn every_form_of_retry_after_is_survived() {
    let past = "Fri, 01 Jan 2021 00:00:00 GMT";
    for status in [429, 503] {
        for form in ["0", "1", "0.05", "0,05", past, "soon", ""] {
            let tenant = Tenant::small();
            for route in [
                Route::Token,
                Route::USERS_DELTA,
                Route::GROUPS_DELTA,
                Route::GROUPS_LIST,
                Route::Batch,
                Route::MEMBERS,
            ] {
                tenant.sim.add_fault(wait(route, status, form));
            }
            tenant.import();
            tenant.assert_equals_truth();
        }
    }
}

#[test]
fn a_wait_without_retry_after_is_survived_too() {
    for status in [429, 503, 500, 502, 504] {
        let tenant = Tenant::small();
        for route in [Route::USERS_DELTA, Route::GROUPS_LIST, Route::Batch, Route::MEMBERS] {
            tenant.sim.add_fault(Fault::once(route, FaultAction::status(status)).times(2));
        }
        tenant.import();
        tenant.assert_equals_truth();
    }
}

#[test]
fn five_failures_are_survived_and_the_sixth_surfaces_with_graphs_request_id() {
    for (status, code) in [(429, "Throttled"), (503, "Service")] {
        let fails = |times| Fault::once(Route::USERS_DELTA, FaultAction::status(status)).times(times);
        let tenant = Tenant::small();
        tenant.sim.add_fault(fails(5));
        assert_eq!(tenant.pull(None).status, CONNECTOR_END);
        tenant.sim.add_fault(fails(6));
        tenant.requests();
        let pulled = tenant.pull(None);
        let error = pulled.failure("User");
        assert_eq!((pulled.status, error["Code"].as_str()), (CONNECTOR_END_PARTIAL, Some(code)), "{:#}", pulled.result);
        let failed: Vec<_> = tenant.requests().into_iter().filter(|x| x.route == Route::USERS_DELTA).collect();
        assert_eq!(failed.len(), 6, "five retries and no more");
        assert_eq!(error["Http"]["Status"], status);
        assert_eq!(
            error["Http"]["RequestId"].as_str(),
            failed[5].response_headers.get("request-id").map(String::as_str)
        );
        assert_eq!(pulled.of("Issue", "User").next().unwrap()["RequestId"], error["Http"]["RequestId"]);
    }
}

#[test]
fn one_throttled_item_of_a_batch_is_asked_again_alone() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(wait(Route::MEMBERS, 429, "0.01"));
    tenant.import();
    tenant.assert_equals_truth();
    let batches: Vec<usize> =
        tenant.requests().iter().filter(|x| x.route == Route::Batch).map(|x| x.items.len()).collect();
    assert_eq!(batches.iter().sum::<usize>(), 6, "five groups, one of them twice: {batches:?}");
}

#[test]
fn two_refusals_in_a_hundred_requests_fail_no_run() {
    for mode in ["Recompute", "Delta"] {
        let tenant = Tenant::of(World { users: 1_000, groups: 600, edges: 6_000, ..World::default() })
            .with("MembershipMode", mode);
        for n in 0..100 {
            let refused = Fault::once(Route::Any, FaultAction::retry_after(429, "0.02"));
            tenant.sim.add_fault(refused.after(7 + 47 * n));
        }
        for _ in 0..3 {
            let report = tenant.import_into("mesh.db", false);
            assert_eq!(report.status, CONNECTOR_END, "{mode}: {:#}", report.result);
        }
        tenant.assert_equals_truth();
        let journal = tenant.requests();
        let answers =
            journal.iter().map(|x| x.status).chain(journal.iter().flat_map(|x| &x.items).map(|item| item.status));
        let (refused, all) =
            answers.fold((0, 0), |(refused, all), status| (refused + usize::from(status == Some(429)), all + 1));
        assert!(refused * 100 >= all * 3 / 2, "{mode}: {refused} of {all} answers were refusals");
    }
}

#[test]
fn a_wait_is_counted_once_however_many_workers_waited() {
    let tenant = Tenant::new();
    tenant.sim.add_fault(wait(Route::Batch, 429, "1"));
    let pulled = tenant.pull(None);
    let throttled = pulled.result["ThrottledMs"].as_u64().unwrap();
    assert!((1000..2000).contains(&throttled), "{throttled}");
    assert!(pulled.result["Retries"].as_u64().unwrap() >= 1);
}

#[test]
fn a_group_whose_members_cannot_be_read_makes_the_run_partial_and_keeps_the_rest() {
    let tenant = Tenant::small();
    tenant.import();
    let group = tenant.mesh().objects("Group").unwrap()[0].source_id.clone();
    let edges = tenant.mesh().edges_of(&group).unwrap().len();
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(503)).on_url(&group));
    let report = tenant.import_into("mesh.db", false);
    assert_eq!(report.status, CONNECTOR_END_PARTIAL);
    assert_eq!(report.result["ObjectTypes"]["GroupMember"]["UnreadScopes"], 1);
    assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), edges, "an unread scope keeps its edges");
    tenant.assert_equals_truth();
}
