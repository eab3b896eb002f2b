//! Twenty reads in one request, each with a fate of its own.

use serde_json::{Value, json};

use super::*;
use crate::error::Kind;
use crate::graph::transport::Fault;
use crate::graph::transport::scripted::reply;

fn gets(world: &World, count: usize) -> Vec<Get> {
    (0..count).map(|n| Get { link: world.graph.link(&format!("/things/{n}?$select=id")), advanced: n == 0 }).collect()
}

fn run(world: &World, count: usize) -> Result<Vec<Result<String, Error>>, Error> {
    world.graph.batch(&gets(world, count), |index, answer| Ok(format!("{index}:{}", text(answer.body)?)))
}

fn item(id: &str, status: u16, body: Value) -> Value {
    json!({"id": id, "status": status, "headers": {}, "body": body})
}

fn throttled(id: &str, retry_after: &str) -> Value {
    json!({"id": id, "status": 429, "headers": {"Retry-After": retry_after},
           "body": {"error": {"code": "TooManyRequests", "innerError": {"request-id": "i1"}}}})
}

impl World {
    fn answers(&self, items: &[Value]) -> &World {
        self.reply(200, &[("request-id", "outer")], &json!({ "responses": items }).to_string())
    }

    /// The items that the n-th batch asked for.
    fn items(&self, batch: usize) -> Vec<Value> {
        let body: Value = serde_json::from_str(self.asked()[batch].body.as_deref().unwrap()).unwrap();
        body["requests"].as_array().unwrap().clone()
    }
}

#[test]
fn a_batch_asks_by_relative_links_and_repeats_headers_in_the_items() {
    let world = World::signed_in();
    world.answers(&[item("1", 200, json!(1)), item("2", 200, json!(2))]);
    run(&world, 2).unwrap();
    let asked = &world.asked()[0];
    assert_eq!(asked.url, "https://graph.microsoft.com/v1.0/$batch");
    assert_eq!(asked.header("content-type"), "application/json");
    assert_eq!(
        world.items(0),
        [
            json!({"id":"1","method":"GET","url":"/things/0?$select=id","headers":{"ConsistencyLevel":"eventual"}}),
            json!({"id":"2","method":"GET","url":"/things/1?$select=id"}),
        ]
    );
}

#[test]
fn a_next_link_goes_into_a_batch_byte_for_byte() {
    let world = World::signed_in();
    world.answers(&[item("1", 200, json!(1))]);
    let link = world.graph.follow("https://graph.microsoft.com/v1.0/things?$skiptoken=a+b%2Bc'd").unwrap();
    world.graph.batch(&[Get { link, advanced: false }], |_, answer| text(answer.body)).unwrap();
    assert_eq!(world.items(0)[0]["url"], "/things?$skiptoken=a+b%2Bc'd");
}

#[test]
fn answers_are_told_apart_by_id_not_by_order() {
    let world = World::signed_in();
    world.answers(&[item("3", 200, json!("c")), item("1", 200, json!("a")), item("2", 404, json!({}))]);
    let results = run(&world, 3).unwrap();
    assert_eq!(results[0].as_ref().unwrap(), "0:\"a\"");
    assert_eq!(results[1].as_ref().unwrap_err().reason, Reason::Gone);
    assert_eq!(results[2].as_ref().unwrap(), "2:\"c\"");
    assert_eq!((world.totals().requests, world.totals().retries), (1, 0));
}

#[test]
fn only_throttled_items_go_again_after_the_longest_wait_among_them() {
    let world = World::signed_in();
    world.answers(&[throttled("1", "7.5"), item("2", 200, json!(2)), throttled("3", "3")]);
    world.answers(&[item("1", 200, json!(1)), item("2", 200, json!(3))]);
    let results = run(&world, 3).unwrap();
    assert_eq!(world.waits(), [7.5]);
    assert_eq!(
        world.items(1).iter().map(|item| &item["url"]).collect::<Vec<_>>(),
        ["/things/0?$select=id", "/things/2?$select=id"]
    );
    assert_eq!(results[2].as_ref().unwrap(), "2:3");
    assert_eq!((world.totals().requests, world.totals().retries, world.totals().throttled_ms), (2, 2, 7500));
}

#[test]
fn the_sixth_failure_of_an_item_surfaces_and_spares_the_others() {
    let world = World::signed_in();
    world.answers(&[throttled("1", "1"), item("2", 200, json!(2))]);
    for _ in 0..5 {
        world.answers(&[throttled("1", "1")]);
    }
    let mut results = run(&world, 2).unwrap();
    assert!(results.pop().unwrap().is_ok());
    let error = results.pop().unwrap().unwrap_err().error;
    assert_eq!(error.kind, Kind::Throttled);
    assert!(error.message.contains("/things/0?$select"));
    assert_eq!(error.http.unwrap().request_id.as_deref(), Some("i1"));
    assert_eq!(error.causes, ["tried 6 times, waited 5.0 s in all"]);
}

#[test]
fn an_item_that_was_not_answered_is_asked_for_again() {
    let world = World::signed_in();
    world.answers(&[item("2", 200, json!(2))]).answers(&[item("1", 200, json!(1))]);
    assert!(run(&world, 2).unwrap().iter().all(Result::is_ok));
    assert_eq!(world.waits(), [5.0]);
}

#[test]
fn answers_to_nothing_we_asked_are_left_alone() {
    let world = World::signed_in();
    world.answers(&[
        item("1", 200, json!("first")),
        item("1", 200, json!("second")),
        item("9", 200, json!(9)),
        item("x", 500, json!(9)),
        json!({"status": 200}),
        json!({}),
    ]);
    assert_eq!(run(&world, 1).unwrap()[0].as_ref().unwrap(), "0:\"first\"");
}

#[test]
fn an_item_that_cannot_be_read_is_asked_for_again() {
    let world = World::signed_in();
    world.answers(&[json!({"id": "1", "status": 200}), item("2", 200, json!(2))]);
    world.answers(&[item("1", 200, json!(1))]);
    assert_eq!(run(&world, 2).unwrap()[0].as_ref().unwrap(), "0:1");
}

#[test]
fn a_token_refused_inside_a_batch_is_replaced_once() {
    let world = World::signed_in();
    world.answers(&[item("1", 401, json!({})), item("2", 200, json!(2))]);
    world.token("t2").answers(&[item("1", 401, json!({}))]);
    let results = run(&world, 2).unwrap();
    assert_eq!(results[0].as_ref().unwrap_err().error.kind, Kind::Auth);
    assert!(results[1].is_ok());
    assert_eq!(world.asked()[1].header("authorization"), "Bearer t2");
}

#[test]
fn an_outer_failure_is_handled_like_that_of_any_request() {
    let world = World::signed_in();
    world.script.breaks(Fault::Interrupted);
    world.reply(429, &[("retry-after", "2")], "").reply(200, &[], "{\"responses\":[{");
    world.answers(&[item("1", 200, json!(1))]);
    assert!(run(&world, 1).unwrap()[0].is_ok());
    assert_eq!((world.totals().requests, world.totals().retries), (4, 3));
}

#[test]
fn an_outer_refusal_is_one_error_for_all() {
    let world = World::signed_in();
    world.reply(400, &[], &error_body("BadRequest", "Invalid batch payload format."));
    assert_eq!(run(&world, 2).unwrap_err().error.kind, Kind::Service);
}

#[test]
fn more_than_twenty_go_in_several_batches() {
    let world = World::signed_in();
    for _ in 0..3 {
        world.script.then(|asked| {
            let body: Value = serde_json::from_str(asked.body.as_deref().unwrap()).unwrap();
            let items: Vec<_> = body["requests"]
                .as_array()
                .unwrap()
                .iter()
                .rev()
                .map(|request| item(request["id"].as_str().unwrap(), 200, request["url"].clone()))
                .collect();
            assert!(items.len() <= LARGEST_BATCH);
            Ok(reply(200, &[], &json!({ "responses": items }).to_string()))
        });
    }
    let results = run(&world, 45).unwrap();
    assert_eq!(results.len(), 45);
    for (index, result) in results.into_iter().enumerate() {
        assert_eq!(result.unwrap(), format!("{index}:\"/things/{index}?$select=id\""));
    }
    assert_eq!(world.totals().requests, 3);
}

#[test]
fn no_requests_make_no_batch() {
    assert!(run(&World::new(), 0).unwrap().is_empty());
}

#[test]
fn a_refused_delta_link_and_a_filter_are_judged_by_the_items_own_link() {
    let world = World::signed_in();
    let refused = json!({"error": {"code": "Request_UnsupportedQuery", "message": "no"}});
    world.answers(&[item("1", 400, refused.clone()), item("2", 400, refused)]);
    let gets = ["/things/delta?$deltatoken=x", "/things?$filter=x"]
        .map(|path| Get { link: world.graph.link(path), advanced: false });
    let results = world.graph.batch(&gets, |_, answer| text(answer.body)).unwrap();
    assert_eq!(results[0].as_ref().unwrap_err().reason, Reason::DeltaLinkRefused);
    assert_eq!(results[1].as_ref().unwrap_err().error.kind, Kind::InvalidConfig);
}

#[test]
fn failures_of_the_batch_and_of_its_items_draw_on_one_budget() {
    for first_whole in [true, false] {
        let world = World::with(Connection {
            max_retries: 3,
            ..connection("https://graph.microsoft.com", "https://login.microsoftonline.com")
        });
        world.token("t1");
        // The failures take turns until the budget is used up: four requests, not sixteen.
        for turn in 0..16 {
            if (turn % 2 == 0) == first_whole {
                world.reply(503, &[], "");
            } else {
                world.answers(&[item("1", 503, json!({})), item("2", 503, json!({}))]);
            }
        }
        let results = run(&world, 2);
        assert_eq!(world.asked().len(), 4);
        let error = match results {
            Ok(mut results) => results.remove(0).unwrap_err().error,
            Err(whole) => whole.error,
        };
        assert!(error.causes[0].starts_with("tried 4 times"), "{:?}", error.causes);
    }
}

#[test]
fn answer_with_more_items_than_a_batch_can_have_is_no_answer() {
    let world = World::signed_in();
    let items: Vec<Value> = (0..1000).map(|_| json!({})).collect();
    world.answers(&items).answers(&[item("1", 200, json!(1))]);
    assert_eq!(run(&world, 1).unwrap()[0].as_ref().unwrap(), "0:1");
    assert!(world.logged().contains("more than 40 answers in a batch"));
}

#[test]
fn answers_of_graph_may_be_large_and_those_of_the_token_service_may_not() {
    use crate::graph::transport::Accept;
    let world = World::signed_in();
    world.reply(200, &[], "{}").answers(&[item("1", 200, json!(1))]).reply(200, &[], "{}");
    world.get("/things").unwrap();
    run(&world, 1).unwrap();
    assert!(world.graph.begin(&gets(&world, 1)[0]).is_some());
    let accepts: Vec<_> = world.script.asked().iter().map(|asked| asked.accept).collect();
    assert_eq!(accepts, [Accept::Small, Accept::Page, Accept::Page, Accept::PageAhead]);
    assert_eq!((Accept::Small.largest(), Accept::Page.largest()), (1 << 20, 32 << 20));
}
