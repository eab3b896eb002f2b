//! ConfigJson's keys: limits, spellings, refusals.

use serde_json::json;

use super::*;
use crate::types::{AttributeType, USER};

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
        ("FullReconcileDays", json!(-1)),
        ("FullReconcileDays", json!(91)),
        ("MaxDeletes", json!(0)),
        ("MaxDeletes", json!(1.5)),
        ("MaxDeletes", json!(100_001)),
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

/// Cloud, Graph, token service: <https://learn.microsoft.com/graph/deployments>.
const CLOUDS: [[&str; 3]; 4] = [
    ["Public", "https://graph.microsoft.com", "https://login.microsoftonline.com"],
    ["UsGov", "https://graph.microsoft.us", "https://login.microsoftonline.us"],
    ["UsGovDoD", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"],
    ["China", "https://microsoftgraph.chinacloudapi.cn", "https://login.partner.microsoftonline.cn"],
];

#[test]
fn in_each_cloud_endpoint_authority_and_scope_belong_together() {
    for [cloud, graph, authority] in CLOUDS {
        let config = accepted(config_with("Cloud", json!(cloud)));
        assert_eq!((&*config.graph_origin, &*config.authority), (graph, authority), "{cloud}");
        assert_eq!(config.scope, format!("{graph}/.default"), "a token of another resource is refused");
    }
    let words = config_schema()["properties"]["Cloud"]["enum"].clone();
    assert_eq!(words, json!(CLOUDS.map(|[cloud, ..]| cloud)), "and Describe offers these, no more");
}

#[test]
fn each_address_of_a_cloud_may_be_replaced_alone() {
    for [cloud, graph, authority] in CLOUDS {
        let scope = format!("{graph}/.default");
        let with = |key: &str, value: &str| {
            let config = accepted(json!({ "TenantId": TENANT, "Cloud": cloud, key: value }));
            [config.graph_origin, config.authority, config.scope]
        };
        // The token stays one for the cloud's own Graph, also beside another endpoint.
        assert_eq!(with("GraphEndpoint", "http://localhost:8080/"), ["http://localhost:8080", authority, &scope]);
        assert_eq!(with("AuthorityHost", "https://login.contoso.com"), [graph, "https://login.contoso.com", &scope]);
        assert_eq!(with("GraphScope", "api://x/.default"), [graph, authority, "api://x/.default"]);
    }
}

#[test]
fn an_address_of_another_cloud_is_refused_with_the_cloud_to_set() {
    let spellings = |origin: &str| [origin.to_owned(), format!("{origin}/"), format!("{origin}:443"), upper(origin)];
    let scopes = |origin: &str| ["/", "//", ":443/"].map(|end| format!("{origin}{end}.default"));
    let mut refused = 0;
    for [cloud, own_graph, own_authority] in CLOUDS {
        for [other, graph, authority] in CLOUDS {
            let graphs = spellings(graph).map(|text| ("GraphEndpoint", text, graph != own_graph));
            let authorities = spellings(authority).map(|text| ("AuthorityHost", text, authority != own_authority));
            let scopes = scopes(graph).map(|text| ("GraphScope", text, graph != own_graph));
            for (key, text, foreign) in graphs.into_iter().chain(authorities).chain(scopes) {
                let document = json!({ "TenantId": TENANT, "Cloud": cloud, key: text });
                if !foreign {
                    accepted(document);
                    continue;
                }
                let problem = problem(document);
                assert_eq!(problem.path, format!("/{key}"), "{cloud} {text}");
                let words = problem.expected;
                assert!(words.contains(&format!("\"{other}\"")) && words.contains("set Cloud"), "{words}");
                assert!(words.contains(&format!("belongs to Cloud \"{cloud}\"")), "{words}");
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 12 * 4 + 10 * 4 + 12 * 3, "the two clouds of the US government share a token service");
    // Without Cloud it is the public one.
    assert_eq!(problem(config_with("GraphEndpoint", json!("https://graph.microsoft.us"))).path, "/GraphEndpoint");
}

/// The host in upper case.
fn upper(origin: &str) -> String {
    origin.to_uppercase().replace("HTTPS", "https")
}

#[test]
fn plain_http_is_for_this_machine_and_in_these_spellings_only() {
    for key in ["GraphEndpoint", "AuthorityHost"] {
        for host in ["127.0.0.1", "127.0.0.1:8400", "[::1]", "[::1]:8400", "localhost", "localhost:8400"] {
            accepted(config_with(key, json!(format!("http://{host}"))));
        }
        for host in [
            "LOCALHOST",
            "localhost.evil",
            "localhost.",
            "evil.localhost",
            "localhost@evil.example",
            "localhost:80@evil.example",
            "127.0.0.1.nip.io",
            "127.0.0.1@evil.example",
            "127.0.0.1.",
            "127.0.0.2",
            "127.1",
            "127.0.0.01",
            "0.0.0.0",
            "0",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:0:0:1]",
            "[::1%25lo]",
            "2130706433",
            "0x7f000001",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "10.0.0.1",
            "\u{ff11}27.0.0.1",
            "loc\u{430}lhost",
            "xn--loclhost-2fg",
            "local%68ost",
            "localhost\\.evil.example",
            "localhost\t",
            "localhost#.evil.example",
            "localhost/../evil.example",
        ] {
            let problem = problem(config_with(key, json!(format!("http://{host}"))));
            assert_eq!(problem.path, format!("/{key}"), "{host}");
        }
    }
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
    assert_eq!(problem.found, "\"http://…@proxy:8080\"");
    for without_a_scheme in ["contoso:hush@proxy:8080", "http:/contoso:hush@proxy", "x:hush@y://z@proxy"] {
        let problem = self::problem(config_with("Proxy", json!(without_a_scheme)));
        assert!(!problem.found.contains("hush") && problem.expected.contains("password"), "{problem:?}");
    }
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
fn extra_attributes_have_their_types_and_lose_defaults_and_repetitions() {
    let names = json!([
        "city",
        "displayName",
        "proxyAddresses",
        "city",
        "extension_0A1B2C3D000040008000000000000000_costCenter",
        "extension_0a1b2c3d000040008000000000000000_costCenter",
    ]);
    let config = accepted(config_with("UserAttributes", names));
    let extras = config.added_to(&USER);
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
