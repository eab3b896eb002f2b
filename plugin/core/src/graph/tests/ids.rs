//! Ids out of answers: in log lines, errors and records only if they have the form of an id and repeat nothing secret.

use super::*;

/// A token that has the form of an id, whole.
const TOKEN: &str = "AbCdEfGh-IjKlMnOp-0123456789";

const GOOD: &str = "7f3b1c52-8a1d-4a3e-9d3f-2f0d6c0b1a22";

fn signed_in() -> World {
    let world = World::new();
    world.token(TOKEN);
    world
}

/// What a reader gets as the id of a success.
fn seen(world: &World) -> Option<String> {
    let get = Get { link: world.graph.link("/things"), advanced: false };
    world.graph.get(&get, |answer| Ok(answer.request_id.map(str::to_owned))).unwrap()
}

#[test]
fn request_id_of_a_success_is_passed_on_in_the_form_of_an_id_only() {
    let long = "a".repeat(65);
    for (sent, expected) in
        [(GOOD, Some(GOOD)), (TOKEN, None), (&TOKEN[9..], None), ("two words", None), (&*long, None)]
    {
        let world = signed_in();
        world.reply(200, &[("request-id", sent)], "{}");
        assert_eq!(seen(&world).as_deref(), expected, "{sent}");
        let logged = world.logged();
        assert_eq!(logged.contains(sent), expected.is_some(), "{logged}");
    }
}

#[test]
fn request_id_of_a_failure_that_repeats_the_token_is_dropped_everywhere() {
    let body = format!(r#"{{"error":{{"code":"c","innerError":{{"request-id":"{TOKEN}"}}}}}}"#);
    for (status, headers) in
        [(404, vec![("request-id", TOKEN)]), (404, vec![]), (403, vec![("x-ms-request-id", TOKEN)])]
    {
        let world = signed_in();
        world.reply(status, &headers, &body);
        let error = world.get("/things").unwrap_err().error;
        assert_eq!(error.http.as_ref().unwrap().request_id, None);
        assert!(!format!("{error:?}{}", world.logged()).contains("AbCdEfGh"));
    }
}

#[test]
fn request_id_of_a_batch_item_is_checked_as_a_header_is() {
    for (sent, expected) in [(GOOD, Some(GOOD)), (TOKEN, Some("outer")), ("a\\nb", Some("outer"))] {
        let world = signed_in();
        let item = |status: u16| {
            format!(
                r#"{{"responses":[{{"id":"1","status":{status},"headers":{{"request-id":"{sent}"}},"body":{{}}}}]}}"#
            )
        };
        let get = || [Get { link: world.graph.link("/things"), advanced: false }];
        world.reply(200, &[("request-id", "outer")], &item(200)).reply(200, &[("request-id", "outer")], &item(404));
        let read = world.graph.batch(&get(), |_, answer| Ok(answer.request_id.map(str::to_owned))).unwrap();
        assert_eq!(read[0].as_ref().unwrap().as_deref(), expected);
        let failed = world.graph.batch(&get(), |_, _| Ok(())).unwrap();
        let http = failed[0].as_ref().unwrap_err().error.http.clone().unwrap();
        assert_eq!(http.request_id.as_deref(), expected);
        assert!(!world.logged().contains("AbCdEfGh"));
    }
}

#[test]
fn token_service_that_sends_the_secret_as_an_id_gets_it_nowhere() {
    let secret = "S3cretOf40Characters-Without-a-Tilde0123";
    for (status, body) in [(200, "{}".to_owned()), (200, token_body("t1", 60)), (401, "{}".to_owned())] {
        let world = World::by(Auth::ClientSecret {
            client_id: CLIENT.to_owned(),
            client_secret: Secret::new(secret.to_owned()),
        });
        let issuer = format!(r#"{{"issuer":"{secret}"}}"#);
        world.script.then(move |_| Ok(transport::scripted::reply(400, &[("request-id", secret)], &issuer)));
        let tenant = world.graph.tenant_guid();
        world.script.then(move |_| Ok(transport::scripted::reply(status, &[("x-ms-request-id", secret)], &body)));
        for _ in 0..5 {
            world.reply(401, &[("request-id", &secret[7..])], "{}");
        }
        let token = world.graph.token();
        let shown = format!("{token:?}{tenant:?}{}", world.logged());
        assert!(!shown.contains("S3cretOf") && !shown.contains("Tilde0123"), "{shown}");
    }
}
