//! The traps of Microsoft Graph, one claim each: what an importer meets in production and this one promises to get
//! right.
//!
//! `docs/semantics.md` names the test for every trap. A claim is three lines: a tenant that sets the trap, an import, a
//! comparison with the tenant's own truth or with what the simulator was asked. A trap that nothing else in the world
//! triggers is set on a gentle tenant, so that a failure names it.

mod changed_config; // between two runs: endpoint, filter, attributes, modes, external id, switches
mod delta_rows; // what a row of a feed does and does not say
mod expiry; // refused delta links, dead and repeated pages, restarts
mod filter; // GroupSelectionFilter on a feed that takes no filter
mod followed; // MembershipMode Delta: slices, entries, reads that lag
mod guard; // MaxDeletes, and what a broken walk must not remove
mod last_word; // several words about one object in one run
mod overflow; // more groups to look at again than a watermark can name
mod page; // docs/semantics.md against the source
mod partial; // one type or one group fails, the rest counts
mod reads; // lists, members, batches, tokens
mod reconcile; // what a feed never mentions
mod second_looks; // what a read that lags does not show yet
mod short_list; // lists that name fewer groups than their count

use connector_abi::CONNECTOR_END_PARTIAL;
use host_harness::report::RunReport;
use host_harness::simulator::{Change, Delta, Kind, World};
use serde_json::{Map, Value};

use crate::world::Tenant;

pub(crate) use page::sources;

/// Properties of a change.
fn properties(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// A group with another value of one property.
fn change_group(group: &str, property: &str, value: impl Into<Value>) -> Change {
    Change::update_group(group.to_owned(), Map::from_iter([(property.to_owned(), value.into())]))
}

fn add_member(group: &str, user: &str) -> Change {
    Change::add_member(group.to_owned(), user.to_owned(), Kind::User)
}

fn remove_member(group: &str, user: &str) -> Change {
    Change::remove_member(group.to_owned(), user.to_owned(), Kind::User)
}

/// A gentle world of few objects.
fn few() -> World {
    World { users: 30, groups: 6, edges: 60, ..World::gentle() }
}

/// A gentle world of several pages each.
fn paged() -> World {
    let delta = Delta { user_page: 10, group_page: 2, ..World::gentle().delta };
    World { users: 50, groups: 9, edges: 90, delta, ..World::gentle() }
}

impl Tenant {
    /// Imports into the default store by its watermark, and expects a partial result.
    #[track_caller]
    fn import_in_part(&self) -> RunReport {
        let report = self.import_into("mesh.db", false);
        assert_eq!(report.status, CONNECTOR_END_PARTIAL, "{:#}", report.result);
        report
    }

    /// Changes the tenant, imports, and expects the tenant's truth.
    #[track_caller]
    fn follows(&self, changes: &[Change]) -> RunReport {
        self.sim.apply(changes).unwrap();
        let report = self.import();
        self.assert_equals_truth();
        report
    }

    /// Fails unless the default store holds the groups, and the edges of the groups, for which `keep` holds.
    #[track_caller]
    fn assert_holds_groups_where(&self, keep: impl Fn(&Map<String, Value>) -> bool) {
        let truth = self.sim.truth().with_groups_where(|group| keep(&group.attributes));
        let differences =
            host_harness::compare::compare(&self.mesh(), host_harness::truth::TruthRow::of(&truth)).unwrap();
        assert!(differences.is_empty(), "{differences}");
    }

    /// The number of a user who is a member of this group, as the tenant stands.
    fn some_member(&self, group: &str) -> String {
        let edge = self.sim.truth().members().find(|e| e.parent == group && e.child_type == "User");
        edge.expect("a group with a user in it").child
    }
}

/// Codes of the warnings of a result.
fn warnings(result: &Value) -> Vec<&str> {
    result["Warnings"].as_array().unwrap().iter().map(|warning| warning["Code"].as_str().unwrap()).collect()
}

/// `Mode` of an object type in a result.
fn mode<'r>(result: &'r Value, object_type: &str) -> &'r str {
    result["ObjectTypes"][object_type]["Mode"].as_str().unwrap_or("none")
}
