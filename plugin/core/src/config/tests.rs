//! Whole documents: what is accepted, and what each mistake is answered with. Single types are tested beside them.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::error::{Kind, Problem};
use crate::schema::AttributeType;

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
        import_users: true,
        import_groups: true,
        import_memberships: true,
        external_id: ExternalId::Id,
        full_reconcile_days: 7,
        user_attributes: Vec::new(),
        group_attributes: Vec::new(),
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
    for (keys, schema) in [(raw::RawConfig::KEYS, config_schema()), (auth::RawAuth::KEYS, auth_schema())] {
        let mut keys = keys.to_vec();
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
    let expected = "TenantId GroupSelectionFilter PageSize ImportUsers ImportGroups ImportMemberships ExternalIdAttribute \
                    MembershipMode FullReconcileDays OnDeltaExpired FullImportStrategy UserAttributes GroupAttributes \
                    MaxDeletes Cloud GraphEndpoint AuthorityHost GraphScope Proxy CaFile MaxRetries RetryBaseSeconds \
                    MaxConcurrency";
    assert_eq!(raw::RawConfig::KEYS.join(" "), expected);
    assert_eq!(auth::RawAuth::KEYS, ["Mode", "ClientId", "ClientSecret"]);
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
            (config, "/UserAttributes/0"),
            (config, "/UserAttributes/2"),
            (config, "/Cloud"),
            (config, "/Tenant"),
            (auth, "/ClientId"),
            (auth, "/ClientSecret"),
            (auth, "/Extra"),
        ]
    );
}

#[test]
fn page_size_as_text_is_refused_with_its_path() {
    let problem = problem(config_with("PageSize", json!("999")));
    assert_eq!((problem.path.as_str(), problem.found.as_str()), ("/PageSize", "\"999\""));
    assert_eq!(problem.expected, "whole number 1…999");
}

#[test]
fn numbers_outside_their_limits_are_refused() {
    let wrong = [
        ("PageSize", json!(0)),
        ("PageSize", json!(1000)),
        ("PageSize", json!(1.5)),
        ("MaxRetries", json!(-1)),
        ("MaxRetries", json!(21)),
        ("MaxConcurrency", json!(0)),
        ("MaxConcurrency", json!(65)),
        ("RetryBaseSeconds", json!(0.009)),
        ("RetryBaseSeconds", json!(60.1)),
    ];
    for (key, value) in wrong {
        assert_eq!(problem(config_with(key, value)).path, format!("/{key}"));
    }
}

#[test]
fn a_number_may_be_written_in_every_way_json_knows() {
    let config = r#"{"TenantId":"contoso.com","PageSize":1e2,"MaxRetries":0.0,"RetryBaseSeconds":0.25}"#;
    let config = parse(config, &auth().to_string()).unwrap().config;
    assert_eq!((config.page_size, config.max_retries), (100, 0));
    assert_eq!(config.retry_base, Duration::from_millis(250));
}

#[test]
fn a_missing_tenant_is_told_with_what_it_should_be() {
    let problem = problem(json!({}));
    assert_eq!((problem.path.as_str(), problem.found.as_str()), ("/TenantId", "nothing"));
}

#[test]
fn tenants_in_other_spellings_are_the_same_tenant() {
    for spelling in [TENANT.to_uppercase(), format!("{{{TENANT}}}")] {
        assert_eq!(accepted(json!({ "TenantId": spelling })).tenant.as_str(), TENANT);
    }
    let domain = accepted(json!({ "TenantId": "Contoso.OnMicrosoft.com" })).tenant;
    assert_eq!(domain, Tenant::Domain("contoso.onmicrosoft.com".to_owned()));
}

#[test]
fn shared_endpoints_and_things_that_are_no_tenant_are_refused() {
    for word in ["common", "Organizations", "consumers"] {
        assert!(problem(json!({ "TenantId": word })).expected.contains("no particular tenant"));
    }
    for text in ["contoso", "", " contoso.com", "https://contoso.com", "contoso.com.", "10.0.0.1", "-a.com", "a..com"] {
        assert_eq!(problem(json!({ "TenantId": text })).path, "/TenantId", "{text}");
    }
}

#[test]
fn what_a_later_version_accepts_is_refused_as_not_in_this_version() {
    let later = [
        ("MembershipMode", json!("Delta")),
        ("FullReconcileDays", json!(30)),
        ("OnDeltaExpired", json!("FullSync")),
        ("FullImportStrategy", json!("Snapshot")),
        ("MaxDeletes", json!(500)),
    ];
    for (key, value) in later {
        let problem = problem(config_with(key, value));
        assert!(problem.expected.contains("not in this version"), "{key}: {}", problem.expected);
    }
    let never = [
        ("MembershipMode", json!("Deltas")),
        ("FullReconcileDays", json!(91)),
        ("OnDeltaExpired", json!("Retry")),
        ("FullImportStrategy", json!(null)),
        ("MaxDeletes", json!(0)),
    ];
    for (key, value) in never {
        let problem = problem(config_with(key, value));
        assert!(!problem.expected.contains("version"), "{key}: {}", problem.expected);
    }
}

#[test]
fn reconcile_may_be_switched_off_already() {
    assert_eq!(accepted(config_with("FullReconcileDays", json!(0))).full_reconcile_days, 0);
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
fn a_cloud_sets_three_addresses_and_each_may_be_replaced_alone() {
    let config = accepted(config_with("Cloud", json!("UsGovDoD")));
    assert_eq!(config.graph_origin, "https://dod-graph.microsoft.us");
    assert_eq!(config.authority, "https://login.microsoftonline.us");
    assert_eq!(config.scope, "https://dod-graph.microsoft.us/.default");

    let config = accepted(json!({ "TenantId": TENANT, "Cloud": "China", "GraphEndpoint": "http://localhost:8080/" }));
    assert_eq!(config.graph_origin, "http://localhost:8080");
    assert_eq!(config.authority, "https://login.partner.microsoftonline.cn");
    assert_eq!(config.scope, "https://microsoftgraph.chinacloudapi.cn/.default");
}

#[test]
fn origins_are_kept_in_one_spelling() {
    for (text, origin) in [
        ("https://Graph.Contoso.com:443/", "https://graph.contoso.com"),
        ("https://10.1.2.3:8443", "https://10.1.2.3:8443"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://127.0.0.1:65535/", "http://127.0.0.1:65535"),
    ] {
        assert_eq!(accepted(config_with("GraphEndpoint", json!(text))).graph_origin, origin);
    }
}

#[test]
fn what_is_no_origin_is_refused() {
    for text in [
        "http://graph.microsoft.com",
        "http://localhost.contoso.com",
        "https://graph.microsoft.com/v1.0",
        "https://graph.microsoft.com?x",
        "https://user@graph.microsoft.com",
        "https://graph.microsoft.com:0",
        "https://graph.microsoft.com:65536",
        "https://graph.microsoft.com:",
        "https://0x7f.1",
        "https://1.2.3",
        "https://",
        "https:///",
        "HTTPS://graph.microsoft.com",
        "graph.microsoft.com",
        "ftp://graph.microsoft.com",
        "https://graph.microsoft.com//",
    ] {
        assert_eq!(problem(config_with("GraphEndpoint", json!(text))).path, "/GraphEndpoint", "{text}");
    }
    assert!(
        problem(config_with("GraphEndpoint", json!("https://graph.microsoft.com/v1.0"))).expected.contains("no path")
    );
}

#[test]
fn a_proxy_with_a_password_is_refused_without_showing_it() {
    let problem = problem(config_with("Proxy", json!("http://contoso:hush@proxy:8080")));
    assert!(!problem.found.contains("hush") && problem.expected.contains("password"), "{problem:?}");
    let config = accepted(config_with("Proxy", json!("http://proxy.contoso.com:8080/")));
    assert_eq!(config.proxy.as_deref(), Some("http://proxy.contoso.com:8080"));
}

#[test]
fn a_scope_that_is_not_default_is_refused() {
    assert_eq!(problem(config_with("GraphScope", json!("User.Read.All"))).path, "/GraphScope");
    assert_eq!(problem(config_with("GraphScope", json!("/.default"))).path, "/GraphScope");
    assert_eq!(accepted(config_with("GraphScope", json!("api://x/.default"))).scope, "api://x/.default");
}

#[test]
fn a_relative_ca_file_is_refused() {
    assert_eq!(problem(config_with("CaFile", json!("ca.pem"))).path, "/CaFile");
}

#[test]
fn a_blank_filter_is_refused_and_another_is_kept_word_for_word() {
    assert_eq!(problem(config_with("GroupSelectionFilter", json!(" "))).path, "/GroupSelectionFilter");
    let filter = " startswith(displayName,'APP-') ";
    let config = accepted(config_with("GroupSelectionFilter", json!(filter)));
    assert_eq!(config.group_selection_filter.as_deref(), Some(filter));
}

#[test]
fn extra_attributes_have_their_types_and_lose_defaults_and_repetitions() {
    let names = json!([
        "city",
        "displayName",
        "proxyAddresses",
        "city",
        "extension_0A1B2C3D000040008000000000000000_costCenter",
        "extension_0a1b2c3d000040008000000000000000_costCenter",
    ]);
    let extras = accepted(config_with("UserAttributes", names)).user_attributes;
    let extras: Vec<_> = extras.iter().map(|extra| (extra.name.as_str(), extra.kind)).collect();
    assert_eq!(
        extras,
        [
            ("city", AttributeType::String),
            ("proxyAddresses", AttributeType::StringArray),
            ("extension_0a1b2c3d000040008000000000000000_costCenter", AttributeType::Json),
        ]
    );
}

#[test]
fn attributes_no_feed_can_carry_are_refused_with_the_reason() {
    for (key, name, reason) in [
        ("UserAttributes", "signInActivity", "delta"),
        ("UserAttributes", "aboutMe", "outside the directory"),
        ("UserAttributes", "identities", "not a scalar or string array"),
        ("UserAttributes", "manager", "relation"),
        ("UserAttributes", "passwordProfile", "credential"),
        ("GroupAttributes", "members", "ImportMemberships"),
        ("GroupAttributes", "isArchived", "one object at a time"),
        ("GroupAttributes", "extension_contoso_x", "without dashes"),
    ] {
        let problem = problem(config_with(key, json!([name])));
        assert!(problem.expected.contains(reason), "{name}: {}", problem.expected);
        assert_eq!(problem.path, format!("/{key}/0"));
    }
}

#[test]
fn an_unknown_attribute_is_refused_with_the_nearest_one() {
    assert_eq!(problem(config_with("UserAttributes", json!(["City"]))).nearest.as_deref(), Some("city"));
    assert_eq!(problem(config_with("GroupAttributes", json!(["uniqueNmae"]))).nearest.as_deref(), Some("uniqueName"));
}

#[test]
fn null_is_a_default_only_where_the_schema_says_so() {
    for (key, property) in config_schema()["properties"].as_object().unwrap() {
        let verdict = parse(&config_with(key, json!(null)).to_string(), &auth().to_string());
        assert_eq!(verdict.is_ok(), property.get("default") == Some(&json!(null)), "{key}");
    }
}

#[test]
fn a_client_secret_becomes_a_secret_and_the_id_lower_case() {
    let auth = auth_with("ClientId", json!(CLIENT.to_uppercase()));
    let setup = parse(r#"{"TenantId":"contoso.com"}"#, &auth.to_string()).unwrap();
    assert!(!format!("{setup:?}").contains("s3cr~t"));
    let Auth::ClientSecret { client_id, client_secret } = setup.auth;
    assert_eq!((client_id.as_str(), client_secret.expose()), (CLIENT, "s3cr~t"));
}

#[test]
fn an_unresolved_reference_is_refused_by_name_in_every_key() {
    for key in auth::RawAuth::KEYS {
        let problem = auth_problem(auth_with(key, json!("Secret://entra/contoso")));
        assert_eq!(problem.path, format!("/{key}"));
        assert!(problem.found.contains("Secret://entra/contoso") && problem.expected.contains("host"), "{problem:?}");
    }
}

#[test]
fn no_value_of_auth_json_is_ever_told() {
    for (key, value) in [
        ("Mode", json!("hush")),
        ("ClientId", json!("hush")),
        ("ClientSecret", json!(["hush"])),
        ("ClientSecret", json!("hush\n")),
        ("ClientSecret", json!({ "hush": "hush" })),
        ("Password", json!("hush")),
    ] {
        let error = parse(r#"{"TenantId":"contoso.com"}"#, &auth_with(key, value).to_string()).unwrap_err();
        assert!(!error.to_json().to_string().contains("hush"), "{error:?}");
    }
    let error = parse(r#"{"TenantId":"contoso.com"}"#, r#"{"ClientSecret":"hush" "hush"}"#).unwrap_err();
    assert!(!error.to_json().to_string().contains("hush"), "{error:?}");
}

#[test]
fn a_secret_that_ends_in_a_line_break_is_refused_with_the_likely_cause() {
    assert!(auth_problem(auth_with("ClientSecret", json!("s3cr~t\n"))).expected.contains("line break"));
    assert_eq!(auth_problem(auth_with("ClientSecret", json!(""))).found, "an empty string");
}

#[test]
fn a_secret_that_looks_like_a_guid_is_taken() {
    assert!(parse(r#"{"TenantId":"contoso.com"}"#, &auth_with("ClientSecret", json!(CLIENT)).to_string()).is_ok());
}

#[test]
fn a_mode_of_a_later_version_is_one_problem_whatever_its_keys() {
    let auth = json!({ "Mode": "ClientCertificate", "ClientId": CLIENT, "CertificateFile": "/etc/cert.pem" });
    let problem = auth_problem(auth);
    assert_eq!(problem.path, "/Mode");
    assert!(problem.expected.contains("\"ClientCertificate\" is not in this version"), "{}", problem.expected);
}

#[test]
fn a_mode_in_another_case_has_a_nearest_one() {
    assert_eq!(auth_problem(auth_with("Mode", json!("clientsecret"))).nearest.as_deref(), Some("ClientSecret"));
}
