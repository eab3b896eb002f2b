//! One request and everything that can happen to it.

use super::*;
use crate::error::Kind;
use crate::graph::transport::Fault;
use crate::graph::transport::scripted::reply;

#[test]
fn a_request_says_who_asks_and_what_for() {
    let world = World::signed_in();
    world.reply(200, &[], "{}");
    world.get("/things?$select=id").unwrap();
    let asked = &world.asked()[0];
    assert_eq!(asked.url, "https://graph.microsoft.com/v1.0/things?$select=id");
    assert_eq!(asked.header("authorization"), "Bearer t1");
    assert_eq!(asked.header("accept"), "application/json");
    assert_eq!(asked.header("user-agent"), format!("EntraId-connector/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(asked.header("client-request-id").len(), 36);
    assert_eq!(asked.header("consistencylevel"), "");
    assert!(asked.headers["authorization"].is_sensitive());
}

#[test]
fn an_advanced_query_says_so_on_every_page() {
    let world = World::signed_in();
    world.reply(200, &[], "{}").reply(200, &[], "{}");
    let first = world.graph.link("/things?$count=true");
    let next = world.graph.follow("https://graph.microsoft.com/v1.0/things?$skiptoken=x").unwrap();
    for link in [first, next] {
        world.graph.get(&Get { link, advanced: true }, |answer| text(answer.body)).unwrap();
    }
    assert!(world.asked().iter().all(|asked| asked.header("consistencylevel") == "eventual"));
}

#[test]
fn the_reader_gets_body_date_and_request_id() {
    let world = World::signed_in();
    world.reply(200, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("request-id", "r1")], "[1]");
    let get = Get { link: world.graph.link("/things"), advanced: false };
    let date = httpdate::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    world
        .graph
        .get(&get, |answer| {
            assert_eq!((answer.body, answer.date, answer.request_id), (&b"[1]"[..], Some(date), Some("r1")));
            Ok(())
        })
        .unwrap();
}

#[test]
fn every_form_of_retry_after_is_survived() {
    let date = httpdate::fmt_http_date(TestClock::new().date() + Duration::from_secs(30));
    let past = httpdate::fmt_http_date(TestClock::new().date() - Duration::from_secs(30));
    for (value, wait) in [("7", 7.0), ("2.128", 2.128), ("0,120", 0.12), (&date, 30.0), ("soon", 5.0)] {
        for status in [429, 503] {
            let world = World::signed_in();
            world.reply(status, &[("retry-after", value)], "").reply(200, &[], "{}");
            world.get("/things").unwrap();
            assert_eq!(world.waits(), [wait], "{status} {value}");
            assert_eq!((world.totals().requests, world.totals().retries), (2, 1));
        }
    }
    let world = World::signed_in();
    world.reply(429, &[("retry-after", &past)], "").reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert!(world.waits().is_empty());
}

#[test]
fn without_retry_after_each_attempt_waits_five_seconds_longer_and_the_sixth_surfaces() {
    for (status, body) in [(429, ""), (500, "{"), (502, "<html>"), (503, ""), (504, ""), (509, ""), (200, "")] {
        let world = World::signed_in();
        for _ in 0..6 {
            world.reply(status, &[], body);
        }
        let error = world.get("/things").unwrap_err().error;
        assert_eq!(world.waits(), [5.0, 10.0, 15.0, 20.0, 25.0], "{status}");
        assert_eq!(error.causes, ["tried 6 times, waited 75.0 s in all"], "{status}");
        assert_eq!((world.totals().requests, world.totals().retries), (6, 5), "{status}");
    }
}

#[test]
fn a_named_wait_and_none_take_turns_and_each_attempt_counts() {
    let world = World::signed_in();
    world.reply(503, &[("retry-after", "0,5")], "").reply(504, &[], "").reply(429, &[("retry-after", "2")], "");
    world.reply(503, &[("retry-after", "soon")], "").reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert_eq!(world.waits(), [0.5, 10.0, 2.0, 20.0]);
}

#[test]
fn a_cancel_inside_the_third_wait_is_the_end() {
    let world = World::signed_in();
    world.reply(503, &[], "").reply(504, &[], "");
    let cancel = world.cancel.clone();
    world.script.then(move |_| {
        cancel.cancel();
        Ok(reply(500, &[], ""))
    });
    assert_eq!(world.get("/things").unwrap_err().error.kind, Kind::Cancelled);
    assert_eq!(world.waits(), [5.0, 10.0]);
}

#[test]
fn the_sixth_failure_surfaces_with_graphs_request_id() {
    let world = World::signed_in();
    for _ in 0..6 {
        world.reply(429, &[("retry-after", "2"), ("request-id", "r6")], &error_body("TooManyRequests", "Later."));
    }
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Throttled);
    let http = error.http.unwrap();
    assert_eq!((http.status, http.request_id.as_deref()), (429, Some("r6")));
    assert_eq!(http.client_request_id.unwrap(), world.asked()[5].header("client-request-id"));
    assert_eq!(error.retry_after_ms, 2000);
    assert_eq!(error.causes, ["tried 6 times, waited 10.0 s in all"]);
    assert_eq!((world.totals().requests, world.totals().retries, world.totals().throttled_ms), (6, 5, 10_000));
}

#[test]
fn every_try_has_an_id_of_its_own() {
    let world = World::signed_in();
    world.reply(500, &[], "").reply(500, &[], "").reply(200, &[], "{}");
    world.get("/things").unwrap();
    let ids: std::collections::HashSet<_> =
        world.asked().iter().map(|asked| asked.header("client-request-id").to_owned()).collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_broken_connection_is_tried_again() {
    let world = World::signed_in();
    world.script.breaks(Fault::Connect).breaks(Fault::Interrupted).breaks(Fault::Timeout).reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert_eq!(world.waits(), [5.0, 10.0, 15.0]);
    assert_eq!(*world.script.reconnects.lock().unwrap(), 1);
}

#[test]
fn a_connection_that_stays_broken_is_a_network_error() {
    let world = World::signed_in();
    for _ in 0..6 {
        world.script.breaks(Fault::Connect);
    }
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Network);
    assert!(error.http.is_none());
}

#[test]
fn an_untrusted_certificate_is_not_tried_again() {
    let world = World::signed_in();
    world.script.breaks(Fault::Certificate);
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Network);
    assert!(error.message.contains("CaFile"));
}

#[test]
fn an_answer_that_cannot_be_read_is_asked_for_again() {
    let world = World::signed_in();
    world.reply(200, &[], "{\"value\":[").reply(200, &[], "{\"value\":[]}");
    assert_eq!(world.get("/things").unwrap(), "{\"value\":[]}");
    assert_eq!(world.totals().retries, 1);
}

#[test]
fn an_answer_that_stays_unreadable_is_a_service_error_with_evidence() {
    let world = World::signed_in();
    for _ in 0..6 {
        world.reply(200, &[("request-id", "r1")], "{");
    }
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Service);
    assert_eq!(error.http.unwrap().request_id.as_deref(), Some("r1"));
}

#[test]
fn after_a_503_the_next_try_takes_a_new_connection() {
    let world = World::signed_in();
    world.reply(503, &[("retry-after", "1")], "").reply(502, &[], "<html>").reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert_eq!(*world.script.reconnects.lock().unwrap(), 1);
}

#[test]
fn a_refused_token_is_replaced_and_the_request_replayed_once() {
    let world = World::signed_in();
    world.reply(401, &[], &error_body("InvalidAuthenticationToken", "Lifetime validation failed."));
    world.token("t2").reply(200, &[], "{}");
    world.get("/things").unwrap();
    let bearers: Vec<_> = world.asked().iter().map(|asked| asked.header("authorization").to_owned()).collect();
    assert_eq!(bearers, ["Bearer t1", "Bearer t2"]);
    assert!(world.waits().is_empty());
}

#[test]
fn a_token_refused_twice_is_an_auth_error() {
    let world = World::signed_in();
    world.reply(401, &[], "").token("t2").reply(401, &[], &error_body("InvalidAuthenticationToken", "No."));
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Auth);
    assert_eq!(error.http.unwrap().code.as_deref(), Some("InvalidAuthenticationToken"));
}

#[test]
fn a_claims_challenge_is_named_for_what_it_is() {
    let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJ9\"";
    let world = World::signed_in();
    for _ in 0..2 {
        let headers = [("www-authenticate", "Negotiate"), ("www-authenticate", challenge)];
        world.script.then(move |_| {
            let mut made = reply(401, &[], "");
            for (name, value) in headers {
                made.headers.append(name, value.parse().unwrap());
            }
            Ok(made)
        });
        world.token("t2");
    }
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Auth);
    assert!(error.message.contains("continuous access evaluation"));
}

#[test]
fn what_graph_refuses_for_good_is_asked_once() {
    for status in [400, 403, 404, 410, 501] {
        let world = World::signed_in();
        world.reply(status, &[("retry-after", "1")], &error_body("X", "no"));
        world.get("/things").unwrap_err();
        assert_eq!(world.totals().requests, 1, "{status}");
    }
}

#[test]
fn a_redirect_is_an_error_and_nobody_goes_there() {
    let world = World::signed_in();
    world.reply(302, &[("location", "https://evil.example/")], "");
    let error = world.get("/things").unwrap_err().error;
    assert_eq!(error.kind, Kind::Service);
    assert!(error.message.contains("redirect") && !error.message.contains("evil"));
    assert_eq!(world.asked().len(), 1);
}

#[test]
fn throttled_time_is_counted_once_however_many_wait() {
    let world = World::signed_in();
    world.reply(429, &[("retry-after", "10")], "").reply(200, &[], "{}").reply(200, &[], "{}");
    world.get("/things").unwrap();
    world.get("/things").unwrap();
    assert_eq!(world.waits(), [10.0]);
    assert_eq!(world.totals().throttled_ms, 10_000);
}

#[test]
fn a_gate_that_closes_while_a_token_is_fetched_is_waited_for() {
    let world = World::new();
    let graph = world.graph.clone();
    world.script.then(move |_| {
        graph.inner.pipeline.pause(Duration::from_secs(10), true).unwrap();
        Ok(reply(200, &[], &token_body("t1", 3600)))
    });
    world.reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert_eq!(world.waits(), [10.0]);
}

#[test]
fn a_wait_for_an_hour_ends_with_the_cancel() {
    let world = World::signed_in();
    let cancel = world.cancel.clone();
    world.script.then(move |_| {
        cancel.cancel();
        Ok(reply(429, &[("retry-after", "3600")], ""))
    });
    assert_eq!(world.get("/things").unwrap_err().error.kind, Kind::Cancelled);
    assert!(world.waits().is_empty());
}

#[test]
fn a_cancelled_operation_asks_nothing() {
    let world = World::new();
    world.cancel.cancel();
    assert_eq!(world.get("/things").unwrap_err().error.kind, Kind::Cancelled);
    assert_eq!(world.graph.token().unwrap_err().kind, Kind::Cancelled);
    assert!(world.script.asked().is_empty());
}

#[test]
fn a_wait_beyond_a_day_surfaces_at_once() {
    let world = World::signed_in();
    world.reply(429, &[("retry-after", "100000")], "");
    let error = world.get("/things").unwrap_err().error;
    assert_eq!((error.kind, error.retry_after_ms), (Kind::Throttled, 100_000_000));
}

#[test]
fn a_long_wait_is_followed_by_a_token_that_is_good_then() {
    let world = World::signed_in();
    world.reply(429, &[("retry-after", "7200")], "").token("t2").reply(200, &[], "{}");
    world.get("/things").unwrap();
    assert_eq!(world.asked()[1].header("authorization"), "Bearer t2");
}

#[test]
fn no_log_line_and_no_error_holds_secret_token_or_link() {
    let world = World::signed_in();
    world.reply(500, &[], "").reply(401, &[], "").token("t2");
    world.reply(400, &[], &error_body("Request_UnsupportedQuery", "DeltaLink older than 30 days"));
    let link = world
        .graph
        .follow("https://graph.microsoft.com/v1.0/things/delta?$deltatoken=abcdefghijklmnop&$filter=payroll")
        .unwrap();
    let error = world.graph.get(&Get { link, advanced: false }, |answer| text(answer.body)).unwrap_err();
    assert_eq!(error.reason, Reason::DeltaLinkRefused);
    let seen = format!("{}\n{}\n{error:?}\n{:?}", world.logged(), error.error.to_json(), world.graph);
    for hidden in [SECRET, "ghijkl", "payroll", "Bearer", "t2\"", "graph.microsoft.com/v1.0"] {
        assert!(!seen.contains(hidden), "{hidden} in {seen}");
    }
    assert!(seen.contains("Warn /things/delta?$deltatoken=abcdef…&$filter is repeated after 5.0 s: 500"), "{seen}");
}

#[test]
fn bytes_are_counted_as_they_were_read() {
    let world = World::signed_in();
    world.reply(500, &[], "12345").reply(200, &[], "[1,2]");
    world.get("/things").unwrap();
    assert_eq!(world.totals().bytes_received, 10);
}

#[test]
fn a_worker_that_is_throttled_holds_back_the_others() {
    let world = World::signed_in();
    world.graph.token().unwrap();
    world.graph.inner.pipeline.pause(Duration::from_secs(10), true).unwrap();
    world.reply(200, &[], "{}");
    let before = world.clock.now();
    world.get("/things").unwrap();
    assert_eq!(world.clock.now() - before, Duration::from_secs(10));
    assert_eq!(world.totals().throttled_ms, 10_000);
}

#[test]
fn nothing_is_begun_without_a_token_or_behind_a_closed_gate() {
    let world = World::signed_in();
    let later = Get { link: world.graph.link("/later"), advanced: false };
    assert!(world.graph.begin(&later).is_none());
    world.reply(200, &[], "{}").reply(200, &[], "[7]");
    world.get("/things").unwrap();
    let begun = world.graph.begin(&later);
    assert_eq!(world.graph.get_begun(&later, begun, |answer| text(answer.body)).unwrap(), "[7]");
    world.graph.inner.pipeline.shared.gate.close(&*world.clock, Duration::from_secs(60));
    assert!(world.graph.begin(&later).is_none());
    assert_eq!(world.asked().len(), 2);
}
