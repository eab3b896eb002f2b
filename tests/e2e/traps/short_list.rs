//! Lists of groups that name fewer groups than Graph counts: nothing may be removed for what they leave out.
//!
//! The mistake that is easy to make is to take the count for fixed: groups come and go while their list is read.

use host_harness::simulator::{Change, Fault, FaultAction, Route, World};
use serde_json::json;

use super::{change_group, properties};
use crate::world::Tenant;

/// One that is evaluated here, so that only memberships need the list, and one that only Graph can evaluate.
const FILTERS: [&str; 2] = ["startswith(displayName,'APP-')", "displayName ge 'APP-' and displayName le 'APP-Z'"];

fn listed(filter: &str, groups: u32) -> Tenant {
    let tenant = Tenant::of(World { users: 30, groups, edges: u64::from(groups) * 6, ..World::gentle() })
        .with("GroupSelectionFilter", filter)
        .with("PageSize", 4);
    let name = |n: u32| change_group(&tenant.sim.group_id(n), "displayName", format!("APP-{n}"));
    tenant.sim.apply(&(0..groups).map(name).collect::<Vec<_>>()).unwrap();
    tenant.import();
    tenant.assert_equals_truth();
    tenant
}

#[test]
fn list_that_stays_shorter_than_its_count_removes_nothing_and_is_told() {
    for filter in FILTERS {
        let tenant = listed(filter, 10);
        tenant.sim.add_fault(Fault::always(Route::GROUPS_LIST, FaultAction::ShortList { rows: 1 }));
        let report = tenant.import_in_part();
        let error = report.result["ObjectTypes"]["GroupMember"]["Error"]["Message"].as_str().unwrap();
        assert!(error.contains("where Graph counts 10"), "{error}");
        tenant.assert_equals_truth();
        tenant.sim.clear_faults();
        tenant.import();
        tenant.assert_equals_truth();
    }
}

#[test]
fn list_that_is_short_once_is_read_again_and_no_group_of_it_twice() {
    for filter in FILTERS {
        let tenant = listed(filter, 10);
        let reads_of_an_import = || {
            tenant.requests();
            tenant.import();
            tenant.sim.count(|asked| asked.route == Route::MEMBERS)
        };
        let usual = reads_of_an_import();
        tenant.sim.add_fault(Fault::once(Route::GROUPS_LIST, FaultAction::ShortList { rows: 2 }));
        assert_eq!(reads_of_an_import(), usual, "{filter}: a group's members were read twice");
        tenant.assert_equals_truth();
    }
}

#[test]
fn groups_that_come_and_go_while_they_are_listed_make_no_list_look_short() {
    for filter in FILTERS {
        for nth in (2..34).step_by(4) {
            let tenant = listed(filter, 24);
            let gone = (0..8).map(|n| Change::delete_group(tenant.sim.group_id(n * 3)));
            let born = |n| Change::add_group(properties(json!({ "displayName": format!("APP-new-{n}") })));
            tenant.sim.on_request(nth, gone.chain((0..8).map(born)).collect::<Vec<_>>());
            tenant.import();
            if tenant.sim.waiting_scripts() > 0 {
                // An import makes fewer requests than that.
                assert!(nth > 10, "{filter}: request {nth} was not made: few changes came while the list was read");
                break;
            }
            // What this run could not see any more.
            tenant.import();
            tenant.assert_equals_truth();
        }
    }
}
