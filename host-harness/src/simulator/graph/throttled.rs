//! Throttling as Graph answers it: what a request is charged, and the 429 once nothing is left.

use std::collections::BTreeSet;

use serde_json::json;

use super::Context;
use super::answer::{Answer, Body};
use super::request::Options;
use crate::simulator::clock::format_zoneless;
use crate::simulator::kinds::property::Property;
use crate::simulator::throttle::RetryAfter;
use crate::simulator::workload::Workload;

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

/// Counts a read that selects what has a limit of its own, or answers that the limit is reached. A page after the first
/// is a read of its own.
pub(super) fn limited(context: &Context<'_>, options: &Options, chosen: &[&'static Property]) -> Option<Answer> {
    options.get("$select").and_then(|_| of_properties(context, chosen.iter().copied()))
}

/// The same for properties that were selected earlier.
pub(super) fn of_properties(context: &Context<'_>, chosen: impl Iterator<Item = &'static Property>) -> Option<Answer> {
    let workloads: BTreeSet<_> = chosen.filter_map(|property| property.limited).collect();
    workloads.into_iter().find_map(|workload| of(context, workload))
}

/// Counts a request to a service, or answers that its limit is reached.
pub(super) fn of(context: &Context<'_>, workload: Workload) -> Option<Answer> {
    let wait = context.service.take_from(workload).err()?;
    let seconds = RetryAfter::Integer.write(0, wait).unwrap_or_default();
    Some(throttled(context).header("retry-after", seconds))
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
