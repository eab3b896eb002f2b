//! What rows of a round tell when the tenant changes before and during it: the switches a property test turns.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::Client;
use super::delta::walk;
use crate::simulator::{Change, Delta, Kind, World};

const GROUPS: &str = "/groups/delta?$select=displayName,description,members";

fn world(delta: impl FnOnce(Delta) -> Delta) -> World {
    let world = World { users: 30, groups: 12, edges: 60, ..World::gentle() };
    World { delta: delta(world.delta.clone()), ..world }
}

fn member(join: bool, group: &str, member: &str) -> Change {
    let (group, member, member_type) = (group.to_owned(), member.to_owned(), Kind::User);
    if join {
        Change::add_member(group, member, member_type)
    } else {
        Change::remove_member(group, member, member_type)
    }
}

/// Group 12 is new and empty; users 1 and 2 come and go.
fn comings_and_goings() -> Vec<Change> {
    let moves = [(true, "#1"), (true, "#2"), (false, "#1"), (true, "#3"), (true, "#1"), (false, "#2")];
    moves.map(|(join, user)| member(join, "#12", user)).into()
}

/// The members of one group as its entries, over all rows in their order, tell them: plus for there, minus for gone.
fn told(client: &Client, rows: &[Value], group: u32) -> Vec<String> {
    let id = client.simulator.group_id(group);
    let entries = rows.iter().filter(|row| row["id"] == id).filter_map(|row| row["members@delta"].as_array());
    let number = |entry: &Value| (0..40).find(|number| entry["id"] == client.simulator.user_id(*number)).unwrap_or(99);
    entries
        .flatten()
        .map(|entry| format!("{}{}", if entry.get("@removed").is_some() { "-" } else { "+" }, number(entry)))
        .collect()
}

#[test]
fn members_are_told_once_as_they_stand_or_move_by_move_in_order() -> Result<()> {
    for (membership_history, expected) in
        [(false, &["+1", "-2", "+3"][..]), (true, &["+1", "+2", "-1", "+3", "+1", "-2"])]
    {
        let client = Client::start(world(|delta| Delta { membership_history, member_slice: 2, ..delta }))?;
        client.simulator.apply(&[Change::add_group(serde_json::Map::new())])?;
        let (_, link) = walk(&client, GROUPS)?;
        client.simulator.apply(&comings_and_goings())?;
        let (rows, _) = walk(&client, &link)?;
        assert_eq!(told(&client, &rows, 12), expected);
        assert!(rows.len() >= 2, "slices of two");
    }
    Ok(())
}

#[test]
fn repeated_rows_never_undo_what_a_later_slice_told() -> Result<()> {
    for seed in 0..20 {
        let world = World { seed, ..world(|delta| Delta { membership_history: true, member_slice: 1, ..delta }) };
        let delta = Delta { duplicates: true, empty_pages: true, group_page: 2, replayed_changes: 2, ..world.delta };
        let client = Client::start(World { delta, ..world })?;
        client.simulator.apply(&[Change::add_group(serde_json::Map::new())])?;
        let (_, link) = walk(&client, GROUPS)?;
        client.simulator.apply(&comings_and_goings())?;
        client.simulator.apply(&client.simulator.random_changes(seed, 30))?;
        let (rows, _) = walk(&client, &link)?;
        let mut held = std::collections::BTreeSet::new();
        for told in told(&client, &rows, 12) {
            let (sign, number) = told.split_at(1);
            let number: u32 = number.parse()?;
            if sign == "+" {
                held.insert(client.simulator.user_id(number))
            } else {
                held.remove(&client.simulator.user_id(number))
            };
        }
        let group = client.simulator.group_id(12);
        let truth = client.simulator.truth();
        if truth.groups().all(|live| live.id != group) {
            continue;
        }
        let live: std::collections::BTreeSet<_> = truth.users().map(|user| user.id).collect();
        let held: std::collections::BTreeSet<_> = held.intersection(&live).cloned().collect();
        let users = truth.members().filter(|edge| edge.parent == group && edge.child_type == "User");
        assert_eq!(held, users.map(|edge| edge.child).collect(), "seed {seed}");
    }
    Ok(())
}

#[test]
fn the_first_page_decides_which_objects_a_round_tells_and_each_page_how_they_look() -> Result<()> {
    for removed_in_first_round in [false, true] {
        let delta = |delta| Delta { user_page: 1, removed_in_first_round, ..delta };
        let client = Client::start(World { deleted_users: 1, ..world(delta) })?;
        let first = client.get("/users/delta?$select=displayName")?;
        let seen = first.rows()[0]["id"].clone();
        let other = (0..30).find(|number| seen != client.simulator.user_id(*number)).unwrap();
        client.simulator.apply(&[
            Change::delete_user(format!("#{other}")),
            Change::restore_user("#30"),
            Change::add_user(serde_json::Map::new()),
        ])?;
        let (rows, link) = walk(&client, first.next_link().unwrap_or_default())?;
        let row = |rows: &[Value], number: u32| {
            rows.iter().find(|row| row["id"] == client.simulator.user_id(number)).cloned()
        };
        assert_eq!(row(&rows, other).unwrap()["@removed"]["reason"], "changed", "live when the round began");
        assert_eq!(row(&rows, 30).is_some(), removed_in_first_round, "in the recycle bin when the round began");
        assert!(row(&rows, 31).is_none(), "not there when the round began");
        let (rows, _) = walk(&client, &link)?;
        assert!([other, 30, 31].iter().all(|number| row(&rows, *number).is_some()), "the link covers the round");
    }
    Ok(())
}

#[test]
fn lean_rows_and_restores_tell_only_what_changed() -> Result<()> {
    let update =
        |user: &str| Change::update_user(user, json!({"jobTitle": "New"}).as_object().cloned().unwrap_or_default());
    for (lean_rows, lean_restores, updated, restored) in
        [(false, false, 2, 2), (true, false, 1, 2), (true, true, 1, 0), (false, true, 2, 0)]
    {
        let delta = |delta| Delta { lean_rows, lean_restores, ..delta };
        let client = Client::start(World { deleted_users: 1, ..world(delta) })?;
        client.simulator.apply(&[update("#3")])?;
        let (_, link) = walk(&client, "/users/delta?$select=displayName,jobTitle")?;
        client.simulator.apply(&[
            update("#3"),
            Change::delete_user("#4"),
            Change::restore_user("#4"),
            Change::add_user(json!({"jobTitle": "New"}).as_object().cloned().unwrap_or_default()),
        ])?;
        let (rows, _) = walk(&client, &link)?;
        let told = |number: u32| {
            let row = rows.iter().find(|row| row["id"] == client.simulator.user_id(number)).unwrap();
            usize::from(row.get("displayName").is_some()) + usize::from(row.get("jobTitle").is_some())
        };
        assert_eq!(told(3), updated);
        assert_eq!(told(31), 2, "a new object comes whole");
        let named = usize::from(
            rows.iter().any(|row| row["id"] == client.simulator.user_id(4) && row.get("displayName").is_some()),
        );
        assert_eq!(named, restored.min(1));
    }
    Ok(())
}

#[test]
fn restored_and_purged_members_show_in_their_groups_where_the_world_says_so() -> Result<()> {
    for shows in [false, true] {
        let delta = |delta| Delta { restore_shows_in_groups: shows, purge_shows_in_groups: shows, ..delta };
        let client = Client::start(world(delta))?;
        client.simulator.apply(&[
            Change::add_group(serde_json::Map::new()),
            member(true, "#12", "#1"),
            member(true, "#12", "#2"),
            Change::delete_user("#1"),
        ])?;
        let (_, link) = walk(&client, GROUPS)?;
        client.simulator.apply(&[Change::restore_user("#1"), Change::purge_user("#2")])?;
        let (rows, _) = walk(&client, &link)?;
        assert_eq!(told(&client, &rows, 12), if shows { vec!["+1", "-2"] } else { vec![] });
    }
    Ok(())
}

#[test]
fn a_first_round_lists_soft_deleted_members_where_the_world_says_so() -> Result<()> {
    for listed in [false, true] {
        let client = Client::start(world(|delta| Delta { deleted_members_in_first_round: listed, ..delta }))?;
        client.simulator.apply(&[
            Change::add_group(serde_json::Map::new()),
            member(true, "#12", "#1"),
            Change::delete_user("#1"),
        ])?;
        let (rows, _) = walk(&client, GROUPS)?;
        assert_eq!(told(&client, &rows, 12), if listed { vec!["+1"] } else { vec![] });
    }
    Ok(())
}

#[test]
fn a_group_that_goes_while_its_slices_wait_is_told_as_removed() -> Result<()> {
    let client = Client::start(world(|delta| Delta { member_slice: 1, group_page: 1, ..delta }))?;
    client.simulator.apply(&[
        Change::add_group(serde_json::Map::new()),
        member(true, "#12", "#1"),
        member(true, "#12", "#2"),
    ])?;
    let id = client.simulator.group_id(12);
    let first = client.get(&format!("/groups/delta?$select=members&$filter=id%20eq%20'{id}'"))?;
    assert_eq!(told(&client, first.rows(), 12), ["+1"]);
    client.simulator.apply(&[Change::delete_group(id.clone())])?;
    let (rows, link) = walk(&client, first.next_link().unwrap_or_default())?;
    assert_eq!((rows.len(), &rows[0]["@removed"]["reason"]), (1, &json!("changed")), "{rows:?}");
    client.simulator.apply(&[Change::restore_group(id)])?;
    assert!(walk(&client, &link)?.0[0].get("@removed").is_none());
    Ok(())
}
