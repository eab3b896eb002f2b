//! Scripted faults, as a client sees them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::client::{Client, send};
use crate::simulator::{Call, Fault, FaultAction, FaultBody, Refusal, RetryAfter, Route, World};

const URL: &str = "/users?$select=id,displayName&$top=50";

fn start(fault: Fault) -> Result<Client> {
    let client = Client::start(World::default())?;
    client.simulator.add_fault(fault);
    Ok(client)
}

#[test]
fn a_status_comes_with_its_body_and_headers() -> Result<()> {
    let client = start(Fault::once(Route::USERS_LIST, FaultAction::retry_after(503, "Fri, 31 Dec 2027 23:59:59 GMT")))?;
    let reply = client.get(URL)?;
    assert_eq!((reply.status, reply.code()), (503, "serviceNotAvailable"));
    assert_eq!(reply.header("retry-after").as_deref(), Some("Fri, 31 Dec 2027 23:59:59 GMT"));
    assert!(reply.header("request-id").is_some());
    assert_eq!(client.get(URL)?.status, 200, "once only");
    assert!(client.simulator.journal().iter().any(|exchange| exchange.faulted));
    Ok(())
}

#[test]
fn bodies_may_be_html_empty_or_cut() -> Result<()> {
    for (body, check) in [(FaultBody::Html, "<html>"), (FaultBody::Empty, ""), (FaultBody::TruncatedJson, "{\"error\"")]
    {
        let client = start(Fault::once(Route::Any, FaultAction::Status { code: 502, body, headers: BTreeMap::new() }))?;
        let reply = client.get(URL)?;
        assert_eq!(reply.status, 502);
        assert!(reply.text.starts_with(check) && reply.body.is_null(), "{}", reply.text);
    }
    Ok(())
}

#[test]
fn connections_break_before_and_within_the_answer() -> Result<()> {
    for action in [FaultAction::ConnectionReset, FaultAction::ResetMidBody] {
        let client = start(Fault::once(Route::USERS_LIST, action.clone()))?;
        assert!(client.get(URL).is_err(), "{action:?}");
        assert_eq!(client.get(URL)?.status, 200);
    }
    Ok(())
}

#[test]
fn a_stall_may_end_in_a_reset() -> Result<()> {
    let client = start(Fault::once(Route::USERS_LIST, FaultAction::StallThenReset { after_ms: 50 }))?;
    let started = Instant::now();
    assert!(client.get(URL).is_err());
    assert!(started.elapsed() >= Duration::from_millis(50));
    assert_eq!(client.get(URL)?.status, 200);
    Ok(())
}

#[cfg(target_os = "linux")]
#[test]
fn a_service_that_goes_away_refuses_connections_until_it_listens_again() -> Result<()> {
    let client = start(Fault::once(Route::USERS_LIST, FaultAction::ConnectionRefused))?;
    let address = client.simulator.origin().replace("http://", "");
    let idle = std::net::TcpStream::connect(&address)?;
    assert!(client.get(URL).is_err());
    for _ in 0..2 {
        let refused = std::net::TcpStream::connect(&address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    }
    idle.set_read_timeout(Some(Duration::from_secs(30)))?;
    let broken = std::io::Read::read(&mut &idle, &mut [0]).unwrap_err();
    assert_eq!(broken.kind(), std::io::ErrorKind::ConnectionReset, "those that were there are gone too");
    for _ in 0..2 {
        client.simulator.listen_again()?;
        assert_eq!(client.get(URL)?.status, 200, "on the same port");
    }
    Ok(())
}

#[test]
fn a_fault_strikes_one_page_of_a_walk_however_often_the_walk_begins() -> Result<()> {
    let fault = Fault::always(Route::USERS_LIST, FaultAction::status(500)).on_page(2);
    let client = start(fault)?;
    for _ in 0..2 {
        let first = client.get(URL)?;
        let second = first.next_link().unwrap_or_default();
        assert_eq!((first.status, client.get(second)?.status, client.get(second)?.status), (200, 500, 500));
    }
    client.simulator.clear_faults();
    client.simulator.add_fault(Fault::always(Route::USERS_LIST, FaultAction::status(500)).on_page(3));
    let second = client.get(URL)?.next_link().unwrap_or_default().to_owned();
    let third = client.get(&second)?.next_link().unwrap_or_default().to_owned();
    assert_eq!((client.get(&third)?.status, client.get(URL)?.status), (500, 200));
    Ok(())
}

#[test]
fn the_token_service_refuses_in_its_own_words() -> Result<()> {
    let client = start(Fault::always(Route::Token, FaultAction::status(401)).times(1))?;
    let path = format!("/{}/oauth2/v2.0/token", client.simulator.tenant_id());
    let refused = send(&client.simulator.origin(), "POST", &path, &[], "")?;
    assert_eq!((refused.status, &refused.body["error_codes"][0]), (401, &Value::from(7_000_215)));
    assert!(refused.body["error_description"].as_str().is_some_and(|it| it.starts_with("AADSTS7000215: ")));
    client.simulator.add_fault(Fault::once(Route::Token, FaultAction::status(503)));
    let refused = send(&client.simulator.origin(), "POST", &path, &[], "")?;
    assert_eq!((refused.status, &refused.body["error"]), (503, &Value::from("temporarily_unavailable")));
    Ok(())
}

#[test]
fn the_journal_tells_which_item_of_a_batch_was_struck() -> Result<()> {
    let client = Client::start(World::default())?;
    let struck = client.simulator.group_id(1);
    client.simulator.add_fault(Fault::once(Route::MEMBERS, FaultAction::status(500)).on_object(&struck));
    let items: Vec<_> = (0..3)
        .map(|number| {
            let url = format!("/groups/{}/members?$select=id", client.simulator.group_id(number));
            serde_json::json!({"id": number.to_string(), "method": "GET", "url": url})
        })
        .collect();
    client.send("POST", "/v1.0/$batch", &[], &serde_json::json!({ "requests": items }).to_string())?;
    let journal = client.simulator.journal();
    let batch = journal.iter().find(|it| it.route == Route::Batch).unwrap();
    assert!(!batch.faulted);
    assert_eq!(batch.items.iter().map(|item| item.faulted).collect::<Vec<_>>(), [false, true, false]);
    Ok(())
}

#[test]
fn stalled_answers_hang_and_do_not_keep_the_simulator_alive() -> Result<()> {
    for action in [FaultAction::StallBeforeHeaders, FaultAction::StallMidBody] {
        let mut client = start(Fault::once(Route::USERS_LIST, action))?;
        client.patience = Duration::from_millis(700);
        let started = Instant::now();
        assert!(client.get(URL).is_err());
        assert!(started.elapsed() >= Duration::from_millis(650), "the client gave up, not the server");
        client.patience = Duration::from_secs(30);
        assert_eq!(client.get(URL)?.status, 200);
        drop(client);
    }
    Ok(())
}

#[test]
fn a_slow_answer_is_whole_in_the_end() -> Result<()> {
    let client = start(Fault::once(Route::USERS_LIST, FaultAction::SlowDrip { bytes: 200, delay_ms: 20 }))?;
    let started = Instant::now();
    assert!(!client.get(URL)?.rows().is_empty());
    assert!(started.elapsed() >= Duration::from_millis(60));
    Ok(())
}

#[test]
fn answers_are_spoilt_in_many_ways() -> Result<()> {
    let with = |action: FaultAction| -> Result<_> { start(Fault::once(Route::USERS_LIST, action))?.get(URL) };
    assert!(with(FaultAction::TruncatedJson)?.body.is_null());
    assert!(with(FaultAction::WrongJsonType)?.body["value"].is_object());
    assert!(
        with(FaultAction::ForeignNextLink)?
            .next_link()
            .is_some_and(|link| link.starts_with("https://graph.example.net/"))
    );
    assert!(with(FaultAction::RepeatedNextLink)?.next_link().is_some_and(|link| link.ends_with(URL)));
    assert_eq!(with(FaultAction::ExpiredPageToken)?.code(), "Directory_ExpiredPageToken");
    assert_eq!(with(FaultAction::RequestDenied)?.status, 403);
    assert_eq!(with(FaultAction::NotFound)?.status, 404);
    assert_eq!(with(FaultAction::InvalidToken)?.code(), "InvalidAuthenticationToken");
    let challenge = with(FaultAction::ClaimsChallenge)?.header("www-authenticate").unwrap_or_default();
    assert!(challenge.contains("error=\"insufficient_claims\"") && challenge.contains("claims=\""), "{challenge}");
    let damaged = with(FaultAction::GzipDamage)?;
    assert_eq!(damaged.header("content-encoding").as_deref(), Some("gzip"));
    Ok(())
}

#[test]
fn delta_links_alone_are_refused() -> Result<()> {
    let client =
        start(Fault::always(Route::USERS_DELTA, FaultAction::RefuseDeltaLink { shape: Refusal::ResyncRequired }))?;
    let mut url = "/users/delta?$select=id".to_owned();
    let link = loop {
        let reply = client.get(&url)?;
        assert_eq!(reply.status, 200);
        match reply.next_link() {
            Some(next) => url = next.to_owned(),
            None => break reply.delta_link().unwrap_or_default().to_owned(),
        }
    };
    assert_eq!(client.get(&link)?.status, 410);
    client.simulator.clear_faults();
    assert_eq!(client.get(&link)?.status, 200);
    Ok(())
}

#[test]
fn the_control_routes_work_from_another_process() -> Result<()> {
    let client = Client::start(World::default())?;
    let origin = client.simulator.origin();
    let post = |what: &str, body: &str| send(&origin, "POST", &format!("/_simulator/{what}"), &[], body);
    let info = send(&origin, "GET", "/_simulator/info", &[], "")?;
    assert_eq!(info.body["tenantId"].as_str(), Some(client.simulator.tenant_id().as_str()));
    assert_eq!(info.body["users"], 300);
    assert_eq!(post("faults", r#"{"route": "usersList", "action": {"status": {"code": 500}}}"#)?.status, 200);
    assert_eq!(client.get(URL)?.status, 500);
    assert_eq!(post("faults", r#"{"rout": "usersList"}"#)?.status, 400);
    assert_eq!(post("clock", r#"{"advanceSeconds": 86400}"#)?.status, 200);
    assert_eq!(client.get(URL)?.status, 401, "a day later the token is old");
    assert_eq!(post("change", r#"{"random": {"seed": 4, "count": 30}}"#)?.status, 200);
    assert_eq!(post("change", r#"{"demo": true}"#)?.status, 200);
    let journal = send(&origin, "GET", "/_simulator/journal", &[], "")?;
    assert!(journal.text.contains("\"route\":\"usersList\""));
    assert_eq!(send(&origin, "DELETE", "/_simulator/journal", &[], "")?.status, 200);
    assert!(client.simulator.journal().is_empty());
    assert_eq!(post("shutdown", "")?.status, 200);
    client.simulator.wait_for_shutdown();
    Ok(())
}

#[test]
fn a_fault_strikes_page_2_of_the_members_of_one_group() -> Result<()> {
    let client = Client::start(World { large_group: Some(700), ..World::default() })?;
    let truth = client.simulator.truth();
    let mut sizes = std::collections::BTreeMap::<_, u32>::new();
    truth.members().for_each(|edge| *sizes.entry(edge.parent).or_default() += 1);
    let mut large = sizes.iter().filter(|(_, size)| **size > 20).map(|(group, _)| group.clone());
    let (struck, spared) = (large.next().unwrap(), large.next().unwrap());
    let status = FaultAction::status(500);
    client
        .simulator
        .add_fault(Fault::once(Route::MEMBERS, status).at(Call::NextLink).on_object(struck.to_uppercase()).times(2));
    let walk = |group: &str| -> Result<Vec<u16>> {
        let first = client.get(&format!("/groups/{group}/members?$select=id&$top=5"))?;
        let next = first.next_link().unwrap_or_default();
        Ok(vec![first.status, client.get(next)?.status, client.get(next)?.status, client.get(next)?.status])
    };
    assert_eq!(walk(&spared)?, [200; 4]);
    assert_eq!(walk(&struck)?, [200, 500, 500, 200]);
    Ok(())
}

#[test]
fn a_group_is_named_by_its_number_in_a_world_file() -> Result<()> {
    let world: World = serde_json::from_str(
        r##"{"faults": [{"route": "members", "object": "#3", "times": null, "action": "notFound"}]}"##,
    )?;
    let client = Client::start(world)?;
    let status = |number: u32| client.get(&format!("/groups/{}/members", client.simulator.group_id(number)));
    assert_eq!([status(2)?.status, status(3)?.status, status(3)?.status], [200, 404, 404]);
    Ok(())
}

#[test]
fn one_feed_refuses_its_delta_link_once_in_each_shape() -> Result<()> {
    let client = Client::start(World::default())?;
    let links = |client: &Client| -> Result<[String; 2]> {
        let walk = |url: &str| super::delta::walk(client, url).map(|(_, link)| link);
        Ok([walk("/users/delta?$select=id")?, walk("/groups/delta?$select=id")?])
    };
    let mut codes = Vec::new();
    for shape in Refusal::ALL {
        client.simulator.add_fault(Fault::once(Route::GROUPS_DELTA, FaultAction::RefuseDeltaLink { shape }));
        let [users, groups] = links(&client)?;
        assert_eq!(client.get(&users)?.status, 200, "the other feed");
        let refused = client.get(&groups)?;
        codes.push((refused.status, refused.code().to_owned()));
        assert_eq!(client.get(&groups)?.status, 200, "once");
    }
    let expected = [
        (410, ""),
        (400, "syncStateNotFound"),
        (400, "Request_UnsupportedQuery"),
        (410, "resyncRequired"),
        (410, "SyncStateNotFound"),
        (410, "resyncChangesApplyDifferences"),
        (410, "resyncChangesUploadDifferences"),
    ];
    assert_eq!(codes, expected.map(|(status, code)| (status, code.to_owned())));
    Ok(())
}

#[test]
fn throttling_is_told_in_every_form() -> Result<()> {
    for (retry_after, expected) in [
        (RetryAfter::Integer, Some("2")),
        (RetryAfter::Decimal, Some("1.500")),
        (RetryAfter::DecimalComma, Some("1,500")),
        (RetryAfter::HttpDate, Some(" GMT")),
        (RetryAfter::Absent, None),
    ] {
        let client = start(Fault::once(Route::USERS_LIST, FaultAction::Throttled { wait_ms: 1_500, retry_after }))?;
        let reply = client.get(URL)?;
        assert_eq!((reply.status, reply.code()), (429, "TooManyRequests"));
        let header = reply.header("retry-after");
        assert_eq!(header.is_some(), expected.is_some());
        assert!(header.is_none_or(|text| text.ends_with(expected.unwrap_or_default())), "{retry_after:?}");
        assert_eq!(client.get(URL)?.status, 200);
    }
    Ok(())
}

#[test]
fn a_batch_fails_as_a_whole_or_answers_without_one_item() -> Result<()> {
    let client = Client::start(World::default())?;
    let items: Vec<_> = (0..4)
        .map(|number| {
            let url = format!("/groups/{}/members?$select=id", client.simulator.group_id(number));
            serde_json::json!({"id": number.to_string(), "method": "GET", "url": url})
        })
        .collect();
    let body = serde_json::json!({"requests": items}).to_string();
    let post = || client.send("POST", "/v1.0/$batch", &[], &body);
    client.simulator.add_fault(Fault::once(Route::Batch, FaultAction::status(503)));
    assert_eq!(post()?.status, 503);
    let group = client.simulator.group_id(2);
    client.simulator.add_fault(Fault::once(Route::MEMBERS, FaultAction::MissingItem).on_object(&group));
    assert_eq!(client.get(&format!("/groups/{group}/members"))?.status, 200, "outside of a batch nothing is left out");
    let ids = |reply: &Value| -> std::collections::BTreeSet<String> {
        reply["responses"].as_array().into_iter().flatten().map(|item| item["id"].to_string()).collect()
    };
    assert_eq!(ids(&post()?.body), ["\"0\"", "\"1\"", "\"3\""].map(String::from).into());
    assert_eq!(ids(&post()?.body).len(), 4, "once");
    let asked = |group: &str| client.simulator.count(|asked| asked.object == Some(group) && asked.in_batch);
    assert_eq!((asked(&group), client.simulator.count(|asked| asked.route == Route::MEMBERS)), (2, 9));
    let unanswered = client.simulator.count(|asked| asked.in_batch && asked.status.is_none());
    assert_eq!((unanswered, client.simulator.count(|asked| asked.feed.is_some())), (1, 0));
    Ok(())
}

#[test]
fn a_foreign_link_is_added_where_there_is_none() -> Result<()> {
    let client = start(Fault::once(Route::USERS_LIST, FaultAction::ForeignNextLink))?;
    let reply = client.get("/users?$select=id&$top=999")?;
    assert!(reply.next_link().is_some_and(|link| link.starts_with("https://graph.example.net/v1.0/users?")));
    Ok(())
}
