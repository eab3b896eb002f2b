//! Wrong input, typed on purpose: each mistake gets a clear answer, and nothing is lost.

use connector_abi::*;
use host_harness::simulator::{SignIn, World};
use serde_json::{Value, json};

use crate::world::{Tenant, connector};
use host_harness::connector::StartRequest;

/// The problems of a refusal, as `path: found, expected`.
fn problems(error: &Value) -> Vec<String> {
    let line = |p: &Value| {
        format!(
            "{}{}: {} / {}",
            p["Document"].as_str().unwrap(),
            p["Path"].as_str().unwrap(),
            p["Found"].as_str().unwrap(),
            p["Expected"].as_str().unwrap()
        )
    };
    error["Problems"].as_array().unwrap().iter().map(line).collect()
}

/// The one problem that this key value gives.
#[track_caller]
fn one_problem(key: &str, value: impl Into<Value>) -> Value {
    let (status, error) = Tenant::small().with(key, value).refused(None);
    assert_eq!((status, error["Code"].as_str()), (CONNECTOR_E_INVALID_CONFIG, Some("InvalidConfig")), "{error:#}");
    assert_eq!(error["Problems"].as_array().unwrap().len(), 1, "{error:#}");
    let problem = error["Problems"][0].clone();
    assert_eq!((problem["Document"].as_str(), problem["Path"].as_str()), (Some("Config"), Some(&*format!("/{key}"))));
    problem
}

fn refused_texts(config: &str, auth: &str) -> (Status, Value) {
    let error = connector().import(&StartRequest { config, auth, ..StartRequest::default() }).unwrap_err();
    (error.status, serde_json::from_str(&error.error_json).unwrap())
}

#[test]
fn malformed_json_is_refused_with_its_place() {
    let (status, error) = refused_texts("{\"TenantId\": \n oops}", "{}");
    assert_eq!(status, CONNECTOR_E_INVALID_CONFIG);
    assert!(problems(&error)[0].contains("line 2"), "{error:#}");
}

#[test]
fn every_mistake_of_both_documents_comes_in_one_answer() {
    let tenant =
        Tenant::small().with("PageSize", 0).with("Pagesize", 1).with("ImportUsers", "yes").with_auth("ClientId", 7);
    let (_, error) = tenant.refused(None);
    let found = problems(&error);
    for expected in ["Config/PageSize", "Config/Pagesize", "Config/ImportUsers", "Auth/ClientId"] {
        assert!(found.iter().any(|p| p.starts_with(expected)), "{expected} is missing in {found:#?}");
    }
}

#[test]
fn wrong_types_are_named() {
    assert!(one_problem("ImportUsers", "true")["Expected"].as_str().unwrap().contains("true or false"));
    assert!(one_problem("UserAttributes", "employeeId")["Expected"].as_str().unwrap().contains("array"));
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    assert_eq!(one_problem("PageSise", 5)["Nearest"], "PageSize");
    assert_eq!(one_problem("GroupFilter", "x")["Path"], "/GroupFilter");
}

#[track_caller]
fn wrong_page_size(wrong: Value) {
    let problem = one_problem("PageSize", wrong.clone());
    assert_eq!(problem["Found"], wrong.to_string());
    assert!(problem["Expected"].as_str().unwrap().contains("1…999"), "{problem}");
}

#[test]
fn a_page_size_of_0_is_refused() {
    wrong_page_size(json!(0));
}

#[test]
fn a_page_size_of_1000_is_refused_and_not_cut() {
    wrong_page_size(json!(1000));
}

#[test]
fn a_page_size_as_text_is_refused() {
    wrong_page_size(json!("999"));
}

#[test]
fn a_missing_tenant_is_named() {
    let (_, error) = Tenant::small().without("TenantId").refused(None);
    assert!(problems(&error)[0].starts_with("Config/TenantId"), "{error:#}");
}

#[test]
fn a_tenant_that_is_neither_a_guid_nor_a_domain_is_refused() {
    one_problem("TenantId", "not a tenant");
}

#[test]
fn common_is_no_tenant_to_import() {
    for shared in ["common", "organizations", "consumers"] {
        assert!(one_problem("TenantId", shared)["Found"].as_str().unwrap().contains(shared));
    }
}

#[test]
fn a_filter_that_breaks_off_is_refused_with_its_place_before_any_request() {
    let tenant = Tenant::small().with("GroupSelectionFilter", "displayName eq 'APP' adn mail ne null");
    let (status, error) = tenant.refused(None);
    assert_eq!(status, CONNECTOR_E_INVALID_CONFIG);
    assert!(problems(&error)[0].starts_with("Config/GroupSelectionFilter"), "{error:#}");
    let expected = error["Problems"][0]["Expected"].as_str().unwrap();
    assert!(expected.contains("at character 22") && expected.contains("did you mean and?"), "{error:#}");
    assert!(tenant.requests().is_empty());
}

#[test]
fn memberships_from_the_change_feed_name_the_key_that_stands_against_them() {
    let tenant = Tenant::small().with("MembershipMode", "Delta").with("ImportUsers", false);
    let (status, error) = tenant.refused(None);
    assert_eq!(status, CONNECTOR_E_INVALID_CONFIG);
    assert!(problems(&error)[0].starts_with("Config/MembershipMode"), "{error:#}");
    assert!(error["Problems"][0]["Expected"].as_str().unwrap().contains("ImportUsers true"), "{error:#}");
}

#[test]
fn an_unresolved_secret_reference_is_refused_by_name() {
    let (status, error) = Tenant::small().with_auth("ClientSecret", "secret://contoso").refused(None);
    assert_eq!(status, CONNECTOR_E_INVALID_CONFIG);
    assert!(
        error.to_string().contains("secret://contoso") && problems(&error)[0].starts_with("Auth/ClientSecret"),
        "{error:#}"
    );
}

#[test]
fn a_wrong_secret_says_what_was_probably_pasted() {
    let pulled = Tenant::small().with_auth("ClientSecret", "wrong").pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_AUTH);
    assert_eq!(
        (&pulled.error()["Http"]["Code"], &pulled.error()["Http"]["Status"]),
        (&json!("AADSTS7000215"), &json!(401))
    );
    assert!(pulled.error()["Message"].as_str().unwrap().contains("value"), "{:#}", pulled.error());
    assert!(!pulled.result.to_string().contains("wrong\""), "a secret is never repeated");
}

#[test]
fn an_expired_secret_says_so() {
    let pulled = Tenant::of(World { sign_in: SignIn { secret_expired: true, ..SignIn::default() }, ..World::gentle() })
        .pull(None);
    assert_eq!((pulled.status, &pulled.error()["Http"]["Code"]), (CONNECTOR_E_AUTH, &json!("AADSTS7000222")));
    assert!(pulled.error()["Message"].as_str().unwrap().contains("expired"));
}

#[test]
fn an_unknown_tenant_hints_at_the_cloud() {
    let pulled = Tenant::small().with("TenantId", "00000000-0000-4000-8000-000000000000").pull(None);
    assert_eq!((pulled.status, &pulled.error()["Http"]["Code"]), (CONNECTOR_E_AUTH, &json!("AADSTS90002")));
    assert!(pulled.error()["Message"].as_str().unwrap().to_lowercase().contains("cloud"));
    let pulled = Tenant::small().with("TenantId", "unknown.example.com").pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_AUTH, "{:#}", pulled.error());
}

#[test]
fn a_missing_permission_is_named_with_graphs_request_id() {
    let mut world = World::gentle();
    world.permissions.revoke("User.Read.All");
    let pulled = Tenant::of(world).pull(None);
    assert_eq!((pulled.status, pulled.failure("User")["Code"].as_str()), (CONNECTOR_END_PARTIAL, Some("Forbidden")));
    assert!(pulled.failure("User")["Message"].as_str().unwrap().contains("User.Read.All"));
    assert!(pulled.failure("User")["Http"]["RequestId"].is_string());
    assert_eq!(pulled.end("User")["Complete"], false);
    assert_eq!(pulled.end("Group")["Complete"], true, "the others are not lost");
    assert_eq!(pulled.end("GroupMember")["Complete"], true);
}

#[test]
fn a_token_without_roles_fails_every_type() {
    let pulled = Tenant::of(World { sign_in: SignIn { without_roles: true, ..SignIn::default() }, ..World::gentle() })
        .pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_FORBIDDEN);
    assert_eq!(pulled.of("Issue", "GroupMember").count(), 1);
}

#[test]
fn a_watermark_that_is_not_ours_is_refused_and_not_quoted() {
    for text in ["hello", "{}", "{\"u\":1}", "{\"x\":{\"v\":99}}"] {
        let (status, error) = Tenant::small().refused(Some(text));
        assert_eq!(
            (status, &error["Problems"][0]["Document"]),
            (CONNECTOR_E_INVALID_WATERMARK, &json!("Watermark")),
            "{text}"
        );
    }
}

#[test]
fn a_watermark_of_another_tenant_is_refused_naming_both() {
    let watermark = Tenant::small().pull(None).watermark().to_owned();
    let other = Tenant::of(World { seed: 2, ..World::gentle() });
    let (status, error) = other.refused(Some(&watermark));
    assert_eq!(status, CONNECTOR_E_INVALID_WATERMARK);
    assert!(error["Message"].as_str().unwrap().contains(&other.sim.tenant_id()), "{error:#}");
}

#[test]
fn a_watermark_of_another_tenant_is_refused_when_the_tenant_is_a_domain_too() {
    let watermark = Tenant::small().pull(None).watermark().to_owned();
    let other = Tenant::of(World { seed: 2, ..World::gentle() });
    let domain = other.sim.domain();
    // The origin differs as well; the stored one is made equal, so that only the tenant tells.
    let mut mark: Value = serde_json::from_str(&watermark).unwrap();
    let stored = mark["x"]["origin"].as_str().unwrap().to_owned();
    mark = serde_json::from_str(&mark.to_string().replace(&stored, &other.sim.origin())).unwrap();
    let pulled = other.with("TenantId", domain).pull(Some(&mark.to_string()));
    assert_eq!(pulled.status, CONNECTOR_E_INVALID_WATERMARK);
}

#[test]
fn a_watermark_with_a_foreign_link_is_refused_before_any_request() {
    let tenant = Tenant::small();
    let mut mark: Value = serde_json::from_str(tenant.pull(None).watermark()).unwrap();
    mark["u"] = json!("http://127.0.0.1:1/v1.0/users/delta?$deltatoken=x");
    tenant.requests();
    assert_eq!(tenant.refused(Some(&mark.to_string())).0, CONNECTOR_E_INVALID_WATERMARK);
    assert!(tenant.requests().is_empty());
}

#[test]
fn a_filter_that_graph_refuses_shows_graphs_words() {
    let pulled = Tenant::small().with("GroupSelectionFilter", "contains(displayName,'x')").pull(None);
    assert_eq!(pulled.status, CONNECTOR_E_INVALID_CONFIG, "{:#}", pulled.result);
    assert!(
        pulled.error()["Message"].as_str().unwrap().contains("Unsupported property filter clause operator 'Contains'")
    );
}

#[test]
fn an_export_is_refused_in_words_that_say_what_to_do() {
    let error = connector().export(&StartRequest { config: "{}", auth: "{}", ..StartRequest::default() }).unwrap_err();
    let json: Value = serde_json::from_str(&error.error_json).unwrap();
    assert_eq!((error.status, json["Code"].as_str()), (CONNECTOR_E_NOT_SUPPORTED, Some("NotSupported")));
    assert!(json["Message"].as_str().unwrap().contains("imports only"));
}
