//! Lists, filters, advanced queries, single objects and the recycle bin.

use std::collections::BTreeSet;

use anyhow::Result;

use super::client::Client;
use crate::simulator::{Change, Lists, Permissions, World};

fn start() -> Result<Client> {
    Client::start(World { users: 250, groups: 200, edges: 500, large_group: None, ..World::default() })
}

#[test]
fn pages_are_100_by_default_and_999_at_most() -> Result<()> {
    let client = Client::start(World { users: 250, groups: 200, ..World::gentle() })?;
    let reply = client.get("/groups")?;
    assert_eq!(reply.rows().len(), 100);
    assert!(reply.next_link().is_some());
    assert_eq!(client.get("/groups?$top=999")?.rows().len(), 200);
    let reply = client.get("/groups?$top=1000")?;
    assert_eq!((reply.status, reply.code()), (400, "Request_UnsupportedQuery"));
    assert_eq!(reply.message(), "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.");
    Ok(())
}

#[test]
fn all_pages_together_are_the_whole_list() -> Result<()> {
    let client = start()?;
    for (url, expected) in [("/users?$select=id&$top=30", 250), ("/groups?$top=7&$select=id", 200)] {
        let mut ids: Vec<_> = client.all(url, &[])?.iter().map(|row| row["id"].to_string()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), expected, "{url}");
    }
    Ok(())
}

#[test]
fn advanced_filters_need_header_and_count_on_every_page() -> Result<()> {
    let client = start()?;
    let url = "/groups?$filter=not%20startswith(displayName,'SEC-')&$select=id,displayName&$top=20";
    assert_eq!(client.get(url)?.code(), "Request_UnsupportedQuery");
    assert_eq!(client.eventually(url)?.status, 400);
    let advanced = format!("{url}&$count=true");
    assert_eq!(client.get(&advanced)?.status, 400);
    let reply = client.eventually(&advanced)?;
    let expected = client.simulator.truth().with_groups_where(|group| {
        !group.attributes["displayName"].as_str().is_some_and(|name| name.to_lowercase().starts_with("sec-"))
    });
    assert_eq!(reply.body["@odata.count"].as_u64(), Some(expected.group_count()));
    let next = reply.next_link().unwrap_or_default().to_owned();
    assert_eq!(client.get(&next)?.status, 400, "the header is not in the link");
    assert!(client.eventually(&next)?.body.get("@odata.count").is_none());
    let rows = client.all(&advanced, &[("ConsistencyLevel", "eventual")])?;
    assert_eq!(rows.len() as u64, expected.group_count());
    Ok(())
}

#[test]
fn a_count_without_the_header_is_silently_missing() -> Result<()> {
    let client = start()?;
    let reply = client.get("/groups?$count=true&$top=1")?;
    assert_eq!(reply.status, 200);
    assert!(reply.body.get("@odata.count").is_none());
    assert_eq!(client.get("/groups/$count")?.message(), "$count is not currently supported.");
    assert_eq!(client.eventually("/groups/$count")?.text, "200");
    assert_eq!(client.eventually("/users/$count?$filter=userType%20eq%20'nobody'")?.text, "0");
    Ok(())
}

#[test]
fn filters_select_what_they_say() -> Result<()> {
    let client = start()?;
    for (filter, least) in [
        ("groupTypes/any(c:c eq 'Unified')", 20),
        ("securityEnabled eq true and mailEnabled eq false", 20),
        ("startswith(displayName,'sec-')", 20),
        ("mail eq null", 20),
        ("displayName eq 'nobody is called this'", 0),
    ] {
        let rows = client.all(&format!("/groups?$select=id&$filter={}", filter.replace(' ', "%20")), &[])?;
        assert!(rows.len() >= least && rows.len() < 200, "{filter}: {}", rows.len());
    }
    let reply = client.get("/groups?$filter=contains(displayName,'x')")?;
    assert_eq!(reply.message(), "Unsupported property filter clause operator 'Contains'.");
    assert_eq!(client.get("/groups?$filter=displayName+eq+'O''Neil")?.status, 400);
    Ok(())
}

#[test]
fn objects_are_read_by_id_in_any_case_and_users_by_name() -> Result<()> {
    let client = start()?;
    let group = client.simulator.group_id(3).to_uppercase();
    assert_eq!(client.get(&format!("/groups/{group}?$select=id,displayName"))?.status, 200);
    let user = client.get(&format!("/users/{}", client.simulator.user_id(9)))?;
    let name = user.body["userPrincipalName"].as_str().unwrap_or_default().replace('#', "%23");
    assert_eq!(client.get(&format!("/users/{name}"))?.body["id"], user.body["id"]);
    client.simulator.apply(&[Change::delete_group("#3")])?;
    let reply = client.get(&format!("/groups/{group}"))?;
    assert_eq!((reply.status, reply.code()), (404, "Request_ResourceNotFound"));
    assert_eq!(client.get("/users/11111111-1111-1111-1111-111111111111")?.status, 404);
    Ok(())
}

#[test]
fn the_recycle_bin_lists_what_can_be_restored() -> Result<()> {
    let client = start()?;
    let url = "/directory/deletedItems/microsoft.graph.user?$select=id,deletedDateTime";
    let rows = client.all(url, &[])?;
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row["deletedDateTime"].is_string()));
    assert_eq!(client.all("/directory/deletedItems/microsoft.graph.group", &[])?.len(), 3);
    Ok(())
}

#[test]
fn lists_lag_behind_until_they_settle() -> Result<()> {
    let lists = Lists { lag_changes: 2, ..Lists::default() };
    let client = Client::start(World { lists, ..World::default() })?;
    let id = client.simulator.group_id(1);
    let status = |client: &Client| client.get(&format!("/groups/{id}")).map(|reply| reply.status);
    client.simulator.apply(&[Change::delete_group("#1")])?;
    assert_eq!(status(&client)?, 200);
    client.simulator.settle();
    assert_eq!(status(&client)?, 404);
    Ok(())
}

#[test]
fn properties_kept_elsewhere_are_not_implemented() -> Result<()> {
    let client = start()?;
    let reply = client.get("/users?$select=aboutMe")?;
    assert_eq!((reply.status, reply.code()), (501, "NotImplemented"));
    assert_eq!(client.get("/users?$select=nonsense")?.status, 400);
    assert_eq!(client.get("/nonsense")?.message(), "Resource not found for the segment 'nonsense'.");
    assert!(client.get("/users?$select=id,signInActivity&$top=999")?.rows().len() <= 120);
    Ok(())
}

#[test]
fn sorting_with_a_filter_is_an_advanced_query() -> Result<()> {
    let client = start()?;
    let url = "/groups?$select=displayName&$orderby=displayName&$filter=securityEnabled%20eq%20true";
    assert_eq!(client.get(url)?.message(), "Sorting not supported for current query.");
    let rows = client.all(&format!("{url}&$count=true"), &[("ConsistencyLevel", "eventual")])?;
    let names: Vec<_> = rows.iter().map(|row| row["displayName"].as_str().unwrap_or_default().to_lowercase()).collect();
    assert!(names.is_sorted());
    Ok(())
}

#[test]
fn the_recycle_bin_is_read_with_the_permissions_of_its_types() -> Result<()> {
    let url = |kind: &str| format!("/directory/deletedItems/microsoft.graph.{kind}?$select=id&$top=999");
    for (permissions, users, groups) in [
        (Permissions::without(&["Group.Read.All"]), 200, 403),
        (Permissions::without(&["User.Read.All"]), 403, 200),
        (Permissions::without(&["GroupMember.Read.All"]), 200, 200),
    ] {
        let client = Client::start(World { permissions, ..World::default() })?;
        assert_eq!((client.get(&url("user"))?.status, client.get(&url("group"))?.status), (users, groups));
    }
    let client = start()?;
    for path in ["/directory/deletedItems", "/directory/deletedItems/user", "/directory/deletedItems/microsoft.graph.x"]
    {
        assert_eq!(client.get(path)?.status, 400, "{path}: the cast is mandatory");
    }
    Ok(())
}

/// Rename group 1 to 1, 2, 3… and tell which of the names a read shows.
fn shown_name(client: &Client) -> Result<u32> {
    let reply = client.get(&format!("/groups/{}?$select=displayName", client.simulator.group_id(1)))?;
    Ok(reply.body["displayName"].as_str().unwrap_or_default().parse().unwrap_or_default())
}

fn rename(client: &Client, name: u32) -> Result<()> {
    let properties = serde_json::json!({"displayName": name.to_string()}).as_object().cloned().unwrap_or_default();
    client.simulator.apply(&[Change::update_group("#1", properties)])?;
    Ok(())
}

#[test]
fn a_varying_lag_shows_every_age_and_never_what_was_settled_over() -> Result<()> {
    let lists = Lists { lag_changes: 3, varying_lag: true, ..Lists::default() };
    let client = Client::start(World { lists, ..World::default() })?;
    for name in 1..=8 {
        rename(&client, name)?;
    }
    let seen: BTreeSet<u32> = (0..60).map(|_| shown_name(&client)).collect::<Result<_>>()?;
    assert_eq!(seen, BTreeSet::from([5, 6, 7, 8]));
    client.simulator.settle();
    rename(&client, 9)?;
    let seen: BTreeSet<u32> = (0..60).map(|_| shown_name(&client)).collect::<Result<_>>()?;
    assert_eq!(seen, BTreeSet::from([8, 9]), "settling is a floor");
    Ok(())
}

#[test]
fn the_same_seed_lags_the_same_way() -> Result<()> {
    let ages = |seed: u64| -> Result<Vec<u32>> {
        let lists = Lists { lag_changes: 3, varying_lag: true, ..Lists::default() };
        let client = Client::start(World { seed, lists, ..World::default() })?;
        (1..=30).map(|name| rename(&client, name).and_then(|()| shown_name(&client))).collect()
    };
    assert_eq!(ages(5)?, ages(5)?);
    assert_ne!(ages(5)?, ages(6)?);
    Ok(())
}

#[test]
fn all_reads_lag_by_whole_changes() -> Result<()> {
    let lists = Lists { lag_changes: 1, ..Lists::default() };
    let client = Client::start(World { lists, ..World::default() })?;
    let edge = client.simulator.truth().members().find(|edge| edge.child_type == "User").unwrap();
    // One change of many steps: the user leaves every group.
    client.simulator.apply(&[Change::purge_user(edge.child.clone())])?;
    let members = format!("/groups/{}/members?$select=id&$top=999", edge.parent);
    let user = format!("/users/{}", edge.child);
    let sees = |client: &Client| -> Result<[bool; 3]> {
        let members = client.all(&members, &[])?.iter().any(|row| row["id"] == edge.child);
        Ok([members, client.get(&user)?.status == 200, client.get(&format!("{user}/memberOf"))?.status == 200])
    };
    assert_eq!(sees(&client)?, [true; 3]);
    client.simulator.settle();
    assert_eq!(sees(&client)?, [false; 3]);
    client.simulator.apply(&[Change::delete_user("#2")])?;
    let bin = "/directory/deletedItems/microsoft.graph.user?$select=id&$top=999";
    let id = client.simulator.user_id(2);
    assert!(client.all(bin, &[])?.iter().all(|row| row["id"] != id));
    client.simulator.settle();
    assert!(client.all(bin, &[])?.iter().any(|row| row["id"] == id));
    Ok(())
}

#[test]
fn ranges_of_names_that_touch_are_the_whole_list() -> Result<()> {
    let client = start()?;
    let ids = |url: &str| -> Result<Vec<String>> {
        let rows = client.all(url, &[])?;
        Ok(rows.iter().map(|row| row["id"].as_str().unwrap_or_default().to_owned()).collect())
    };
    let everybody: BTreeSet<String> = ids("/users?$select=id&$top=999")?.into_iter().collect();
    let sorted = "/users?$select=userPrincipalName&$orderby=userPrincipalName%20desc&$top=1&$count=true";
    let sorted = |filter: &str| client.get_with(&format!("{sorted}{filter}"), &[("ConsistencyLevel", "eventual")]);
    let middle = sorted("&$filter=userPrincipalName%20le%20'M'")?;
    let name = middle.rows()[0]["userPrincipalName"].as_str().unwrap_or_default().to_owned();
    let lower = ids(&format!("/users?$select=id&$top=7&$filter=userPrincipalName%20le%20'{name}'"))?;
    let upper = ids(&format!("/users?$select=id&$top=7&$filter=userPrincipalName%20ge%20'{name}'"))?;
    assert_eq!(middle.body["@odata.count"], lower.len());
    assert_eq!(lower.len() + upper.len(), everybody.len() + 1, "whoever stands at the cut is in both");
    assert_eq!(lower.into_iter().chain(upper).collect::<BTreeSet<_>>(), everybody);
    Ok(())
}

#[test]
fn a_page_of_a_range_goes_on_where_it_was_although_others_came() -> Result<()> {
    let client = start()?;
    let url = "/groups?$select=id&$top=5&$filter=displayName%20ge%20'A'";
    let before: Vec<_> = client.all(url, &[])?.iter().map(|row| row["id"].clone()).collect();
    let first = client.get(url)?;
    let mut seen: Vec<_> = first.rows().iter().map(|row| row["id"].clone()).collect();
    let group = |n: u32| {
        let properties =
            serde_json::json!({"displayName": format!("AAA {n}")}).as_object().cloned().unwrap_or_default();
        Change::add_group(properties)
    };
    client.simulator.apply(&(0..20).map(group).collect::<Vec<_>>())?;
    let next = first.body["@odata.nextLink"].as_str().unwrap_or_default().to_owned();
    seen.extend(client.all(&next, &[])?.iter().map(|row| row["id"].clone()));
    assert!(before.iter().all(|id| seen.contains(id)));
    Ok(())
}
