//! AuthJson: what is accepted, and that no answer ever holds a secret.

use serde_json::json;

use super::*;

#[test]
fn a_client_secret_becomes_a_secret_and_the_id_lower_case() {
    let auth = auth_with("ClientId", json!(CLIENT.to_uppercase()));
    let setup = parse(r#"{"TenantId":"contoso.com"}"#, &auth.to_string()).unwrap();
    assert!(!format!("{setup:?}").contains("s3cr~t"));
    let Auth::ClientSecret { client_id, client_secret } = setup.auth else { panic!() };
    assert_eq!((client_id.as_str(), client_secret.expose()), (CLIENT, "s3cr~t"));
}

/// One document of each mode that is accepted.
fn of_each_mode() -> [Value; 4] {
    let file = if cfg!(windows) { r"C:\x.pem" } else { "/x.pem" };
    [
        auth(),
        json!({ "Mode": "ClientCertificate", "ClientId": CLIENT, "CertificateFile": file, "PrivateKeyFile": file }),
        json!({ "Mode": "ManagedIdentity", "ClientId": CLIENT }),
        json!({ "Mode": "WorkloadIdentity", "ClientId": CLIENT, "TokenFile": file }),
    ]
}

fn parsed(auth: &Value) -> Auth {
    parse(r#"{"TenantId":"contoso.com"}"#, &auth.to_string()).unwrap().auth
}

#[test]
fn each_mode_is_read_with_its_own_keys() {
    let [_, certificate, managed, workload] = of_each_mode();
    assert!(matches!(parsed(&certificate), Auth::ClientCertificate {
        client_id, certificate: Pem::File(one), private_key: Pem::File(two)
    } if client_id == CLIENT && one == two && one.is_absolute()));
    assert!(matches!(parsed(&managed), Auth::ManagedIdentity { client_id: Some(id) } if id == CLIENT));
    assert!(matches!(parsed(&json!({ "Mode": "ManagedIdentity" })), Auth::ManagedIdentity { client_id: None }));
    assert!(matches!(parsed(&workload), Auth::WorkloadIdentity { token_file, .. } if token_file.is_absolute()));
    let text = json!({
        "Mode": "ClientCertificate", "ClientId": CLIENT, "CertificateFile": null, "PrivateKeyFile": null,
        "Certificate": "-----BEGIN CERTIFICATE-----\n", "PrivateKey": "-----BEGIN RSA PRIVATE KEY-----\nhush",
    });
    let Auth::ClientCertificate { private_key: Pem::Text(key), .. } = parsed(&text) else { panic!() };
    assert!(key.expose().ends_with("hush"));
}

#[test]
fn a_key_of_another_mode_is_refused_with_what_this_one_wants() {
    let all = of_each_mode();
    for base in &all {
        let mode = base["Mode"].as_str().unwrap();
        for (key, value) in all.iter().flat_map(|other| other.as_object().unwrap()) {
            if base.get(key).is_some() || parse_with(base, key, value).is_ok() {
                continue;
            }
            let problem = only(parse_with(base, key, value).unwrap_err().problems);
            assert_eq!(problem.path, format!("/{key}"), "{mode}");
            assert!(problem.found.contains(&format!("Mode \"{mode}\"")), "{}", problem.found);
            assert!(problem.expected.contains("ClientId"), "{}", problem.expected);
            assert!(parse_with(base, key, &json!(null)).is_ok(), "null is as good as absent: {mode} {key}");
        }
    }
    let problem = only(parse_with(&all[3], "ClientSecret", &json!("hush")).unwrap_err().problems);
    assert_eq!(problem.expected, "beside Mode: ClientId; TokenFile, and nothing else");
}

fn parse_with(base: &Value, key: &str, value: &Value) -> Result<Setup, crate::error::Error> {
    let mut auth = base.clone();
    auth[key] = value.clone();
    parse(r#"{"TenantId":"contoso.com"}"#, &auth.to_string())
}

#[test]
fn what_a_mode_needs_is_asked_for_in_the_order_of_its_keys() {
    for (mode, wants) in [
        ("ClientSecret", &["/ClientId", "/ClientSecret"][..]),
        ("ClientCertificate", &["/ClientId", "/Certificate", "/PrivateKey"]),
        ("ManagedIdentity", &[]),
        ("WorkloadIdentity", &["/ClientId", "/TokenFile"]),
    ] {
        for more in [json!(null), json!("x")] {
            let auth = json!({ "Mode": mode, "ClientId": null, "Extra": more });
            let paths: Vec<_> = parse(r#"{"TenantId":"contoso.com"}"#, &auth.to_string())
                .unwrap_err()
                .problems
                .into_iter()
                .map(|problem| problem.path)
                .collect();
            assert_eq!(paths, [wants, &["/Extra"]].concat(), "{mode}");
        }
    }
}

#[test]
fn of_text_and_file_exactly_one_is_taken() {
    let base = &of_each_mode()[1];
    let both = only(parse_with(base, "PrivateKey", &json!("-----BEGIN PRIVATE KEY-----")).unwrap_err().problems);
    assert_eq!(
        (both.path.as_str(), both.expected.as_str()),
        ("/PrivateKeyFile", "one of PrivateKey and PrivateKeyFile")
    );
    let neither = only(parse_with(base, "CertificateFile", &json!(null)).unwrap_err().problems);
    assert!(neither.path == "/Certificate" && neither.expected.ends_with("or CertificateFile"), "{neither:?}");
    // One that is there and wrong is one mistake, not two.
    let wrong = only(parse_with(base, "CertificateFile", &json!("cert.pem")).unwrap_err().problems);
    assert!(wrong.path == "/CertificateFile" && wrong.expected.contains("absolute"), "{wrong:?}");
}

#[test]
fn an_unresolved_reference_is_refused_by_name_in_every_key() {
    let mut keys = std::collections::BTreeSet::new();
    for base in of_each_mode() {
        for key in base.as_object().unwrap().keys() {
            let reference = json!("Secret://entra/contoso");
            let problem = parse_with(&base, key, &reference).unwrap_err().problems.remove(0);
            assert_eq!(problem.path, format!("/{key}"));
            assert!(
                problem.found.contains("Secret://entra/contoso") && problem.expected.contains("host"),
                "{problem:?}"
            );
            keys.insert(key.clone());
        }
    }
    assert_eq!(keys.len(), auth::RawAuth::KEYS.len() - 2, "the texts of PEM alone are missing: {keys:?}");
}

#[test]
fn no_value_of_auth_json_is_ever_told() {
    for (key, value) in [
        ("Mode", json!("hush")),
        ("ClientId", json!("hush")),
        ("ClientSecret", json!(["hush"])),
        ("ClientSecret", json!("hush\n")),
        ("ClientSecret", json!({ "hush": "hush" })),
        ("PrivateKey", json!("hush")),
        ("TokenFile", json!("/hush")),
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
fn a_mode_in_another_case_has_a_nearest_one() {
    assert_eq!(auth_problem(auth_with("Mode", json!("clientsecret"))).nearest.as_deref(), Some("ClientSecret"));
}
