//! Answers made to take the host's memory, from a Graph, a token service or a proxy that means harm: the error is
//! clear, and the process stays below 128 MiB.
//!
//! The host is a process of its own, so that its peak is the peak of one operation. The server sends plain bytes: the
//! limits are about what an answer is after decompression.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use connector_abi::*;
use host_harness::connector::{Connector, Next, StartRequest};
use host_harness::library::connector_library;
use serde_json::{Value, json};

use crate::child;

/// What no operation may take, in KiB: the whole process, with this test's own code.
const MOST: u64 = 128 * 1024;

const MIB: usize = 1 << 20;
const TENANT: &str = "3a5c7e9b-1d2f-4a6b-8c0d-2e4f60718293";

/// What the server sends to one request.
#[derive(Clone)]
enum Sent {
    /// A JSON answer.
    Whole(u16, Arc<Vec<u8>>),
    /// The last page of a change feed, with these rows.
    Feed(Arc<String>),
    /// The text, then the same piece until enough bytes were sent or the client is gone.
    Repeated(&'static str, &'static str, usize),
    /// Header fields, one after another.
    HeaderFields,
    /// One header line.
    HeaderLine,
}

type Route = Box<dyn Fn(&str, &[u8]) -> Option<Sent> + Send + Sync>;

/// Answers what `hostile` answers, and everything else as a small, honest Graph would. Returns its origin.
fn server(hostile: Route) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (hostile, own) = (Arc::new(hostile), origin.clone());
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (hostile, own) = (Arc::clone(&hostile), own.clone());
            // A client that has had enough closes the connection: no fault of this side.
            thread::spawn(move || drop(exchange(stream, &hostile, &own)));
        }
    });
    origin
}

fn exchange(stream: TcpStream, hostile: &Route, origin: &str) -> std::io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let sent = hostile(&target, &body).unwrap_or_else(|| honest(&target, &body, origin));
    let mut out = stream;
    let sent = match sent {
        Sent::Feed(rows) => whole(fed(&rows, origin)),
        other => other,
    };
    let head = |status: u16| format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n");
    match sent {
        Sent::Whole(status, body) => {
            out.write_all(format!("{}content-length: {}\r\n\r\n", head(status), body.len()).as_bytes())?;
            out.write_all(&body)
        }
        Sent::Feed(_) => unreachable!("made whole above"),
        Sent::Repeated(begin, piece, bytes) => {
            out.write_all(format!("{}\r\n{begin}", head(200)).as_bytes())?;
            repeat(&mut out, piece, bytes)
        }
        Sent::HeaderFields => {
            out.write_all(head(200).as_bytes())?;
            repeat(&mut out, "x-more: of the same\r\n", 200 * MIB)
        }
        Sent::HeaderLine => {
            out.write_all(format!("{}x-long: ", head(200)).as_bytes())?;
            repeat(&mut out, "and so on ", 200 * MIB)
        }
    }
}

fn repeat(out: &mut TcpStream, piece: &str, bytes: usize) -> std::io::Result<()> {
    let block = piece.repeat((64 * 1024 / piece.len()).max(1));
    for _ in 0..bytes / block.len() {
        out.write_all(block.as_bytes())?;
    }
    Ok(())
}

fn whole(body: impl Into<Vec<u8>>) -> Sent {
    Sent::Whole(200, Arc::new(body.into()))
}

fn feed(rows: impl Into<String>) -> Sent {
    Sent::Feed(Arc::new(rows.into()))
}

/// An end of a feed with these rows.
fn fed(rows: &str, origin: &str) -> String {
    format!(r#"{{"value":[{rows}],"@odata.deltaLink":"{origin}/v1.0/x/delta?$deltatoken=d"}}"#)
}

fn honest(target: &str, body: &[u8], origin: &str) -> Sent {
    let path = target.split('?').next().unwrap_or_default();
    if path.ends_with("/token") {
        return whole(json!({"token_type": "Bearer", "expires_in": 3600, "access_token": "t"}).to_string());
    }
    if path.ends_with("/delta") {
        return whole(fed("", origin));
    }
    if path == "/v1.0/groups" {
        let ids: Vec<Value> = (0..160).map(|n| json!({"id": group(n), "visibility": null})).collect();
        return whole(json!({"value": ids, "@odata.count": 160}).to_string());
    }
    if path == "/v1.0/$batch" {
        return batch(body, &Arc::new(r#"{"value":[]}"#.into()));
    }
    whole(r#"{"value":[]}"#)
}

fn group(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

/// The same body for each item.
fn batch(asked: &[u8], body: &Arc<String>) -> Sent {
    let asked: Value = serde_json::from_slice(asked).unwrap();
    let items = (1..=asked["requests"].as_array().unwrap().len())
        .map(|id| format!(r#"{{"id":"{id}","status":200,"headers":{{}},"body":{body}}}"#));
    whole(format!(r#"{{"responses":[{}]}}"#, items.collect::<Vec<_>>().join(",")))
}

/// Everything that is sent to addresses that hold `part`.
fn at(part: &'static str, sent: Sent) -> Route {
    Box::new(move |target, _| target.contains(part).then(|| sent.clone()))
}

/// One row of the table: what is sent, to whom, and what becomes of the operation.
struct Case {
    name: &'static str,
    config: Value,
    hostile: Route,
    /// Part of the error, or of an Issue where the operation goes on without what could not be read.
    says: &'static str,
}

fn case(name: &'static str, config: Value, hostile: Route, says: &'static str) -> Case {
    Case { name, config, hostile, says }
}

fn users() -> Value {
    json!({"ImportGroups": false, "ImportMemberships": false})
}

fn memberships(workers: u64) -> Value {
    json!({"ImportUsers": false, "ImportGroups": false, "MaxConcurrency": workers, "PageSize": 999})
}

fn followed() -> Value {
    json!({"MembershipMode": "Delta"})
}

/// Runs each case in a process of its own, and prints what it took.
fn all(cases: Vec<Case>) {
    let mut over = Vec::new();
    for Case { name, config, hostile, says } in cases {
        let origin = server(hostile);
        let mut texts = json!({
            "TenantId": TENANT, "GraphEndpoint": origin, "AuthorityHost": origin, "MaxRetries": 0, "RetryBaseSeconds": 0.01,
        });
        for (key, value) in config.as_object().unwrap() {
            texts[key] = value.clone();
        }
        let order = json!({"library": connector_library().unwrap(), "config": texts.to_string()});
        let found = child::run("hostile::the_host", &[], &order);
        let peak = found["peak"].as_u64().unwrap();
        println!("{name}: {} MiB, status {}", peak / 1024, found["status"]);
        let said = found["said"].to_string();
        assert!(said.contains(says), "{name}: {said}");
        if peak >= MOST {
            over.push((name, peak / 1024));
        }
    }
    assert!(over.is_empty(), "took 128 MiB and more: {over:?}");
}

#[test]
#[ignore = "the other process of the tests here"]
fn the_host() {
    let order = child::order();
    let library = order["library"].as_str().unwrap();
    let auth = json!({"Mode": "ClientSecret", "ClientId": TENANT, "ClientSecret": "a-made-up-secret"}).to_string();
    let request = StartRequest { config: order["config"].as_str().unwrap(), auth: &auth, ..StartRequest::default() };
    let mut operation = Connector::load(library.as_ref()).unwrap().import(&request).unwrap();
    let mut said: Vec<String> = Vec::new();
    let status = loop {
        match operation.next(Duration::from_secs(300)).unwrap() {
            Next::Batch(batch) => {
                // Nothing is kept of what came: only the connector's memory is to be seen.
                let issues =
                    batch.rows.split(|byte| *byte == b'\n').filter(|line| line.starts_with(br#"{"Kind":"Issue""#));
                let few = 3 - said.len().min(3);
                said.extend(issues.take(few).map(|line| String::from_utf8_lossy(line).into_owned()));
            }
            Next::Pending => panic!("nothing for five minutes"),
            Next::End { .. } => break CONNECTOR_END,
            Next::EndPartial { .. } => break CONNECTOR_END_PARTIAL,
            Next::Failed(status) => break status,
        }
    };
    said.push(operation.result_json().unwrap());
    child::answer(&json!({"status": status, "said": said, "peak": peak_kib()}));
}

/// The most memory this process ever had, in KiB (proc_pid_status(5)).
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_page_of_a_feed_takes_less_than_128_mib() {
    let rows = |row: &str, rows: usize| format!("{}{row}", format!("{row},").repeat(rows - 1));
    let entries =
        |entries: usize| format!(r#"{{"id":"{}","members@delta":[{}]}}"#, group(1), rows(r#"{"id":"a"}"#, entries));
    let edges = |entries: usize| {
        format!(
            r#"{{"id":"{}","members@delta":[{}]}}"#,
            group(1),
            rows(&format!(r#"{{"id":"{}"}}"#, group(2)), entries)
        )
    };
    let large = format!(r#"{{"id":"{}","displayName":"{}"}}"#, group(1), "x".repeat(MIB - 2));
    all(vec![
        case("an honest tenant without objects", users(), at("/nothing", whole("")), "Succeeded"),
        case(
            "24 MiB of empty rows",
            users(),
            at("/users/delta", Sent::Repeated(r#"{"value":["#, "{},", 24 * MIB)),
            "more than 20000 rows",
        ),
        case("20,000 rows without id", users(), at("/users/delta", feed(rows("{}", 20_000))), "RowWithoutId"),
        case(
            "20,000 rows with nothing but an id",
            users(),
            at("/users/delta", feed(rows(r#"{"id":"a"}"#, 20_000))),
            "",
        ),
        case(
            "20,000 rows with an id and a name",
            users(),
            at("/users/delta", feed(rows(r#"{"id":"a","displayName":"b"}"#, 20_000))),
            "",
        ),
        case("30 values of 1 MiB", users(), at("/users/delta", feed(rows(&large, 30))), ""),
        case(
            "one value of 30 MiB",
            users(),
            at("/users/delta", Sent::Repeated(r#"{"value":[{"id":"a","displayName":""#, "x", 30 * MIB)),
            "",
        ),
        case(
            "a page of 200 MiB",
            users(),
            at("/users/delta", Sent::Repeated(r#"{"value":["#, "7,", 200 * MIB)),
            "more than 32 MiB",
        ),
        case(
            "a link of 30 MiB",
            users(),
            at("/users/delta", whole(format!(r#"{{"value":[],"@odata.nextLink":"{}"}}"#, "x".repeat(30 * MIB)))),
            "a link of more than 64 KiB",
        ),
        case(
            "24 MiB of nesting",
            users(),
            at("/users/delta", Sent::Repeated(r#"{"value":["#, "[", 24 * MIB)),
            "cannot be read",
        ),
        case(
            "24 MiB of nesting in a value",
            users(),
            at("/users/delta", Sent::Repeated(r#"{"value":[{"id":"a","displayName":"#, "[", 24 * MIB)),
            "cannot be read",
        ),
        case("endless header fields", users(), at("/users/delta", Sent::HeaderFields), "no whole answer"),
        case("an endless header line", users(), at("/users/delta", Sent::HeaderLine), "no whole answer"),
        case(
            "an error of 24 MiB",
            users(),
            at(
                "/users/delta",
                Sent::Whole(403, Arc::new(format!(r#"{{"error":[{}]}}"#, rows("[]", 8 * MIB)).into_bytes())),
            ),
            "403",
        ),
        case(
            "a million entries of members",
            followed(),
            at("/groups/delta", feed(entries(1_000_000))),
            "more than 50000 entries",
        ),
        case("50,000 entries of members", followed(), at("/groups/delta", feed(edges(50_000))), ""),
    ]);
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_answer_to_a_batch_takes_less_than_128_mib() {
    let of = |body: String| -> Route {
        let body = Arc::new(body);
        Box::new(move |target, asked| target.ends_with("/$batch").then(|| batch(asked, &body)))
    };
    let empty = |bytes: usize| format!(r#"{{"value":[{}{{}}]}}"#, "{},".repeat(bytes / 3));
    let headers = |fields: usize| {
        let fields: Vec<String> = (0..fields).map(|n| format!(r#""x-{n}":"{n}""#)).collect();
        format!(r#"{{"responses":[{{"id":"1","status":200,"headers":{{{}}},"body":{{}}}}]}}"#, fields.join(","))
    };
    let member = |n: usize| format!(r##"{{"@odata.type":"#microsoft.graph.user","id":"{}"}}"##, group(n));
    let members: Vec<String> = (0..2000).map(member).collect();
    let members = format!(r#"{{"value":[{}]}}"#, members.join(","));
    all(vec![
        case("an honest tenant of 160 empty groups", memberships(8), at("/nothing", whole("")), "Succeeded"),
        case(
            "20 items of 1.5 MiB of empty rows, 8 workers",
            memberships(8),
            of(empty(3 * MIB / 2)),
            "more than 2000 rows",
        ),
        case("20 items of 2,000 members, 8 workers", memberships(8), of(members), "Succeeded"),
        case(
            "a million answers in a batch",
            memberships(8),
            at("/$batch", Sent::Repeated(r#"{"responses":["#, "{},", 24 * MIB)),
            "more than 40 answers",
        ),
        case("a million header fields of an item", memberships(8), at("/$batch", whole(headers(1_000_000))), ""),
        case(
            "a batch of 200 MiB",
            memberships(8),
            at("/$batch", Sent::Repeated(r#"{"responses":["#, "7,", 200 * MIB)),
            "more than 32 MiB",
        ),
        case(
            "24 MiB of empty rows in a list",
            memberships(8),
            at("/v1.0/groups?", Sent::Repeated(r#"{"value":["#, "{},", 24 * MIB)),
            "more than 2000 rows",
        ),
    ]);
}

#[cfg(target_os = "linux")]
#[test]
fn hostile_token_service_takes_less_than_128_mib() {
    let numbers = || Sent::Repeated(r#"{"issuer":[0"#, ",0", 200 * MIB);
    let domain = || json!({"TenantId": "contoso.onmicrosoft.com", "ImportGroups": false, "ImportMemberships": false});
    let small = || whole(format!(r#"{{"issuer":[0{}]}}"#, ",0".repeat(400_000)));
    all(vec![
        case("a token answer of 200 MiB", users(), at("/token", numbers()), "more than 1 MiB"),
        case("an OpenID configuration of 200 MiB", domain(), at("/openid-configuration", numbers()), "more than 1 MiB"),
        case(
            "an OpenID configuration of 800 kB of numbers",
            domain(),
            at("/openid-configuration", small()),
            "no issuer",
        ),
        case("a token answer with endless header fields", users(), at("/token", Sent::HeaderFields), "no whole answer"),
    ]);
}
