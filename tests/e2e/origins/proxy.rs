//! Through a gateway: `Proxy`, and the system's own setting in an environment that a child process has to itself.
//!
//! The proxy here speaks CONNECT and knows where `graph.simulator.test` is, which nobody else does: who gets an answer
//! from that name came through it. It writes down everything that passes, and nothing in that may be readable.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use connector_abi::*;
use host_harness::connector::{Connector, StartRequest};
use host_harness::library::connector_library;
use host_harness::simulator::{SignIn, World};
use serde_json::{Value, json};

use crate::child;
use crate::world::{Tenant, drain};

const TOKEN: &str = ".CanaryTokenForTheProxy";
const NAME: &str = "graph.simulator.test";

/// A proxy that leads everywhere to the same place. Its threads end with the process.
struct Proxy {
    address: SocketAddr,
    /// First lines of what it was asked.
    asked: Arc<Mutex<Vec<String>>>,
    /// All that passed, both ways.
    passed: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    fn to(origin: &str) -> Proxy {
        Proxy::answering(Some(origin.split_once("://").unwrap().1.to_owned()))
    }

    /// That lets nobody through, and repeats in its refusal what it was sent.
    fn refusing() -> Proxy {
        Proxy::answering(None)
    }

    fn answering(upstream: Option<String>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { address: listener.local_addr().unwrap(), asked: Arc::default(), passed: Arc::default() };
        let (asked, passed) = (Arc::clone(&proxy.asked), Arc::clone(&proxy.passed));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (upstream, asked, passed) = (upstream.clone(), Arc::clone(&asked), Arc::clone(&passed));
                thread::spawn(move || tunnel(client, upstream.as_deref(), &asked, &passed));
            }
        });
        proxy
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

fn tunnel(
    mut client: TcpStream,
    upstream: Option<&str>,
    asked: &Mutex<Vec<String>>,
    passed: &Arc<Mutex<Vec<u8>>>,
) -> Option<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    passed.lock().unwrap().extend(&head);
    let first = String::from_utf8_lossy(&head).lines().next()?.to_owned();
    let connects = first.starts_with("CONNECT ");
    asked.lock().unwrap().push(first);
    if !connects {
        return client.write_all(b"HTTP/1.1 403 no\r\ncontent-length: 0\r\n\r\n").ok();
    }
    let Some(upstream) = upstream else {
        let said = String::from_utf8_lossy(&head).replace("\r\n", " ");
        let refusal = format!("HTTP/1.1 407 {said}\r\nProxy-Authenticate: Basic realm=\"{said}\"\r\n");
        return client.write_all(format!("{refusal}content-length: {}\r\n\r\n{said}", said.len()).as_bytes()).ok();
    };
    let server = TcpStream::connect(upstream).ok()?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (from_server, to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let answers = Arc::clone(passed);
    thread::spawn(move || pump(from_server, to_client, &answers));
    pump(client, server, passed)
}

fn pump(mut from: TcpStream, mut to: TcpStream, passed: &Mutex<Vec<u8>>) -> Option<()> {
    let mut piece = [0; 16 * 1024];
    loop {
        let length = from.read(&mut piece).ok().filter(|length| *length > 0);
        let Some(length) = length else { return to.shutdown(std::net::Shutdown::Both).ok() };
        passed.lock().unwrap().extend(&piece[..length]);
        to.write_all(&piece[..length]).ok()?;
    }
}

/// A tenant behind HTTPS whose tokens can be recognised, and a proxy that leads to it.
fn stage() -> (Tenant, Proxy) {
    let sign_in = SignIn { token_ending: TOKEN.to_owned(), ..SignIn::default() };
    let tenant = Tenant::of(World { users: 6, groups: 4, edges: 12, https: true, sign_in, ..World::gentle() });
    let proxy = Proxy::to(&tenant.sim.origin());
    let ca_file = tenant.folder().join("ca.pem");
    std::fs::write(&ca_file, tenant.sim.ca_pem().unwrap()).unwrap();
    let by_name = format!("https://{NAME}");
    let tenant = tenant.with("CaFile", ca_file.to_str().unwrap()).with("MaxRetries", 0);
    (tenant.with("GraphEndpoint", by_name.clone()).with("AuthorityHost", by_name), proxy)
}

#[test]
fn through_the_configured_proxy_goes_everything_and_nothing_that_can_be_read() {
    let (tenant, proxy) = stage();
    let tenant = tenant.with("Proxy", proxy.origin());
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END, "{}", pulled.result);
    let asked = proxy.asked();
    assert!(
        !asked.is_empty() && asked.iter().all(|line| line.starts_with(&format!("CONNECT {NAME}:443 "))),
        "{asked:?}"
    );
    let passed = proxy.passed.lock().unwrap();
    assert!(passed.len() > 5_000, "{} bytes are no import", passed.len());
    for readable in
        ["earer", TOKEN, &tenant.sim.client_secret(), "client_secret", "/v1.0/", "displayName", "uthorization"]
    {
        assert!(
            !passed.windows(readable.len()).any(|part| part == readable.as_bytes()),
            "the proxy can read {readable}"
        );
    }
}

#[test]
fn a_proxy_that_is_not_there_is_named_in_the_error() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (tenant, _) = stage();
    let pulled = tenant.with("Proxy", format!("http://{nobody}")).pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_NETWORK);
    assert!(pulled.error()["Message"].as_str().unwrap().contains("Proxy"), "{}", pulled.result);
}

/// What the system's own proxy setting is, in a child process.
fn with_system_proxy(tenant: &Tenant, proxy: &Proxy) -> Value {
    with_system_proxy_at(tenant, &proxy.origin())
}

fn with_system_proxy_at(tenant: &Tenant, origin: &str) -> Value {
    let names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let mut environment = names.map(|name| (name, origin)).to_vec();
    environment.extend([("NO_PROXY", ""), ("no_proxy", "")]);
    import_with(tenant, &environment)
}

/// Imports in a child process with this environment; answers status, error and how many users came.
pub(super) fn import_with(tenant: &Tenant, environment: &[(&str, &str)]) -> Value {
    let order = json!({ "library": connector_library().unwrap(), "config": tenant.config(), "auth": tenant.auth() });
    child::run("origins::proxy::the_host", environment, &order)
}

#[test]
#[ignore = "the other process of tests with an environment"]
fn the_host() {
    let order = child::order();
    let text = |name: &str| order[name].as_str().unwrap();
    let connector = Connector::load(std::path::Path::new(text("library"))).unwrap();
    let request = StartRequest { config: text("config"), auth: text("auth"), ..StartRequest::default() };
    child::answer(&match connector.import(&request) {
        Ok(operation) => {
            let pulled = drain(operation);
            json!({
                "status": pulled.status, "error": pulled.error(), "users": pulled.of("Upsert", "User").count(),
                "said": format!("{:?} {} {:?}", pulled.log, pulled.result, pulled.records),
            })
        }
        Err(refused) => {
            json!({ "status": refused.status, "error": serde_json::from_str::<Value>(&refused.error_json).unwrap(), "users": 0 })
        }
    });
}

#[test]
fn the_systems_proxy_is_used_where_none_is_configured() {
    let (tenant, proxy) = stage();
    let found = with_system_proxy(&tenant, &proxy);
    assert_eq!((&found["status"], &found["users"]), (&json!(CONNECTOR_END), &json!(6)), "{found}");
    assert!(proxy.asked().iter().all(|line| line.starts_with("CONNECT ")));
}

#[test]
fn what_goes_to_this_machine_in_plain_never_meets_the_systems_proxy() {
    let tenant = Tenant::of(World { users: 6, ..World::gentle() });
    let proxy = Proxy::to(&tenant.sim.origin());
    let found = with_system_proxy(&tenant, &proxy);
    assert_eq!((&found["status"], &found["users"]), (&json!(CONNECTOR_END), &json!(6)), "{found}");
    assert_eq!(proxy.asked(), [""; 0]);
}

#[test]
fn a_local_token_service_beside_a_distant_graph_is_still_asked_past_the_proxy() {
    // Both tenants come from one seed, so the tokens of one are good in the other.
    let local = Tenant::of(World { users: 6, groups: 4, edges: 12, ..World::gentle() });
    let (tenant, proxy) = stage();
    let world = World { users: 6, groups: 4, edges: 12, https: true, ..World::gentle() };
    let distant = Tenant::of(world);
    let proxy_there = Proxy::to(&distant.sim.origin());
    let ca_file = tenant.folder().join("other.pem");
    std::fs::write(&ca_file, distant.sim.ca_pem().unwrap()).unwrap();
    let tenant = tenant.with("CaFile", ca_file.to_str().unwrap()).with("AuthorityHost", local.sim.origin());
    let found = with_system_proxy(&tenant, &proxy_there);
    assert_eq!((&found["status"], &found["users"]), (&json!(CONNECTOR_END), &json!(6)), "{found}");
    let asked = proxy_there.asked();
    assert!(!asked.is_empty() && asked.iter().all(|line| line.starts_with("CONNECT ")), "{asked:?}");
    assert_eq!(proxy.asked(), [""; 0]);
}

/// What an operator may have put into the system's setting, and as it goes over the wire.
const PASSWORD: &str = "CanaryPasswordOfTheProxy";
const BASIC: &str = "dXNlcjpDYW5hcnlQYXNzd29yZE9mVGhlUHJveHk=";

#[test]
fn credentials_in_the_systems_proxy_setting_go_to_the_proxy_and_are_shown_nowhere() {
    let (tenant, proxy) = stage();
    let at = |address: SocketAddr| format!("http://user:{PASSWORD}@{address}");
    let found = with_system_proxy_at(&tenant, &at(proxy.address));
    assert_eq!((&found["status"], &found["users"]), (&json!(CONNECTOR_END), &json!(6)), "{found}");
    assert_shown_nowhere(&found);
    assert_eq!(basic_in(&proxy), proxy.asked().len(), "each tunnel is asked for with the password");

    let refusing = Proxy::refusing();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [refusing.address, nobody] {
        let found = with_system_proxy_at(&tenant, &at(address));
        assert_eq!(found["status"], CONNECTOR_E_NETWORK, "{found}");
        assert!(found["error"]["Message"].as_str().unwrap().contains("Proxy"), "{found}");
        assert_shown_nowhere(&found);
    }
    assert!(basic_in(&refusing) > 0, "the refusing one was asked");
}

#[track_caller]
fn assert_shown_nowhere(found: &Value) {
    let all = found.to_string();
    assert!(found["said"].as_str().is_some_and(|said| said.len() > 100), "nothing was said: {all}");
    assert!(!all.contains(PASSWORD) && !all.contains(&BASIC[..30]), "{all}");
}

/// How often the password came by.
fn basic_in(proxy: &Proxy) -> usize {
    String::from_utf8_lossy(&proxy.passed.lock().unwrap()).matches(BASIC).count()
}

#[test]
fn in_each_cloud_the_secret_is_meant_for_its_own_token_service() {
    // The proxy leads to a server that cannot prove to be it, so nothing more is said to anybody.
    for (cloud, authority) in [
        ("Public", "login.microsoftonline.com"),
        ("UsGov", "login.microsoftonline.us"),
        ("UsGovDoD", "login.microsoftonline.us"),
        ("China", "login.partner.microsoftonline.cn"),
    ] {
        let (tenant, proxy) = stage();
        let tenant = tenant.without("GraphEndpoint").without("AuthorityHost").with("Proxy", proxy.origin());
        let pulled = tenant.with("Cloud", cloud).pull(None);
        assert_eq!(pulled.status, CONNECTOR_E_NETWORK, "{cloud}: {}", pulled.result);
        assert!(pulled.error()["Message"].as_str().unwrap().contains("is not trusted"), "{}", pulled.result);
        let asked = proxy.asked();
        assert!(!asked.is_empty(), "{cloud}: nobody was asked");
        assert!(asked.iter().all(|line| line.starts_with(&format!("CONNECT {authority}:443 "))), "{cloud}: {asked:?}");
    }
}
