//! Everything a host can see of the connector, searched for canaries: log lines at the highest level, records,
//! checkpoints, results, errors, progress, check rows, Describe, and the files of a store. Also when a service repeats
//! what it was sent.

use std::fs;

use connector_abi::*;
use host_harness::connector::StartRequest;
use host_harness::import::Engine;
use host_harness::library::connector_library;
use host_harness::simulator::{Delta, JournalMode, SignIn, World};
use serde_json::{Value, json};

use super::canary::{self, Needle};
use crate::relay::{Answered, Asked, Relay};
use crate::world::{Pulled, Tenant, connector};

/// What has been searched.
struct Search {
    needles: Vec<Needle>,
    bytes: usize,
    texts: usize,
}

impl Search {
    #[track_caller]
    fn look_into(&mut self, place: &str, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        self.bytes += text.len();
        self.texts += 1;
        for (name, needle) in &self.needles {
            assert_eq!(canary::count(text, needle), 0, "{name} stands in {place}: {}", String::from_utf8_lossy(text));
        }
    }

    #[track_caller]
    fn look_into_all(&mut self, place: &str, pulled: &Pulled) {
        self.look_into(&format!("the records of {place}"), serde_json::to_vec(&pulled.records).unwrap());
        self.look_into(&format!("the result of {place}"), pulled.result.to_string());
        self.look_into(&format!("the checkpoints of {place}"), pulled.checkpoints.join("\n"));
        for line in &pulled.log {
            self.look_into(&format!("the log of {place}"), &line.message);
        }
    }
}

/// A tenant with canaries for secret and tokens, behind a relay.
struct Stage {
    tenant: Tenant,
    relay: Relay,
    search: Search,
}

fn stage() -> Stage {
    let (secret, token) = (canary::secret(), canary::token());
    let sign_in = SignIn { token_ending: token.clone(), ..SignIn::default() };
    let world = World { users: 60, groups: 12, edges: 120, client_secret: secret.clone(), sign_in, ..World::gentle() };
    let tenant = Tenant::of(World { journal: JournalMode::Full, ..world });
    let relay = Relay::before(&tenant.sim.origin());
    let tenant =
        tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin()).with("MaxRetries", 1);
    let needles = [canary::needles("the secret", &secret), canary::needles("the token", &token)].concat();
    let found: usize = needles.iter().map(|(_, needle)| canary::count(tenant.auth().as_bytes(), needle)).sum();
    assert!(found > 0, "the search finds nothing where there is something");
    Stage { tenant, relay, search: Search { needles, bytes: 0, texts: 0 } }
}

#[test]
fn an_import_leaves_no_secret_and_no_token_where_a_host_can_see_it() {
    let Stage { tenant, relay, mut search } = stage();
    let mut tenant = tenant;
    for mode in ["Recompute", "Delta"] {
        tenant = tenant.with("MembershipMode", mode);
        let pulled = tenant.pull(None);
        assert_eq!(pulled.status, CONNECTOR_END, "{}", pulled.result);
        assert!(pulled.log.len() > 1, "it logged nothing: the search proves nothing");
        search.look_into_all("a full import", &pulled);
        let delta = tenant.pull(Some(pulled.watermark()));
        assert_eq!(delta.status, CONNECTOR_END, "{}", delta.result);
        search.look_into_all("a delta import", &delta);
        search.look_into_all("a check", &tenant.check());
        for full in [true, false] {
            let report = tenant.import_into(mode, full);
            assert_eq!(report.status, CONNECTOR_END, "{:#}", report.error);
            search.look_into("a host's report", format!("{report:?}"));
        }
    }
    let mut files = 0;
    for file in fs::read_dir(tenant.folder()).unwrap().map(Result::unwrap) {
        search.look_into(&format!("the store's file {:?}", file.file_name()), fs::read(file.path()).unwrap());
        files += 1;
    }
    assert!(files >= 2, "no store to search");
    search.look_into("Describe", connector().describe().unwrap());
    search.look_into("the simulator's journal", format!("{:?}", tenant.sim.journal()));
    assert!(relay.seen().iter().any(|asked| asked.authorization.ends_with('_')), "no token was used");
    println!("{} bytes in {} texts searched", search.bytes, search.texts);
}

#[test]
fn a_secret_that_is_refused_before_a_request_is_not_shown() {
    let Stage { tenant, mut search, .. } = stage();
    let secret = tenant.sim.client_secret();
    for auth in [
        json!({"Mode": "ClientSecret", "ClientId": "x", "ClientSecret": secret}),
        json!({"Mode": "ClientSecret", "ClientId": secret, "ClientSecret": secret}),
        json!({"Mode": secret, "ClientId": tenant.sim.client_id(), "ClientSecret": secret}),
        json!({"Mode": "ClientSecret", "ClientId": tenant.sim.client_id(), "ClientSecret": format!("{secret}\n")}),
        json!({"Mode": "ClientSecret", "ClientId": tenant.sim.client_id(), "ClientSecret": [secret]}),
        json!({"Mode": "ClientSecret", "ClientId": tenant.sim.client_id(), "ClientSecret": {"v": secret}}),
        json!({"Mode": "ClientSecret", "ClientId": tenant.sim.client_id(), "Password": secret}),
        json!({"Mode": "ClientCertificate", "ClientId": tenant.sim.client_id(), "Certificate": secret, "PrivateKey": secret}),
        json!({"Mode": "ManagedIdentity", "ClientId": secret}),
        json!({"Mode": "WorkloadIdentity", "ClientId": tenant.sim.client_id(), "TokenFile": secret}),
        json!([secret]),
        json!(secret),
    ] {
        let auth = auth.to_string();
        let config = tenant.config();
        for text in [auth.clone(), auth[..auth.len() - 2].to_owned()] {
            let request = StartRequest { config: &config, auth: &text, ..StartRequest::default() };
            let refused = connector().import(&request).expect_err("this is no AuthJson");
            search.look_into("a refusal", &refused.error_json);
        }
    }
}

/// What a service says of a request that it repeats, in every member that is read.
fn repeating(said: &str) -> Vec<String> {
    let quoted = json!(said);
    vec![
        json!({"error": "invalid_client", "error_description": format!("AADSTS7000215: not {said}"), "error_codes": [7_000_215], "trace_id": said}).to_string(),
        json!({"error": said, "error_description": said}).to_string(),
        json!({"error": {"code": said, "message": format!("what is {said}?"), "innerError": {"code": said, "request-id": said}}}).to_string(),
        json!({"error": {"code": "", "message": "", "innererror": {"message": said}}}).to_string(),
        json!({"value": said, "access_token": 7, "responses": said, "issuer": said}).to_string(),
        json!({"value": [{"id": {"a": said}}], "responses": [{"id": said, "status": said}]}).to_string(),
        format!("{{\"value\": {quoted}"),
        format!("{{{quoted}: 1}}"),
        quoted.to_string(),
        said.to_owned(),
        format!("<html><title>{said}</title><body>{said}</body></html>"),
    ]
}

#[test]
fn a_token_service_that_repeats_the_request_gets_it_nowhere() {
    let Stage { tenant, relay, mut search } = stage();
    let secret = tenant.sim.client_secret();
    for status in [200, 302, 400, 401, 503] {
        for number in 0..repeating("").len() {
            let secret = secret.clone();
            relay.rewrite(move |asked, answered| {
                if asked.target.ends_with("/token") {
                    let form = String::from_utf8(asked.body.clone()).unwrap();
                    answered.status = status;
                    answered.body = repeating(&format!("{form} {secret}"))[number].clone().into_bytes();
                    answered.headers.extend([("location".to_owned(), format!("http://127.0.0.1:9/?{form}"))]);
                }
            });
            let pulled = tenant.pull(None);
            assert!(pulled.status < 0, "{status} {number}: {}", pulled.result);
            search.look_into_all(&format!("a token service's answer {number} with {status}"), &pulled);
            search.look_into_all("its check", &tenant.check());
        }
    }
}

#[test]
fn a_graph_that_repeats_the_token_gets_it_nowhere() {
    let Stage { tenant, relay, mut search } = stage();
    let put = |path: &'static str, inside: bool, status: u16, number: usize| {
        move |asked: &Asked, answered: &mut Answered| {
            if !asked.target.starts_with(path) {
                return;
            }
            let said = repeating(&asked.authorization)[number].clone();
            if inside {
                let mut body = answered.json();
                let item: Value = serde_json::from_str(&said).unwrap_or_else(|_| json!(said));
                body["responses"][0]["status"] = status.into();
                body["responses"][0]["body"] = item;
                answered.set_json(&body);
            } else {
                answered.status = status;
                answered.body = said.into_bytes();
            }
        }
    };
    for (path, inside) in [("/v1.0/users", false), ("/v1.0/$batch", false), ("/v1.0/$batch", true)] {
        for status in [200, 302, 400, 401, 403, 404, 503] {
            for number in 0..repeating("").len() {
                relay.rewrite(put(path, inside, status, number));
                let pulled = tenant.pull(None);
                search.look_into_all(&format!("Graph's answer {number} to {path} with {status}"), &pulled);
            }
        }
    }
    assert!(search.texts > 1000);
}

/// Secret and token in the form of an id: letters and digits alone.
fn stage_of_ids() -> (Stage, String, String) {
    let plain = |canary: String| canary.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    let (secret, token) = (plain(canary::secret()), plain(canary::token()));
    let sign_in = SignIn { token_ending: token.clone(), ..SignIn::default() };
    let world = World { users: 20, groups: 4, edges: 30, client_secret: secret.clone(), sign_in, ..World::gentle() };
    let tenant = Tenant::of(world);
    let relay = Relay::before(&tenant.sim.origin());
    let tenant =
        tenant.with("GraphEndpoint", relay.origin()).with("AuthorityHost", relay.origin()).with("MaxRetries", 1);
    let needles = [canary::needles("the secret", &secret), canary::needles("the token", &token)].concat();
    (Stage { tenant, relay, search: Search { needles, bytes: 0, texts: 0 } }, secret, token)
}

#[test]
fn id_of_an_answer_that_repeats_secret_or_token_is_shown_nowhere() {
    let (Stage { tenant, relay, mut search }, secret, token) = stage_of_ids();
    for (place, said, status) in [
        ("/token", &secret, 200),
        ("/token", &secret, 401),
        ("/token", &secret, 503),
        ("/v1.0/users", &token, 200),
        ("/v1.0/users", &token, 403),
        ("/v1.0/users", &token, 503),
        ("/v1.0/$batch", &token, 200),
        ("/v1.0/$batch", &token, 404),
    ] {
        for name in ["request-id", "x-ms-request-id", "client-request-id"] {
            let said = said.clone();
            relay.rewrite(move |asked, answered| {
                if !(asked.target.starts_with(place) || asked.target.ends_with(place)) {
                    return;
                }
                answered.headers.retain(|(header, _)| !header.to_ascii_lowercase().ends_with("request-id"));
                answered.headers.push((name.to_owned(), said.clone()));
                let mut body = answered.json();
                if let Some(items) = body["responses"].as_array_mut() {
                    for item in items {
                        item["status"] = status.into();
                        item["headers"] = json!({ name: said });
                        item["body"] = json!({"value": [{}], "error": {"innerError": {"request-id": said}}});
                    }
                    answered.set_json(&body);
                } else if status == 200 && body["value"].is_array() {
                    // A row without an id becomes a record that names the answer.
                    body["value"].as_array_mut().unwrap().push(json!({}));
                    answered.set_json(&body);
                } else if status == 200 && name == "request-id" {
                    // A token answer without a token.
                    answered.set_json(&json!({}));
                } else {
                    answered.status = status;
                }
            });
            let pulled = tenant.pull(None);
            let what = format!("{place} with {status} and {name}");
            search.look_into_all(&what, &pulled);
            search.look_into_all(&format!("a check of {what}"), &tenant.check());
        }
    }
    relay.rewrite(|_, _| {});
    let honest = tenant.pull(None);
    assert!(
        honest.log.iter().any(|line| line.message.contains("request-id ") && !line.message.ends_with("request-id -"))
    );
}

#[test]
fn no_log_line_and_no_message_holds_a_whole_delta_link() {
    let pages = Delta { user_page: 10, group_page: 10, ..World::gentle().delta };
    let tenant = Tenant::of(World { users: 200, groups: 40, edges: 80, delta: pages, ..World::gentle() });
    let full = tenant.pull(None);
    assert_eq!(full.status, CONNECTOR_END, "{}", full.result);
    let delta = tenant.pull(Some(full.watermark()));
    let engine: Engine = Engine::new(connector_library().unwrap(), tenant.folder().join("log.db"));
    let report = engine.import(&tenant.config(), &tenant.auth(), true).unwrap();
    let urls: Vec<String> = tenant.sim.journal().into_iter().map(|exchange| exchange.url).collect();
    let tokens: Vec<&str> = urls.iter().flat_map(|url| tokens(url)).collect();
    assert!(tokens.len() > 20, "{} tokens are no walk", tokens.len());
    let mut cut = 0;
    let lines = full.log.iter().chain(&delta.log).chain(&report.log).map(|line| line.message.clone());
    for line in lines.chain([full.result["Warnings"].to_string(), delta.result["Warnings"].to_string()]) {
        for token in &tokens {
            let beginning = &token[..token.len().min(12)];
            assert!(!line.contains(beginning), "{line} shows {token}");
        }
        cut += usize::from(line.contains("token=") && line.contains('…'));
    }
    assert!(cut > 10, "links are logged, cut short");
}

/// The values of `$skiptoken` and `$deltatoken`.
fn tokens(url: &str) -> impl Iterator<Item = &str> {
    let options = url.split_once('?').map_or("", |(_, query)| query).split('&');
    options
        .filter_map(|option| option.split_once('='))
        .filter(|(name, value)| {
            let name = name.to_ascii_lowercase();
            (name.ends_with("skiptoken") || name.ends_with("deltatoken")) && value.len() > 12
        })
        .map(|(_, value)| value)
}
