//! AuthJson: what is accepted, and that no answer ever holds a secret.

use serde_json::json;

use super::*;

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
