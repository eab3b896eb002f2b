//! Sign-ins: windows of time, pages, late and rewritten events, the limit of the reporting service.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::client::{Client, Reply};
use crate::simulator::{Change, Events, Licence, Limits, Permissions, Stream, World};

const NOW: u64 = 1_795_169_472;
const HOUR: u64 = 3_600;

fn world() -> World {
    let events = Events { sign_ins_per_day: 48_000, ..Events::default() };
    World { events, clock_start: Some(NOW), limits: Limits::none(), ..World::gentle() }
}

fn moment(seconds: u64) -> String {
    crate::simulator::clock::format_moment(seconds)
}

fn window(from: u64, to: u64) -> String {
    let (from, to) = (moment(from), moment(to));
    format!("/auditLogs/signIns?$filter=createdDateTime%20ge%20{from}%20and%20createdDateTime%20le%20{to}")
}

fn properties(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { return Map::new() };
    map
}

fn read(client: &Client, from: u64, to: u64) -> Result<Vec<Value>> {
    client.all(&format!("{}&$top=1000", window(from, to)), &[])
}

fn code(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.code())
}

#[test]
fn a_window_is_the_truth_newest_first() -> Result<()> {
    let client = Client::start(world())?;
    let rows = read(&client, NOW - HOUR, NOW - 1)?;
    let truth = client.simulator.truth().events(Stream::SignIn, NOW - HOUR, NOW - 1);
    let ids = |ids: Vec<&str>| ids.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let read: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
    assert_eq!(ids(read), ids(truth.iter().map(|event| event.id.as_str()).collect()));
    assert!((1_950..2_050).contains(&rows.len()), "{} rows an hour", rows.len());
    assert!(rows.windows(2).all(|two| two[0]["createdDateTime"].as_str() >= two[1]["createdDateTime"].as_str()));
    Ok(())
}

#[test]
fn slices_of_a_window_join_without_gap() -> Result<()> {
    let client = Client::start(world())?;
    let ids = |from, to| -> Result<BTreeSet<String>> {
        Ok(read(&client, from, to)?.iter().map(|row| row["id"].to_string()).collect())
    };
    let (start, middle, end) = (NOW - 20 * 60, NOW - 7 * 60, NOW - 60);
    let union: BTreeSet<_> = ids(start, middle)?.union(&ids(middle, end)?).cloned().collect();
    assert_eq!(union, ids(start, end)?);
    Ok(())
}

#[test]
fn quoted_dates_old_starts_and_other_filters_are_refused() -> Result<()> {
    let client = Client::start(world())?;
    let day = 24 * HOUR;
    let quoted = format!("/auditLogs/signIns?$filter=createdDateTime%20ge%20'{}'", moment(NOW - day));
    let old = window(NOW - 31 * day, NOW);
    let other = "/auditLogs/signIns?$filter=userId%20eq%20abcdef-1234".to_owned();
    for url in [quoted, old, other] {
        let reply = client.get(&url)?;
        assert_eq!((reply.status, reply.message()), (400, "Invalid filter clause"), "{url}");
    }
    assert_eq!(client.get(&window(NOW - 29 * day, NOW - 29 * day + 60))?.status, 200);
    assert_eq!(client.get("/auditLogs/signIns?$top=1001")?.status, 400);
    Ok(())
}

#[test]
fn late_events_appear_behind_a_reader() -> Result<()> {
    let events = Events { late_percent: 10, late_seconds: 600, ..world().events };
    let client = Client::start(World { events, ..world() })?;
    let before = read(&client, NOW - 300, NOW - 60)?.len();
    client.simulator.advance_clock(600);
    let after = read(&client, NOW - 300, NOW - 60)?.len();
    assert!(before < after && after < before * 3 / 2, "{before} became {after}");
    Ok(())
}

#[test]
fn a_script_appends_a_late_event_and_rewrites_its_risk() -> Result<()> {
    let client = Client::start(world())?;
    let happened = properties(json!({"createdDateTime": moment(NOW - 120), "appDisplayName": "Contoso \"Late\""}));
    let summary = client.simulator.apply(&[Change::append(Stream::SignIn, happened, 300)])?;
    let id = summary.created[0].clone();
    let find = || -> Result<Option<Value>> {
        Ok(read(&client, NOW - 120, NOW - 120)?.into_iter().find(|row| row["id"] == id.as_str()))
    };
    assert_eq!(find()?, None);
    client.simulator.advance_clock(300);
    assert_eq!(find()?.unwrap()["appDisplayName"], "Contoso \"Late\"");
    let remediated = properties(json!({"riskState": "remediated"}));
    let base = read(&client, NOW - 60, NOW - 30)?[0]["id"].as_str().unwrap_or_default().to_owned();
    let rewrites = [&id, &base].map(|id| Change::rewrite(Stream::SignIn, id.as_str(), remediated.clone()));
    client.simulator.apply(&rewrites)?;
    assert_eq!(find()?.unwrap()["riskState"], "remediated");
    let row = read(&client, NOW - 60, NOW - 30)?.into_iter().find(|row| row["id"] == base.as_str());
    assert_eq!(row.unwrap()["riskState"], "remediated");
    let unknown = Change::rewrite(Stream::SignIn, client.simulator.user_id(1), remediated);
    assert!(client.simulator.apply(&[unknown]).is_err());
    Ok(())
}

#[test]
fn reports_are_read_five_times_in_ten_seconds() -> Result<()> {
    let client = Client::start(World { limits: Limits::default(), ..world() })?;
    let url = window(NOW - 60, NOW);
    let statuses = (0..6).map(|_| Ok(client.get(&url)?.status)).collect::<Result<Vec<_>>>()?;
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let wait: u64 = client.get(&url)?.header("retry-after").unwrap_or_default().parse()?;
    assert!((1..=10).contains(&wait));
    client.simulator.advance_clock(wait);
    assert_eq!(client.get(&url)?.status, 200);
    Ok(())
}

#[test]
fn permission_and_licences_decide_what_is_seen() -> Result<()> {
    let ask = |world: World| -> Result<Reply> { Client::start(world)?.get(&window(NOW - 60, NOW)) };
    let denied = ask(World { permissions: Permissions::without(&["AuditLog.Read.All"]), ..world() })?;
    assert_eq!(code(&denied), (403, "Authentication_MSGraphPermissionMissing"));
    assert!(denied.message().contains("AuditLog.Read.All"));
    let unlicensed = ask(World { licences: [].into(), ..world() })?;
    assert_eq!(code(&unlicensed), (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"));
    let without_p2 = ask(World { licences: [Licence::P1].into(), ..world() })?;
    assert!(without_p2.rows().iter().all(|row| row["riskLevelAggregated"] == "hidden"));
    let mut permissions = Permissions::default();
    permissions.grant("Policy.Read.All");
    let policies = |reply: &Reply| reply.rows()[0]["appliedConditionalAccessPolicies"].as_array().map_or(0, Vec::len);
    assert_eq!((policies(&without_p2), policies(&ask(World { permissions, ..world() })?)), (0, 1));
    Ok(())
}

#[test]
fn scripts_in_json_name_the_stream() -> Result<()> {
    let script = r#"[{"change": "append", "stream": "signIn", "delaySeconds": 5},
        {"change": "rewrite", "stream": "signIn", "event": "x", "properties": {"riskState": "dismissed"}}]"#;
    let changes: Vec<Change> = serde_json::from_str(script)?;
    assert_eq!(changes[0], Change::append(Stream::SignIn, Map::new(), 5));
    assert_eq!(changes[1].kind().to_string(), "SignInUpdated");
    Ok(())
}
