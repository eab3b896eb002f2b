//! `GroupSelectionFilter` on a feed that takes no filter: judged on rows that may not even carry what it names.
//!
//! A row cannot be judged by itself: a row that does not carry a name is not a group without a name.

use connector_abi::*;
use host_harness::simulator::{Change, Delta, Fault, FaultAction, Kind, Lists, Route, TextOrder, World};
use serde_json::{Map, Value, json};

use super::{change_group, few, mode, properties, remove_member, warnings};
use crate::world::Tenant;

const FILTER: &str = "startswith(displayName,'APP-')";

fn is_app(attributes: &Map<String, Value>) -> bool {
    attributes["displayName"].as_str().unwrap().starts_with("APP-")
}

/// Some groups are called `APP-`, the others `SEC-`.
fn filtered(world: World, mode: &str) -> Tenant {
    let tenant = Tenant::of(world).with("GroupSelectionFilter", FILTER).with("MembershipMode", mode);
    let name = |n: u32| {
        let prefix = if n.is_multiple_of(2) { "APP" } else { "SEC" };
        change_group(&tenant.sim.group_id(n), "displayName", format!("{prefix}-{n}"))
    };
    let names: Vec<_> = (0..tenant.sim.world().groups).map(name).collect();
    tenant.sim.apply(&names).unwrap();
    tenant.sim.settle();
    tenant.import();
    tenant.assert_holds_groups_where(is_app);
    tenant
}

/// A world whose later rows carry no more than what changed.
fn lean() -> World {
    let delta = Delta { lean_rows: true, lean_restores: true, id_only_membership_rows: true, ..few().delta };
    World { delta, ..few() }
}

#[test]
fn the_filter_never_reaches_the_change_feed() {
    for mode in ["Recompute", "Delta"] {
        let tenant = filtered(few(), mode);
        let asked: Vec<_> = tenant.requests_of(Kind::Group);
        assert!(!asked.is_empty() && asked.iter().all(|page| !page.url.to_lowercase().contains("filter")));
    }
}

#[test]
fn a_group_renamed_into_the_scope_comes_with_all_members_it_has_long_had() {
    for mode in ["Recompute", "Delta"] {
        let tenant = filtered(few(), mode);
        let renamed = tenant.sim.group_id(1);
        tenant.sim.apply(&[change_group(&renamed, "displayName", "APP-new")]).unwrap();
        let delta = tenant.import();
        tenant.assert_holds_groups_where(is_app);
        assert!(!tenant.mesh().edges_of(&renamed).unwrap().is_empty());
        assert_eq!(super::mode(&delta.result, "Group"), "Delta");
    }
}

#[test]
fn a_group_renamed_out_of_the_scope_is_told_as_left_and_takes_its_edges_along() {
    for mode in ["Recompute", "Delta"] {
        let tenant = filtered(few(), mode);
        let renamed = tenant.sim.group_id(0);
        tenant.sim.apply(&[change_group(&renamed, "displayName", "SEC-new")]).unwrap();
        let delta = tenant.import();
        tenant.assert_holds_groups_where(is_app);
        assert_eq!(delta.result["ObjectTypes"]["Group"]["LeftScope"], 1);
        assert_eq!(delta.result["ObjectTypes"]["Group"]["Deletes"], 0, "it was not deleted");
    }
}

#[test]
fn every_group_out_of_scope_is_told_as_left_in_a_full_set_too() {
    let tenant = Tenant::of(few()).with("GroupSelectionFilter", "displayName eq 'nobody'");
    let full = tenant.pull(None);
    let left: Vec<_> = full.of("Delete", "Group").map(|row| row["Reason"].as_str().unwrap()).collect();
    assert_eq!((left, full.of("Upsert", "Group").count()), (vec!["LeftScope"; 6], 0));
    assert_eq!(full.end("Group")["LeftScope"], 6);
}

#[test]
fn a_row_without_the_name_is_judged_by_reading_the_group() {
    for mode in ["Recompute", "Delta"] {
        let tenant = filtered(lean(), mode);
        for number in [0, 1] {
            let group = tenant.sim.group_id(number);
            let user = tenant.some_member(&group);
            tenant.requests();
            tenant
                .sim
                .apply(&[remove_member(&group, &user), change_group(&group, "description", "no name in this row")])
                .unwrap();
            tenant.import();
            tenant.assert_holds_groups_where(is_app);
            let read = tenant.sim.count(|asked| asked.route == Route::GROUP && asked.object == Some(&group));
            assert!(read > 0, "{mode}: the row has no displayName");
        }
    }
}

#[test]
fn a_group_that_enters_by_a_lean_row_arrives_with_every_attribute() {
    let tenant = filtered(lean(), "Recompute");
    let group = tenant.sim.group_id(1);
    tenant.sim.apply(&[change_group(&group, "displayName", "APP-new")]).unwrap();
    tenant.import();
    let object = tenant.mesh().object("Group", &group).unwrap().unwrap();
    assert!(object.attributes["mailNickname"].is_string(), "{:?}", object.attributes);
    tenant.assert_holds_groups_where(is_app);
}

#[test]
fn the_rows_own_values_win_over_a_read_that_lags() {
    let mut world = lean();
    world.lists.lag_changes = 1;
    let tenant = filtered(world, "Recompute");
    let group = tenant.sim.group_id(0);
    tenant.sim.apply(&[change_group(&group, "displayName", "SEC-new")]).unwrap();
    tenant.sim.settle();
    tenant.import();
    tenant.sim.apply(&[change_group(&group, "displayName", "APP-back")]).unwrap();
    tenant.import();
    let object = tenant.mesh().object("Group", &group).unwrap().unwrap();
    assert_eq!(object.attributes["displayName"], "APP-back", "a read that lags still calls it SEC-new");
}

#[test]
fn a_group_judged_by_a_read_that_lagged_is_judged_again_by_the_next_run() {
    for mode in ["Recompute", "Delta"] {
        let mut world = lean();
        world.lists.lag_changes = 2;
        let tenant = filtered(world, mode);
        let group = tenant.sim.group_id(1);
        tenant.sim.apply(&[change_group(&group, "displayName", "APP-new")]).unwrap();
        tenant.import();
        // This row has no name, and a read still calls the group SEC-1.
        tenant.sim.apply(&[change_group(&group, "description", "changed")]).unwrap();
        tenant.import();
        assert!(tenant.mesh().object("Group", &group).unwrap().is_none(), "{mode}: the trap is set");
        tenant.sim.settle();
        tenant.import();
        tenant.assert_holds_groups_where(is_app);
    }
}

#[test]
fn a_group_that_cannot_be_judged_is_kept_and_judged_by_the_next_run() {
    let tenant = filtered(lean(), "Recompute").with("MaxRetries", 0);
    let group = tenant.sim.group_id(0);
    tenant.sim.add_fault(Fault::always(Route::GROUP, FaultAction::status(503)).on_object(&group));
    tenant.sim.apply(&[change_group(&group, "description", "changed")]).unwrap();
    let report = tenant.import_in_part();
    assert_eq!(report.issues()[0].code, "GroupUnread", "{:?}", report.issues());
    assert!(tenant.mesh().object("Group", &group).unwrap().is_some(), "not known to be out of scope");
    tenant.sim.clear_faults();
    tenant.import();
    tenant.assert_holds_groups_where(is_app);
}

#[test]
fn a_filter_only_graph_can_evaluate_reads_a_full_list_and_says_so() {
    let tenant = Tenant::of(few()).with("GroupSelectionFilter", "groupTypes/$count eq 0");
    for _ in 0..2 {
        let report = tenant.import();
        assert_eq!((mode(&report.result, "Group"), warnings(&report.result)), ("Full", vec!["FilteredList"]));
    }
    assert!(tenant.requests_of(Kind::Group).is_empty(), "no feed: its link would be of no use");
}

#[test]
fn filter_by_order_of_texts_selects_what_the_order_of_the_tenant_selects() {
    let names = ["APP_1", "Apple", "Ärzte", "Zoo", "co-op", "1st"];
    let cases: [(TextOrder, &[&str]); 3] = [
        (TextOrder::OrdinalLower, &["APP_1", "Apple", "Apply", "Zoo", "co-op"]),
        (TextOrder::OrdinalUpper, &["APP_1", "Zoo", "co-op"]),
        (TextOrder::Culture, &["APP_1", "Apple", "Apply", "Ärzte", "Zoo", "co-op"]),
    ];
    for (text_order, selected) in cases {
        let tenant = Tenant::of(World { lists: Lists { text_order, ..few().lists }, ..few() })
            .with("GroupSelectionFilter", "displayName ge 'APP_' and displayName le 'Zy'");
        let name = |n: u32, name: &str| change_group(&tenant.sim.group_id(n), "displayName", name);
        tenant.sim.apply(&(0..).zip(names).map(|(n, it)| name(n, it)).collect::<Vec<_>>()).unwrap();
        let is_selected = |group: &Map<String, Value>| selected.contains(&group["displayName"].as_str().unwrap());
        tenant.import();
        tenant.assert_holds_groups_where(is_selected);
        // Brings a sixth group into scope in two of the three orders.
        tenant.sim.apply(&[name(5, "Apply")]).unwrap();
        let report = tenant.import();
        tenant.assert_holds_groups_where(is_selected);
        assert_eq!((mode(&report.result, "Group"), warnings(&report.result)), ("Full", vec!["FilteredList"]));
    }
}

#[test]
fn filter_by_order_of_texts_is_refused_where_memberships_follow_the_feed() {
    let filter = "startswith(displayName,'APP-') or displayName ge 'SEC'";
    let tenant = Tenant::small().with("GroupSelectionFilter", filter).with("MembershipMode", "Delta");
    let (status, error) = tenant.refused(None);
    assert_eq!((status, &error["Problems"][0]["Path"]), (CONNECTOR_E_INVALID_CONFIG, &json!("/MembershipMode")));
    assert!(error["Problems"][0]["Expected"].as_str().unwrap().contains("order only Graph knows"), "{error:#}");
    assert!(tenant.requests().is_empty());
}

#[test]
fn groups_that_cannot_be_looked_up_during_an_outage_are_given_up_and_judged_by_the_next_run() {
    for mode in ["Recompute", "Delta"] {
        let tenant = filtered(World { groups: 200, ..lean() }, mode).with("MaxRetries", 1);
        // The run after a full walk looks up every object that its feeds mention; this is about a later one.
        tenant.import();
        tenant.sim.add_fault(Fault::always(Route::GROUP, FaultAction::status(503)));
        let names = |n| change_group(&tenant.sim.group_id(n), "description", "no name in this row");
        tenant.sim.apply(&(0..200).map(names).collect::<Vec<_>>()).unwrap();
        tenant.requests();
        let report = tenant.import_in_part();
        let asks = |x: &host_harness::simulator::Exchange| x.items.iter().any(|item| item.route == Route::GROUP);
        let batches = tenant.requests().iter().filter(|x| asks(x)).count();
        // Forty groups are two batches, each sent twice.
        assert!((1..=4).contains(&batches), "{mode}: {batches} batches");
        assert_eq!(report.tally.issue_count, 200, "{mode}: each group is reported");
        tenant.sim.clear_faults();
        tenant.import();
        tenant.assert_holds_groups_where(is_app);
    }
}

#[test]
fn a_filter_whose_syntax_is_wrong_is_refused_with_the_place_and_before_any_request() {
    let tenant = Tenant::small().with("GroupSelectionFilter", "displayName eq 'a' and (mail ne null");
    let (status, error) = tenant.refused(None);
    assert_eq!(status, CONNECTOR_E_INVALID_CONFIG);
    assert_eq!(error["Problems"][0]["Path"], "/GroupSelectionFilter");
    assert!(error["Problems"][0]["Expected"].as_str().unwrap().contains("at character 37"), "{error:#}");
    assert!(tenant.requests().is_empty());
}

#[test]
fn every_page_of_a_filtered_list_is_an_advanced_query() {
    let tenant = filtered(few(), "Recompute").with("PageSize", 1);
    tenant.requests();
    tenant.import();
    let pages: Vec<_> = tenant.requests().into_iter().filter(|x| x.route == Route::GROUPS_LIST).collect();
    assert_eq!(pages.len(), 3);
    assert!(pages.iter().all(|page| page.headers.contains_key("consistencylevel")), "links do not carry headers");
}

#[test]
fn a_new_group_in_scope_and_one_out_of_scope_are_told_apart() {
    for mode in ["Recompute", "Delta"] {
        let tenant = filtered(lean(), mode);
        let new = |name: &str| Change::add_group(properties(json!({"displayName": name})));
        tenant.sim.apply(&[new("APP-born"), new("SEC-born")]).unwrap();
        tenant.import();
        tenant.assert_holds_groups_where(is_app);
    }
}
