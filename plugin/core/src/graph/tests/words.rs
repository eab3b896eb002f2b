//! Every code of the token service that an operator will meet, through the whole layer and in every mode: what is
//! repeated, what the host can decide, and words that say what to do.

use super::authority::refusal;
use super::signing_in::of_each_mode;
use super::*;
use crate::error::Kind;

/// Code, status, `error`, and a word of the hint: for all modes, or for secret, certificate and federated token.
const CODES: &[(u32, u16, &str, [&str; 3])] = &[
    (7_000_215, 401, "invalid_client", ["not its Secret ID"; 3]),
    (7_000_222, 401, "invalid_client", ["the client secret has expired", "the certificate has expired", "expired"]),
    (7_000_216, 401, "invalid_client", ["check ClientSecret", "assertion", "assertion"]),
    (7_000_218, 400, "invalid_client", ["check ClientSecret", "assertion", "assertion"]),
    (700_016, 400, "unauthorized_client", ["check ClientId, TenantId and Cloud"; 3]),
    (7_000_229, 400, "invalid_client", ["grant admin consent"; 3]),
    (700_027, 401, "invalid_client", ["upload it", "upload it", "issuer's keys"]),
    (700_024, 401, "invalid_client", ["set the clock", "set the clock", "TokenFile"]),
    (50012, 401, "invalid_client", ["check the certificate", "check the certificate", "TokenFile"]),
    (50027, 400, "invalid_request", ["check the certificate", "check the certificate", "TokenFile"]),
    (90002, 400, "invalid_tenant", ["check TenantId, and Cloud"; 3]),
    (900_023, 400, "invalid_request", ["TenantId is neither"; 3]),
    (50059, 400, "invalid_request", ["TenantId is neither"; 3]),
    (70011, 400, "invalid_scope", ["GraphScope"; 3]),
    (1_002_012, 400, "invalid_scope", ["GraphScope"; 3]),
    (500_011, 400, "invalid_resource", ["check Cloud, GraphEndpoint"; 3]),
    (650_057, 400, "invalid_client", ["check Cloud, GraphEndpoint"; 3]),
    (650_052, 400, "invalid_client", ["grant admin consent"; 3]),
    (70001, 400, "unauthorized_client", ["check ClientId, TenantId and Cloud"; 3]),
    (53003, 400, "access_denied", ["Conditional Access"; 3]),
    (90038, 400, "invalid_request", ["set Cloud"; 3]),
    (70021, 400, "invalid_request", ["issuer, subject and audience"; 3]),
    (700_211, 400, "invalid_client", ["issuer, subject and audience"; 3]),
    (700_212, 400, "invalid_client", ["issuer, subject and audience"; 3]),
    (700_213, 400, "invalid_client", ["issuer, subject and audience"; 3]),
    // Unknown ones: what to look at, by mode.
    (123_456, 400, "invalid_request", ["and ClientSecret", "and the certificate", "federated credential"]),
];

#[test]
fn every_code_of_the_configuration_is_asked_once_and_says_what_to_do() {
    for (code, status, error, hints) in CODES {
        for ((auth, _guard), hint) in of_each_mode().into_iter().zip(hints) {
            let world = World::by(auth);
            world.reply(*status, &[("retry-after", "1")], &refusal(*code, error, "Microsoft's words."));
            let error = world.graph.token().unwrap_err();
            assert_eq!(error.kind, Kind::Auth, "{code}");
            assert!(error.message.contains(hint), "{code}: {hint}: {}", error.message);
            let cause = format!("{status} AADSTS{code}: Microsoft's words.");
            assert!(error.message.ends_with(&cause), "{}", error.message);
            assert_eq!(error.http.unwrap().code.unwrap(), format!("AADSTS{code}"));
            assert!(world.graph.token().is_err() && world.script.asked().len() == 1, "{code} is asked again");
        }
    }
}

#[test]
fn every_passing_code_is_repeated_whatever_its_status_and_mode() {
    for code in [90055, 90033, 90090, 50033, 90006, 90012] {
        for (status, (auth, _guard)) in [400, 429, 500].into_iter().zip(of_each_mode()) {
            let world = World::by(auth);
            for _ in 0..6 {
                world.reply(status, &[], &refusal(code, "temporarily_unavailable", "Later."));
            }
            let error = world.graph.token().unwrap_err();
            let throttled = code == 90055 || status == 429;
            assert_eq!(error.kind, if throttled { Kind::Throttled } else { Kind::Service }, "{code} {status}");
            assert!(error.message.contains("run again later") && error.kind.retryable(), "{}", error.message);
            assert_eq!(world.script.asked().len(), 6);
        }
    }
}

#[test]
fn an_error_without_a_number_names_what_to_look_at() {
    for ((auth, _guard), keys) in of_each_mode().into_iter().zip(["ClientSecret", "certificate", "federated"]) {
        let world = World::by(auth);
        world.reply(400, &[], r#"{"error":"invalid_client"}"#);
        let error = world.graph.token().unwrap_err();
        assert!(error.kind == Kind::Auth && error.message.contains(keys), "{}", error.message);
    }
}
