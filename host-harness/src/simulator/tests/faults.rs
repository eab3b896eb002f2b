//! Scripted faults, as a client sees them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::client::{Client, send};
use crate::simulator::{Fault, FaultAction, FaultBody, Refusal, Route, World};

const URL: &str = "/users?$select=id,displayName&$top=50";

fn start(fault: Fault) -> Result<Client> {
    let client = Client::start(World::default())?;
    client.simulator.add_fault(fault);
    Ok(client)
}

#[test]
fn a_status_comes_with_its_body_and_headers() -> Result<()> {
    let client = start(Fault::once(Route::UsersList, FaultAction::retry_after(503, "Fri, 31 Dec 2027 23:59:59 GMT")))?;
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
        let client = start(Fault::once(Route::UsersList, action.clone()))?;
        assert!(client.get(URL).is_err(), "{action:?}");
        assert_eq!(client.get(URL)?.status, 200);
    }
    Ok(())
}

#[test]
fn stalled_answers_hang_and_do_not_keep_the_simulator_alive() -> Result<()> {
    for action in [FaultAction::StallBeforeHeaders, FaultAction::StallMidBody] {
        let mut client = start(Fault::once(Route::UsersList, action))?;
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
    let client = start(Fault::once(Route::UsersList, FaultAction::SlowDrip { bytes: 200, delay_ms: 20 }))?;
    let started = Instant::now();
    assert!(!client.get(URL)?.rows().is_empty());
    assert!(started.elapsed() >= Duration::from_millis(60));
    Ok(())
}

#[test]
fn answers_are_spoilt_in_many_ways() -> Result<()> {
    let with = |action: FaultAction| -> Result<_> { start(Fault::once(Route::UsersList, action))?.get(URL) };
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
        start(Fault::always(Route::UsersDelta, FaultAction::RefuseDeltaLink { shape: Refusal::ResyncRequired }))?;
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
