//! Member reads, and the three ways in which they say less than there is.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use super::client::Client;
use crate::simulator::{Change, Permissions, World};

const EVENTUAL: [(&str, &str); 1] = [("ConsistencyLevel", "eventual")];

#[test]
fn all_members_of_all_groups_are_the_truth() -> Result<()> {
    let client = Client::start(World::default())?;
    let changes = client.simulator.random_changes(3, 200);
    client.simulator.apply(&changes)?;
    let mut read = BTreeSet::new();
    for group in client.all("/groups?$select=id", &[])? {
        let id = group["id"].as_str().unwrap_or_default();
        for member in client.all(&format!("/groups/{id}/members?$select=id&$count=true&$top=999"), &EVENTUAL)? {
            let kind = member["@odata.type"].as_str().unwrap_or_default().to_lowercase();
            assert!(read.insert((id.to_owned(), member["id"].as_str().unwrap_or_default().to_owned(), kind)));
        }
    }
    let truth: BTreeSet<_> = client
        .simulator
        .truth()
        .members()
        .map(|edge| (edge.parent, edge.child, format!("#microsoft.graph.{}", edge.child_type.to_lowercase())))
        .collect();
    assert!(read == truth, "{} read, {} true", read.len(), truth.len());
    Ok(())
}

#[test]
fn service_principals_are_left_out_of_plain_reads() -> Result<()> {
    let client = Client::start(World::default())?;
    let edge = client.simulator.truth().members().find(|edge| edge.child_type == "ServicePrincipal").unwrap();
    let url = format!("/groups/{}/members?$select=id&$top=999", edge.parent);
    let has = |rows: &[Value]| rows.iter().any(|row| row["id"] == edge.child);
    assert!(!has(&client.all(&url, &[])?));
    assert!(!has(&client.all(&format!("{url}&$count=true"), &[])?));
    assert!(has(&client.all(&format!("{url}&$count=true"), &EVENTUAL)?));
    let cast = format!("/groups/{}/members/microsoft.graph.user?$select=id", edge.parent);
    assert!(client.all(&cast, &[])?.iter().all(|row| row.get("@odata.type").is_none()));
    Ok(())
}

#[test]
fn hidden_memberships_look_empty_without_the_permission() -> Result<()> {
    let permissions = Permissions::without(&["Member.Read.Hidden"]);
    let client = Client::start(World { permissions, ..World::default() })?;
    let hidden = client.simulator.truth().groups().find(|group| group.attributes["visibility"] == "HiddenMembership");
    let id = hidden.unwrap().id;
    let reply = client.get(&format!("/groups/{id}/members"))?;
    assert_eq!((reply.status, reply.rows().len()), (200, 0));
    assert!(client.simulator.truth().members().all(|edge| edge.parent != id));
    Ok(())
}

#[test]
fn unreadable_types_show_type_and_id() -> Result<()> {
    let permissions = Permissions::without(&["Device.Read.All"]);
    let client = Client::start(World { permissions, ..World::default() })?;
    let edge = client.simulator.truth().members().find(|edge| edge.child_type == "Device").unwrap();
    let rows = client.all(&format!("/groups/{}/members?$select=id,displayName", edge.parent), &[])?;
    let row = rows.iter().find(|row| row["id"] == edge.child).unwrap();
    assert_eq!(row.as_object().map(serde_json::Map::len), Some(2));
    Ok(())
}

#[test]
fn a_group_that_is_gone_has_no_members_page() -> Result<()> {
    let client = Client::start(World::default())?;
    let id = client.simulator.group_id(0);
    let page = client.get(&format!("/groups/{id}/members?$top=2"))?;
    client.simulator.apply(&[Change::delete_group(id.clone())])?;
    let next = page.next_link().unwrap_or_default();
    assert_eq!(client.get(next)?.status, 404);
    assert_eq!(client.get(&format!("/groups/{id}/members"))?.code(), "Request_ResourceNotFound");
    Ok(())
}

#[test]
fn member_of_is_the_other_side_of_members() -> Result<()> {
    let client = Client::start(World::default())?;
    for number in [0, 17, 200] {
        let user = client.simulator.user_id(number);
        let groups = client.all(&format!("/users/{user}/memberOf?$select=id&$top=3"), &[])?;
        let read: BTreeSet<_> = groups.iter().filter_map(|group| group["id"].as_str().map(str::to_owned)).collect();
        let edges = client.simulator.truth().members().filter(|edge| edge.child == user);
        assert_eq!(read, edges.map(|edge| edge.parent).collect());
    }
    Ok(())
}

#[test]
fn member_of_takes_a_cast_as_an_advanced_query() -> Result<()> {
    let client = Client::start(World::default())?;
    let truth = client.simulator.truth();
    let edge = truth.members().find(|edge| edge.child_type == "User").unwrap();
    let nested = truth.members().find(|edge| edge.child_type == "Group").unwrap();
    for (collection, member) in [("users", &edge.child), ("groups", &nested.child)] {
        let url =
            format!("/{collection}/{member}/memberOf/microsoft.graph.group?$select=id,displayName&$count=true&$top=2");
        assert_eq!(client.get(&url)?.status, 400, "the header is missing");
        let rows = client.all(&url, &EVENTUAL)?;
        let read: BTreeSet<_> = rows.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
        let edges = truth.members().filter(|edge| edge.child == *member);
        assert_eq!(read, edges.map(|edge| edge.parent).collect());
        assert!(rows.iter().all(|row| row["displayName"].is_string() && row.get("@odata.type").is_none()));
        let page = client.eventually(&url)?;
        assert_eq!(page.body["@odata.count"], rows.len());
        if let Some(next) = page.next_link() {
            assert_eq!(client.get(next)?.status, 400, "the header is missing on page 2");
        }
    }
    assert_eq!(client.eventually(&format!("/users/{}/memberOf/microsoft.graph.user", edge.child))?.status, 400);
    Ok(())
}

#[test]
fn member_of_a_deleted_or_unknown_object_is_not_found() -> Result<()> {
    let client = Client::start(World::default())?;
    client.simulator.apply(&[Change::delete_user("#4"), Change::purge_group("#9")])?;
    let query = "memberOf/microsoft.graph.group?$select=id&$count=true";
    for url in [
        format!("/users/{}/{query}", client.simulator.user_id(4)),
        format!("/groups/{}/{query}", client.simulator.group_id(9)),
        format!("/users/{}/{query}", client.simulator.group_id(1)),
        format!("/users/99999999-9999-4999-8999-999999999999/{query}"),
    ] {
        let reply = client.eventually(&url)?;
        assert_eq!((reply.status, reply.code()), (404, "Request_ResourceNotFound"), "{url}");
    }
    Ok(())
}

#[test]
fn entries_of_hidden_groups_are_missing_from_the_feed_without_the_permission() -> Result<()> {
    for member_read_hidden in [false, true] {
        let missing: &[&str] = if member_read_hidden { &[] } else { &["Member.Read.Hidden"] };
        let permissions = Permissions::without(missing);
        let client = Client::start(World { permissions, ..World::default() })?;
        let groups = client.simulator.truth().groups();
        let hidden = groups.filter(|group| group.attributes["visibility"] == "HiddenMembership").map(|group| group.id);
        let hidden: BTreeSet<_> = hidden.collect();
        let (rows, _) = super::delta::walk(&client, "/groups/delta?$select=displayName,members")?;
        let told = |row: &&Value| row.get("members@delta").is_some();
        let shown = rows.iter().filter(told).any(|row| hidden.contains(row["id"].as_str().unwrap_or_default()));
        assert_eq!(shown, member_read_hidden);
        assert!(rows.iter().any(|row| hidden.contains(row["id"].as_str().unwrap_or_default())), "the groups are there");
    }
    Ok(())
}

#[test]
fn a_feed_lists_the_member_types_the_world_names() -> Result<()> {
    use crate::simulator::{Delta, Kind, MemberTypes};
    let types = |member_types: MemberTypes| -> Result<BTreeSet<String>> {
        let client = Client::start(World { delta: Delta { member_types, ..Delta::default() }, ..World::default() })?;
        let (rows, _) = super::delta::walk(&client, "/groups/delta?$select=members")?;
        let entries = rows.iter().filter_map(|row| row["members@delta"].as_array()).flatten();
        Ok(entries
            .map(|entry| entry["@odata.type"].as_str().unwrap_or_default().replace("#microsoft.graph.", ""))
            .collect())
    };
    assert_eq!(types(MemberTypes::All)?.len(), 5);
    assert_eq!(types(MemberTypes::UsersAndGroups)?, ["group", "user"].map(String::from).into());
    let only = MemberTypes::Only(vec![Kind::User, Kind::Device]);
    assert_eq!(types(only)?, ["device", "user"].map(String::from).into());
    let world: World = serde_json::from_str(r#"{"delta": {"memberTypes": {"only": ["user", "orgContact"]}}}"#)?;
    assert_eq!(world.delta.member_types, MemberTypes::Only(vec![Kind::User, Kind::OrgContact]));
    Ok(())
}

#[test]
fn nobody_owns_a_group_and_nobody_has_a_manager() -> Result<()> {
    let client = Client::start(World::default())?;
    let group = client.simulator.truth().groups().next().unwrap().id;
    let owners = client.get(&format!("/groups/{group}/owners"))?;
    assert_eq!((owners.status, owners.rows().len()), (200, 0));
    assert_eq!(client.get("/groups/00000000-0000-4000-8000-000000000000/owners")?.status, 404);
    let managed = client.get("/users?$select=id&$expand=manager($select=id)&$top=999")?;
    assert_eq!(managed.status, 200);
    assert!(!managed.rows().is_empty() && managed.rows().iter().all(|user| user.get("manager").is_none()));
    assert_eq!(client.get("/users?$expand=memberOf")?.status, 400);
    Ok(())
}
