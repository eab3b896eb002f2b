//! The answer to a `$batch`. Input: how many reads are batched, as the first line, then the bodies of the first answers
//! as parts; whatever is asked beyond them is answered properly.
//!
//! Promises: every read gets one outcome of its own; what has been read is neither asked for nor read again; a body
//! that is a batch's answer gives each read the first answer that names it, in any order, as an independent reading
//! of it says; there is an end.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::json::Json;
use crate::graph::fuzzing::{Made, graph};
use crate::graph::{Get, LARGEST_BATCH, Unreadable};

const RETRIES: u32 = 3;

/// One round as the other side saw it.
struct Round {
    /// The reads it asked for, in its order.
    reads: Vec<usize>,
    /// What it was answered.
    body: Vec<u8>,
}

pub(super) fn run(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let Some(count) = std::str::from_utf8(&data[..end]).ok().and_then(|text| text.parse::<usize>().ok()) else {
        return;
    };
    let count = count.clamp(1, LARGEST_BATCH);
    // Bodies need not be UTF-8; the mark between them is.
    let bodies: Vec<Vec<u8>> = data[end + 1..].split(|byte| *byte == PART).map(<[u8]>::to_vec).collect();
    let rounds: Arc<Mutex<Vec<Round>>> = Arc::default();
    let seen = Arc::clone(&rounds);
    let (graph, _) = graph(RETRIES, move |url, body| answer(&seen, &bodies, url, body));
    let gets: Vec<Get> =
        (0..count).map(|n| Get { link: graph.link(&format!("/things/{n}")), advanced: n % 2 == 0 }).collect();

    let mut read_in: Vec<Vec<usize>> = vec![Vec::new(); count];
    let results = graph.batch(&gets, |index, answer| {
        let round = rounds.lock().unwrap().len() - 1;
        match serde_json::from_slice::<Value>(answer.body) {
            Ok(Value::Object(_)) => {
                read_in[index].push(round);
                Ok(index)
            }
            _ => Err(Unreadable("no object".to_owned())),
        }
    });
    let rounds = rounds.lock().unwrap();
    // Failures of the whole and of items draw on one budget; a token is renewed and a licence doubted once.
    assert!(rounds.len() as u32 <= RETRIES + 3, "{} rounds", rounds.len());
    for (number, round) in rounds.iter().enumerate() {
        if let Some(expected) = successes(round) {
            let found: Vec<bool> = round.reads.iter().map(|read| read_in[*read].contains(&number)).collect();
            assert_eq!(found, expected, "round {number} for {:?}", round.reads);
        }
        let done = |read: &usize| read_in[*read].iter().any(|before| *before < number);
        assert!(!round.reads.iter().any(done), "asked again for what was read");
    }
    let Ok(results) = results else { return };
    assert_eq!(results.len(), count, "each read has an outcome");
    for (index, result) in results.iter().enumerate() {
        assert!(result.as_ref().is_ok_and(|read| *read == index) || result.is_err(), "an outcome of another read");
        assert_eq!(read_in[index].len(), usize::from(result.is_ok()), "read {index} was read {:?}", read_in[index]);
    }
}

const PART: u8 = super::PART as u8;

/// Plays Graph: notes what is asked and answers with the next body.
fn answer(rounds: &Mutex<Vec<Round>>, bodies: &[Vec<u8>], url: &str, asked: Option<&[u8]>) -> Made {
    assert_eq!(url, "https://graph.microsoft.com/v1.0/$batch");
    let asked: Value = serde_json::from_slice(asked.expect("a POST")).expect("JSON");
    let items = asked["requests"].as_array().expect("a list of requests");
    assert!((1..=LARGEST_BATCH).contains(&items.len()));
    let mut reads = Vec::new();
    for (place, item) in items.iter().enumerate() {
        assert_eq!((item["id"].as_str(), item["method"].as_str()), (Some(&*(place + 1).to_string()), Some("GET")));
        let read = item["url"].as_str().and_then(|url| url.strip_prefix("/things/")).expect("a relative address");
        reads.push(read.parse().expect("one of ours"));
    }
    assert!(reads.windows(2).all(|pair| pair[0] < pair[1]), "a read twice in one batch");
    let mut rounds = rounds.lock().unwrap();
    let body = bodies.get(rounds.len()).cloned().unwrap_or_else(|| {
        let answers: Vec<Value> =
            (1..=items.len()).rev().map(|id| json!({"id": id.to_string(), "status": 200, "body": {}})).collect();
        json!({ "responses": answers }).to_string().into_bytes()
    });
    rounds.push(Round { reads, body: body.clone() });
    (200, Vec::new(), body)
}

/// Which reads of a round its body answers with an object; `None` where this reading cannot tell.
fn successes(round: &Round) -> Option<Vec<bool>> {
    let body = Json::read(&round.body).ok().filter(Json::is_object)?;
    let mut outcomes: Vec<Option<bool>> = vec![None; round.reads.len()];
    let nothing = Some(vec![false; round.reads.len()]);
    if body.repeats(&["responses"]) {
        return nothing;
    }
    let Some(Json::List(items)) = body.last("responses") else { return nothing };
    if items.iter().any(|item| item.repeats(&["id", "status", "headers", "body"])) {
        return nothing;
    }
    for item in items {
        match (item, item.last("headers")) {
            (Json::Object(_), None | Some(Json::Null | Json::Object(_))) => {}
            // serde reads a struct from a list, too.
            (Json::List(_), _) => return None,
            _ => return nothing,
        }
    }
    for item in items {
        let number = match item.last("id") {
            Some(Json::Text(id)) => id.trim().parse::<usize>().ok(),
            Some(Json::Number(id)) => id.parse::<usize>().ok(),
            _ => None,
        };
        let status = match item.last("status") {
            Some(Json::Number(status)) => status.parse::<u16>().ok(),
            _ => None,
        };
        let (Some(number), Some(status)) = (number, status) else { continue };
        if let Some(outcome) = number.checked_sub(1).and_then(|place| outcomes.get_mut(place)) {
            let read = (200..300).contains(&status) && item.last("body").is_some_and(Json::is_object);
            outcome.get_or_insert(read);
        }
    }
    Some(outcomes.into_iter().map(Option::unwrap_or_default).collect())
}
