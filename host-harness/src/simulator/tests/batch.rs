//! `$batch`: every item on its own.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::{Client, Reply};
use crate::simulator::{Fault, FaultAction, Route, Throttling, World};

fn post(client: &Client, requests: &Value) -> Result<Reply> {
    client.send(
        "POST",
        "/v1.0/$batch",
        &[("Content-Type", "application/json")],
        &json!({"requests": requests}).to_string(),
    )
}

fn members(client: &Client, count: u32) -> Value {
    (0..count)
        .map(|number| {
            let url = format!("/groups/{}/members?$select=id&$top=999", client.simulator.group_id(number));
            json!({"id": number.to_string(), "method": "GET", "url": url})
        })
        .collect()
}

#[test]
fn items_are_answered_in_another_order() -> Result<()> {
    let client = Client::start(World::default())?;
    let reply = post(&client, &members(&client, 20))?;
    let responses = reply.body["responses"].as_array().unwrap();
    let ids: Vec<_> = responses.iter().map(|response| response["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(ids.len(), 20);
    assert!(!ids.iter().enumerate().all(|(nth, id)| *id == nth.to_string()), "{ids:?}");
    assert!(responses.iter().all(|response| response["status"] == 200 && response["body"]["value"].is_array()));
    let exchange = client.simulator.journal().pop().unwrap();
    assert_eq!((exchange.route, exchange.items.len()), (Route::Batch, 20));
    Ok(())
}

#[test]
fn a_batch_of_21_or_with_a_double_id_is_refused_whole() -> Result<()> {
    let client = Client::start(World::default())?;
    assert_eq!(post(&client, &members(&client, 21))?.status, 400);
    let twice = json!([{"id": "a", "method": "GET", "url": "/users"}, {"id": "A", "method": "GET", "url": "/groups"}]);
    assert_eq!(post(&client, &twice)?.status, 400);
    assert_eq!(client.send("POST", "/v1.0/$batch", &[], "not json")?.status, 400);
    Ok(())
}

#[test]
fn a_failed_dependency_is_424_and_items_carry_their_own_headers() -> Result<()> {
    let client = Client::start(World::default())?;
    let url = "/groups?$filter=displayName%20ne%20'x'&$count=true&$top=1";
    let requests = json!([
        {"id": "plain", "method": "GET", "url": url},
        {"id": "after", "method": "GET", "url": "/users", "dependsOn": ["plain"]},
        {"id": "advanced", "method": "GET", "url": url, "headers": {"ConsistencyLevel": "eventual"}},
    ]);
    let reply = post(&client, &requests)?;
    let status = |id: &str| {
        let responses = reply.body["responses"].as_array().unwrap();
        responses.iter().find(|response| response["id"] == id).and_then(|response| response["status"].as_u64())
    };
    assert_eq!((status("plain"), status("after"), status("advanced")), (Some(400), Some(424), Some(200)));
    let text = reply.body.to_string();
    assert!(text.contains(&format!("{}/v1.0/groups?", client.simulator.origin())), "next links are absolute");
    Ok(())
}

#[test]
fn one_item_may_be_throttled_among_others() -> Result<()> {
    let client = Client::start(World::default())?;
    let fault = Fault::once(Route::MEMBERS, FaultAction::retry_after(429, "0.249"));
    client.simulator.add_fault(fault.on_url(client.simulator.group_id(2)));
    let reply = post(&client, &members(&client, 5))?;
    assert_eq!(reply.status, 200);
    for response in reply.body["responses"].as_array().unwrap() {
        let throttled = response["id"] == "2";
        assert_eq!(response["status"], if throttled { 429 } else { 200 });
        assert_eq!(response["headers"]["Retry-After"] == "0.249", throttled);
    }
    Ok(())
}

#[test]
fn every_item_is_charged() -> Result<()> {
    let throttling = Throttling { units_per_10_seconds: Some(15), ..Throttling::default() };
    let client =
        Client::start(World { throttling: Some(throttling), clock_start: Some(1_790_000_000), ..World::default() })?;
    let reply = post(&client, &members(&client, 20))?;
    let responses = reply.body["responses"].as_array().unwrap();
    let throttled = responses.iter().filter(|response| response["status"] == 429).count();
    assert!(throttled >= 10, "{throttled} of 20 throttled at 2 units each");
    assert!(
        responses.iter().all(|response| response["status"] != 429 || response["headers"].get("Retry-After").is_some())
    );
    Ok(())
}
