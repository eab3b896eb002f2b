//! Throttling as Graph answers it: what a request is charged, and the 429 once nothing is left.

use serde_json::json;

use super::Context;
use super::answer::{Answer, Body};
use crate::simulator::clock::format_zoneless;

/// Charge resource units, or answer that the application is throttled.
pub(super) fn charge(context: &Context<'_>, units: u32) -> Result<(), Answer> {
    context.service.take(units).map_err(|(wait, retry_after)| {
        let answer = throttled(context);
        match retry_after.write(context.service.clock.millis(), wait) {
            Some(text) => answer.header("retry-after", text),
            None => answer,
        }
    })
}

/// 429 as Graph writes it, without a wait.
pub(super) fn throttled(context: &Context<'_>) -> Answer {
    let service = context.service;
    let body = json!({"error": {
        "code": "TooManyRequests",
        "innerError": {
            "code": "429",
            "date": format_zoneless(service.clock.seconds()),
            "message": "Please retry after",
            "request-id": context.request_id,
            "client-request-id": context.client_request_id,
            "status": "429",
        },
        "message": "Please retry again later."
    }});
    let scope = format!("Tenant_Application/ReadWrite/{}/{}", service.client_id, service.tenant_id);
    Answer::new(429, Body::Json(body))
        .header("x-ms-throttle-scope", scope)
        .header("x-ms-throttle-information", "ResourceUnitLimitExceeded")
}
