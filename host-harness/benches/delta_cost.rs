//! What a delta run costs when one object in a hundred has changed, and that it follows the changes and not the tenant.
//!
//!     cargo bench -p host-harness --bench delta_cost                 10,000 and 100,000 users
//!     cargo bench -p host-harness --bench delta_cost -- --million    also 1,000,000
//!
//! Memberships by delta, no filter, pages of 200 rows, a twentieth as many groups as users with ten members each. In
//! between, of a hundred users one is changed, added or deleted, and of a hundred groups one gets another member, loses
//! one or is renamed. More than 4 requests and 1.2 % of the first import's end this program with 1. Objects that come
//! back from the recycle bin are left out: each is asked for its groups, which the benchmark `scale` shows.

mod measured;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use host_harness::connector::{Connector, Next, StartRequest};
use host_harness::library::shipped_library;
use host_harness::simulator::{Exchange, Route};
use measured::{Measured, exit_code, say};
use serde_json::{Value, json};

fn main() -> ExitCode {
    let million = std::env::args().any(|argument| argument == "--million");
    exit_code(measure(if million { &[10_000, 100_000, 1_000_000] } else { &[10_000, 100_000] }))
}

fn measure(sizes: &[u32]) -> Result<()> {
    say(
        "| users | groups | first import: requests | rows | wall | changes | delta run: requests | allowed | rows | wall |",
    );
    say("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for users in sizes {
        tenant(*users)?;
    }
    Ok(())
}

fn tenant(users: u32) -> Result<()> {
    let groups = users / 20;
    let tenant = Measured::start(&json!({
        "users": users, "groups": groups, "groupSize": 10, "deletedUsers": 0, "deletedGroups": 0,
        "hiddenMembershipGroups": false, "journalCapacity": 1_000_000,
        "delta": {"emptyPages": false, "duplicates": false, "varyingGroupPages": false, "userPage": 200, "groupPage": 200, "replayedChanges": 0},
    }))?;
    let connector = Connector::load(&shipped_library()?)?;
    let full = run(&connector, &tenant, None)?;
    let settled = run(&connector, &tenant, Some(&full.watermark))?;
    let script = changes(&tenant, users, groups)?;
    let count = script.len();
    tenant.process.change(&Value::Array(script))?;
    let delta = run(&connector, &tenant, Some(&settled.watermark))?;
    let allowed = 4 + full.requests * 12 / 1000;
    say(&format!(
        "| {users} | {groups} | {} | {} | {:.1} s | {count} | **{}** | {allowed} | {} | {:.2} s |",
        full.requests, full.rows, full.seconds, delta.requests, delta.rows, delta.seconds
    ));
    ensure!(delta.rows as usize >= count, "{count} changes and {} rows", delta.rows);
    ensure!(delta.requests <= allowed, "{} requests, {allowed} are allowed", delta.requests);
    Ok(())
}

/// One run, and what the next one starts from.
struct Run {
    watermark: String,
    requests: u64,
    rows: u64,
    seconds: f64,
}

fn run(connector: &Connector, tenant: &Measured, watermark: Option<&str>) -> Result<Run> {
    let before = tenant.process.journal()?.last().map_or(0, |exchange| exchange.sequence);
    let (config, auth) = tenant.documents(&[("MembershipMode", "Delta".into())]);
    let since = Instant::now();
    let request = StartRequest { config: &config, auth, watermark, ..StartRequest::default() };
    let mut operation = connector.import(&request)?;
    let watermark = loop {
        match operation.next(Duration::from_secs(120))? {
            Next::Batch(_) => {}
            Next::End { checkpoint } => break checkpoint.context("no watermark")?,
            other => bail!("{other:?}: {}", operation.result_json().unwrap_or_default()),
        }
    };
    let seconds = since.elapsed().as_secs_f64();
    let rows = operation.progress().map_err(|status| anyhow::anyhow!("status {status}"))?.rows_delivered;
    let asked = |x: &&Exchange| x.sequence > before && !matches!(x.route, Route::Token | Route::OpenId);
    let requests = tenant.process.journal()?.iter().filter(asked).count() as u64;
    Ok(Run { watermark, requests, rows, seconds })
}

/// One change for every hundred users and every hundred groups.
fn changes(tenant: &Measured, users: u32, groups: u32) -> Result<Vec<Value>> {
    let mut edge = None;
    for row in tenant.process.truth()? {
        let row = row?;
        if row.text("memberType") == "User" {
            edge = Some((row.text("groupId").to_owned(), row.text("memberId").to_owned()));
            break;
        }
    }
    let (group, member) = edge.context("no membership")?;
    let of_user = |n: u32| match n / 100 % 5 {
        0..=2 => {
            json!({"change": "update", "kind": "user", "object": format!("#{n}"), "properties": {"jobTitle": format!("Title {n}")}})
        }
        3 => json!({"change": "add", "kind": "user", "properties": {
            "displayName": format!("Added {n}"), "userPrincipalName": format!("added{n}@contoso.onmicrosoft.com"),
        }}),
        _ => json!({"change": "delete", "kind": "user", "object": format!("#{n}")}),
    };
    let of_group = |n: u32| match n / 100 % 2 {
        0 => {
            json!({"change": "link", "relation": "member", "parent": format!("#{n}"), "child": format!("#{}", n + 1), "childKind": "user"})
        }
        _ => {
            json!({"change": "update", "kind": "group", "object": format!("#{n}"), "properties": {"displayName": format!("Renamed {n}")}})
        }
    };
    let mut script: Vec<Value> = (50..users).step_by(100).map(of_user).collect();
    script.extend((50..groups).step_by(100).map(of_group));
    script
        .push(json!({"change": "unlink", "relation": "member", "parent": group, "child": member, "childKind": "user"}));
    Ok(script)
}
