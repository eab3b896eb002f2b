//! Several words about one object in one run: the last one counts.
//!
//! A group may stand on a page twice, a read may fail and succeed later, an object may be deleted, restored and leave
//! the scope.

use connector_abi::CONNECTOR_END_PARTIAL;
use host_harness::simulator::{Fault, FaultAction, Route, World};
use serde_json::{Map, Value, json};

use super::{change_group, few};
use crate::relay::Relay;
use crate::world::Tenant;

/// A tenant behind a relay, with a filter that the display name of its groups decides.
fn relayed(mode: &str, filter: &str) -> (Tenant, Relay) {
    let tenant = Tenant::of(few());
    let relay = Relay::before(&tenant.sim.origin());
    let tenant = tenant
        .with("GraphEndpoint", relay.origin())
        .with("AuthorityHost", relay.origin())
        .with("MembershipMode", mode)
        .with("GroupSelectionFilter", filter)
        .with("MaxRetries", 0);
    (tenant, relay)
}

/// The groups feed brings these rows and no others.
fn feed_brings(relay: &Relay, rows: Vec<Value>) {
    relay.rewrite(move |asked, answered| {
        if asked.target.contains("/groups/delta") {
            let mut page = answered.json();
            page["value"] = json!(rows);
            answered.set_json(&page);
        }
    });
}

/// A whole row of a group under a name.
fn named(tenant: &Tenant, group: &str, name: &str) -> Value {
    let mut row: Map<String, Value> = tenant.sim.truth().groups().find(|it| it.id == group).unwrap().attributes;
    row.insert("id".to_owned(), json!(group));
    row.insert("displayName".to_owned(), json!(name));
    Value::Object(row)
}

fn name_of(tenant: &Tenant, group: &str) -> String {
    let attributes = tenant.sim.truth().groups().find(|it| it.id == group).unwrap().attributes;
    attributes["displayName"].as_str().unwrap().to_owned()
}

#[test]
fn group_that_enters_and_leaves_the_scope_on_one_page_leaves_no_edges() {
    let (tenant, relay) = relayed("Delta", "startswith(displayName,'APP-')");
    let group = tenant.sim.group_id(0);
    tenant.import();
    feed_brings(&relay, vec![named(&tenant, &group, "APP-0"), named(&tenant, &group, "SEC-0")]);
    tenant.import();
    assert!(tenant.mesh().object("Group", &group).unwrap().is_none());
    assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), 0);
}

#[test]
fn group_that_gets_a_member_and_leaves_the_scope_on_one_page_leaves_no_edges() {
    let (tenant, relay) = relayed("Delta", "displayName ne 'SEC-0'");
    let group = tenant.sim.group_id(0);
    tenant.import();
    let mut entered = named(&tenant, &group, &name_of(&tenant, &group));
    entered["members@delta"] = json!([{"@odata.type": "#microsoft.graph.user", "id": tenant.sim.user_id(1)}]);
    feed_brings(&relay, vec![entered, named(&tenant, &group, "SEC-0")]);
    tenant.import();
    assert!(tenant.mesh().object("Group", &group).unwrap().is_none());
    assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), 0);
}

#[test]
fn group_that_leaves_and_enters_the_scope_on_one_page_unread_is_repaired() {
    let (tenant, relay) = relayed("Delta", "displayName ne 'SEC-0'");
    let group = tenant.sim.group_id(0);
    tenant.import();
    let name = name_of(&tenant, &group);
    feed_brings(&relay, vec![named(&tenant, &group, "SEC-0"), named(&tenant, &group, &name)]);
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)).on_object(&group));
    tenant.import_in_part();
    tenant.sim.clear_faults();
    relay.rewrite(|_, _| {});
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn left_scope_takes_a_held_delete_of_the_same_group_away() {
    let (tenant, relay) = relayed("Recompute", "startswith(displayName,'APP-')");
    let tenant = tenant.with("MaxDeletes", 5);
    let group = tenant.sim.group_id(0);
    let full = tenant.pull(None);
    let removed = json!({"id": group, "@removed": {"reason": "changed"}});
    feed_brings(&relay, vec![removed, json!({"id": group, "displayName": "SEC-0", "mail": null})]);
    let delta = tenant.pull(Some(full.watermark()));
    let reasons: Vec<_> = delta.of("Delete", "Group").map(|row| row["Reason"].clone()).collect();
    assert_eq!(reasons, ["LeftScope"], "the group exists: a deleted mark must not come last");
}

#[test]
fn group_that_could_be_read_in_the_end_is_no_unread_scope() {
    let tenant = Tenant::of(few())
        .with("MembershipMode", "Delta")
        .with("MaxRetries", 0)
        .with("GroupSelectionFilter", "displayName ne 'nothing'");
    let group = tenant.sim.group_id(0);
    tenant.import();
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)).on_object(&group));
    tenant.sim.apply(&[change_group(&group, "description", "one")]).unwrap();
    assert_eq!(tenant.import_into("mesh.db", false).status, CONNECTOR_END_PARTIAL);
    tenant.sim.clear_faults();
    // Its repair fails once more; then its row comes and it is read.
    tenant.sim.add_fault(Fault::once(Route::MEMBERS, FaultAction::status(500)).on_object(&group));
    tenant.sim.apply(&[change_group(&group, "description", "two")]).unwrap();
    let report = tenant.import_into("mesh.db", false);
    tenant.assert_equals_truth();
    assert_eq!(report.result["ObjectTypes"]["GroupMember"]["UnreadScopes"], 0);
}

#[test]
fn group_that_a_reconcile_finds_nowhere_keeps_its_edges_until_the_feed_says_that_it_is_gone() {
    let tenant = Tenant::of(few()).with("MembershipMode", "Delta").with("FullReconcileDays", 2);
    tenant.import();
    tenant.sim.advance_clock(3 * 86_400);
    let group = tenant.sim.group_id(0);
    for route in [Route::MEMBERS, Route::GROUP] {
        tenant.sim.add_fault(Fault::always(route, FaultAction::NotFound).on_object(&group));
    }
    tenant.import_in_part();
    tenant.assert_equals_truth();
    tenant.sim.clear_faults();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn group_that_a_list_names_twice_keeps_the_members_of_its_last_read() {
    let tenant = Tenant::of(World { groups: 60, edges: 600, ..few() });
    let relay = Relay::before(&tenant.sim.origin());
    let tenant = tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin());
    let tenant = tenant.with("PageSize", 1).with("MaxConcurrency", 1);
    let group = tenant.sim.group_id(0);
    for route in [Route::MEMBERS, Route::GROUP] {
        tenant.sim.add_fault(Fault::once(route, FaultAction::NotFound).on_object(&group));
    }
    // The first page of the list names it, and a late one again, when the first read is over.
    let (named, mut pages) = (json!({"id": group, "visibility": null}), 0);
    relay.rewrite(move |asked, answered| {
        if asked.method == "GET" && asked.target.starts_with("/v1.0/groups?") {
            pages += 1;
            if pages == 1 || pages == 50 {
                let mut page = answered.json();
                page["value"].as_array_mut().unwrap().push(named.clone());
                answered.set_json(&page);
            }
        }
    });
    let pulled = tenant.pull(None);
    let words: Vec<_> = pulled.of("Scope", "GroupMember").filter(|row| row["Scope"] == group.as_str()).collect();
    let last = words.last().unwrap();
    let members = tenant.sim.truth().members().filter(|edge| edge.parent == group).count();
    assert_eq!((&last["Complete"], &last["Rows"]), (&json!(true), &json!(members)), "{words:?}");
}
