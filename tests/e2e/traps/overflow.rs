//! More groups to look at again than a watermark names, which are 500. What finds no place must not be lost.
//!
//! Easy to get wrong here: most reads may fail, but never forty in a row, or the connector gives the type up.

use anyhow::{Result, bail};
use host_harness::import::Watch;
use host_harness::simulator::{Change, Delta, Fault, FaultAction, Route, World};
use host_harness::store::RemovalGuard;
use serde_json::Value;

use super::{change_group, few, warnings};
use crate::world::Tenant;

/// More than a watermark names.
const GROUPS: u32 = 600;

fn crowded(world: World) -> World {
    World { groups: GROUPS, users: 30, edges: 900, ..world }
}

fn following(world: World) -> Tenant {
    Tenant::of(world).with("MembershipMode", "Delta").with("MaxRetries", 0)
}

fn every_group(tenant: &Tenant, property: &str, value: impl Fn(u32) -> String) -> Vec<Change> {
    (0..GROUPS).map(|n| change_group(&tenant.sim.group_id(n), property, value(n))).collect()
}

/// Fifteen of sixteen reads of members fail.
fn most_reads_fail(tenant: &Tenant) {
    tenant.sim.add_fault(Fault::always(Route::MEMBERS, FaultAction::status(500)).sparing(16));
}

/// A tenant whose 600 groups enter the scope at once, so that the members of each have to be read.
fn entering(world: World) -> Tenant {
    let tenant = following(crowded(world)).with("GroupSelectionFilter", "startswith(displayName,'IN-')");
    tenant.sim.apply(&every_group(&tenant, "displayName", |n| format!("OUT-{n}"))).unwrap();
    tenant.import();
    // The run after a full walk looks up every object that its feeds mention, which would heal what this is about.
    tenant.import();
    tenant.sim.apply(&every_group(&tenant, "displayName", |n| format!("IN-{n}"))).unwrap();
    tenant
}

fn link_of_groups(tenant: &Tenant) -> Value {
    let mark = tenant.mesh().watermark("mesh.db").unwrap().unwrap();
    serde_json::from_str::<Value>(&mark).unwrap()["g"].clone()
}

#[test]
fn more_groups_read_because_of_a_row_than_can_be_read_again_warn() {
    let tenant = following(crowded(few())).with("GroupSelectionFilter", "displayName ne 'nothing'");
    tenant.import();
    // The run after a full walk looks up every object that its feeds mention; this is about a later one.
    tenant.import();
    tenant.sim.apply(&every_group(&tenant, "description", |_| "changed".to_owned())).unwrap();
    let report = tenant.import();
    assert_eq!(warnings(&report.result), ["ConfirmOverflow"]);
    tenant.sim.clear_journal();
    let next = tenant.import();
    let again = tenant.sim.count(|asked| asked.route == Route::MEMBERS);
    assert_eq!((again, warnings(&next.result)), (500, Vec::new()), "as many as a watermark names");
}

#[test]
fn more_groups_judged_by_a_read_than_can_be_judged_again_warn() {
    let delta = Delta { lean_rows: true, id_only_membership_rows: true, ..few().delta };
    let tenant = Tenant::of(crowded(World { delta, ..few() })).with("GroupSelectionFilter", "displayName ne 'nothing'");
    tenant.import();
    tenant.sim.apply(&every_group(&tenant, "description", |_| "changed".to_owned())).unwrap();
    assert_eq!(warnings(&tenant.import().result), ["ConfirmOverflow"]);
}

#[test]
fn more_unread_groups_than_a_watermark_names_keep_the_link_and_are_all_read_later() {
    let tenant = entering(few());
    let link = link_of_groups(&tenant);
    most_reads_fail(&tenant);
    let report = tenant.import_in_part();
    assert!(report.tally.issue_count > 500, "the trap is set: {} groups are unread", report.tally.issue_count);
    assert_eq!(link_of_groups(&tenant), link, "only the old link mentions the groups that found no place");
    tenant.sim.clear_faults();
    tenant.import();
    tenant.assert_equals_truth();
}

/// Stops at the last checkpoint before the End of `GroupMember`, once more groups are unread than a watermark names.
#[derive(Default)]
struct StopWhenCrowded {
    unread: usize,
    places: usize,
}

impl Watch for StopWhenCrowded {
    fn rows(&mut self, rows: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(rows);
        self.unread += text.matches("\"Code\":\"MembersUnread\"").count();
        if self.unread > 500 && text.contains("\"Kind\":\"End\",\"ObjectType\":\"Group") {
            bail!("stopped before the End")
        }
        Ok(())
    }

    fn committed(&mut self, watermark: &str) -> Result<()> {
        let mark: Value = serde_json::from_str(watermark)?;
        self.places += usize::from(mark["x"]["types"]["Group"]["now"]["page"].is_string());
        Ok(())
    }
}

#[test]
fn an_import_stopped_with_more_unread_groups_than_a_watermark_names_reads_them_all_when_resumed() {
    let delta = Delta { group_page: 4, ..few().delta };
    let tenant = entering(World { delta, ..few() });
    most_reads_fail(&tenant);
    let mut watch = StopWhenCrowded::default();
    let engine = tenant.engine("mesh.db").with_batch_rows(1).guarded_by(RemovalGuard::lifted());
    let report = engine.import_watched(&tenant.config(), &tenant.auth(), false, &mut watch).unwrap();
    assert!(report.host_error.is_some() && watch.unread > 500 && watch.places > 0, "the trap is set: {report:?}");
    tenant.sim.clear_faults();
    tenant.import();
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn more_restored_users_than_a_watermark_names_make_the_next_import_read_all_memberships() {
    let tenant = following(World { users: 560, groups: 20, edges: 900, ..few() });
    let users = || (0..520).map(|n| tenant.sim.user_id(n));
    tenant.import();
    tenant.import();
    tenant.sim.apply(&users().map(Change::delete_user).collect::<Vec<_>>()).unwrap();
    tenant.import();
    tenant.sim.apply(&users().map(Change::restore_user).collect::<Vec<_>>()).unwrap();
    let report = tenant.import();
    assert_eq!(warnings(&report.result), ["RestoredOverflow"], "each is looked up twice, and 500 of them can be named");
    tenant.sim.clear_journal();
    tenant.import();
    let read = tenant.sim.count(|asked| asked.route == Route::MEMBERS);
    assert!(read >= 20, "{read} reads of members for 20 groups");
    tenant.assert_equals_truth();
}
