//! The connection test: one row for the token, one for each object type, and what to do about a failure.

use connector_abi::*;
use host_harness::simulator::{Fault, FaultAction, Route, SignIn, World};
use serde_json::json;

use crate::world::Tenant;

#[test]
fn a_good_connection_passes_every_row_with_one_read_each() {
    let tenant = Tenant::small();
    let checked = tenant.check();
    assert_eq!(checked.status, CONNECTOR_END);
    let rows: Vec<_> = checked
        .records
        .iter()
        .map(|r| (r["ObjectType"].as_str(), r["Step"].as_str().unwrap(), r["Outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            (None, "Token", "Passed"),
            (Some("User"), "Permission", "Passed"),
            (Some("Group"), "Permission", "Passed"),
            (Some("GroupMember"), "Permission", "Passed"),
        ]
    );
    assert_eq!(
        tenant.requests().iter().filter(|x| x.route != Route::Token).count(),
        4,
        "a group is looked up before its members"
    );
}

#[test]
fn a_missing_permission_fails_its_row_and_names_the_step_that_mends_it() {
    let mut world = World::gentle();
    world.permissions.group_member_read_all = false;
    let checked = Tenant::of(world).check();
    assert_eq!((checked.status, checked.result["Outcome"].as_str()), (CONNECTOR_END_PARTIAL, Some("Partial")));
    let row = checked.of("Check", "Group").next().unwrap();
    assert_eq!((&row["Outcome"], &row["Permission"]), (&json!("Failed"), &json!("GroupMember.Read.All")));
    assert!(row["Remedy"].as_str().unwrap().contains("Grant admin consent") && row["RequestId"].is_string());
    assert_eq!(checked.of("Check", "User").next().unwrap()["Outcome"], "Passed");
}

#[test]
fn a_token_without_roles_passes_the_token_and_fails_the_reads() {
    let checked =
        Tenant::of(World { sign_in: SignIn { without_roles: true, ..SignIn::default() }, ..World::gentle() }).check();
    let outcomes: Vec<_> = checked.records.iter().map(|r| r["Outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["Passed", "Failed", "Failed", "Failed"]);
}

#[test]
fn a_refused_secret_is_a_failed_row_and_skips_the_rest() {
    let checked = Tenant::small().with_auth("ClientSecret", "wrong").check();
    assert_eq!(checked.status, CONNECTOR_END_PARTIAL);
    let outcomes: Vec<_> = checked.records.iter().map(|r| r["Outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["Failed", "Skipped", "Skipped", "Skipped"]);
    assert!(checked.records[0]["Message"].as_str().unwrap().contains("AADSTS7000215"));
}

#[test]
fn only_what_is_switched_on_is_checked() {
    let checked = Tenant::small().with("ImportGroups", false).with("ImportMemberships", false).check();
    assert_eq!(checked.records.len(), 2);
}

#[test]
fn a_filter_that_selects_nothing_leaves_the_members_unknown() {
    let checked = Tenant::small().with("GroupSelectionFilter", "displayName eq 'no such group'").check();
    assert_eq!(checked.of("Check", "GroupMember").next().unwrap()["Outcome"], "Unknown");
    assert_eq!(checked.status, CONNECTOR_END);
}

#[test]
fn a_failing_service_is_a_failed_row_with_the_request_id() {
    let tenant = Tenant::small().with("MaxRetries", 0);
    tenant.sim.add_fault(Fault::always(Route::UsersList, FaultAction::status(503)));
    let row = tenant.check().of("Check", "User").next().unwrap().clone();
    assert_eq!(row["Outcome"], "Failed");
    assert!(row["Remedy"].as_str().unwrap().contains("request id") && row["RequestId"].is_string());
}
