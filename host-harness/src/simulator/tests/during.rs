//! Changes that happen while an import is under way.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::client::Client;
use super::follower::Follower;
use crate::simulator::{Change, Delta, Fault, FaultAction, Route, Script, World};

fn delete(user: &str) -> Vec<Change> {
    vec![Change::delete_user(user)]
}

#[test]
fn a_script_happens_before_its_request_is_answered_and_not_sooner() -> Result<()> {
    let client = Client::start(World::default())?;
    let status = |client: &Client| client.get(&format!("/users/{}", client.simulator.user_id(3)));
    assert_eq!(status(&client)?.status, 200);
    client.simulator.on_request(3, delete("#3"));
    let seen = [status(&client)?.status, status(&client)?.status, status(&client)?.status];
    assert_eq!(seen, [200, 200, 404]);
    assert_eq!(client.simulator.waiting_scripts(), 0);
    Ok(())
}

#[test]
fn a_batch_is_one_request_and_a_token_is_none() -> Result<()> {
    let client = Client::start(World::default())?;
    client.simulator.on_request(2, delete("#3"));
    let url = format!("/users/{}", client.simulator.user_id(3));
    let items: Vec<_> = (0..5).map(|id| json!({"id": id.to_string(), "method": "GET", "url": url})).collect();
    let batch = || client.send("POST", "/v1.0/$batch", &[], &json!({"requests": items}).to_string());
    assert!(batch()?.body["responses"].as_array().unwrap().iter().all(|item| item["status"] == 200));
    let simulator = &client.simulator;
    super::client::sign_in(simulator, &simulator.tenant_id(), &super::client::form(simulator, "wrong"))?;
    assert_eq!(simulator.waiting_scripts(), 1);
    assert!(batch()?.body["responses"].as_array().unwrap().iter().all(|item| item["status"] == 404));
    Ok(())
}

#[test]
fn what_has_become_impossible_is_left_out_and_told() -> Result<()> {
    let client = Client::start(World::default())?;
    client.simulator.on_request(1, [delete("#3"), delete("#3"), delete("#4")].concat());
    client.get("/users?$top=1")?;
    let status = client.get(&format!("/users/{}", client.simulator.user_id(4)))?.status;
    assert_eq!(status, 404, "the change after the impossible one happened");
    let told = client.simulator.impossible_changes();
    assert!(told.len() == 1 && told[0].contains("#3 is not live"), "{told:?}");
    Ok(())
}

#[test]
fn a_world_file_names_changes_during_an_import() -> Result<()> {
    let world: World = serde_json::from_str(
        r##"{"changesDuring": [
            {"afterRequests": 1, "changes": [{"change": "delete", "kind": "user", "object": "#3"}]},
            {"afterRequests": 1, "changes": {"random": {"seed": 7, "count": 10}}}]}"##,
    )?;
    let client = Client::start(world)?;
    let url = format!("/users/{}", client.simulator.user_id(3));
    assert_eq!((client.get(&url)?.status, client.get(&url)?.status), (200, 404));
    assert_eq!(client.simulator.impossible_changes(), Vec::<String>::new());
    let script = r##"{"afterRequests": 0, "changes": [{"change": "delete", "kind": "user", "object": "#5"}]}"##;
    assert_eq!(client.send("POST", "/_simulator/change", &[], script)?.status, 200);
    assert_eq!(client.get(&format!("/users/{}", client.simulator.user_id(5)))?.status, 404);
    Ok(())
}

#[test]
fn the_same_script_during_the_same_walk_ends_in_the_same_tenant() -> Result<()> {
    let run = || -> Result<Vec<String>> {
        let world = World { users: 60, groups: 20, edges: 300, large_group: None, ..World::default() };
        let delta = Delta {
            user_page: 10,
            group_page: 3,
            restore_shows_in_groups: true,
            deleted_members_in_first_round: true,
            ..world.delta.clone()
        };
        let client = Client::start(World { delta, ..world })?;
        for nth in 1..8 {
            client.simulator.on_request(nth * 2, Script::random(nth, 6));
        }
        let mut follower = Follower::default();
        follower.round(&client, &mut || {})?;
        assert_eq!(client.simulator.waiting_scripts(), 0, "the walk was long enough");
        follower.round(&client, &mut || {})?;
        follower.check(&client.simulator.truth())?;
        // Not the moments of creation: the clock goes on between two runs.
        let truth = client.simulator.truth();
        let users = truth.users_selecting(&["displayName", "userPrincipalName"]).map(|user| format!("{user:?}"));
        Ok(users.chain(truth.members().map(|edge| format!("{edge:?}"))).collect())
    };
    assert_eq!(run()?, run()?);
    Ok(())
}

#[test]
fn the_journal_tells_how_many_exchanges_were_under_way() -> Result<()> {
    let client = Client::start(World::default())?;
    let in_flight = || client.simulator.journal().last().map_or(0, |exchange| exchange.in_flight);
    let url = "/users?$top=1";
    client.get(url)?;
    assert_eq!(in_flight(), 1);
    client.simulator.add_fault(Fault::once(Route::GROUPS_LIST, FaultAction::StallBeforeHeaders));
    let mut stalled = TcpStream::connect(client.simulator.origin().trim_start_matches("http://"))?;
    write!(stalled, "GET /v1.0/groups HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {}\r\n\r\n", client.token)?;
    while !client.simulator.journal().iter().any(|exchange| exchange.faulted) {
        thread::sleep(Duration::from_millis(5));
    }
    client.get(url)?;
    assert_eq!(in_flight(), 2);
    drop(stalled);
    // Until the server has seen that its client is gone.
    let since = Instant::now();
    while in_flight() != 1 {
        assert!(since.elapsed() < Duration::from_secs(60), "it is counted for ever");
        client.get(url)?;
    }
    Ok(())
}
