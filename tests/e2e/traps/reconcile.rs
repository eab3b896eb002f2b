//! What a feed never mentions is read once in a while: `FullReconcileDays`, by the service's clock.
//!
//! A Reconcile does not begin with a new link. The old one is drained afterwards, so that changes made during the reads
//! are applied on top of lists that may be older.

use host_harness::simulator::{Change, Delta, Kind, MemberTypes, Route, World};

use serde_json::json;

use super::{add_member, change_group, few, mode, warnings};
use crate::relay::Relay;
use crate::world::Tenant;

const DAY: u64 = 86_400;

fn following(world: World) -> Tenant {
    Tenant::of(world).with("MembershipMode", "Delta").with("FullReconcileDays", 2)
}

#[test]
fn members_that_no_feed_mentions_come_with_the_reconcile() {
    let delta = Delta { member_types: MemberTypes::UsersAndGroups, ..World::gentle().delta };
    let tenant = following(World { service_principals: 5, devices: 5, delta, edges: 120, ..few() });
    tenant.import();
    let wanted = tenant.sim.truth().members().filter(|e| e.child_type == "ServicePrincipal").count();
    let held = |tenant: &Tenant| {
        let edges = tenant.mesh().edges("GroupMember").unwrap();
        edges.iter().filter(|e| e.attributes["memberType"] == "ServicePrincipal").count()
    };
    assert!(wanted > 0 && held(&tenant) == 0, "the trap is set");
    tenant.sim.advance_clock(3 * DAY);
    let report = tenant.import();
    tenant.assert_equals_truth();
    assert_eq!(mode(&report.result, "GroupMember"), "Full");
    let idle = tenant.import();
    assert_eq!(mode(&idle.result, "GroupMember"), "Delta", "once, and not again");
    tenant.assert_equals_truth();
}

#[test]
fn a_reconcile_drains_the_old_link_of_the_groups() {
    let tenant = following(few());
    let mark = tenant.pull(None).watermark().to_owned();
    let link = serde_json::from_str::<serde_json::Value>(&mark).unwrap()["g"].as_str().unwrap().to_owned();
    tenant.sim.advance_clock(3 * DAY);
    tenant.requests();
    tenant.pull(Some(&mark));
    let pages = tenant.requests_of(Kind::Group);
    assert!(link.ends_with(&pages[0].url) && pages.len() == 1, "the feed of groups is not walked anew");
    let users = tenant.requests_of(Kind::User);
    assert!(!users[0].called_delta_link(), "that of users is");
}

#[test]
fn changes_during_a_reconcile_are_applied_on_top_of_lists_that_lag() {
    for after in 0..9 {
        let mut world = few();
        world.lists.lag_changes = 3;
        let tenant = following(world);
        tenant.import();
        tenant.sim.advance_clock(3 * DAY);
        let group = tenant.sim.group_id(1);
        let user = tenant.some_member(&group);
        tenant.sim.on_request(
            after,
            vec![
                super::remove_member(&group, &user),
                change_group(&group, "description", "during"),
                Change::delete_user(tenant.sim.user_id(7)),
            ],
        );
        tenant.import();
        // Where the reads were fewer, it happens during this one.
        tenant.sim.settle();
        tenant.import();
        assert_eq!(tenant.sim.waiting_scripts(), 0);
        tenant.sim.settle();
        tenant.import();
        tenant.assert_equals_truth();
    }
}

/// A group that is renamed while the list is read can stand before the page that is being read, and behind it
/// afterwards.
#[test]
fn group_that_the_lists_of_a_reconcile_missed_has_its_members_once_the_feed_names_it() {
    let tenant = Tenant::of(few());
    let relay = Relay::before(&tenant.sim.origin());
    let tenant = tenant
        .with("GraphEndpoint", relay.origin())
        .with("AuthorityHost", relay.origin())
        .with("MembershipMode", "Delta")
        .with("FullReconcileDays", 2);
    let group = tenant.sim.group_id(1);
    tenant.import();
    tenant.sim.advance_clock(3 * DAY);
    let missed = group.clone();
    relay.rewrite(move |asked, answered| {
        if asked.target.starts_with("/v1.0/groups?") {
            let mut page = answered.json();
            page["value"].as_array_mut().unwrap().retain(|row| row["id"] != missed.as_str());
            page["@odata.count"] = json!(page["@odata.count"].as_u64().map_or(0, |count| count - 1));
            answered.set_json(&page);
        }
    });
    tenant.import();
    assert_eq!(tenant.mesh().edges_of(&group).unwrap().len(), 0, "the trap is set");
    relay.rewrite(|_, _| {});
    tenant.sim.apply(&[change_group(&group, "description", "renamed")]).unwrap();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn who_was_away_during_a_reconcile_has_all_edges_when_restored() {
    let tenant = following(few());
    tenant.import();
    let group = tenant.sim.group_id(0);
    let user = tenant.some_member(&tenant.sim.group_id(1));
    tenant.follows(&[Change::delete_user(user.clone()), Change::delete_group(group.clone())]);
    tenant.sim.advance_clock(3 * DAY);
    tenant.import();
    let asleep = tenant.mesh().edges_of(&user).unwrap().len() + tenant.mesh().edges_of(&group).unwrap().len();
    assert_eq!(asleep, 0, "the trap is set: the reads did not show them");
    tenant.follows(&[Change::restore_user(user), Change::restore_group(group)]);
}

#[test]
fn with_recomputed_memberships_a_reconcile_walks_both_feeds_anew() {
    let tenant = Tenant::of(few()).with("FullReconcileDays", 2);
    tenant.import();
    tenant.sim.advance_clock(3 * DAY);
    let report = tenant.import();
    assert_eq!((mode(&report.result, "User"), mode(&report.result, "Group")), ("Full", "Full"));
    let idle = tenant.import();
    assert_eq!((mode(&idle.result, "User"), mode(&idle.result, "Group")), ("Delta", "Delta"));
}

#[test]
fn zero_days_never_reconcile() {
    let tenant = following(few()).with("FullReconcileDays", 0);
    tenant.import();
    for _ in 0..4 {
        tenant.sim.advance_clock(3 * DAY);
        let report = tenant.import();
        assert_eq!((mode(&report.result, "Group"), warnings(&report.result)), ("Delta", Vec::new()));
    }
}

#[test]
fn the_time_of_a_reconcile_is_told_by_the_services_clock() {
    let start = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() - 400 * DAY;
    let tenant = following(World { clock_start: Some(start), ..few() });
    tenant.import();
    assert_eq!(mode(&tenant.import().result, "Group"), "Delta", "our clock is more than a year ahead");
    tenant.sim.advance_clock(3 * DAY);
    assert_eq!(mode(&tenant.import().result, "Group"), "Full");
}

#[test]
fn an_edge_added_while_nobody_looked_is_read_once_and_once_more() {
    let tenant = following(few());
    tenant.import();
    let group = tenant.sim.group_id(0);
    tenant.sim.advance_clock(3 * DAY);
    let edge = tenant.sim.truth().members().find(|e| e.parent != group && e.child_type == "User").unwrap();
    tenant.sim.apply(&[add_member(&group, &edge.child)]).unwrap_or_default();
    tenant.import();
    tenant.sim.clear_journal();
    tenant.import();
    let again = tenant.sim.count(|asked| asked.route == Route::MEMBERS && asked.object == Some(&group));
    assert_eq!(again, 1, "named by the old link, read because of it, and so confirmed");
    tenant.assert_equals_truth();
}
