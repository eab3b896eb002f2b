//! `WorkloadIdentity`: the token of another issuer, in a file that the platform replaces.

use connector_abi::*;
use host_harness::simulator::SignIn;
use serde_json::json;

use super::{tenant_of, token_requests};
use crate::world::Tenant;

const FIRST: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJvbmUifQ.Zmlyc3Q";
const SECOND: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ0d28ifQ.c2Vjb25k";

fn trusting(tokens: &[&str]) -> Tenant {
    let federated_tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
    let tenant = tenant_of(SignIn { federated_tokens, ..SignIn::default() }, "WorkloadIdentity", json!({}));
    let file = tenant.folder().join("token");
    tenant.with_auth("TokenFile", json!(file))
}

fn write(tenant: &Tenant, text: &str) {
    std::fs::write(tenant.folder().join("token"), text).unwrap();
}

#[test]
fn a_federated_token_imports_the_tenant_and_a_renewed_one_is_noticed() {
    let tenant = trusting(&[SECOND]);
    write(&tenant, FIRST);
    let pulled = tenant.pull(None);
    assert_eq!((pulled.status, &pulled.error()["Http"]["Code"]), (CONNECTOR_E_AUTH, &json!("AADSTS700213")));
    assert!(pulled.error()["Message"].as_str().unwrap().contains("subject"), "{:#}", pulled.error());
    write(&tenant, &format!("{SECOND}\n"));
    tenant.import();
    tenant.assert_equals_truth();
    let pulled = tenant.pull(None);
    assert!(!format!("{:?}{}", pulled.log, pulled.result).contains("eyJ"));
}

#[test]
fn a_file_that_is_missing_or_holds_no_token_is_told_by_its_key_without_a_request() {
    let tenant = trusting(&[FIRST]);
    for says in ["cannot be read", "holds no token"] {
        let pulled = tenant.pull(None);
        assert_eq!(pulled.status, CONNECTOR_E_INVALID_CONFIG);
        assert_eq!(pulled.error()["Problems"][0]["Path"], "/TokenFile");
        assert!(pulled.error()["Message"].as_str().unwrap().contains(says), "{:#}", pulled.error());
        assert_eq!(tenant.check().records[0]["Outcome"], "Failed");
        write(&tenant, "hush");
    }
    assert!(token_requests(&tenant).is_empty());
}

#[test]
fn a_relative_path_is_refused() {
    let (status, error) = trusting(&[]).with_auth("TokenFile", "token").refused(None);
    assert_eq!((status, &error["Problems"][0]["Path"]), (CONNECTOR_E_INVALID_CONFIG, &json!("/TokenFile")));
}
