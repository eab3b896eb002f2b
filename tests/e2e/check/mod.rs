//! The connection test: what each row says, what it costs, and the step that mends each failure.
//!
//! A check that passes where an import fails is worse than none. So rows are held against the tenant and against what
//! an import of it really asks.

mod estimates;
mod failures;

use std::time::Duration;

use connector_abi::*;
use host_harness::connector::{Next, StartRequest};
use host_harness::simulator::{Change, Exchange, Fault, FaultAction, FaultBody, Route, SignIn, World};
use serde_json::{Value, json};

use crate::world::{Pulled, Tenant, connector, drain};

const DAY: u64 = 86_400;

/// A check by a host that holds a watermark.
fn check_with(tenant: &Tenant, watermark: &str) -> Pulled {
    let (config, auth) = (tenant.config(), tenant.auth());
    let request = StartRequest {
        config: &config,
        auth: &auth,
        watermark: Some(watermark),
        log_level: Some(4),
        ..StartRequest::default()
    };
    drain(connector().check(&request).unwrap_or_else(|e| panic!("{}", e.error_json)))
}

/// The rows of a step, of an object type or of all.
fn step<'p>(checked: &'p Pulled, object_type: Option<&str>, step: &str) -> Vec<&'p Value> {
    checked.records.iter().filter(|r| r["ObjectType"] == json!(object_type) && r["Step"] == step).collect()
}

/// The only row of a step.
#[track_caller]
fn row<'p>(checked: &'p Pulled, object_type: Option<&str>, name: &str) -> &'p Value {
    let rows = step(checked, object_type, name);
    assert_eq!(rows.len(), 1, "{object_type:?} {name}: {rows:#?}");
    rows[0]
}

#[track_caller]
fn says(row: &Value, member: &str, words: &str) {
    assert!(row[member].as_str().is_some_and(|text| text.contains(words)), "{member} should say {words}: {row:#}");
}

fn outcomes(checked: &Pulled) -> Vec<(Option<&str>, &str, &str)> {
    checked
        .records
        .iter()
        .map(|r| (r["ObjectType"].as_str(), r["Step"].as_str().unwrap(), r["Outcome"].as_str().unwrap()))
        .collect()
}

#[test]
fn a_good_connection_passes_every_row_with_a_handful_of_small_reads() {
    let tenant = Tenant::small();
    let checked = tenant.check();
    assert_eq!(checked.status, CONNECTOR_END);
    assert_eq!(
        outcomes(&checked),
        [
            (None, "Token", "Passed"),
            (None, "Token", "Passed"),
            (Some("User"), "Permission", "Passed"),
            (Some("User"), "Licence", "Passed"),
            (Some("User"), "Size", "Passed"),
            (Some("Group"), "Permission", "Passed"),
            (Some("Group"), "Licence", "Passed"),
            (Some("Group"), "Size", "Passed"),
            (Some("GroupMember"), "Permission", "Passed"),
            (Some("GroupMember"), "Licence", "Passed"),
            (Some("GroupMember"), "Permission", "Skipped"),
            (Some("GroupMember"), "Size", "Passed"),
        ]
    );
    let asked: Vec<_> = tenant.requests().into_iter().filter(|x| x.route != Route::Token).collect();
    assert_eq!(asked.len(), 10, "{asked:#?}");
    assert!(asked.iter().all(|x| x.rows <= 5), "a check reads one row, or one page of groups: {asked:#?}");
}

/// Where an import of memberships reads.
const OF_MEMBERS: [Route; 3] = [Route::GROUPS_LIST, Route::Batch, Route::MEMBERS];

#[test]
fn only_what_is_switched_on_is_checked() {
    let checked = Tenant::small().with("ImportGroups", false).with("ImportMemberships", false).check();
    assert!(checked.records.iter().all(|r| r["ObjectType"].is_null() || r["ObjectType"] == "User"), "{checked:#?}");
}

#[test]
fn a_filter_that_selects_nothing_leaves_the_members_unknown() {
    let checked = Tenant::small().with("GroupSelectionFilter", "displayName eq 'no such group'").check();
    assert_eq!(step(&checked, Some("GroupMember"), "Permission")[0]["Outcome"], "Unknown");
    assert_eq!(row(&checked, Some("GroupMember"), "Size")["EstimatedObjects"], 0);
    assert_eq!(checked.status, CONNECTOR_END);
}

/// The row about hidden memberships, with one group that hides its own.
fn hidden(permitted: bool, emptied: bool) -> (Value, Status) {
    let mut world = World { users: 10, groups: 3, edges: 10, ..World::gentle() };
    if !permitted {
        world.permissions.revoke("Member.Read.Hidden");
    }
    let tenant = Tenant::of(world);
    let group = tenant.sim.group_id(0);
    let properties = json!({"visibility": "HiddenMembership"}).as_object().unwrap().clone();
    tenant.sim.apply(&[Change::update_group(group.clone(), properties)]).unwrap();
    if emptied {
        let members: Vec<_> = tenant.sim.truth().members().filter(|e| e.parent == group).collect();
        for edge in members {
            let change = Change::remove_member(group.clone(), edge.child, host_harness::simulator::Kind::default());
            tenant.sim.apply(&[change]).unwrap();
        }
    }
    let checked = tenant.check();
    (step(&checked, Some("GroupMember"), "Permission")[1].clone(), checked.status)
}

#[test]
fn hidden_members_are_granted_when_one_is_seen_and_unknown_otherwise() {
    let (seen, status) = hidden(true, false);
    assert_eq!(
        (&seen["Outcome"], &seen["Permission"], status),
        (&json!("Passed"), &json!("Member.Read.Hidden"), CONNECTOR_END)
    );
    for (permitted, emptied) in [(false, false), (true, true)] {
        let (unclear, status) = hidden(permitted, emptied);
        assert_eq!((&unclear["Outcome"], status), (&json!("Unknown"), CONNECTOR_END));
        says(&unclear, "Remedy", "add Member.Read.Hidden");
    }
}

#[test]
fn memberships_by_delta_need_the_recycle_bin_of_groups() {
    let mut world = World { users: 10, groups: 3, edges: 10, ..World::gentle() };
    world.permissions.revoke("Group.Read.All");
    let tenant = Tenant::of(world).with("MembershipMode", "Delta");
    let checked = tenant.check();
    let further = step(&checked, Some("Group"), "Permission")[1];
    assert_eq!((&further["Outcome"], &further["Permission"]), (&json!("Failed"), &json!("Group.Read.All")));
    says(further, "Remedy", "add Group.Read.All, then");
    assert_eq!(checked.status, tenant.pull(None).status, "a check ends as the import does");
    says(row(&checked, Some("GroupMember"), "Size"), "Message", "no requests of their own");
}

/// The row about the end of the secret, of a tenant that may or may not show it.
fn expiry(sign_in: SignIn, permitted: bool) -> (Value, Pulled) {
    let mut world =
        World { users: 5, groups: 1, edges: 1, sign_in, client_secret: "qZ7~made/up&secret".into(), ..World::gentle() };
    if !permitted {
        world.permissions.revoke("Application.Read.All");
    }
    world.clock_start = Some(1_796_256_000);
    let checked = Tenant::of(world).check();
    (step(&checked, None, "Token")[1].clone(), checked)
}

#[test]
fn the_end_of_the_secret_is_told_from_its_app_registration() {
    let (far, _) = expiry(SignIn::default(), true);
    assert_eq!((&far["Outcome"], &far["Remedy"]), (&json!("Passed"), &Value::Null));
    says(&far, "Message", "the client secret ends on 01 Jun 2027 (in 1");
    let (soon, checked) = expiry(SignIn { secret_days: 12, ..SignIn::default() }, true);
    says(&soon, "Message", "the client secret ends on 15 Dec 2026 (in 1");
    says(&soon, "Remedy", "New client secret");
    assert_eq!(checked.status, CONNECTOR_END, "it works today");
    let said = format!("{:?}{:?}{}", checked.records, checked.log, checked.result);
    assert!(!said.contains("qZ7"), "the beginning of a secret is part of it");
}

#[test]
fn an_end_that_cannot_be_known_is_no_failure() {
    let (forbidden, checked) = expiry(SignIn::default(), false);
    assert_eq!((&forbidden["Outcome"], checked.status), (&json!("Unknown"), CONNECTOR_END));
    says(&forbidden, "Message", "cannot be known without Application.Read.All");
    let (elsewhere, checked) = expiry(SignIn { registered_elsewhere: true, ..SignIn::default() }, true);
    assert_eq!((&elsewhere["Outcome"], checked.status), (&json!("Unknown"), CONNECTOR_END));
    says(&elsewhere, "Message", "another directory");
    let tenant = Tenant::small().with("MaxRetries", 0);
    tenant.sim.add_fault(Fault::always(Route::Applications, FaultAction::status(500)));
    let checked = tenant.check();
    assert_eq!((&step(&checked, None, "Token")[1]["Outcome"], checked.status), (&json!("Unknown"), CONNECTOR_END));
}

#[test]
fn a_watermark_is_looked_at_where_one_is_handed_over() {
    let tenant = Tenant::small();
    assert!(tenant.check().records.iter().all(|r| r["Step"] != "Watermark"));
    let watermark = tenant.pull(None).watermark().to_owned();
    tenant.requests();
    let checked = check_with(&tenant, &watermark);
    assert_eq!(checked.status, CONNECTOR_END);
    for object_type in ["User", "Group"] {
        let fits = row(&checked, Some(object_type), "Watermark");
        assert_eq!(fits["Outcome"], "Passed");
        says(fits, "Message", "its delta link is 0 days old and good until");
    }
    let called = tenant.requests().into_iter().filter(|x| x.feed.is_some()).count();
    assert_eq!(called, 0, "no link is called");

    tenant.sim.advance_clock(6 * DAY);
    says(row(&check_with(&tenant, &watermark), Some("User"), "Watermark"), "Message", "6 days old");
    tenant.sim.advance_clock(2 * DAY);
    let checked = check_with(&tenant.with("FullReconcileDays", 0), &watermark);
    let old = row(&checked, Some("User"), "Watermark");
    assert_eq!((&old["Outcome"], checked.status), (&json!("Unknown"), CONNECTOR_END));
    says(old, "Remedy", "import now");
}

#[test]
fn a_watermark_of_somebody_else_or_of_nobody_fails_its_row() {
    let tenant = Tenant::small();
    let watermark = tenant.pull(None).watermark().to_owned();
    let other = watermark.replace(&tenant.sim.tenant_id(), "00000000-0000-4000-8000-000000000009");
    for (watermark, words) in [(&*other, "00000000-0000-4000-8000-000000000009"), ("no watermark", "cannot be used")] {
        let checked = check_with(&tenant, watermark);
        let failed = row(&checked, None, "Watermark");
        assert_eq!((&failed["Outcome"], checked.status), (&json!("Failed"), CONNECTOR_END_PARTIAL));
        says(failed, "Message", words);
        says(failed, "Remedy", "without a watermark");
        assert_eq!(row(&checked, Some("User"), "Permission")["Outcome"], "Passed", "the rest is checked all the same");
    }
}

#[test]
fn a_watermark_of_another_selection_says_that_everything_comes_again() {
    let tenant = Tenant::small();
    let watermark = tenant.pull(None).watermark().to_owned();
    let checked = check_with(&tenant.with("UserAttributes", json!(["city"])), &watermark);
    assert_eq!(checked.status, CONNECTOR_END);
    says(row(&checked, Some("User"), "Watermark"), "Message", "imported in full");
    says(row(&checked, Some("Group"), "Watermark"), "Message", "of this tenant and configuration");
}
