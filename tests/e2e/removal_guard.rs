//! The harness's removal guard on real runs: a filter that was changed by mistake.

use host_harness::report::{Outcome, RunReport};
use host_harness::simulator::{Change, World};
use serde_json::{Map, json};

use crate::world::Tenant;

const MODES: [&str; 2] = ["Recompute", "Delta"];
/// Matches no group of the simulator.
const NONE: &str = "startswith(displayName,'ZZZ-')";

fn tenant(mode: &str) -> Tenant {
    let world = World { groups: 700, users: 300, edges: 5000, ..World::gentle() };
    // `MaxDeletes` counts what Graph reports; it must make no difference.
    Tenant::of(world).with("MembershipMode", mode).with("MaxDeletes", 5)
}

fn groups_and_edges(tenant: &Tenant) -> (usize, usize) {
    let mesh = tenant.mesh();
    (mesh.objects("Group").unwrap().len(), mesh.edges("GroupMember").unwrap().len())
}

/// How many rows of a type the stop shows, those that went with earlier checkpoints included.
fn shown(report: &RunReport, object_type: &str) -> usize {
    let stop = report.removals.as_ref().unwrap_or_else(|| panic!("not stopped: {:?}", report.outcome));
    let rows = &stop.types[object_type];
    assert!(stop.whole, "{stop}");
    usize::try_from(rows.removed_before + rows.would_go).unwrap()
}

#[test]
fn wrong_filter_is_stopped_in_both_membership_modes_until_what_was_shown_is_accepted() {
    for mode in MODES {
        let tenant = tenant(mode);
        tenant.import();
        let (groups, edges) = groups_and_edges(&tenant);
        let tenant = tenant.with("GroupSelectionFilter", NONE);
        let stopped = tenant.import_into("mesh.db", false);
        assert_eq!(stopped.outcome, Outcome::Failed, "{mode}");
        assert_eq!((shown(&stopped, "Group"), shown(&stopped, "GroupMember")), (groups, edges), "{mode}");
        let left = groups_and_edges(&tenant);
        assert!(left.0 >= groups - 500 && left.1 >= edges - 1000, "{mode}: {left:?} of {groups}, {edges} are left");
        let accepting = tenant.engine("mesh.db").accepting_shown_removals();
        let accepted = accepting.import(&tenant.config(), &tenant.auth(), false).unwrap();
        assert_eq!(accepted.outcome, Outcome::Succeeded, "{mode}: {:?}", accepted.host_error);
        assert_eq!(groups_and_edges(&tenant), (0, 0), "{mode}");
    }
}

#[test]
fn first_import_with_a_narrow_filter_is_not_stopped() {
    for mode in MODES {
        let tenant = tenant(mode).with("GroupSelectionFilter", NONE);
        let report = tenant.import();
        assert!(report.removals.is_none() && groups_and_edges(&tenant) == (0, 0), "{mode}");
    }
}

#[test]
fn wrong_filter_that_was_stopped_and_corrected_leaves_the_store_equal_to_the_tenant() {
    for mode in MODES {
        let world = World { groups: 60, users: 300, edges: 3000, ..World::gentle() };
        let tenant = Tenant::of(world)
            .with("MembershipMode", mode)
            .with("GroupSelectionFilter", "startswith(displayName,'APP-')");
        let rename = |number: u32| {
            let name = json!(format!("APP-{number:02}"));
            let properties = Map::from_iter([("displayName".to_owned(), name)]);
            Change::update_group(tenant.sim.group_id(number), properties)
        };
        tenant.sim.apply(&(0..60).map(rename).collect::<Vec<_>>()).unwrap();
        tenant.sim.settle();
        tenant.import();
        // Ten of sixty groups match: too few of them go to stop anything, their memberships do.
        let tenant = tenant.with("GroupSelectionFilter", "startswith(displayName,'APP-0')");
        let stopped = tenant.import_into("mesh.db", false);
        assert_eq!((shown(&stopped, "Group"), stopped.outcome), (50, Outcome::Failed), "{mode}");
        let tenant = tenant.with("GroupSelectionFilter", "startswith(displayName,'APP-')");
        tenant.import();
        tenant.assert_equals_truth();
    }
}
