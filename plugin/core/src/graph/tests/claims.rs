//! A claims challenge through the whole layer: one token that carries the demand, one replay, then words.

use base64::Engine as _;

use super::signing_in::of_each_mode;
use super::*;
use crate::error::Kind;
use crate::graph::transport::scripted::reply;

const CLAIMS: &str = r#"{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}"#;

fn header() -> String {
    let claims = base64::engine::general_purpose::STANDARD_NO_PAD.encode(CLAIMS);
    format!("Bearer realm=\"\", claims=\"{claims}\", error=\"insufficient_claims\"")
}

/// Two values, of which the second is the challenge.
fn challenge(world: &World) {
    world.script.then(|_| {
        let mut made =
            reply(401, &[("www-authenticate", "Negotiate")], &error_body("InvalidAuthenticationToken", "No."));
        made.headers.append("www-authenticate", header().parse().unwrap());
        Ok(made)
    });
}

fn token_requests(world: &World) -> Vec<String> {
    let asked = world.script.asked().into_iter().filter(|asked| asked.url.ends_with("/token"));
    asked.map(|asked| asked.body.unwrap()).collect()
}

fn demanded(form: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(form.as_bytes());
    pairs.find(|(name, _)| name == "claims").map(|(_, value)| value.into_owned())
}

#[test]
fn a_demand_goes_with_the_next_token_request_in_every_mode_that_can() {
    for (auth, _guard) in of_each_mode() {
        let world = World::by(auth);
        world.token("t1");
        challenge(&world);
        world.token("t2").reply(200, &[], "{}").reply(200, &[], "{}");
        world.get("/things").unwrap();
        world.get("/things").unwrap();
        let forms = token_requests(&world);
        assert_eq!(forms.iter().map(|form| demanded(form)).collect::<Vec<_>>(), [None, Some(CLAIMS.to_owned())]);
        assert!(forms[1].contains("grant_type=client_credentials") && !forms[0].contains("cp1"));
        let bearers: Vec<_> = world.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
        assert_eq!(bearers, ["Bearer t1", "Bearer t2", "Bearer t2"]);
        assert!(world.waits().is_empty());
    }
}

#[test]
fn a_second_demand_ends_with_words() {
    let world = World::signed_in();
    challenge(&world);
    world.token("t2");
    challenge(&world);
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Auth);
    assert!(error.message.contains("continuous access evaluation"), "{}", error.message);
    assert_eq!(token_requests(&world).len(), 2);
    assert!(!format!("{error:?}{}", world.logged()).contains("essential"));
}

#[test]
fn a_demand_that_a_policy_leads_to_is_refused_with_the_policys_words() {
    let world = World::signed_in();
    challenge(&world);
    world.reply(400, &[], &super::authority::refusal(53003, "access_denied", "Blocked."));
    let error = world.get("/things").unwrap_err().error;
    assert!(error.kind == Kind::Auth && error.message.contains("Conditional Access"), "{}", error.message);
}

#[test]
fn an_item_of_a_batch_can_demand_claims() {
    let world = World::signed_in();
    let item = |status: u16, headers: serde_json::Value| {
        serde_json::json!({"responses": [{"id": "1", "status": status, "headers": headers, "body": {}}]}).to_string()
    };
    let joined = format!("Negotiate, {}", header());
    world.reply(200, &[], &item(401, serde_json::json!({ "WWW-Authenticate": joined })));
    world.token("t2").reply(200, &[], &item(200, serde_json::json!({})));
    let get = Get { link: world.graph.link("/things"), advanced: false };
    let results = world.graph.batch(&[get], |_, answer| text(answer.body)).unwrap();
    assert!(results[0].is_ok());
    assert_eq!(demanded(&token_requests(&world)[1]).as_deref(), Some(CLAIMS));
    assert_eq!(world.asked()[1].header("authorization"), "Bearer t2");
}

#[test]
fn a_managed_identity_says_that_it_can_get_no_claims() {
    let world = World::by(Auth::ManagedIdentity { client_id: None });
    world.reply(200, &[], &super::signing_in::platform_token("t1"));
    challenge(&world);
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Auth);
    assert!(error.message.contains("managed identity cannot get"), "{}", error.message);
    assert_eq!(world.script.asked().len(), 2, "nothing more was asked");
}
