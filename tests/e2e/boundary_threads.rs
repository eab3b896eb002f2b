//! The host's own threads: what the library never does on them, and how little stack they may have.

use std::path::Path;

use connector_abi::{CONNECTOR_E_INVALID_CONFIG, CONNECTOR_E_INVALID_WATERMARK, CONNECTOR_END, CONNECTOR_OK};
use host_harness::simulator::{Fault, FaultAction, Route, World};
use serde_json::{Map, Value, json};

use crate::boundary_hosts::{Host, is_instrumented};
use crate::world::Tenant;

#[test]
fn wake_may_take_a_lock_that_the_host_holds_across_cancel_and_release() {
    let tenant = Tenant::of(World { users: 30, groups: 5, edges: 60, gzip: false, ..World::gentle() });
    // Silent for the host: not even a token comes before it cancels, and each byte lets a worker see the cancel.
    tenant.sim.add_fault(Fault::always(Route::Token, FaultAction::SlowDrip { bytes: 1, delay_ms: 100 }));
    assert_eq!(Host::new("wake", &tenant).run(&[])["failed"], 0);
}

/// Documents, and the status with which they are refused. `None`: an import starts.
struct Case {
    name: &'static str,
    config: String,
    auth: String,
    watermark: Option<String>,
    refused: Option<i32>,
}

/// Makes cases out of the documents of a tenant.
struct Documents {
    config: Map<String, Value>,
    auth: Map<String, Value>,
    cases: Vec<Case>,
}

impl Documents {
    fn add(&mut self, name: &'static str, config: String, auth: String, refused: Option<i32>) {
        self.cases.push(Case { name, config, auth, watermark: None, refused });
    }

    fn config_with(&mut self, name: &'static str, key: &str, value: Value, refused: Option<i32>) {
        let mut config = self.config.clone();
        config.insert(key.to_owned(), value);
        self.add(name, Value::Object(config).to_string(), Value::Object(self.auth.clone()).to_string(), refused);
    }

    fn auth_with(&mut self, name: &'static str, keys: &Value) {
        let config = Value::Object(self.config.clone()).to_string();
        self.add(name, config, keys.to_string(), Some(CONNECTOR_E_INVALID_CONFIG));
    }
}

/// `inner` inside `depth` pairs of `open` and `close`.
fn nested(depth: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(depth), close.repeat(depth))
}

fn key_file(name: &str) -> Value {
    json!(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name))
}

fn cases(tenant: &Tenant) -> Vec<Case> {
    let map = |text: String| serde_json::from_str(&text).unwrap();
    let mut documents = Documents { config: map(tenant.config()), auth: map(tenant.auth()), cases: Vec::new() };
    let wrong = Some(CONNECTOR_E_INVALID_CONFIG);
    let equal = "displayName eq 'x'";
    // The deepest that is allowed counts the whole filter as its first level.
    let filters = [
        ("deep parentheses", nested(63, "(", equal, ")"), None),
        ("deep negation", nested(31, "not (", equal, ")"), None),
        ("deep chains", nested(63, &format!("{equal} or {equal} and ("), equal, ")"), None),
        ("deep lists", nested(63, "displayName in (", "'x'", ")"), None),
        ("deep lambdas", nested(63, "proxyAddresses/any(a:", equal, ")"), None),
        ("deep functions", nested(63, "startswith(", "displayName", ")"), None),
        ("parentheses too deep", nested(100_000, "(", equal, ")"), wrong),
        ("negation too deep", nested(100_000, "not ", equal, ""), wrong),
        ("a wide filter", format!("{equal}{}", format!(" or {equal}").repeat(1000)), None),
    ];
    for (name, filter, refused) in filters {
        documents.config_with(name, "GroupSelectionFilter", json!(filter), refused);
    }
    documents.config_with("a long list of attributes", "UserAttributes", json!(vec!["mail"; 20_000]), None);
    documents.config_with("a long list of mistakes", "UserAttributes", json!(vec!["?"; 1_000]), wrong);
    documents.config_with("no CA file", "CaFile", json!("/nonexistent/ca.pem"), wrong);
    documents.config_with("a CA file without PEM", "CaFile", json!("/proc/self/status"), wrong);
    documents.config_with("an address that is none", "GraphEndpoint", json!("https://exa mple"), wrong);
    let (config, auth) = (tenant.config(), tenant.auth());
    for (name, text) in [
        ("deep JSON", nested(120, "[", "1", "]")),
        ("JSON too deep", nested(100_000, "[", "1", "]")),
        ("deep JSON under a key", nested(100, "{\"TenantId\":", "1", "}")),
        (
            "many unknown keys",
            format!("{{{}}}", (0..100_000).map(|n| format!("\"k{n}\":1")).collect::<Vec<_>>().join(",")),
        ),
        ("no JSON", "{oops}".to_owned()),
    ] {
        documents.add(name, text.clone(), auth.clone(), wrong);
        documents.add(name, config.clone(), text, wrong);
    }
    let id = "c0ffee00-0000-4000-8000-000000000001";
    for name in
        ["one.pem", "two.pem", "ec.sec1.pem", "one.encrypted.pem", "one.encrypted.pkcs1.pem", "small.pem", "none.pem"]
    {
        let file = key_file(name);
        documents.auth_with(
            "a key without its certificate",
            &json!({"Mode": "ClientCertificate", "ClientId": id, "CertificateFile": file, "PrivateKeyFile": file}),
        );
    }
    documents.auth_with("no mode", &json!({"Mode": "Kerberos"}));
    documents
        .auth_with("keys of another mode", &json!({"Mode": "ManagedIdentity", "ClientSecret": "x", "TokenFile": "t"}));
    for (name, watermark) in
        [("no watermark of ours", "{oops}".to_owned()), ("a watermark too deep", nested(50_000, "[", "1", "]"))]
    {
        documents.add(name, config.clone(), auth.clone(), Some(CONNECTOR_E_INVALID_WATERMARK));
        documents.cases.last_mut().unwrap().watermark = Some(watermark);
    }
    documents.cases
}

#[test]
fn host_thread_with_64_kib_of_stack_survives_every_document() {
    let tenant = Tenant::small();
    let cases = cases(&tenant);
    // Instrumented code needs several times the stack, whose size would then say nothing.
    let mut arguments = vec![if is_instrumented() { "1024" } else { "64" }.to_owned()];
    for (number, case) in cases.iter().enumerate() {
        for (kind, text) in
            [("config", Some(&case.config)), ("auth", Some(&case.auth)), ("mark", case.watermark.as_ref())]
        {
            let name = format!("{number}.{kind}");
            if let Some(text) = text {
                std::fs::write(tenant.folder().join(&name), text).unwrap();
            }
            arguments.push(if text.is_some() { name } else { "-".to_owned() });
        }
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = Host::new("small_stack", &tenant).run(&arguments);
    let answered = said["started"].as_array().unwrap();
    assert_eq!(
        (&said["failed"], &said["ended"], &answered[0]),
        (&json!(0), &json!(CONNECTOR_END), &json!(CONNECTOR_OK)),
        "{said}"
    );
    for (case, answered) in cases.iter().zip(&answered[1..]) {
        assert_eq!(*answered, case.refused.unwrap_or(CONNECTOR_OK), "{}", case.name);
    }
}
