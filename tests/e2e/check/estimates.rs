//! How much there is, and what a full import will ask for: estimates against the import that follows.

use super::*;

fn count(requests: &[Exchange], routes: &[Route]) -> u64 {
    requests.iter().filter(|x| routes.contains(&x.route)).count() as u64
}

#[test]
fn estimates_are_what_a_full_import_then_needs() {
    let tenant = Tenant::of(World { users: 450, groups: 18, edges: 600, ..World::gentle() }).with("PageSize", 20);
    let checked = tenant.check();
    tenant.requests();
    let pulled = tenant.pull(None);
    let requests = tenant.requests();
    for (object_type, routes) in
        [("User", &[Route::USERS_DELTA][..]), ("Group", &[Route::GROUPS_DELTA]), ("GroupMember", &OF_MEMBERS)]
    {
        let size = row(&checked, Some(object_type), "Size");
        let (told, made) = (size["EstimatedRequests"].as_u64().unwrap(), count(&requests, routes));
        assert_eq!(told, made, "{object_type}");
        let there = pulled.end(object_type)["Upserts"].as_u64().unwrap();
        let told = size["EstimatedObjects"].as_u64().unwrap();
        assert_eq!(told, there, "{object_type}");
    }
    says(row(&checked, Some("GroupMember"), "Size"), "Message", "estimated by 18 of 18 groups");
}

#[test]
fn memberships_of_many_groups_are_estimated_by_some() {
    let tenant = Tenant::of(World { users: 200, groups: 300, edges: 3_000, ..World::gentle() });
    let checked = tenant.check();
    let size = row(&checked, Some("GroupMember"), "Size");
    says(size, "Message", "by 20 of 300 groups");
    let (told, there) = (size["EstimatedObjects"].as_u64().unwrap(), tenant.sim.truth().member_count());
    assert!(told >= there / 5 && told <= there * 5, "{told} told, {there} there");
    assert_eq!(size["EstimatedRequests"], 1 + 300 / 20);
    tenant.requests();
    tenant.pull(None);
    assert_eq!(size["EstimatedRequests"], count(&tenant.requests(), &OF_MEMBERS));
}

#[test]
fn members_in_several_pages_of_many_groups_take_at_least_what_is_told() {
    let tenant = Tenant::of(World { users: 200, groups: 45, edges: 2_000, ..World::gentle() }).with("PageSize", 20);
    let checked = tenant.check();
    let size = row(&checked, Some("GroupMember"), "Size");
    says(size, "Message", "takes at least about");
    tenant.requests();
    tenant.pull(None);
    let (told, made) = (size["EstimatedRequests"].as_u64().unwrap(), count(&tenant.requests(), &OF_MEMBERS));
    // A reader that finds three groups waiting does not wait for seventeen more.
    assert!(made * 2 >= told && made <= told * 3, "{told} told, {made} made");
}

#[test]
fn a_filter_counts_what_it_keeps_and_the_feed_still_walks_every_group() {
    let tenant = Tenant::of(World { users: 20, groups: 450, edges: 500, ..World::gentle() });
    let kept = tenant.sim.truth().groups().filter(|g| g.attributes["securityEnabled"] == true).count() as u64;
    let tenant = tenant.with("GroupSelectionFilter", "securityEnabled eq true");
    let checked = tenant.check();
    let size = row(&checked, Some("Group"), "Size");
    assert_eq!((size["EstimatedObjects"].as_u64(), size["EstimatedRequests"].as_u64()), (Some(kept), Some(3)));
    assert!(kept < 450);
}

#[test]
fn what_cannot_be_counted_is_unknown_and_no_failure() {
    let tenant = Tenant::small();
    tenant.sim.add_fault(Fault::always(Route::USERS_LIST, FaultAction::status(400)).on_url("$count=true"));
    let checked = tenant.check();
    let size = row(&checked, Some("User"), "Size");
    assert_eq!((&size["Outcome"], &size["EstimatedObjects"]), (&json!("Unknown"), &Value::Null));
    assert_eq!(checked.status, CONNECTOR_END);
}
