//! Tokens and tenants: what goes to the token service, what comes back, what the operator is told.

use super::*;
use crate::error::Kind;
use crate::graph::transport::Fault;

pub(super) fn refusal(code: u32, error: &str, message: &str) -> String {
    format!(
        r#"{{"error":"{error}","error_description":"AADSTS{code}: {message}\r\nTrace ID: t\r\nTimestamp: x","error_codes":[{code}],"trace_id":"t1"}}"#
    )
}

#[test]
fn a_token_is_asked_for_with_the_clients_credentials() {
    let world = World::signed_in();
    world.graph.token().unwrap();
    let asked = &world.script.asked()[0];
    assert_eq!(asked.url, format!("https://login.microsoftonline.com/{DOMAIN}/oauth2/v2.0/token"));
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("client-request-id").len(), 36);
    assert_eq!(asked.header("authorization"), "");
    let body = asked.body.as_deref().unwrap();
    for pair in [
        "grant_type=client_credentials",
        "client_id=11111111-2222-4333-8444-555555555555",
        "client_secret=s3cret%7Evalue%2B%2F%3D",
        "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
    ] {
        assert!(body.contains(pair), "{pair}");
    }
    assert_eq!(world.totals().requests, 0);
}

#[test]
fn the_token_is_fetched_once() {
    let world = World::signed_in();
    world.graph.token().unwrap();
    world.graph.token().unwrap();
    assert_eq!(world.script.asked().len(), 1);
}

#[test]
fn a_loopback_authority_is_asked_in_plain_http() {
    for authority in ["http://127.0.0.1:8399", "http://[::1]:8399", "http://localhost", "http://127.0.0.1:443"] {
        let world = World::with(connection("http://127.0.0.1:8400", authority));
        world.token("t1");
        world.graph.token().unwrap();
        assert_eq!(world.script.asked()[0].url, format!("{authority}/{DOMAIN}/oauth2/v2.0/token"));
    }
}

#[test]
fn a_mistake_in_the_configuration_is_tried_once_and_comes_with_a_hint() {
    for (status, code, error, hint) in [
        (401, 7_000_215, "invalid_client", "Secret ID"),
        (401, 7_000_222, "invalid_client", "expired"),
        (400, 700_016, "unauthorized_client", "ClientId"),
        (400, 90002, "invalid_tenant", "Cloud"),
        (400, 1_002_012, "invalid_scope", "GraphScope"),
        (400, 123_456, "invalid_request", "ClientSecret"),
    ] {
        let world = World::new();
        world.reply(status, &[("retry-after", "1")], &refusal(code, error, "Microsoft's words."));
        let error = world.graph.token().unwrap_err();
        assert_eq!(error.kind, Kind::Auth);
        assert!(error.message.contains(hint), "{}", error.message);
        assert!(error.message.ends_with(&format!("{status} AADSTS{code}: Microsoft's words.")), "{}", error.message);
        let http = error.http.unwrap();
        assert_eq!((http.status, http.code.unwrap()), (status, format!("AADSTS{code}")));
        assert_eq!(http.request_id.as_deref(), Some("t1"));
        assert!(http.client_request_id.is_some());
        assert!(world.graph.token().is_err() && world.get("/things").is_err());
        assert_eq!(world.script.asked().len(), 1);
    }
}

#[test]
fn what_the_token_service_calls_temporary_is_repeated() {
    let world = World::new();
    world.reply(400, &[], &refusal(90033, "temporarily_unavailable", "A transient error."));
    world.reply(429, &[("retry-after", "3")], "").reply(503, &[], "<html>");
    world.script.breaks(Fault::Timeout);
    world.reply(200, &[], "<html>captive portal</html>").token("t1");
    world.graph.token().unwrap();
    assert_eq!(world.waits(), [5.0, 3.0, 15.0, 20.0, 25.0]);
    assert_eq!(world.totals().throttled_ms, 0);
}

#[test]
fn what_stays_temporary_surfaces_as_what_it_is() {
    let body = refusal(90033, "temporarily_unavailable", "A transient error.");
    for (status, body, kind) in [(429, "", Kind::Throttled), (503, "", Kind::Service), (400, &*body, Kind::Service)] {
        let world = World::new();
        for _ in 0..6 {
            world.reply(status, &[], body);
        }
        assert_eq!(world.graph.token().unwrap_err().kind, kind, "{status}");
    }
    let world = World::new();
    for _ in 0..6 {
        world.script.breaks(Fault::Connect);
    }
    assert_eq!(world.graph.token().unwrap_err().kind, Kind::Network);
}

#[test]
fn an_answer_without_a_token_is_no_token() {
    for body in
        ["{}", "null", r#"{"access_token":7}"#, r#"{"expires_in":"3599","access_token":"x","token_type":"Bearer"}"#, ""]
    {
        let world = World::new();
        for _ in 0..6 {
            world.reply(200, &[], body);
        }
        let error = world.graph.token().expect_err(body);
        assert_eq!(error.kind, Kind::Service, "{body}");
        assert!(error.message.contains("AuthorityHost"));
    }
}

#[test]
fn a_service_that_repeats_the_secret_does_not_get_it_into_an_error() {
    let world = World::new();
    world.reply(400, &[], &refusal(50000, "invalid_request", &format!("What is {SECRET}?")));
    let error = world.graph.token().unwrap_err();
    let seen = format!("{error:?}{}{}", error.to_json(), world.logged());
    assert!(!seen.contains(SECRET) && seen.contains("What is [secret]?"), "{seen}");
    // Nor into the line about a repetition.
    let world = World::new();
    world.reply(503, &[], &refusal(50000, "server_error", &format!("What is {SECRET}?"))).token("t1");
    world.graph.token().unwrap();
    let seen = world.logged();
    assert!(!seen.contains(SECRET) && seen.contains("What is [secret]?"), "{seen}");
}

#[test]
fn what_cannot_even_be_asked_is_a_configuration_error() {
    let mut wrong = connection("https://graph.microsoft.com", "https://login.microsoftonline.com");
    wrong.tenant = "a tenant".to_owned();
    let world = World::with(wrong);
    assert_eq!(world.graph.token().unwrap_err().kind, Kind::InvalidConfig);
    assert_eq!(world.graph.tenant_guid().unwrap_err().kind, Kind::InvalidConfig);
    assert!(world.script.asked().is_empty());
}

#[test]
fn a_tenant_given_as_guid_is_its_own_answer() {
    for text in [GUID.to_uppercase(), format!("{{{GUID}}}")] {
        let mut connection = connection("https://graph.microsoft.com", "https://login.microsoftonline.com");
        connection.tenant = text;
        let world = World::with(connection);
        assert_eq!(world.graph.tenant_guid().unwrap(), GUID);
        assert!(world.script.asked().is_empty());
    }
}

#[test]
fn a_domain_is_looked_up_once_and_without_a_token() {
    let world = World::new();
    let issuer = format!("https://login.partner.microsoftonline.cn/{}/v2.0", GUID.to_uppercase());
    world.reply(200, &[], &format!(r#"{{"issuer":"{issuer}","token_endpoint":"x"}}"#));
    assert_eq!(world.graph.tenant_guid().unwrap(), GUID);
    assert_eq!(world.graph.tenant_guid().unwrap(), GUID);
    let asked = world.script.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        asked[0].url,
        format!("https://login.microsoftonline.com/{DOMAIN}/v2.0/.well-known/openid-configuration")
    );
    assert_eq!(asked[0].header("authorization"), "");
    assert!(asked[0].body.is_none());
}

#[test]
fn an_unknown_domain_is_an_auth_error_with_a_hint() {
    let world = World::new();
    world.reply(400, &[], &refusal(90002, "invalid_tenant", "Tenant 'x' not found."));
    let error = world.graph.tenant_guid().unwrap_err();
    assert_eq!(error.kind, Kind::Auth);
    assert!(error.message.contains("TenantId") && error.message.contains("AADSTS90002"), "{}", error.message);
}

#[test]
fn an_issuer_without_a_guid_is_no_answer() {
    let world = World::new();
    for body in ["{}", r#"{"issuer":"https://sts/{tenantid}/v2.0"}"#, "[]", "", "{", "<html>"] {
        world.reply(200, &[], body);
    }
    assert_eq!(world.graph.tenant_guid().unwrap_err().kind, Kind::Service);
}

#[test]
fn a_short_lived_token_is_not_fetched_per_request() {
    let world = World::new();
    world.reply(200, &[], &token_body("t1", 60));
    for _ in 0..5 {
        world.reply(200, &[], "{}");
    }
    for _ in 0..5 {
        world.get("/things").unwrap();
        world.clock.advance(Duration::from_secs(9));
    }
    assert!(world.asked().iter().all(|asked| asked.header("authorization") == "Bearer t1"));
}

#[test]
fn a_renewal_ahead_of_time_is_tried_once_and_nobody_waits_for_it() {
    let world = World::signed_in();
    world.graph.token().unwrap();
    world.clock.advance(Duration::from_secs(3400));
    world.reply(503, &[("retry-after", "60")], "").reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert_eq!(world.asked()[0].header("authorization"), "Bearer t1");
    assert_eq!(world.waits(), [3400.0]);
}
