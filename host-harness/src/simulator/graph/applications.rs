//! `GET /applications`: the caller's own app registration, and of it the secrets alone.
//!
//! Graph never shows a secret, only its first three characters (`hint`), and secrets that have ended stay in the list
//! until somebody deletes them: whoever takes the first one tells the operator a wrong day.

use serde_json::{Value, json};

use super::Context;
use super::answer::{Answer, GraphError};
use super::paging::{context_path, page};
use super::request::{Options, Request};
use crate::simulator::clock::format_moment;

/// Permissions any of which shows it.
pub(super) const READ: &[&str] = &["Application.Read.All", "Directory.Read.All"];

/// Its path below the version root.
pub(super) const COLLECTION: &str = "applications";

const DAY: u64 = 24 * 3600;

/// The one property that can be asked for.
const SECRETS: &str = "passwordCredentials";

pub(super) fn applications(context: &Context<'_>, request: &Request) -> Result<Answer, GraphError> {
    let options = Options::parse(&request.query);
    if options.get("$select").as_deref() != Some(SECRETS) {
        return Err(GraphError::unsupported(format!("This tenant answers for $select={SECRETS} alone.")));
    }
    let filter = options.get("$filter").unwrap_or_default();
    let Some(asked) = filter.strip_prefix("appId eq '").and_then(|rest| rest.strip_suffix('\'')) else {
        return Err(GraphError::new(400, "Request_BadRequest", "Invalid filter clause specified."));
    };
    let own =
        asked.eq_ignore_ascii_case(&context.service.client_id) && !context.service.world.sign_in.registered_elsewhere;
    let rows = if own { vec![json!({ SECRETS: secrets(context) })] } else { Vec::new() };
    Ok(page(context, request, &options, &context_path(COLLECTION, &options), rows, None, None))
}

/// One that ended, one of somebody else, and the one in use.
fn secrets(context: &Context<'_>) -> Vec<Value> {
    let world = &context.service.world;
    let start = context.service.clock.start();
    let hint = |text: &str| text.chars().take(3).collect::<String>();
    let secret = |number: u32, hint: String, end: u64| {
        json!({
            "customKeyIdentifier": null,
            "displayName": format!("secret {number}"),
            "endDateTime": format_moment(end),
            "hint": hint,
            "keyId": format!("00000000-0000-4000-8000-{number:012}"),
            "secretText": null,
            "startDateTime": format_moment(start.saturating_sub(400 * DAY)),
        })
    };
    vec![
        secret(1, hint(&world.client_secret), start.saturating_sub(30 * DAY)),
        secret(2, "zzz".to_owned(), start + 2 * DAY),
        secret(3, hint(&world.client_secret), start + u64::from(world.sign_in.secret_days) * DAY),
    ]
}
