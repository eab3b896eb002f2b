//! An answer as bytes: headers, compression, and the faults that live on the wire.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::Response;
use hyper::body::Bytes;
use hyper::http::{HeaderName, HeaderValue};
use serde_json::json;

use super::body::{Payload, Piece};
use super::ending::Ending;
use super::outcome::Outcome;
use crate::simulator::clock::format_http;
use crate::simulator::fault::FaultAction;
use crate::simulator::graph::answer::{Answer, Body};
use crate::simulator::graph::request::Request;
use crate::simulator::graph::{CONTENT_TYPE, Context};

/// Smaller bodies are not worth compressing.
const LEAST_COMPRESSED: usize = 860;

pub(super) fn respond(
    context: &Context<'_>,
    request: &Request,
    answer: Answer,
    fault: Option<&FaultAction>,
) -> Outcome {
    let mut response = Response::new(Payload::whole(Bytes::new()));
    *response.status_mut() = answer.status.try_into().unwrap_or_default();
    let mut set = |name: &str, value: &str| {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    };
    set("date", &format_http(context.service.clock.seconds()));
    set("cache-control", "no-cache");
    set("request-id", &context.request_id);
    set("client-request-id", &context.client_request_id);
    set("strict-transport-security", "max-age=31536000");
    set("vary", "Accept-Encoding");
    set("x-ms-ags-diagnostic", &diagnostic());
    if request.path.starts_with("/v1.0") {
        set("odata-version", "4.0");
        set("x-ms-resource-unit", &answer.units.to_string());
    }
    for (name, value) in answer.all_headers() {
        set(name, value);
    }
    let (content_type, bytes) = match answer.body {
        Body::Json(value) => (CONTENT_TYPE, value.to_string().into_bytes()),
        Body::BrokenJson(text) => (CONTENT_TYPE, text.into_bytes()),
        Body::Html(text) => ("text/html; charset=utf-8", text.into_bytes()),
        Body::Text(text) => ("text/plain", text.into_bytes()),
        Body::Empty => ("", Vec::new()),
    };
    if !content_type.is_empty() {
        set("content-type", content_type);
    }
    let accepted =
        context.service.world.gzip && request.header("accept-encoding").is_some_and(|all| all.contains("gzip"));
    let damaged = matches!(fault, Some(FaultAction::GzipDamage));
    let bytes = if damaged || accepted && bytes.len() >= LEAST_COMPRESSED {
        set("content-encoding", "gzip");
        let mut packed = gzip(&bytes);
        if damaged {
            let middle = packed.len() / 2;
            packed.iter_mut().skip(middle).take(16).for_each(|byte| *byte ^= 0x5A);
            packed.truncate(packed.len().saturating_sub(6));
        }
        packed
    } else {
        bytes
    };
    let length = bytes.len();
    let bytes = Bytes::from(bytes);
    let half = bytes.slice(..length / 2);
    // A body that will not come whole still announces its whole length.
    let (pieces, ending) = match fault {
        Some(FaultAction::ResetMidBody) => (vec![Piece::Bytes(half), PAUSE, Piece::Abort], Some(Ending::Reset)),
        Some(FaultAction::StallThenReset { after_ms }) => {
            let silence = Piece::Pause(Duration::from_millis(*after_ms));
            (vec![Piece::Bytes(half), silence, Piece::Abort], Some(Ending::Reset))
        }
        Some(FaultAction::StallMidBody) => (vec![Piece::Bytes(half), Piece::Silence], None),
        Some(FaultAction::SlowDrip { bytes: size, delay_ms }) => {
            let delay = Duration::from_millis(*delay_ms);
            let drops = (0..length).step_by((*size).max(1)).flat_map(|from| {
                [Piece::Bytes(bytes.slice(from..length.min(from + (*size).max(1)))), Piece::Pause(delay)]
            });
            (drops.collect(), None)
        }
        _ if length == 0 => (Vec::new(), None),
        _ => (vec![Piece::Bytes(bytes)], None),
    };
    set("content-length", &length.to_string());
    *response.body_mut() = Payload::pieces(pieces);
    Outcome { response: Ok(response), ending }
}

/// Time for the first half to reach the client before the connection breaks under it.
const PAUSE: Piece = Piece::Pause(Duration::from_millis(30));

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Compression::fast());
    // Writing to memory cannot fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn diagnostic() -> String {
    json!({"ServerInfo": {
        "DataCenter": "West Europe", "Slice": "E", "Ring": "5", "ScaleUnit": "004", "RoleInstance": "AM1PEPF00000001"
    }})
    .to_string()
}
