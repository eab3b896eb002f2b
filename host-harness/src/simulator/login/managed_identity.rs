//! The managed identity endpoint of App Service: `GET /msi/token`, as the variables of the host process lead to it.
//!
//! `expires_on` is a text, and a refusal has the platform's own shape, not the token service's.

use serde_json::json;

use super::{access_token, issue};
use crate::simulator::graph::Context;
use crate::simulator::graph::answer::{Answer, Body};
use crate::simulator::graph::request::{Options, Request};

pub(in crate::simulator) fn token(context: &Context<'_>, request: &Request) -> Answer {
    let refused = |status: u16, message: &str| {
        let body = json!({"statusCode": status, "message": message, "correlationId": context.request_id});
        Answer::new(status, Body::Json(body))
    };
    let Some(identity) = &context.service.world.sign_in.managed_identity else {
        return refused(400, "No managed identity is assigned to this resource.");
    };
    if request.header("x-identity-header") != Some(&identity.header) {
        return refused(401, "The header X-IDENTITY-HEADER is not the one of this instance.");
    }
    let options = Options::parse(&request.query);
    if request.method != "GET" || options.get("api-version").as_deref() != Some("2019-08-01") {
        return refused(400, "The api-version is not supported.");
    }
    if options.get("resource").as_deref() != Some("https://graph.microsoft.com") {
        return refused(400, "The resource is not known.");
    }
    if options
        .get("client_id")
        .is_some_and(|id| !identity.client_ids.iter().any(|known| id.eq_ignore_ascii_case(known)))
    {
        return refused(400, "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.");
    }
    let service = context.service;
    let (token, seconds) = issue(context, None);
    let access_token = match &identity.directories {
        _ if identity.opaque_tokens => access_token::opaque(service, &token),
        none if none.is_empty() => access_token::write(service, &token, &service.tenant_id),
        several => access_token::write(service, &token, &several[service.platform_token().min(several.len() - 1)]),
    };
    let expires_on = (service.clock.seconds() + seconds).to_string();
    Answer::new(
        200,
        Body::Json(json!({
            "access_token": access_token, "expires_on": expires_on, "resource": "https://graph.microsoft.com",
            "token_type": "Bearer", "client_id": service.client_id,
        })),
    )
}
