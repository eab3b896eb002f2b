//! `ManagedIdentity`, in a process of its own: the platform's variables belong to the host process, and this one has
//! other tests in it.

use std::process::{Command, Output};

use connector_abi::*;
use host_harness::simulator::{ManagedIdentity, Route, SignIn, World};
use serde_json::{Value, json};

use super::{tenant_of, token_requests};
use crate::world::Tenant;

const HEADER: &str = "made-up-identity-header";
const USER_ASSIGNED: &str = "c0ffee00-0000-4000-8000-00000000beef";
const ELSEWHERE: &str = "99999999-8888-4777-8666-555555555555";

fn tenant() -> Tenant {
    tenant_with(ManagedIdentity::default())
}

/// With what else the platform does.
fn tenant_with(identity: ManagedIdentity) -> Tenant {
    let identity =
        ManagedIdentity { header: HEADER.to_owned(), client_ids: vec![USER_ASSIGNED.to_owned()], ..identity };
    let sign_in = SignIn { managed_identity: Some(identity), ..SignIn::default() };
    tenant_of(sign_in, "ManagedIdentity", json!({ "ClientId": null }))
}

/// Checks or imports in another process, whose environment is that of an App Service instance. A proxy that leads
/// nowhere stands in it too.
fn as_on_app_service(tenant: &Tenant, header: &str, what: &str) -> (Value, String) {
    let output: Output = Command::new(std::env::current_exe().unwrap())
        .args(["signing_in::managed_identity::on_app_service", "--exact", "--nocapture", "--ignored"])
        .env("IDENTITY_ENDPOINT", format!("{}/msi/token", tenant.sim.origin()))
        .env("IDENTITY_HEADER", header)
        .env("HTTP_PROXY", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9")
        .env("CONNECTOR_TEST_TEXTS", json!([what, tenant.config(), tenant.auth()]).to_string())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    let result = said.lines().find_map(|line| line.split_once("RESULT ")).expect(&said).1;
    (serde_json::from_str(result).unwrap(), said)
}

#[test]
#[ignore = "the other process of the tests here"]
fn on_app_service() {
    let Ok(texts) = std::env::var("CONNECTOR_TEST_TEXTS") else { return };
    let [what, config, auth]: [String; 3] = serde_json::from_str(&texts).unwrap();
    let request = host_harness::connector::StartRequest {
        config: &config,
        auth: &auth,
        log_level: Some(4),
        ..Default::default()
    };
    let connector = crate::world::connector();
    let operation = if what == "check" { connector.check(&request) } else { connector.import(&request) };
    let pulled = crate::world::drain(operation.unwrap());
    let log: Vec<_> = pulled.log.iter().map(|line| format!("{line:?}")).collect();
    println!(
        "RESULT {}",
        json!({
            "status": pulled.status, "records": pulled.records, "checkpoints": pulled.checkpoints, "result": pulled.result,
            "log": log
        })
    );
}

#[test]
fn an_app_service_imports_with_its_own_identity_past_every_proxy() {
    let tenant = tenant();
    let (ran, said) = as_on_app_service(&tenant, HEADER, "import");
    assert_eq!(ran["status"], json!(CONNECTOR_END), "{:#}", ran["result"]);
    let users =
        ran["records"].as_array().unwrap().iter().filter(|r| r["Kind"] == "Upsert" && r["ObjectType"] == "User");
    assert_eq!(users.count() as u64, tenant.sim.truth().user_count());
    assert!(!said.contains(HEADER), "the host's own secret is written nowhere");
    let asked = token_requests(&tenant);
    assert_eq!(asked.iter().map(|x| x.route).collect::<Vec<_>>(), [Route::ManagedIdentity]);
    assert_eq!(asked[0].url, "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com");
}

#[test]
fn a_user_assigned_identity_is_named_and_an_unknown_one_is_told() {
    let (known, _) = as_on_app_service(&tenant().with_auth("ClientId", USER_ASSIGNED), HEADER, "check");
    assert_eq!(known["records"][0]["Outcome"], "Passed");
    assert_eq!(known["records"][1]["Outcome"], "Skipped", "the platform renews it: {:#}", known["records"][1]);
    let stranger = "c0ffee00-0000-4000-8000-000000000bad";
    let (unknown, _) = as_on_app_service(&tenant().with_auth("ClientId", stranger), HEADER, "check");
    assert_eq!(unknown["records"][0]["Outcome"], "Failed");
    let message = unknown["records"][0]["Message"].as_str().unwrap();
    assert!(message.contains("assign the user-assigned one") && message.contains("client id"), "{message}");
}

#[test]
fn a_header_of_another_instance_is_refused_in_words() {
    let (ran, said) = as_on_app_service(&tenant(), "another-made-up-header", "import");
    assert_eq!(ran["status"], json!(CONNECTOR_E_AUTH));
    assert!(ran["result"]["Error"]["Message"].as_str().unwrap().contains("IDENTITY_HEADER"), "{:#}", ran["result"]);
    assert!(!said.contains("another-made-up-header"));
}

#[test]
fn a_claims_challenge_ends_with_what_the_operator_can_do() {
    let tenant = tenant();
    tenant.sim.demand_claims(Some(r#"{"access_token":{"nbf":{"essential":true,"value":"1"}}}"#.to_owned()));
    let (ran, _) = as_on_app_service(&tenant, HEADER, "import");
    assert_eq!(ran["status"], json!(CONNECTOR_E_AUTH));
    let message = ran["result"]["Error"]["Message"].as_str().unwrap();
    assert!(message.contains("managed identity cannot get"), "{message}");
    assert_eq!(token_requests(&tenant).len(), 1);
}

#[test]
fn the_world_without_an_identity_says_to_switch_it_on() {
    let tenant = tenant_of(SignIn::default(), "ManagedIdentity", json!({ "ClientId": null }));
    let (ran, _) = as_on_app_service(&tenant, HEADER, "check");
    let message = ran["records"][0]["Message"].as_str().unwrap();
    assert!(message.contains("switch on its system-assigned identity"), "{message}");
    assert_eq!(World::default().sign_in.managed_identity, None);
}

/// A platform whose identity belongs to another directory.
fn elsewhere() -> Tenant {
    tenant_with(ManagedIdentity { directories: vec![ELSEWHERE.to_owned()], ..ManagedIdentity::default() })
}

/// The requests that went to Graph.
fn graph_requests(tenant: &Tenant) -> Vec<String> {
    let asked = tenant.sim.journal().into_iter();
    let others = [Route::Token, Route::ManagedIdentity, Route::OpenId];
    asked.filter(|x| !others.contains(&x.route)).map(|x| x.url).collect()
}

#[test]
fn identity_of_another_directory_imports_nothing() {
    let by_guid = elsewhere();
    let by_domain = elsewhere();
    let domain = World::default().domain;
    for (tenant, named) in
        [(&by_guid, by_guid.sim.tenant_id()), (&by_domain.with("TenantId", &*domain), domain.clone())]
    {
        let (ran, _) = as_on_app_service(tenant, HEADER, "import");
        assert_eq!(ran["status"], json!(CONNECTOR_E_INVALID_CONFIG), "{:#}", ran["result"]);
        let error = &ran["result"]["Error"];
        let message = error["Message"].as_str().unwrap();
        for part in [ELSEWHERE, &*named, &*tenant.sim.tenant_id(), "TenantId"] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(
            (&error["Problems"][0]["Path"], &error["Problems"][0]["Document"]),
            (&json!("/TenantId"), &json!("Config"))
        );
        assert_eq!((&ran["records"], &ran["checkpoints"]), (&json!([]), &json!([])));
        assert_eq!(ran["result"]["Watermark"], Value::Null);
        assert_eq!(graph_requests(tenant), Vec::<String>::new());
    }
}

#[test]
fn identity_of_another_directory_fails_the_check_before_graph_is_asked() {
    let tenant = elsewhere();
    let (ran, _) = as_on_app_service(&tenant, HEADER, "check");
    let row = &ran["records"][0];
    assert_eq!((&row["Step"], &row["Outcome"]), (&json!("Token"), &json!("Failed")), "{row:#}");
    assert!(row["Message"].as_str().unwrap().contains(ELSEWHERE), "{row:#}");
    assert!(row["Remedy"].as_str().unwrap().contains("TenantId"), "{row:#}");
    assert_eq!(graph_requests(&tenant), Vec::<String>::new());
}

#[test]
fn identity_of_the_named_domain_imports() {
    let tenant = tenant().with("TenantId", World::default().domain);
    let (ran, _) = as_on_app_service(&tenant, HEADER, "import");
    assert_eq!(ran["status"], json!(CONNECTOR_END), "{:#}", ran["result"]);
}

#[test]
fn unreadable_token_of_the_platform_passes_and_the_check_says_so() {
    let opaque = || tenant_with(ManagedIdentity { opaque_tokens: true, ..ManagedIdentity::default() });
    let (ran, _) = as_on_app_service(&opaque(), HEADER, "import");
    assert_eq!(ran["status"], json!(CONNECTOR_END), "{:#}", ran["result"]);
    let said = |tenant: &Tenant| {
        let (ran, _) = as_on_app_service(tenant, HEADER, "check");
        assert_eq!(ran["records"][0]["Outcome"], "Passed");
        ran["records"][0]["Message"].as_str().unwrap().to_owned()
    };
    assert!(said(&opaque()).contains("claims cannot be read"));
    assert!(said(&tenant()).contains("for the directory in TenantId"));
}
