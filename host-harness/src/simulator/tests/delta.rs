//! What delta queries accept, refuse and leave out.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::Client;
use crate::simulator::{Change, Deletion, Delta, Kind, Refusal, World};

/// All rows of a round, and its delta link.
pub(super) fn walk(client: &Client, url: &str) -> Result<(Vec<Value>, String)> {
    let mut rows = Vec::new();
    let mut url = url.to_owned();
    loop {
        let reply = client.get(&url)?;
        anyhow::ensure!(reply.status == 200, "{}", reply.text);
        rows.extend(reply.rows().iter().cloned());
        match (reply.next_link(), reply.delta_link()) {
            (Some(next), _) => url = next.to_owned(),
            (None, Some(link)) => return Ok((rows, link.to_owned())),
            _ => anyhow::bail!("no link"),
        }
    }
}

fn gentle() -> World {
    World { users: 450, groups: 30, edges: 600, ..World::gentle() }
}

fn update(user: &str, properties: &Value) -> Change {
    Change::update_user(user, properties.as_object().cloned().unwrap_or_default())
}

#[test]
fn user_pages_hold_200_rows_whatever_top_says() -> Result<()> {
    let client = Client::start(gentle())?;
    let reply = client.get("/users/delta?$select=displayName&$top=5&$expand=manager&$search=x&$count=true")?;
    assert_eq!((reply.status, reply.rows().len()), (200, 200));
    let (rows, _) = walk(&client, "/users/delta()")?;
    assert_eq!(rows.len(), 450);
    let pages = client.simulator.journal().iter().filter(|exchange| exchange.feed.is_some()).count();
    assert_eq!(pages, 1 + 3);
    Ok(())
}

#[test]
fn an_idle_round_is_empty_and_brings_a_new_link() -> Result<()> {
    let client = Client::start(gentle())?;
    let (_, link) = walk(&client, "/users/delta")?;
    let reply = client.get(&link)?;
    assert!(reply.rows().is_empty());
    assert_ne!(reply.delta_link(), Some(link.as_str()));
    Ok(())
}

#[test]
fn filters_other_than_ids_are_refused() -> Result<()> {
    let client = Client::start(gentle())?;
    let reply = client.get("/groups/delta?$filter=startswith(displayName,'SEC')")?;
    assert_eq!((reply.status, reply.message()), (400, "Filter not supported."));
    let ids: Vec<_> = (0..51).map(|number| format!("id%20eq%20'{}'", client.simulator.group_id(number % 30))).collect();
    assert_eq!(client.get(&format!("/groups/delta?$filter={}", ids.join("%20or%20")))?.status, 400);
    let two = ids[..2].join("%20or%20");
    let (rows, link) = walk(&client, &format!("/groups/delta?$select=displayName&$filter={two}"))?;
    assert_eq!(rows.len(), 2);
    client.simulator.apply(&[
        Change::update_group("#1", json!({"displayName": "A"}).as_object().cloned().unwrap_or_default()),
        Change::update_group("#9", json!({"displayName": "B"}).as_object().cloned().unwrap_or_default()),
    ])?;
    assert_eq!(walk(&client, &link)?.0.len(), 1);
    Ok(())
}

#[test]
fn untracked_and_unknown_properties_are_refused() -> Result<()> {
    let client = Client::start(gentle())?;
    let reply = client.get("/users/delta?$select=id,signInActivity")?;
    assert_eq!((reply.status, reply.code()), (400, "BadRequest"));
    assert!(reply.message().ends_with("following properties: signInActivity"), "{}", reply.message());
    assert_eq!(client.get("/users/delta?$select=aboutMe")?.status, 400);
    assert!(client.get("/users/delta?$select=nonsense")?.message().contains("'nonsense'"));
    let reply = client.get("/users/delta?select=id")?;
    assert_eq!(reply.message(), "Unrecognized query argument specified: 'select'.");
    Ok(())
}

#[test]
fn never_set_is_absent_and_cleared_is_null() -> Result<()> {
    let client = Client::start(World { users: 300, ..World::gentle() })?;
    let select = "/users/delta?$select=jobTitle,mobilePhone,businessPhones";
    let (rows, link) = walk(&client, select)?;
    assert!(rows.iter().any(|row| row.get("jobTitle") == Some(&Value::Null)));
    assert!(rows.iter().any(|row| row.get("jobTitle").is_none()));
    assert!(rows.iter().all(|row| row.get("businessPhones").is_none_or(Value::is_array)));
    client.simulator.apply(&[update("#7", &json!({"jobTitle": null}))])?;
    let (rows, _) = walk(&client, &link)?;
    assert_eq!((rows.len(), &rows[0]["jobTitle"]), (1, &Value::Null));
    assert!(rows[0].get("jobTitle").is_some());
    Ok(())
}

#[test]
fn an_unselected_property_makes_no_row() -> Result<()> {
    let client = Client::start(gentle())?;
    let (_, link) = walk(&client, "/users/delta?$select=displayName")?;
    client.simulator.apply(&[update("#7", &json!({"department": "Legal"}))])?;
    assert!(walk(&client, &link)?.0.is_empty());
    Ok(())
}

#[test]
fn membership_changes_show_only_where_members_were_selected() -> Result<()> {
    let client = Client::start(World { groups: 40, ..gentle() })?;
    let (_, without) = walk(&client, "/groups/delta?$select=displayName&$expand=members")?;
    let (rows, with) = walk(&client, "/groups/delta?$select=displayName,members")?;
    assert!(rows.iter().any(|row| row.get("members@delta").is_some()));
    let (_, default) = walk(&client, "/groups/delta")?;
    client
        .simulator
        .apply(&[Change::add_user(serde_json::Map::new()), Change::add_member("#3", "#450", Kind::User)])?;
    assert!(walk(&client, &without)?.0.is_empty());
    for link in [with, default] {
        let (rows, _) = walk(&client, &link)?;
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["members@delta"][0]["@odata.type"], "#microsoft.graph.user");
    }
    Ok(())
}

#[test]
fn minimal_rows_carry_changes_alone() -> Result<()> {
    let client = Client::start(gentle())?;
    let (_, link) = walk(&client, "/users/delta?$select=displayName,jobTitle,mail")?;
    client.simulator.apply(&[update("#7", &json!({"jobTitle": null}))])?;
    let reply = client.get_with(&link, &[("Prefer", "return=minimal")])?;
    assert_eq!(reply.header("preference-applied").as_deref(), Some("return=minimal"));
    assert_eq!(reply.rows()[0].as_object().map(serde_json::Map::len), Some(2), "{}", reply.text);
    let reply = client.get(&link)?;
    assert!(reply.rows()[0].get("displayName").is_some());
    Ok(())
}

#[test]
fn large_groups_come_in_slices_that_are_not_adjacent() -> Result<()> {
    let world = World { users: 2_000, edges: 4_000, large_group: Some(1_700), groups: 50, ..World::default() };
    let client = Client::start(world)?;
    let (rows, _) = walk(&client, "/groups/delta?$select=displayName,members")?;
    let slices = |row: &Value| row["members@delta"].as_array().map_or(0, Vec::len);
    assert!(rows.iter().all(|row| slices(row) <= 500));
    let large = rows.iter().find(|row| slices(row) == 500).unwrap()["id"].clone();
    let at: Vec<_> = rows.iter().enumerate().filter(|(_, row)| row["id"] == large).map(|(at, _)| at).collect();
    assert!(at.len() >= 4 && at.windows(2).any(|pair| pair[1] > pair[0] + 1), "{at:?}");
    Ok(())
}

#[test]
fn deleted_objects_show_in_the_first_round_and_restored_ones_return() -> Result<()> {
    let client = Client::start(World::default())?;
    let (rows, link) = walk(&client, "/users/delta?$select=displayName")?;
    let removed = rows.iter().filter(|row| row.get("@removed").is_some()).count();
    assert!(removed >= 6);
    client.simulator.apply(&[Change::restore_user("#300"), Change::delete_user("#5"), Change::purge_user("#6")])?;
    let (rows, _) = walk(&client, &link)?;
    let row = |number: u32| rows.iter().find(|row| row["id"] == client.simulator.user_id(number)).unwrap();
    assert!(row(300).get("@removed").is_none() && row(300).get("displayName").is_some());
    assert_eq!(row(5)["@removed"]["reason"], "changed");
    assert_eq!(row(6)["@removed"]["reason"], "deleted");
    Ok(())
}

#[test]
fn security_groups_go_softly_or_for_good() -> Result<()> {
    for (mode, reason) in [(Deletion::Soft, "changed"), (Deletion::Permanent, "deleted")] {
        let client = Client::start(World { security_group_deletion: mode, ..gentle() })?;
        let (_, link) = walk(&client, "/groups/delta?$select=displayName")?;
        client.simulator.apply(&[Change::delete_group("#0")])?;
        assert_eq!(walk(&client, &link)?.0[0]["@removed"]["reason"], reason);
    }
    Ok(())
}

#[test]
fn latest_mints_a_link_without_rows() -> Result<()> {
    let client = Client::start(World::default())?;
    let reply = client.get("/groups/delta?$deltatoken=latest&$select=displayName")?;
    assert!(reply.rows().is_empty());
    let link = reply.delta_link().unwrap_or_default().to_owned();
    client.simulator.apply(&[Change::delete_group("#1")])?;
    assert_eq!(walk(&client, &link)?.0.len(), 1);
    Ok(())
}

#[test]
fn an_edited_link_is_refused_as_if_it_were_old() -> Result<()> {
    let client = Client::start(World::default())?;
    let (_, link) = walk(&client, "/users/delta?$select=displayName")?;
    assert!(link.contains('+'), "a link that does not survive form decoding");
    for edited in
        [link.replace('+', "%20"), format!("{link}&$select=id"), format!("{link}x"), link.replace("users", "groups")]
    {
        let reply = client.get(&edited)?;
        assert_eq!((reply.status, reply.code()), (400, "Request_UnsupportedQuery"), "{edited}");
        assert_eq!(reply.message(), "DeltaLink older than 30 days is not supported.");
    }
    assert_eq!(client.get(&link.replace('+', "%2B"))?.status, 200);
    assert_eq!(client.get(&link)?.status, 200);
    Ok(())
}

#[test]
fn links_age_and_are_refused_in_every_shape() -> Result<()> {
    let shapes = [
        (Refusal::GoneWithLocation, 410, ""),
        (Refusal::SyncStateNotFound, 400, "syncStateNotFound"),
        (Refusal::OlderThan30Days, 400, "Request_UnsupportedQuery"),
        (Refusal::ResyncRequired, 410, "resyncRequired"),
    ];
    for (refusal, status, code) in shapes {
        let world = gentle();
        let sign_in = crate::simulator::SignIn { token_seconds: Some(9_000_000), ..world.sign_in.clone() };
        let client = Client::start(World { delta: Delta { refusal, ..world.delta.clone() }, sign_in, ..world })?;
        let (_, link) = walk(&client, "/users/delta")?;
        client.simulator.advance_clock(6 * 86_400);
        let (_, link) = walk(&client, &link)?;
        client.simulator.advance_clock(8 * 86_400);
        let reply = client.get(&link)?;
        assert_eq!((reply.status, reply.code()), (status, code));
        assert_eq!(reply.header("location").is_some(), refusal == Refusal::GoneWithLocation);
    }
    Ok(())
}

#[test]
fn membership_rows_may_carry_nothing_but_the_id() -> Result<()> {
    let world = World::default();
    let delta = Delta { id_only_membership_rows: true, replayed_changes: 0, ..world.delta.clone() };
    let client = Client::start(World { delta, ..world })?;
    let (_, link) = walk(&client, "/groups/delta?$select=displayName,members")?;
    let edge = client.simulator.truth().members().next().unwrap();
    let (group, member) = (edge.parent, edge.child);
    client.simulator.apply(&[Change::remove_member(group, member, Kind::User)])?;
    let (rows, _) = walk(&client, &link)?;
    let names: Vec<_> = rows[0].as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id", "members@delta"]);
    assert_eq!(rows[0]["members@delta"][0]["@removed"]["reason"], "deleted");
    Ok(())
}
