//! What a row of a change feed says, and what it does not: absent is not null, a page is not the end, twice is once.

use std::collections::BTreeMap;

use connector_abi::*;
use host_harness::simulator::{Change, Delta, Exchange, Fault, FaultAction, FaultBody, Kind, Route, World};
use serde_json::json;

use super::{few, paged, properties};
use crate::relay::Relay;
use crate::world::Tenant;

/// A gentle world but for what its feeds do.
fn feeds(delta: Delta) -> World {
    World { delta, ..few() }
}

fn gentle() -> Delta {
    World::gentle().delta
}

#[test]
fn an_attribute_that_a_row_leaves_out_is_unchanged_and_one_that_is_null_is_cleared() {
    let tenant = Tenant::of(feeds(Delta { lean_rows: true, ..gentle() }));
    let user = tenant.sim.user_id(3);
    let change = |value| Change::update_user(user.clone(), properties(value));
    tenant.sim.apply(&[change(json!({"department": "Sales", "jobTitle": "Clerk"}))]).unwrap();
    tenant.import();
    tenant.follows(&[change(json!({"department": null}))]);
    let attributes = tenant.mesh().object("User", &user).unwrap().unwrap().attributes;
    assert_eq!((attributes.get("department"), &attributes["jobTitle"]), (None, &json!("Clerk")));
}

#[test]
fn absent_from_a_full_row_is_null_and_absent_from_a_changed_row_is_absent() {
    let tenant = Tenant::of(feeds(Delta { lean_rows: true, ..gentle() }));
    let user = tenant.sim.user_id(3);
    let full = tenant.pull(None);
    let image = full.of("Upsert", "User").find(|row| row["SourceId"] == user.as_str()).unwrap();
    assert_eq!(image["Attributes"].as_object().unwrap().len(), 14, "every attribute that Begin names");
    tenant.sim.apply(&[Change::update_user(user, properties(json!({"jobTitle": "Clerk"})))]).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    assert_eq!(delta.of("Upsert", "User").next().unwrap()["Attributes"], json!({"jobTitle": "Clerk"}));
}

#[test]
fn removed_rows_of_the_first_round_make_no_stubs_and_fail_nothing() {
    let world =
        World { deleted_users: 8, deleted_groups: 3, ..feeds(Delta { removed_in_first_round: true, ..gentle() }) };
    let tenant = Tenant::of(world);
    let full = tenant.pull(None);
    assert!(full.of("Delete", "User").count() >= 8, "the trap is set");
    tenant.import();
    tenant.assert_equals_truth();
    assert_eq!(tenant.mesh().objects("User").unwrap().len(), 30, "nobody who was never known");
}

#[test]
fn rows_that_come_again_on_a_later_page_change_nothing() {
    let tenant = Tenant::of(World { delta: Delta { duplicates: true, ..paged().delta }, ..paged() });
    let full = tenant.pull(None);
    assert!(full.of("Upsert", "User").count() > 50, "the trap is set");
    tenant.import();
    tenant.follows(&tenant.sim.demo_changes());
}

#[test]
fn changes_that_a_later_round_repeats_change_nothing() {
    for mode in ["Recompute", "Delta"] {
        let tenant = Tenant::of(feeds(Delta { replayed_changes: 20, ..gentle() })).with("MembershipMode", mode);
        tenant.import();
        for seed in 1..4 {
            tenant.follows(&tenant.sim.random_changes(seed, 15));
        }
    }
}

#[test]
fn an_empty_page_is_not_the_end() {
    let tenant = Tenant::of(World { delta: Delta { empty_pages: true, ..paged().delta }, ..paged() });
    tenant.import();
    assert!(tenant.requests_of(Kind::User).iter().any(|page| page.rows == 0 && page.sequence > 1));
    tenant.assert_equals_truth();
    tenant.follows(&tenant.sim.demo_changes());
}

#[test]
fn the_page_size_goes_to_lists_and_never_to_feeds() {
    let tenant = Tenant::of(paged()).with("PageSize", 7);
    tenant.import();
    let seen = tenant.requests();
    let (feeds, others): (Vec<_>, Vec<_>) =
        seen.iter().flat_map(Exchange::asked).partition(|asked| asked.feed.is_some());
    assert!(feeds.iter().all(|page| !page.url.contains("top=")));
    let firsts = others.iter().filter(|asked| matches!(asked.route, Route::GROUPS_LIST | Route::MEMBERS));
    assert!(firsts.clone().count() > 9 && firsts.clone().all(|asked| asked.url.contains("top=7")));
}

#[test]
fn properties_no_feed_can_carry_are_refused_by_name_before_any_request() {
    for (name, why) in [("signInActivity", "delta"), ("aboutMe", "delta")] {
        let tenant = Tenant::small().with("UserAttributes", json!(["employeeId", name]));
        let (status, error) = tenant.refused(None);
        assert_eq!((status, &error["Problems"][0]["Path"]), (CONNECTOR_E_INVALID_CONFIG, &json!("/UserAttributes/1")));
        assert!(error.to_string().contains(name) && error.to_string().contains(why), "{error:#}");
        assert!(tenant.requests().is_empty());
    }
}

#[test]
fn a_tenant_whose_changes_cannot_be_enumerated_is_told_in_graphs_words() {
    let tenant = Tenant::small();
    let body = FaultBody::GraphError {
        code: "Request_UnsupportedQuery".into(),
        message: "Change enumeration is not supported for requested tenant.".into(),
    };
    let refused = FaultAction::Status { code: 400, body, headers: BTreeMap::new() };
    for route in [Route::USERS_DELTA, Route::GROUPS_DELTA] {
        tenant.sim.add_fault(Fault::always(route, refused.clone()));
    }
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END_PARTIAL);
    let issue = pulled.of("Issue", "User").next().unwrap();
    assert!(issue["Message"].as_str().unwrap().contains("Change enumeration is not supported"), "{issue:#}");
    assert_eq!(tenant.sim.count(|asked| asked.route == Route::USERS_DELTA), 1, "not asked again and again");
}

#[test]
fn links_with_plus_signs_come_back_as_they_were_given() {
    let world = World { delta: Delta { plus_in_tokens: true, ..paged().delta }, ..paged() };
    let tenant = Tenant::of(world);
    tenant.import();
    assert!(tenant.requests_of(Kind::User).iter().any(|page| page.url.contains('+')), "the trap is set");
    tenant.follows(&tenant.sim.demo_changes());
}

#[test]
fn row_without_an_id_is_reported_and_costs_no_other_row() {
    let tenant = Tenant::of(few());
    let relay = Relay::before(&tenant.sim.origin());
    let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
    relay.rewrite(|asked, answered| {
        if asked.target.contains("/users/delta") {
            let mut page = answered.json();
            page["value"].as_array_mut().unwrap().insert(0, json!({"displayName": "of nothing"}));
            answered.set_json(&page);
        }
    });
    let report = tenant.import();
    assert!(report.issues().iter().any(|issue| issue.code == "RowWithoutId"), "{:?}", report.issues());
    tenant.assert_equals_truth();
}
