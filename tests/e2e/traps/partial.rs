//! One object type, one group, one answer fails: only that is lost, it is said so, and the next run makes it good.
//!
//! A partial result never looks like a whole one, and a failed type never costs another its place.

use std::collections::BTreeMap;

use connector_abi::*;
use host_harness::simulator::{Call, Delta, Fault, FaultAction, FaultBody, Route, SignIn, World};
use serde_json::{Value, json};

use super::{few, mode, paged};
use crate::world::Tenant;

/// The requests without which an object type cannot be read.
const NEEDS: [(Route, &str); 3] =
    [(Route::USERS_DELTA, "User"), (Route::GROUPS_DELTA, "Group"), (Route::GROUPS_LIST, "GroupMember")];

#[test]
fn each_type_fails_alone_and_the_next_run_makes_it_good() {
    for (route, object_type) in NEEDS {
        let tenant = Tenant::of(few()).with("MaxRetries", 0);
        tenant.import();
        tenant.sim.apply(&tenant.sim.demo_changes()).unwrap();
        tenant.sim.add_fault(Fault::always(route, FaultAction::RequestDenied));
        let report = tenant.import_in_part();
        for (_, other) in NEEDS {
            assert_eq!(report.result["ObjectTypes"][other]["Complete"], other != object_type, "{object_type}: {other}");
        }
        let issue = &report.issues()[0];
        assert_eq!((issue.object_type.as_deref(), issue.code.as_str()), (Some(object_type), "Forbidden"));
        assert!(issue.request_id.is_some() && issue.message.contains("Read.All"), "{issue:?}");
        assert!(report.error.is_null(), "a partial result is no failure: {:#}", report.error);
        tenant.sim.clear_faults();
        assert_eq!(mode(&tenant.import().result, "User"), "Delta");
        tenant.assert_equals_truth();
    }
}

#[test]
fn a_run_in_which_nothing_completed_is_failed_with_the_error_of_the_first_type() {
    let tenant = Tenant::of(few()).with("MaxRetries", 0);
    for ((route, _), action) in
        NEEDS.into_iter().zip([FaultAction::RequestDenied, FaultAction::status(503), FaultAction::status(500)])
    {
        tenant.sim.add_fault(Fault::always(route, action));
    }
    let pulled = tenant.pull(None);
    assert_eq!((pulled.status, &pulled.result["Outcome"]), (CONNECTOR_E_FORBIDDEN, &json!("Failed")));
    assert_eq!(pulled.error()["ObjectType"], "User");
    assert!(NEEDS.iter().all(|(_, object_type)| pulled.end(object_type)["Complete"] == false));
}

#[test]
fn an_end_says_incomplete_and_removes_nothing_of_a_type_that_failed() {
    let tenant = Tenant::of(paged()).with("MaxRetries", 0);
    tenant.import();
    let before = tenant.mesh().objects("User").unwrap().len();
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::status(500)).at(Call::NextLink));
    let report = tenant.import_into("mesh.db", true);
    assert_eq!(
        (report.status, &report.result["ObjectTypes"]["User"]["Complete"]),
        (CONNECTOR_END_PARTIAL, &json!(false))
    );
    assert_eq!(tenant.mesh().objects("User").unwrap().iter().filter(|user| !user.hidden).count(), before);
}

#[test]
fn a_missing_licence_costs_the_type_that_needs_it_and_no_other() {
    for (code, status) in
        [("AadPremiumLicenseRequired", 400), ("Authentication_RequestFromNonPremiumTenantOrB2CTenant", 403)]
    {
        let tenant = Tenant::of(few()).with("MaxRetries", 0);
        let body = FaultBody::GraphError { code: code.into(), message: "The tenant has no premium licence.".into() };
        let refused = FaultAction::Status { code: status, body, headers: BTreeMap::new() };
        tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, refused));
        let pulled = tenant.pull(None);
        assert_eq!((pulled.status, &pulled.end("User")["Complete"]), (CONNECTOR_END_PARTIAL, &json!(false)), "{code}");
        assert_eq!(pulled.end("GroupMember")["Complete"], true);
        assert!(pulled.of("Issue", "User").next().unwrap()["Message"].as_str().unwrap().contains("licence"));
    }
}

#[test]
fn a_group_that_answers_404_is_skipped_and_most_of_them_are_not() {
    let tenant = Tenant::of(World { groups: 30, ..few() });
    tenant.import();
    for number in 0..20 {
        for route in [Route::MEMBERS, Route::GROUP] {
            tenant.sim.add_fault(Fault::always(route, FaultAction::NotFound).on_object(tenant.sim.group_id(number)));
        }
    }
    let report = tenant.import_in_part();
    assert!(report.issues()[0].message.contains("more than half"), "{:?}", report.issues());
    tenant.assert_equals_truth();
    tenant.sim.clear_faults();
    let group = tenant.sim.group_id(0);
    for route in [Route::MEMBERS, Route::GROUP] {
        tenant.sim.add_fault(Fault::always(route, FaultAction::NotFound).on_object(&group));
    }
    tenant.import();
    assert!(tenant.mesh().edges("GroupMember").unwrap().iter().all(|edge| edge.ends[0] != group));
}

#[test]
fn answers_of_gateways_are_no_second_failure() {
    for body in [FaultBody::Html, FaultBody::Empty, FaultBody::TruncatedJson] {
        for code in [502, 504] {
            let tenant = Tenant::of(few());
            let answer = FaultAction::Status { code, body: body.clone(), headers: BTreeMap::new() };
            for route in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::GROUPS_LIST, Route::Batch, Route::MEMBERS] {
                tenant.sim.add_fault(Fault::once(route, answer.clone()));
            }
            tenant.import();
            tenant.assert_equals_truth();
        }
    }
}

#[test]
fn an_error_without_a_body_still_says_what_happened_and_where() {
    let tenant = Tenant::of(few()).with("MaxRetries", 0);
    let answer = FaultAction::Status { code: 504, body: FaultBody::Empty, headers: BTreeMap::new() };
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, answer));
    let pulled = tenant.pull(None);
    let issue = pulled.of("Issue", "User").next().unwrap();
    assert!(issue["Message"].as_str().unwrap().contains("504") && issue["RequestId"].is_string(), "{issue:#}");
}

#[test]
fn a_token_that_dies_in_mid_run_is_renewed_once_and_the_page_asked_for_again() {
    let tenant = Tenant::of(paged());
    tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::InvalidToken).at(Call::NextLink).after(1));
    tenant.import();
    tenant.assert_equals_truth();
    let seen = tenant.requests();
    assert_eq!(seen.iter().filter(|x| x.route == Route::Token).count(), 2);
    let refused = seen.iter().position(|x| x.status == Some(401)).unwrap();
    assert_eq!(seen[refused..].iter().filter(|x| x.url == seen[refused].url).count(), 2, "the same page");
}

#[test]
fn import_that_outlives_its_token_asks_for_another() {
    let sign_in = SignIn { token_seconds: Some(2), ..SignIn::default() };
    let delta = Delta { user_page: 5, ..paged().delta };
    // Ten pages of users, one behind the other, last longer than a token.
    let tenant = Tenant::of(World { sign_in, delta, latency_ms: 300, ..paged() });
    tenant.import();
    tenant.assert_equals_truth();
    let tokens = tenant.requests().iter().filter(|x| x.route == Route::Token).count();
    assert!(tokens > 1, "{tokens} token for an import that outlives it");
}

#[test]
fn recycle_bin_that_cannot_be_read_is_reported_and_costs_no_row() {
    for (route, object_type) in [(Route::DELETED_USERS, "User"), (Route::DELETED_GROUPS, "Group")] {
        let world = World { deleted_users: 2, deleted_groups: 2, ..few() };
        let tenant = Tenant::of(world).with("MembershipMode", "Delta").with("MaxRetries", 0);
        tenant.sim.add_fault(Fault::always(route, FaultAction::RequestDenied));
        let report = tenant.import_in_part();
        let told: Vec<_> = report.issues().iter().map(|it| (it.code.as_str(), it.object_type.as_deref())).collect();
        assert_eq!(told, [("RecycleBinUnread", Some(object_type))]);
        assert!(report.issues()[0].message.contains("Read.All"), "{:?}", report.issues());
        assert_eq!(report.result["ObjectTypes"][object_type]["Complete"], true, "the feed itself was read");
        tenant.assert_equals_truth();
    }
}

#[test]
fn a_cut_group_delivers_what_came_and_says_that_it_is_cut() {
    let tenant =
        Tenant::of(World { large_group: Some(200), users: 300, ..few() }).with("PageSize", 50).with("MaxRetries", 0);
    let group = tenant.sim.truth().members().fold(BTreeMap::<String, u32>::new(), |mut sizes, edge| {
        *sizes.entry(edge.parent).or_default() += 1;
        sizes
    });
    let (group, _) = group.into_iter().max_by_key(|(_, size)| *size).unwrap();
    tenant.sim.add_fault(
        Fault::always(Route::MEMBERS, FaultAction::status(500)).on_object(&group).at(Call::NextLink).after(1),
    );
    let pulled = tenant.pull(None);
    let scope: &Value = pulled.of("Scope", "GroupMember").find(|scope| scope["Scope"] == group.as_str()).unwrap();
    assert_eq!(
        (pulled.status, &scope["Complete"], &scope["Rows"]),
        (CONNECTOR_END_PARTIAL, &json!(false), &json!(100))
    );
    assert_eq!(
        pulled.of("Upsert", "GroupMember").filter(|e| e["Attributes"]["groupId"] == group.as_str()).count(),
        100
    );
}
