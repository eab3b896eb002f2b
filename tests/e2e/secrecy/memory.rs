//! What is left in a host's memory after Release: the canaries are counted in everything the process could write to.
//!
//! The host is a process of its own, since the simulator knows the secret too. It gets the canaries disguised, undoes
//! that for the one call that needs them, and wipes its copy; searching compares without ever writing a canary down.
//! Before Release the same search must find the secret, or finding nothing afterwards would mean nothing.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use connector_abi::*;
use host_harness::connector::{Connector, Operation, StartRequest};
use host_harness::library::connector_library;
use host_harness::simulator::{Fault, FaultAction, Route, SignIn, Simulator, World};
use memchr::memmem::Finder;
use serde_json::{Value, json};

use super::canary;
use crate::child;
use crate::world::drain;

/// How canaries are disguised while nobody needs them.
const DISGUISE: u8 = 0xA5;

/// What the host does with the canary secret.
const SCENES: [&str; 4] = ["import", "cancelled", "refused", "check"];

/// How much memory is looked at in one go.
const PIECE: usize = 1 << 18;

static ZEROS: [u8; PIECE] = [0; PIECE];

fn disguised(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| byte ^ DISGUISE).collect()
}

/// Runs the host in a process of its own and answers what it found before and after Release.
fn host(scene: &str, https: bool) -> Value {
    let (secret, token) = (canary::secret(), canary::token());
    let sign_in = SignIn { token_ending: token.clone(), ..SignIn::default() };
    let mut world =
        World { users: 300, groups: 60, edges: 600, client_secret: secret.clone(), sign_in, ..World::default() };
    world.https = https;
    let sim = Simulator::start(world).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut config = json!({
        "TenantId": sim.tenant_id(), "GraphEndpoint": sim.origin(), "AuthorityHost": sim.origin(), "RetryBaseSeconds": 0.01,
    });
    if let Some(pem) = sim.ca_pem() {
        let path = folder.path().join("ca.pem");
        fs::write(&path, pem).unwrap();
        config["CaFile"] = path.to_str().unwrap().into();
    }
    if scene == "cancelled" {
        sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::StallMidBody).after(1));
    }
    let client = if scene == "refused" { "00000000-0000-4000-8000-000000000000".to_owned() } else { sim.client_id() };
    let needles = [canary::needles("secret", &secret), canary::needles("token", &token)].concat();
    let needles: Vec<_> = needles.into_iter().map(|(name, needle)| (name, disguised(&needle))).collect();
    let order = json!({
        "library": connector_library().unwrap(), "scene": scene, "config": config.to_string(), "client": client, "secret": disguised(secret.as_bytes()),
        "needles": needles,
    });
    child::run("secrecy::memory::the_host", &[], &order)
}

#[test]
fn after_release_no_canary_is_left_in_the_process() {
    let mut left = Vec::new();
    for scene in SCENES {
        for https in [false, true] {
            let found = host(scene, https);
            // While the call ran the host's own copy was there, at least.
            let before = &found["before"]["counts"];
            assert!(before.to_string().contains("secret, plain"), "the search finds nothing: {before}");
            println!("{scene}, https {https}: {} bytes of writable memory searched", found["after"]["bytes"]);
            left.push((scene, https, found["after"]["counts"].clone()));
        }
    }
    left.retain(|(_, _, counts)| *counts != json!({}));
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
#[ignore = "the other process of the test above"]
fn the_host() {
    let order = child::order();
    let needles: Vec<(String, Vec<u8>)> = serde_json::from_value(order["needles"].clone()).unwrap();
    let mut search = Search::of(needles);
    let scene = order["scene"].as_str().unwrap();

    let (operation, before) = start(&order, &mut search);
    if scene == "cancelled" {
        operation.cancel();
    }
    let pulled = drain(operation);
    let expected = match scene {
        "cancelled" => CONNECTOR_E_CANCELLED,
        "refused" => CONNECTOR_E_AUTH,
        _ => CONNECTOR_END,
    };
    assert_eq!(pulled.status, expected, "{}", pulled.result);
    drop(pulled);
    wait_for_threads();
    let after = search.all();
    child::answer(&json!({ "before": before, "after": after }));
}

/// Starts the operation with the secret in one buffer, searches, and wipes the buffer.
fn start(order: &Value, search: &mut Search) -> (Operation, Value) {
    let text = |name: &str| order[name].as_str().unwrap();
    let connector = Connector::load(Path::new(text("library"))).unwrap();
    let mut auth = String::with_capacity(1024);
    auth.push_str("{\"Mode\":\"ClientSecret\",\"ClientId\":\"");
    auth.push_str(text("client"));
    auth.push_str("\",\"ClientSecret\":\"");
    let disguise = order["secret"].as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8);
    auth.extend(disguise.map(|byte| char::from(byte ^ DISGUISE)));
    auth.push_str("\"}");
    let request = StartRequest { config: text("config"), auth: &auth, log_level: Some(4), ..StartRequest::default() };
    let started = if text("scene") == "check" { connector.check(&request) } else { connector.import(&request) };
    let found = search.all();
    let mut auth = auth.into_bytes();
    auth.fill(0);
    std::hint::black_box(&auth);
    (started.unwrap(), found)
}

/// Until none of the connector's threads is left; Release has told them to end.
fn wait_for_threads() {
    let since = Instant::now();
    let names = || {
        let tasks = fs::read_dir("/proc/self/task").unwrap().map_while(Result::ok);
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        names.filter(|name| name.starts_with("entra") || name.starts_with("reqwest")).collect::<Vec<_>>()
    };
    while !names().is_empty() {
        assert!(since.elapsed() < Duration::from_secs(120), "still there: {:?}", names());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Looks for disguised needles in memory that it disguises the same way, so that looking for them puts none of them
/// anywhere.
struct Search {
    finders: Vec<(String, Finder<'static>)>,
    longest: usize,
    piece: Vec<u8>,
}

impl Search {
    fn of(needles: Vec<(String, Vec<u8>)>) -> Search {
        let longest = needles.iter().map(|(_, needle)| needle.len()).max().unwrap();
        let finders = needles.into_iter().map(|(name, needle)| (name, Finder::new(&needle).into_owned()));
        Search { finders: finders.collect(), longest, piece: vec![0; PIECE] }
    }

    /// Counts in all memory that can be written.
    fn all(&mut self) -> Value {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let own = self.piece.as_ptr().addr()..self.piece.as_ptr().addr() + self.piece.len();
        let (mut counts, mut bytes) = (serde_json::Map::new(), 0);
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (range, rights) = (words.next().unwrap(), words.next().unwrap());
            if !rights.contains('w') {
                continue;
            }
            let place = words.nth(3).unwrap_or("memory without a name").to_owned();
            let (from, to) = range.split_once('-').unwrap();
            let address = |text| usize::from_str_radix(text, 16).unwrap();
            let (from, to) = (address(from), address(to));
            bytes += to - from;
            // The buffer of the search itself holds what was read last.
            let parts = if from <= own.start && own.end <= to {
                [(from, own.start), (own.end, to)]
            } else {
                [(from, to), (to, to)]
            };
            for (from, to) in parts {
                self.part(&memory, from, to, &place, &mut counts);
            }
        }
        json!({ "bytes": bytes, "counts": counts })
    }

    fn part(
        &mut self,
        memory: &File,
        from: usize,
        to: usize,
        place: &str,
        counts: &mut serde_json::Map<String, Value>,
    ) {
        let mut at = from;
        while at < to {
            let length = PIECE.min(to - at);
            let Ok(read) = memory.read_at(&mut self.piece[..length], at as u64) else { return };
            // A needle that begins in the last bytes is found with the next piece.
            let last = at + read >= to;
            let begins = if last { read } else { read - self.longest };
            // Most of a process's memory was never touched.
            if self.piece[..read] != ZEROS[..read] {
                disguise(&mut self.piece[..read]);
                for (name, finder) in &self.finders {
                    let found = finder.find_iter(&self.piece[..read]).take_while(|begin| *begin < begins).count();
                    if found > 0 {
                        let entry = counts.entry(format!("{name} in {place}")).or_insert(json!(0));
                        *entry = json!(entry.as_u64().unwrap() + found as u64);
                    }
                }
                self.piece.fill(0);
            }
            at += begins;
        }
    }
}

/// Eight bytes at a time: a test's own code is not optimised.
fn disguise(bytes: &mut [u8]) {
    let (words, rest) = bytes.as_chunks_mut();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ u64::from_ne_bytes([DISGUISE; 8])).to_ne_bytes();
    }
    for byte in rest {
        *byte ^= DISGUISE;
    }
}
