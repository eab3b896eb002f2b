//! Carrying out a fault on an answer. What happens to the connection itself is the HTTP server's business.

use serde_json::{Value, json};

use super::answer::{Answer, Body, GraphError};
use super::refused_token::{claims_challenge, invalid_token};
use super::request::Request;
use super::target::Target;
use super::throttled::throttled;
use super::{Context, delta};
use crate::simulator::fault::{FaultAction, FaultBody};
use crate::simulator::route::Route;

/// The answer that takes the place of the real one, for faults that replace it.
pub(crate) fn instead(action: &FaultAction, context: &Context<'_>, route: Route, target: &Target) -> Option<Answer> {
    let error = match action {
        FaultAction::Status { code, body, headers } => {
            let mut answer = match (route, body) {
                (Route::Token | Route::OpenId, FaultBody::Fitting) => authority_refuses(context, *code),
                _ => status(context, *code, body),
            };
            answer.extra = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            return Some(answer);
        }
        FaultAction::ExpiredPageToken => GraphError::expired_page(),
        FaultAction::RefuseDeltaLink { shape } => {
            let Target::Delta(kind) = target else { return None };
            delta::refusal(context, kind.collection(), *shape)
        }
        FaultAction::InvalidToken => invalid_token(context, "Lifetime validation failed, the token is expired."),
        FaultAction::ClaimsChallenge => {
            let now = context.service.clock.seconds().to_string();
            let claims = json!({"access_token": {"nbf": {"essential": true, "value": now}}});
            claims_challenge(context, &claims.to_string())
        }
        FaultAction::Throttled { wait_ms, retry_after } => {
            let answer = throttled(context);
            return Some(match retry_after.write(context.service.clock.millis(), *wait_ms) {
                Some(text) => answer.header("retry-after", text),
                None => answer,
            });
        }
        FaultAction::RequestDenied => GraphError::denied(),
        FaultAction::NotFound => GraphError::not_found(target.object().unwrap_or_default()),
        _ => return None,
    };
    Some(error.into_answer(context))
}

fn status(context: &Context<'_>, code: u16, body: &FaultBody) -> Answer {
    let error = |code_text: &str, message: &str| GraphError::new(code, code_text, message).into_answer(context);
    match body {
        FaultBody::GraphError { code, message } => error(code, message),
        FaultBody::Html => Answer::new(
            code,
            Body::Html(format!("<html><head><title>{code}</title></head><body><h1>{code}</h1></body></html>\r\n")),
        ),
        FaultBody::Empty => Answer::new(code, Body::Empty),
        FaultBody::TruncatedJson => Answer::new(code, Body::BrokenJson(r#"{"error":{"code":"Unkno"#.into())),
        FaultBody::Fitting => match code {
            429 => throttled(context),
            400 => error("Request_BadRequest", "Invalid request."),
            401 => error("InvalidAuthenticationToken", "Access token has expired or is not yet valid."),
            403 => error("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
            404 => error("Request_ResourceNotFound", "Resource does not exist."),
            500 => error("InternalServerError", "An internal server error occurred."),
            503 => error("serviceNotAvailable", "The service is temporarily unavailable."),
            509 => error("bandwidthLimitExceeded", "The app has been throttled for exceeding the bandwidth cap."),
            _ => error("UnknownError", ""),
        },
    }
}

/// A refusal of the token service (RFC 6749 §5.2, with Microsoft's additions): its number, where it has one for the
/// status.
fn authority_refuses(context: &Context<'_>, code: u16) -> Answer {
    let (error, number, words) = match code {
        400 | 401 => ("invalid_client", Some(7_000_215), "Invalid client secret provided."),
        429 => ("temporarily_unavailable", Some(90_055), "The tenant throttling policy was exceeded."),
        500 | 503 | 504 => {
            ("temporarily_unavailable", Some(90_033), "A transient error has occurred. Please try again.")
        }
        _ => ("invalid_request", None, "The request cannot be served."),
    };
    let trace = &context.request_id;
    let numbered = number.map_or_else(|| words.to_owned(), |number: u32| format!("AADSTS{number}: {words}"));
    let codes: Vec<u32> = number.into_iter().collect();
    Answer::new(
        code,
        Body::Json(json!({
            "error": error,
            "error_description": format!("{numbered} Trace ID: {trace} Correlation ID: {}", context.client_request_id),
            "error_codes": codes,
            "trace_id": trace,
            "correlation_id": context.client_request_id,
        })),
    )
}

/// Spoil an answer, for faults that do.
pub(crate) fn alter(action: &FaultAction, context: &Context<'_>, request: &Request, answer: &mut Answer) {
    let Body::Json(body) = &mut answer.body else { return };
    match action {
        FaultAction::TruncatedJson => {
            let text = body.to_string();
            let cut = text.char_indices().map(|(at, _)| at).find(|at| *at >= text.len() / 2).unwrap_or(0);
            answer.body = Body::BrokenJson(text[..cut].to_owned());
        }
        FaultAction::WrongJsonType => match body.get_mut("value") {
            Some(value) => *value = json!({"unexpected": "object"}),
            None => *body = json!(["unexpected", "array"]),
        },
        FaultAction::ShortList { rows } => {
            if let Some(Value::Array(page)) = body.get_mut("value") {
                page.truncate(page.len().saturating_sub(*rows));
            }
        }
        FaultAction::ForeignNextLink => {
            let links = ["@odata.nextLink", "@odata.deltaLink"];
            if body.get("value").is_some() && links.iter().all(|name| body.get(name).is_none()) {
                body[links[0]] = json!(format!("{}{}", context.origin, request.url()));
            }
            for name in links {
                if let Some(Value::String(link)) = body.get_mut(name) {
                    *link = link.replacen(&context.origin, "https://graph.example.net", 1);
                }
            }
        }
        FaultAction::RepeatedNextLink => {
            if let Some(page) = body.as_object_mut().filter(|page| page.contains_key("value")) {
                page.remove("@odata.deltaLink");
                page.insert("@odata.nextLink".into(), json!(format!("{}{}", context.origin, request.url())));
            }
        }
        _ => {}
    }
}
