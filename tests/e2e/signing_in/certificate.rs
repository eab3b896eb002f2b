//! `ClientCertificate`: text or file, and what the token service says to a certificate it does not like.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connector_abi::*;
use host_harness::simulator::SignIn;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::json;

use super::{ONE, TWO, certificate_of, tenant_of, token_requests};
use crate::world::Tenant;

fn trusting(certificates: &[&str], certificate: &str, key: &str) -> Tenant {
    let certificates = certificates.iter().map(|pem| (*pem).to_owned()).collect();
    let keys = json!({ "Certificate": certificate, "PrivateKey": key });
    tenant_of(SignIn { certificates, ..SignIn::default() }, "ClientCertificate", keys)
}

#[test]
fn a_certificate_as_text_imports_the_tenant_and_is_written_nowhere() {
    let own = certificate_of(ONE, [2020, 2090]);
    let tenant = trusting(&[&own], &own, include_str!("../../keys/one.pkcs1.pem"));
    tenant.import();
    tenant.assert_equals_truth();
    let pulled = tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END);
    let said = format!("{:?} {}", pulled.log, pulled.result);
    assert!(!said.contains("eyJ") && !said.contains("MII") && !said.contains("PRIVATE KEY"), "{said}");
    assert!(token_requests(&tenant).iter().all(|x| x.status == Some(200)));
}

#[test]
fn certificate_and_key_from_one_file_import_the_tenant() {
    let own = certificate_of(ONE, [2020, 2090]);
    let tenant = trusting(&[&certificate_of(TWO, [2020, 2090]), &own], "", "");
    let file = tenant.folder().join("both.pem");
    std::fs::write(&file, format!("{ONE}{own}")).unwrap();
    let mut tenant = tenant;
    for (key, value) in [
        ("Certificate", json!(null)),
        ("PrivateKey", json!(null)),
        ("CertificateFile", json!(file)),
        ("PrivateKeyFile", json!(file)),
    ] {
        tenant = tenant.with_auth(key, value);
    }
    tenant.import();
    tenant.assert_equals_truth();
}

#[test]
fn a_certificate_that_is_not_registered_says_where_to_register_it() {
    let pulled = trusting(&[&certificate_of(TWO, [2020, 2090])], &certificate_of(ONE, [2020, 2090]), ONE).pull(None);
    assert_eq!((pulled.status, &pulled.error()["Http"]["Code"]), (CONNECTOR_E_AUTH, &json!("AADSTS700027")));
    assert!(pulled.error()["Message"].as_str().unwrap().contains("Certificates & secrets"), "{:#}", pulled.error());
}

#[test]
fn a_key_of_another_certificate_and_an_encrypted_one_are_refused_before_any_request() {
    let own = certificate_of(ONE, [2020, 2090]);
    let encrypted = include_str!("../../keys/one.encrypted.pem");
    for (key, says) in [(TWO, "does not belong"), (encrypted, "openssl pkey -in encrypted.pem")] {
        let tenant = trusting(&[&own], &own, key);
        let (status, error) = tenant.refused(None);
        assert_eq!((status, &error["Problems"][0]["Path"]), (CONNECTOR_E_INVALID_CONFIG, &json!("/PrivateKey")));
        assert!(error["Message"].as_str().unwrap().contains(says), "{error:#}");
        assert!(tenant.requests().is_empty());
    }
}

#[test]
fn a_certificate_out_of_force_fails_the_token_row_of_a_check_without_a_request() {
    for (years, says) in [([2020, 2021], "has expired on 2021-01-01"), ([2089, 2090], "not valid before 2089-01-01")] {
        let own = certificate_of(ONE, years);
        let tenant = trusting(&[&own], &own, ONE);
        let checked = tenant.check();
        assert_eq!(checked.status, CONNECTOR_END_PARTIAL);
        assert_eq!(checked.records[0]["Outcome"], "Failed");
        assert!(checked.records[0]["Message"].as_str().unwrap().contains(says), "{:#}", checked.records[0]);
        assert_eq!(tenant.pull(None).status, CONNECTOR_E_AUTH);
        assert!(tenant.requests().is_empty());
    }
}

#[test]
fn a_check_tells_when_the_certificate_ends_and_in_its_last_month_what_to_do() {
    for (days, remedy) in [(12, true), (90, false)] {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        // An hour more: "in 12 days" counts whole ones.
        params.not_after = date_time_ymd(1970, 1, 1) + since + Duration::from_secs(days * 86_400 + 3_600);
        let own = params.self_signed(&KeyPair::from_pem(ONE).unwrap()).unwrap().pem();
        let checked = trusting(&[&own], &own, ONE).check();
        let ends = &checked.records[1];
        assert_eq!(
            (checked.status, &ends["Step"], &ends["Outcome"]),
            (CONNECTOR_END, &json!("Token"), &json!("Passed"))
        );
        let message = ends["Message"].as_str().unwrap();
        assert!(
            message.contains("the certificate ends on ") && message.contains(&format!("(in {days} days)")),
            "{ends:#}"
        );
        let said = ends["Remedy"].as_str().is_some_and(|text| text.contains("Upload certificate"));
        assert_eq!(said, remedy, "{ends:#}");
    }
}

#[test]
fn a_clock_that_differs_from_the_token_services_costs_one_more_request() {
    let own = certificate_of(ONE, [2020, 2090]);
    let tenant = trusting(&[&own], &own, ONE);
    tenant.sim.advance_clock(2 * 3_600);
    assert_eq!(tenant.pull(None).status, CONNECTOR_END);
    let statuses: Vec<_> = token_requests(&tenant).iter().map(|x| x.status).collect();
    assert_eq!(statuses, [Some(401), Some(200)]);
}
