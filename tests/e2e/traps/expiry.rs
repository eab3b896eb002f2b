//! Links that die: a refused delta link ends or restarts one type, a dead or circling page link restarts one round.
//!
//! `FullReconcileDays` is 0 here, since a link old enough to be refused is also old enough for a Reconcile, which asks
//! for a new one.

use anyhow::Result;
use connector_abi::*;
use host_harness::import::Watch;
use host_harness::simulator::{Call, Change, Fault, FaultAction, Kind, Refusal, Route, World};
use serde_json::json;

use super::{few, mode, paged, properties, warnings};
use crate::world::Tenant;

const FEEDS: [(Route, &str, &str); 2] = [(Route::USERS_DELTA, "User", "u"), (Route::GROUPS_DELTA, "Group", "g")];

fn refusing(shape: Refusal, route: Route) -> Fault {
    Fault::once(route, FaultAction::RefuseDeltaLink { shape })
}

#[test]
fn every_shape_of_a_refused_link_ends_that_type_alone_where_the_configuration_says_fail() {
    let tenant = Tenant::of(few()).with("FullReconcileDays", 0);
    let mark = tenant.pull(None).watermark().to_owned();
    for shape in Refusal::ALL {
        for (route, object_type, key) in FEEDS {
            tenant.sim.add_fault(refusing(shape, route));
            let refused = tenant.pull(Some(&mark));
            assert_eq!(
                (refused.status, &refused.error()["ObjectType"]),
                (CONNECTOR_E_WATERMARK_EXPIRED, &json!(object_type)),
                "{shape:?}"
            );
            assert!(refused.error()["Message"].as_str().unwrap().contains("Full mode"));
            for other in ["User", "Group", "GroupMember"] {
                assert_eq!(refused.end(other)["Complete"], other != object_type, "{shape:?}: {other}");
            }
            let last: serde_json::Value = serde_json::from_str(refused.watermark()).unwrap();
            let first: serde_json::Value = serde_json::from_str(&mark).unwrap();
            assert_eq!(last[key], first[key], "it stays until somebody imports in full");
        }
    }
}

#[test]
fn every_shape_of_a_refused_link_restarts_that_type_alone_where_the_configuration_says_so() {
    for membership_mode in ["Recompute", "Delta"] {
        let tenant = Tenant::of(few())
            .with("FullReconcileDays", 0)
            .with("OnDeltaExpired", "FullSync")
            .with("MembershipMode", membership_mode);
        tenant.import();
        for (turn, shape) in Refusal::ALL.into_iter().enumerate() {
            for (route, object_type, _) in FEEDS {
                // Somebody goes while the link is worthless: no row will ever say so.
                let user = tenant.sim.user_id(turn as u32);
                let change = match object_type {
                    "User" => Change::delete_user(user),
                    _ => super::change_group(&tenant.sim.group_id(0), "description", format!("{shape:?}")),
                };
                tenant.sim.apply(&[change]).unwrap();
                tenant.sim.add_fault(refusing(shape, route));
                let report = tenant.import();
                tenant.assert_equals_truth();
                assert_eq!(warnings(&report.result), ["DeltaLinkExpired"], "{shape:?}");
                for (_, other, _) in FEEDS {
                    assert_eq!(mode(&report.result, other), if other == object_type { "Full" } else { "Delta" });
                }
            }
        }
    }
}

#[test]
fn a_link_older_than_the_service_keeps_them_restarts_in_full_and_leaves_no_ghosts() {
    let tenant = Tenant::of(few()).with("FullReconcileDays", 0).with("OnDeltaExpired", "FullSync");
    tenant.import();
    let (soft, purged) = (tenant.sim.user_id(1), tenant.sim.user_id(2));
    let changes = [
        Change::delete_user(soft),
        Change::delete_user(purged.clone()),
        Change::purge_user(purged),
        Change::delete_group(tenant.sim.group_id(1)),
    ];
    tenant.sim.apply(&changes).unwrap();
    tenant.sim.advance_clock(8 * 86_400);
    let report = tenant.import();
    tenant.assert_equals_truth();
    assert_eq!((mode(&report.result, "User"), mode(&report.result, "Group")), ("Full", "Full"));
}

#[test]
fn what_is_no_refusal_of_a_link_never_costs_a_full_import() {
    for code in [401, 403, 404, 429, 503] {
        let tenant =
            Tenant::of(few()).with("FullReconcileDays", 0).with("OnDeltaExpired", "FullSync").with("MaxRetries", 0);
        tenant.import();
        tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::status(code)));
        let report = tenant.import_into("mesh.db", false);
        assert!(!warnings(&report.result).contains(&"DeltaLinkExpired"), "{code}");
        assert_ne!(mode(&report.result, "User"), "Full", "{code}");
        tenant.sim.clear_faults();
        assert_eq!(mode(&tenant.import().result, "User"), "Delta", "{code}: the link is still good");
    }
}

/// Every walk through pages, and how a test makes it several pages long.
fn walks() -> [(Route, &'static str); 3] {
    [(Route::USERS_DELTA, "User"), (Route::GROUPS_DELTA, "Group"), (Route::GROUPS_LIST, "GroupMember")]
}

#[test]
fn a_dead_page_link_restarts_its_walk_three_times_and_no_more() {
    for (route, object_type) in walks() {
        for (times, status) in [(3, CONNECTOR_END), (4, CONNECTOR_END_PARTIAL)] {
            let tenant = Tenant::of(paged()).with("PageSize", 3);
            tenant.sim.add_fault(Fault::once(route, FaultAction::ExpiredPageToken).at(Call::NextLink).times(times));
            let report = tenant.import_into("mesh.db", false);
            assert_eq!(report.status, status, "{route:?}: {:#}", report.result);
            assert_eq!(warnings(&report.result), vec!["RoundRestarted"; 3], "{route:?}");
            if status == CONNECTOR_END {
                tenant.assert_equals_truth();
            } else {
                let issue = &report.issues()[0];
                assert_eq!((issue.object_type.as_deref(), issue.code.as_str()), (Some(object_type), "Service"));
            }
        }
    }
}

#[test]
fn a_page_that_fails_for_good_restarts_its_walk_once() {
    for (route, _) in walks() {
        for (times, status) in [(1, CONNECTOR_END), (2, CONNECTOR_END_PARTIAL)] {
            let tenant = Tenant::of(paged()).with("PageSize", 3).with("MaxRetries", 0);
            tenant.sim.add_fault(Fault::once(route, FaultAction::status(500)).at(Call::NextLink).times(times));
            let report = tenant.import_into("mesh.db", false);
            assert_eq!((report.status, warnings(&report.result).len()), (status, 1), "{route:?}: {:#}", report.result);
        }
    }
}

#[test]
fn a_next_link_that_repeats_itself_restarts_the_walk_and_then_gives_it_up() {
    for (route, object_type) in walks() {
        let tenant = Tenant::of(paged()).with("PageSize", 3);
        let circling = |fault: Fault| fault.at(Call::NextLink);
        tenant.sim.add_fault(circling(Fault::once(route, FaultAction::RepeatedNextLink)));
        tenant.import();
        tenant.assert_equals_truth();
        tenant.sim.add_fault(circling(Fault::always(route, FaultAction::RepeatedNextLink)));
        let report = tenant.import_into("mesh.db", true);
        assert_eq!(report.status, CONNECTOR_END_PARTIAL, "{route:?}");
        let issue = &report.issues()[0];
        assert_eq!(issue.object_type.as_deref(), Some(object_type));
        assert!(issue.message.contains("twice"), "{}", issue.message);
    }
}

#[test]
fn a_dead_page_inside_a_later_round_restarts_from_the_old_link_and_not_in_full() {
    let tenant = Tenant::of(paged());
    tenant.import();
    let everybody =
        (0..40).map(|n| Change::update_user(tenant.sim.user_id(n), properties(json!({"jobTitle": "Clerk"}))));
    tenant.sim.apply(&everybody.collect::<Vec<_>>()).unwrap();
    tenant.requests();
    tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::ExpiredPageToken).at(Call::NextLink).after(1));
    let report = tenant.import();
    tenant.assert_equals_truth();
    assert_eq!((mode(&report.result, "User"), warnings(&report.result)), ("Delta", vec!["RoundRestarted"]));
    let pages = tenant.requests_of(Kind::User);
    assert_eq!(pages.iter().filter(|page| page.called_delta_link() && page.url == pages[0].url).count(), 2);
}

#[test]
fn a_full_set_whose_pages_died_begins_anew_under_another_name() {
    let tenant = Tenant::of(paged());
    tenant.sim.add_fault(Fault::once(Route::USERS_DELTA, FaultAction::ExpiredPageToken).at(Call::NextLink).after(1));
    let pulled = tenant.pull(None);
    let sets: Vec<_> = pulled.of("Begin", "User").map(|begin| begin["SetId"].as_str().unwrap()).collect();
    assert_eq!(sets.len(), 2);
    assert_ne!(sets[0], sets[1], "rows of the first must not vouch for anybody in the second");
    assert!(pulled.of("Begin", "User").all(|begin| begin["Resumed"] == false));
    assert_eq!(pulled.end("User")["Upserts"], 50, "counts start again");
}

/// Lets two minutes pass at the first user.
struct SlowHost<'t> {
    tenant: &'t Tenant,
    /// Requests that were made until then.
    asked: Option<usize>,
}

impl Watch for SlowHost<'_> {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let users = String::from_utf8_lossy(rows).contains("\"Kind\":\"Upsert\",\"ObjectType\":\"User\"");
        if users && self.asked.is_none() {
            self.asked = Some(self.tenant.sim.journal().len());
            self.tenant.sim.advance_clock(120);
        }
        Ok(())
    }
}

#[test]
fn page_that_expired_while_the_host_was_slow_is_asked_for_anew() {
    // Slow enough that pages are still to come when the first user is there.
    let mut world = World { users: 300, latency_ms: 20, ..paged() };
    world.delta.page_seconds = Some(60);
    let tenant = Tenant::of(world);
    let engine = tenant.engine("mesh.db").with_batch_rows(10);
    let mut host = SlowHost { tenant: &tenant, asked: None };
    let report = engine.import_watched(&tenant.config(), &tenant.auth(), false, &mut host).unwrap();
    assert_eq!(report.status, CONNECTOR_END, "{:#}", report.error);
    let asked: Vec<_> = tenant.requests().iter().map(|page| (page.route, page.status)).collect();
    assert!(
        warnings(&report.result).contains(&"RoundRestarted"),
        "the trap is set: rows after {:?} of {asked:?}",
        host.asked
    );
    tenant.assert_equals_truth();
}
