//! The configuration changes between two runs: a token keeps the options it was made with, so what was asked is
//! compared.
//!
//! Another directory is refused. Anything else restarts the types it touches, and only those, with a warning.

use connector_abi::*;
use host_harness::compare::Comparison;
use host_harness::simulator::Change;
use host_harness::truth::TruthRow;
use serde_json::json;

use super::{few, mode, properties, warnings};
use crate::world::Tenant;

/// What became of each type.
fn modes(report: &host_harness::report::RunReport) -> [&str; 3] {
    ["User", "Group", "GroupMember"].map(|object_type| mode(&report.result, object_type))
}

#[test]
fn another_endpoint_is_refused_naming_both() {
    let tenant = Tenant::of(few());
    let mark = tenant.pull(None).watermark().to_owned();
    let (here, there) = (tenant.sim.origin(), tenant.sim.origin().replace("127.0.0.1", "localhost"));
    let (status, error) = tenant.with("GraphEndpoint", there.clone()).refused(Some(&mark));
    assert_eq!(status, CONNECTOR_E_INVALID_WATERMARK);
    let message = error["Message"].as_str().unwrap();
    assert!(message.contains(&here) && message.contains(&there), "{message}");
}

#[test]
fn another_cloud_is_refused_before_any_request() {
    let tenant = Tenant::of(few());
    let mark = tenant.pull(None).watermark().to_owned();
    let here = tenant.sim.origin();
    let (status, error) = tenant.without("GraphEndpoint").with("Cloud", "UsGov").refused(Some(&mark));
    assert_eq!(status, CONNECTOR_E_INVALID_WATERMARK);
    let message = error["Message"].as_str().unwrap();
    assert!(message.contains("graph.microsoft.us") && message.contains(&here), "{message}");
}

#[test]
fn the_same_tenant_in_another_spelling_is_the_same_tenant() {
    let tenant = Tenant::of(few());
    tenant.import();
    let shouted = format!("{{{}}}", tenant.sim.tenant_id().to_uppercase());
    let report = tenant.with("TenantId", shouted).import();
    assert_eq!((modes(&report), warnings(&report.result)), (["Delta", "Delta", "Full"], Vec::new()));
}

#[test]
fn another_filter_reads_groups_and_memberships_in_full_and_users_go_on() {
    for membership_mode in ["Recompute", "Delta"] {
        let tenant = Tenant::of(few()).with("MembershipMode", membership_mode);
        tenant.import();
        let tenant = tenant.with("GroupSelectionFilter", "startswith(displayName,'APP-')");
        let report = tenant.import();
        assert_eq!((modes(&report), warnings(&report.result)), (["Delta", "Full", "Full"], vec!["SelectionChanged"]));
        tenant.assert_holds_groups_where(|group| group["displayName"].as_str().unwrap().starts_with("APP-"));
        let tenant = tenant.without("GroupSelectionFilter");
        assert_eq!(modes(&tenant.import()), ["Delta", "Full", "Full"]);
        tenant.assert_equals_truth();
    }
}

#[test]
fn other_attributes_read_that_type_in_full() {
    let tenant = Tenant::of(few());
    tenant.import();
    let tenant = tenant.with("GroupAttributes", json!(["onPremisesSyncEnabled"]));
    let report = tenant.import();
    assert_eq!((modes(&report), warnings(&report.result)), (["Delta", "Full", "Full"], vec!["SelectionChanged"]));
    assert_eq!(modes(&tenant.import()), ["Delta", "Delta", "Full"]);
}

#[test]
fn following_memberships_reads_everything_once_and_back_again_reads_groups() {
    let tenant = Tenant::of(few());
    tenant.import();
    let tenant = tenant.with("MembershipMode", "Delta");
    assert_eq!(modes(&tenant.import()), ["Full", "Full", "Full"], "who lies in the recycle bin must be known");
    assert_eq!(modes(&tenant.import()), ["Delta", "Delta", "Delta"]);
    tenant.follows(&tenant.sim.demo_changes());
    let tenant = tenant.with("MembershipMode", "Recompute");
    let report = tenant.import();
    assert_eq!((modes(&report), warnings(&report.result)), (["Delta", "Full", "Full"], vec!["SelectionChanged"]));
    tenant.assert_equals_truth();
}

#[test]
fn a_type_that_was_switched_off_starts_in_full_when_it_is_on_again() {
    let tenant = Tenant::of(few());
    tenant.import();
    let tenant = tenant.with("ImportUsers", false);
    assert_eq!(modes(&tenant.import()), ["none", "Delta", "Full"]);
    tenant.sim.apply(&[Change::delete_user(tenant.sim.user_id(0))]).unwrap();
    let tenant = tenant.with("ImportUsers", true);
    assert_eq!(modes(&tenant.import()), ["Full", "Delta", "Full"]);
    tenant.assert_equals_truth();
}

#[test]
fn another_external_id_renames_every_user_and_follows_names_from_then_on() {
    let tenant = Tenant::of(few());
    tenant.import();
    let tenant = tenant.with("ExternalIdAttribute", "userPrincipalName");
    let by_name = |tenant: &Tenant| {
        let compared = Comparison::default().with_external_id("userPrincipalName");
        let differences = compared.run(&tenant.mesh(), TruthRow::of(&tenant.sim.truth())).unwrap();
        assert!(differences.is_empty(), "{differences}");
    };
    assert_eq!(modes(&tenant.import()), ["Full", "Delta", "Full"]);
    by_name(&tenant);
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| tenant.sim.user_id(n));
    let renamed = properties(json!({"userPrincipalName": "renamed@contoso.onmicrosoft.com"}));
    for changes in [
        vec![Change::update_user(a.clone(), renamed)],
        vec![Change::swap_user_names(b.clone(), c.clone())],
        vec![Change::delete_user(d.clone()), Change::delete_user(a.clone())],
        vec![Change::restore_user(d), Change::swap_user_names(b, c)],
        vec![Change::restore_user(a)],
    ] {
        tenant.sim.apply(&changes).unwrap();
        tenant.import();
        by_name(&tenant);
    }
}

#[test]
fn a_deleted_user_keeps_its_edges_whatever_the_external_id_is() {
    let tenant = Tenant::of(few()).with("ExternalIdAttribute", "userPrincipalName").with("MembershipMode", "Delta");
    let full = tenant.pull(None);
    let edge = full.of("Upsert", "GroupMember").next().unwrap();
    let user = edge["Attributes"]["memberId"].as_str().unwrap().to_owned();
    tenant.sim.apply(&[Change::delete_user(user.clone())]).unwrap();
    let delta = tenant.pull(Some(full.watermark()));
    let delete = delta.of("Delete", "User").next().unwrap();
    assert_eq!((&delete["SourceId"], &delete["ExternalId"]), (&json!(user), &json!(null)), "a removed row has no name");
    assert_eq!(edge["ExternalId"], edge["SourceId"], "edges are keyed by GUIDs");
}

#[test]
fn a_changed_limit_or_reaction_restarts_nothing() {
    let tenant = Tenant::of(few());
    tenant.import();
    let tenant = tenant
        .with("MaxDeletes", 5)
        .with("OnDeltaExpired", "FullSync")
        .with("FullReconcileDays", 30)
        .with("PageSize", 10)
        .with("MaxRetries", 2);
    let report = tenant.import();
    assert_eq!((modes(&report), warnings(&report.result)), (["Delta", "Delta", "Full"], Vec::new()));
}
