//! Feeds, log and truth held to each other: whoever follows the links ends where the tenant is.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::client::Client;
use super::follower::Follower;
use crate::simulator::{Change, ChangeKind, Deed, Delta, Kind, Script, World};

/// Restored objects bring their edges, so that a follower without special knowledge can be compared.
fn telling(delta: Delta) -> Delta {
    Delta { restore_shows_in_groups: true, deleted_members_in_first_round: true, ..delta }
}

#[test]
fn following_the_links_leads_to_the_truth() -> Result<()> {
    let mut kinds: BTreeMap<ChangeKind, u32> = BTreeMap::new();
    for seed in 0..12 {
        let world = World { seed, users: 40 + seed as u32 * 9, groups: 25, edges: 900, ..World::default() };
        let delta = Delta { user_page: 20, group_page: 7, member_slice: 15, ..telling(world.delta.clone()) };
        let client = Client::start(World { delta, large_group: Some(70), ..world })?;
        let mut follower = Follower::default();
        follower.round(&client, &mut || {})?;
        follower.check(&client.simulator.truth())?;
        assert!(follower.empty_pages > 0, "the default world has empty pages");
        for round in 0..4 {
            let changes = client.simulator.random_changes(seed * 10 + round, 60);
            for (kind, count) in client.simulator.apply(&changes)?.counts {
                *kinds.entry(kind).or_default() += count;
            }
            follower.round(&client, &mut || {})?;
            follower.check(&client.simulator.truth())?;
        }
    }
    assert_eq!(kinds.len(), ChangeKind::all().len(), "every kind of change occurred: {kinds:?}");
    Ok(())
}

#[test]
fn tiny_tenants_are_tenants_too() -> Result<()> {
    for seed in 0..12_u32 {
        let (users, groups) = (seed % 4, seed / 4);
        let world = World { seed: u64::from(seed), users, groups, edges: 6, large_group: None, ..World::default() };
        let delta = telling(world.delta.clone());
        let bin = seed % 3;
        let client = Client::start(World { delta, deleted_users: bin, deleted_groups: bin, ..world })?;
        let mut follower = Follower::default();
        for round in 0..3 {
            follower.round(&client, &mut || {})?;
            follower.check(&client.simulator.truth())?;
            client.simulator.apply(&client.simulator.demo_changes())?;
            client.simulator.apply(&client.simulator.random_changes(round, 12))?;
        }
    }
    Ok(())
}

#[test]
fn changes_during_a_round_come_in_it_or_in_the_next() -> Result<()> {
    for seed in 20..28 {
        let world = World { seed, users: 120, groups: 30, edges: 900, ..World::default() };
        let delta = Delta { user_page: 15, group_page: 5, member_slice: 10, ..telling(world.delta.clone()) };
        let client = Client::start(World { delta, large_group: None, ..world })?;
        let mut follower = Follower::default();
        let mut step = 0;
        for _ in 0..3 {
            follower.round(&client, &mut || {
                step += 1;
                let changes = client.simulator.random_changes(seed * 1_000 + step, 4);
                client.simulator.apply(&changes).unwrap();
            })?;
        }
        follower.round(&client, &mut || {})?;
        follower.check(&client.simulator.truth())?;
    }
    Ok(())
}

/// Switches of the feeds in all mixtures, and changes in the middle of rounds. Not lean restores: an object that the
/// follower never held would come back without its properties.
#[test]
fn mixtures_of_switches_lead_to_the_truth() -> Result<()> {
    for seed in 0..32_u64 {
        let on = |bit: u32| seed >> bit & 1 == 1;
        let world = World { seed, users: 30, groups: 14, edges: 120, large_group: None, ..World::default() };
        let delta = Delta {
            user_page: 4,
            group_page: 3,
            member_slice: 2,
            membership_history: on(0),
            lean_rows: on(1),
            id_only_slices: on(3),
            id_only_membership_rows: on(4),
            duplicates: on(2),
            ..telling(world.delta.clone())
        };
        let client = Client::start(World { delta, ..world })?;
        let mut follower = Follower::default();
        for round in 0..3 {
            for nth in 1..6 {
                client.simulator.on_request(nth * 3, Script::random(seed * 100 + round * 10 + nth, 5));
            }
            follower.round(&client, &mut || {})?;
        }
        while client.simulator.waiting_scripts() > 0 {
            follower.round(&client, &mut || {})?;
        }
        follower.round(&client, &mut || {})?;
        follower.check(&client.simulator.truth()).with_context(|| format!("seed {seed}"))?;
    }
    Ok(())
}

#[test]
fn the_demo_script_shows_every_kind_of_change() -> Result<()> {
    let delta = telling(Delta::default());
    let client = Client::start(World { delta, ..World::default() })?;
    let mut follower = Follower::default();
    follower.round(&client, &mut || {})?;
    let summary = client.simulator.apply(&client.simulator.demo_changes())?;
    for kind in ChangeKind::all() {
        let optional = matches!(
            kind,
            ChangeKind::Object(Kind::Group, Deed::Purged | Deed::Updated)
                | ChangeKind::Object(Kind::User, Deed::NamesSwapped)
        );
        assert!(optional || summary.counts.contains_key(&kind), "{kind} is missing from {summary:?}");
    }
    follower.round(&client, &mut || {})?;
    follower.check(&client.simulator.truth())
}

#[test]
fn an_impossible_script_changes_nothing() -> Result<()> {
    let client = Client::start(World::default())?;
    let before = client.simulator.truth().user_count();
    let script = [Change::delete_user("#1"), Change::delete_user("#1")];
    let error = client.simulator.apply(&script).unwrap_err();
    assert!(format!("{error:#}").contains("change 1"), "{error:#}");
    assert_eq!(client.simulator.truth().user_count(), before);
    Ok(())
}

#[test]
fn soft_deleted_users_keep_their_edges_and_purged_ones_do_not() -> Result<()> {
    let client = Client::start(World::default())?;
    let edges = |client: &Client| client.simulator.truth().member_count();
    let edge = client.simulator.truth().members().find(|edge| edge.child_type == "User").unwrap();
    let user = edge.child;
    let all = edges(&client);
    client.simulator.apply(&[Change::delete_user(user.clone())])?;
    let hidden = edges(&client);
    assert!(hidden < all);
    client.simulator.apply(&[Change::restore_user(user.clone())])?;
    assert_eq!(edges(&client), all);
    client.simulator.apply(&[Change::delete_user(user.clone()), Change::purge_user(user.clone())])?;
    assert_eq!(edges(&client), hidden);
    assert!(client.simulator.apply(&[Change::restore_user(user)]).is_err());
    Ok(())
}

#[test]
fn scripts_are_written_in_json() -> Result<()> {
    let client = Client::start(World::default())?;
    let script = r##"[{"change": "add", "kind": "user", "properties": {"displayName": "Ada"}},
        {"change": "link", "relation": "member", "parent": "#0", "child": "#306"},
        {"change": "update", "kind": "user", "object": "#306", "properties": {"jobTitle": null}}]"##;
    let reply = client.send("POST", "/_simulator/change", &[], script)?;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.body["summary"]["counts"]["memberAdded"], 1);
    let id = client.simulator.user_id(306);
    assert_eq!(reply.body["summary"]["created"][0].as_str(), Some(id.as_str()));
    assert!(client.simulator.truth().members().any(|edge| edge.child == id));
    let refused = client.send("POST", "/_simulator/change", &[], r#"[{"change": "deleteUser", "user": "nobody"}]"#)?;
    assert_eq!(refused.status, 400);
    Ok(())
}

#[test]
fn the_truth_streams_as_lines() -> Result<()> {
    let client = Client::start(World { users: 30, groups: 10, edges: 100, large_group: None, ..World::default() })?;
    let origin = client.simulator.origin();
    let reply = super::client::send(&origin, "GET", "/_simulator/truth", &[], "")?;
    let truth = client.simulator.truth();
    let expected = truth.lines().count() as u64;
    assert!(expected >= truth.user_count() + truth.group_count() + truth.member_count());
    let lines = reply.text.lines().filter(|line| line.starts_with('{')).count() as u64;
    assert_eq!(lines, expected);
    Ok(())
}

#[test]
fn a_million_users_start_at_once() -> Result<()> {
    let started = std::time::Instant::now();
    let world = World { users: 1_000_000, groups: 20_000, edges: 3_000_000, ..World::default() };
    let client = Client::start(world)?;
    let reply = client.get("/users/delta?$select=displayName")?;
    assert!(reply.status == 200 && reply.rows().len() <= 200);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    Ok(())
}

#[test]
fn swapped_names_are_two_rows_and_one_change() -> Result<()> {
    let lists = crate::simulator::Lists { lag_changes: 1, ..Default::default() };
    let client = Client::start(World { lists, ..World::gentle() })?;
    let name = |user: u32| -> Result<String> {
        let reply = client.get(&format!("/users/{}?$select=userPrincipalName", client.simulator.user_id(user)))?;
        Ok(reply.body["userPrincipalName"].as_str().unwrap_or_default().to_owned())
    };
    let (_, link) = super::delta::walk(&client, "/users/delta?$select=userPrincipalName")?;
    let before = (name(1)?, name(2)?);
    client.simulator.apply(&[Change::swap_user_names("#1", "#2")])?;
    assert_eq!((name(1)?, name(2)?), before, "a read that lags sees neither of the two");
    let (rows, _) = super::delta::walk(&client, &link)?;
    assert_eq!(rows.len(), 2);
    client.simulator.settle();
    assert_eq!((name(2)?, name(1)?), before);
    Ok(())
}

#[test]
fn names_of_users_stay_unique_and_names_of_groups_move_between_scopes() -> Result<()> {
    let client = Client::start(World { users: 60, groups: 60, ..World::gentle() })?;
    let in_scope = |client: &Client| {
        let groups = client.simulator.truth().groups_selecting(&["displayName"]);
        groups
            .filter(|group| group.attributes["displayName"].as_str().is_some_and(|name| name.starts_with("APP-")))
            .map(|group| group.id)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (mut entered, mut left) = (0, 0);
    assert_eq!(in_scope(&client).len(), 18, "6 of 20");
    for seed in 0..20 {
        let before = in_scope(&client);
        client.simulator.apply(&client.simulator.random_changes(seed, 50))?;
        let after = in_scope(&client);
        entered += after.difference(&before).count();
        left += before.difference(&after).count();
        let names: Vec<_> = client
            .simulator
            .truth()
            .users_selecting(&["userPrincipalName"])
            .map(|user| user.attributes["userPrincipalName"].to_string().to_lowercase())
            .collect();
        let unique: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }
    assert!(entered > 20 && left > 10, "{entered} entered, {left} left");
    Ok(())
}
