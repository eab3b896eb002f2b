//! What is accepted, and what each mistake is answered with. Here: whole documents; beside: single keys, those by which
//! an import follows changes, and AuthJson.

mod auth_json;
mod changes;
mod keys;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::error::{Kind, Problem};
use crate::types;

const TENANT: &str = "0a1b2c3d-0000-4000-8000-00000000beef";
const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";

fn auth() -> Value {
    json!({ "Mode": "ClientSecret", "ClientId": CLIENT, "ClientSecret": "s3cr~t" })
}

/// A valid ConfigJson with one more key.
fn config_with(key: &str, value: Value) -> Value {
    let mut config = json!({ "TenantId": TENANT });
    config[key] = value;
    config
}

fn auth_with(key: &str, value: Value) -> Value {
    let mut auth = auth();
    auth[key] = value;
    auth
}

fn accepted(config: Value) -> Config {
    parse(&config.to_string(), &auth().to_string()).unwrap().config
}

fn problems(config: &str, auth: &str) -> Vec<Problem> {
    let error = parse(config, auth).unwrap_err();
    assert_eq!(error.kind, Kind::InvalidConfig);
    assert!(!error.message.is_empty());
    error.problems
}

/// The only problem of a ConfigJson.
fn problem(config: Value) -> Problem {
    only(problems(&config.to_string(), &auth().to_string()))
}

fn auth_problem(auth: Value) -> Problem {
    only(problems(&json!({ "TenantId": TENANT }).to_string(), &auth.to_string()))
}

fn only(mut problems: Vec<Problem>) -> Problem {
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[test]
fn a_tenant_alone_is_a_configuration_and_has_the_documented_defaults() {
    let config = accepted(json!({ "TenantId": TENANT }));
    let expected = Config {
        tenant: Tenant::Guid(TENANT.to_owned()),
        group_selection_filter: None,
        page_size: 999,
        object_types: types::ALL
            .iter()
            .map(|object_type| Chosen { name: object_type.name, on: true, added: Vec::new() })
            .collect(),
        external_id: ExternalId::Id,
        membership_mode: MembershipMode::Recompute,
        on_delta_expired: OnDeltaExpired::Fail,
        full_import_strategy: FullImportStrategy::DeltaWalk,
        max_deletes: None,
        full_reconcile_days: 7,
        graph_origin: "https://graph.microsoft.com".to_owned(),
        authority: "https://login.microsoftonline.com".to_owned(),
        scope: "https://graph.microsoft.com/.default".to_owned(),
        proxy: None,
        ca_file: None,
        max_retries: 5,
        retry_base: Duration::from_secs(5),
        max_concurrency: 8,
    };
    assert_eq!(config, expected);
}

#[test]
fn every_default_in_the_schema_is_the_parsers() {
    let implicit = accepted(json!({ "TenantId": TENANT }));
    let schema = config_schema();
    for (key, property) in schema["properties"].as_object().unwrap() {
        let Some(default) = property.get("default") else {
            assert_eq!(schema["required"], json!([key]), "{key} has neither a default nor is it required");
            continue;
        };
        assert_eq!(accepted(config_with(key, default.clone())), implicit, "{key}");
    }
}

#[test]
fn every_key_is_in_the_schema_with_a_description_and_the_reverse() {
    for (mut keys, schema) in [(keys_of_config(), config_schema()), (auth::RawAuth::KEYS.to_vec(), auth_schema())] {
        keys.sort_unstable();
        let mut described: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        described.sort_unstable();
        assert_eq!(described, keys);
        assert_eq!(schema["additionalProperties"], json!(false));
        for key in keys {
            let description = schema["properties"][key]["description"].as_str().unwrap();
            assert!(description.ends_with('.') && !description.contains('\n'), "{key}: {description}");
        }
    }
}

#[test]
fn the_keys_are_those_the_documentation_lists() {
    let expected = "TenantId GroupSelectionFilter PageSize Preset ExternalIdAttribute MembershipMode FullReconcileDays OnDeltaExpired \
                    FullImportStrategy MaxDeletes Cloud GraphEndpoint AuthorityHost GraphScope Proxy CaFile MaxRetries \
                    RetryBaseSeconds MaxConcurrency ImportUsers ImportGroups ImportMemberships UserAttributes GroupAttributes";
    assert_eq!(keys_of_config().join(" "), expected);
    assert_eq!(
        auth::RawAuth::KEYS.join(" "),
        "Mode ClientId ClientSecret Certificate CertificateFile PrivateKey PrivateKeyFile TokenFile"
    );
}

#[test]
fn all_mistakes_of_both_documents_come_in_one_answer_and_in_order() {
    let config = json!({ "PageSize": "999", "Tenant": "x", "Cloud": "Mars", "UserAttributes": ["nope", "city", 7] });
    let problems = problems(&config.to_string(), r#"{"Mode":"ClientSecret","Extra":1}"#);
    let told: Vec<_> = problems.iter().map(|p| (p.document, p.path.as_str())).collect();
    let (config, auth) = (Document::Config, Document::Auth);
    assert_eq!(
        told,
        [
            (config, "/TenantId"),
            (config, "/PageSize"),
            (config, "/Cloud"),
            (config, "/UserAttributes/0"),
            (config, "/UserAttributes/2"),
            (config, "/Tenant"),
            (auth, "/ClientId"),
            (auth, "/ClientSecret"),
            (auth, "/Extra"),
        ]
    );
}

#[test]
fn all_imports_off_is_refused_and_each_alone_is_not() {
    let switches = ["ImportUsers", "ImportGroups", "ImportMemberships"];
    let all_off =
        json!({ "TenantId": TENANT, "ImportUsers": false, "ImportGroups": false, "ImportMemberships": false });
    for switch in switches {
        let mut one_on = all_off.clone();
        one_on[switch] = json!(true);
        accepted(one_on);
    }
    assert_eq!(problem(all_off).path, "");
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_known_one_and_without_their_value() {
    let problem = problem(config_with("pagesize", json!("hush")));
    assert_eq!((problem.path.as_str(), problem.nearest.as_deref()), ("/pagesize", Some("PageSize")));
    assert!(!problem.found.contains("hush"));
}

#[test]
fn a_key_of_the_other_document_is_sent_there() {
    assert!(problem(config_with("ClientSecret", json!("hush"))).expected.contains("AuthJson"));
    assert!(auth_problem(auth_with("TenantId", json!(TENANT))).expected.contains("ConfigJson"));
}

#[test]
fn a_repeated_key_is_refused() {
    let problem = only(problems(r#"{"TenantId":"contoso.com","PageSize":1,"PageSize":2}"#, &auth().to_string()));
    assert_eq!((problem.path.as_str(), problem.found.as_str()), ("/PageSize", "the key 2 times"));
}

#[test]
fn malformed_json_is_one_problem_with_line_and_column() {
    let problem = only(problems("{\n\"TenantId\": \"contoso.com\",\n}", &auth().to_string()));
    assert_eq!(problem.path, "");
    assert!(problem.found.contains("line 3 column 1"), "{}", problem.found);
}

#[test]
fn a_document_that_is_no_object_is_refused() {
    for text in ["[]", "null", "7", "\"x\""] {
        assert_eq!(only(problems(text, &auth().to_string())).expected, "a JSON object");
    }
    assert_eq!(problems("", "").len(), 2);
}

#[test]
fn null_is_a_default_only_where_the_schema_says_so() {
    for (key, property) in config_schema()["properties"].as_object().unwrap() {
        let verdict = parse(&config_with(key, json!(null)).to_string(), &auth().to_string());
        assert_eq!(verdict.is_ok(), property.get("default") == Some(&json!(null)), "{key}");
    }
}
