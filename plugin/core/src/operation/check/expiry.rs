//! Until when the credential is good: the day before which somebody has to make a new one.
//!
//! A certificate says it itself. Of a client secret only the app registration knows, and that can be read with
//! `Application.Read.All` alone, which no import needs: without it the answer is `Unknown`, never a failure. Graph
//! never shows a secret, only its first three characters (`hint`), so the one in use is told by these; they stay in
//! here.

use std::time::SystemTime;

use serde::Deserialize;
use zeroize::Zeroizing;

use super::day::{DAY, at, day, days};
use super::remedy;
use super::row::{Outcome, Row, Step};
use crate::config::Auth;
use crate::error::{Error, Kind};
use crate::filter::instant;
use crate::graph::{Get, Unreadable};
use crate::model::{Page, RowSeed};
use crate::operation::Context;

/// From here on the row says what to do.
const SOON: u64 = 30 * DAY;

/// What a check has to know of AuthJson.
pub(in crate::operation) struct Credential {
    /// The application; `None` where the platform knows it.
    pub(super) client_id: Option<String>,
    /// The first characters of the secret, as Graph shows them.
    hint: Option<Zeroizing<String>>,
}

impl Credential {
    pub(in crate::operation) fn of(auth: &Auth) -> Credential {
        match auth {
            Auth::ClientSecret { client_id, client_secret } => Credential {
                client_id: Some(client_id.clone()),
                hint: Some(Zeroizing::new(client_secret.expose().chars().take(3).collect())),
            },
            Auth::ClientCertificate { client_id, .. } | Auth::WorkloadIdentity { client_id, .. } => {
                Credential { client_id: Some(client_id.clone()), hint: None }
            }
            Auth::ManagedIdentity { client_id } => Credential { client_id: client_id.clone(), hint: None },
        }
    }
}

/// Row of the credential. The error is a cancel.
pub(super) fn row(context: &Context) -> Result<Row, Error> {
    let credential = &context.credential;
    if let Some(ends) = context.graph.credential_expiry() {
        return Ok(of_certificate(ends, context));
    }
    let (Some(client_id), Some(hint)) = (&credential.client_id, &credential.hint) else {
        return Ok(Row::new(None, Step::Token, Outcome::Skipped, "the platform keeps this credential and renews it"));
    };
    let query = format!("/applications?$filter=appId%20eq%20'{client_id}'&$select=passwordCredentials");
    let request = Get { link: context.graph.link(&query), advanced: false };
    let read = context.graph.get(&request, |answer| {
        let properties = [String::from("passwordCredentials")];
        let page =
            Page::read(answer.body, RowSeed { properties: &properties }).map_err(|e| Unreadable(e.to_string()))?;
        let first = page.rows.first().map(|row| match row.values[0] {
            Some(passwords) => serde_json::from_str(passwords.get()).map_err(|e| Unreadable(e.to_string())),
            None => Ok(Vec::new()),
        });
        Ok((first.transpose()?, answer.request_id.map(str::to_owned)))
    });
    let unknown = |why: String| Row::new(None, Step::Token, Outcome::Unknown, why).about("Application.Read.All".into());
    Ok(match read {
        Ok((passwords, request_id)) => {
            let now = context.graph.now();
            let row = match passwords {
                None => unknown(
                    "when the client secret ends cannot be known: the app registration lies in another directory".into(),
                ),
                Some(passwords) => match ends(&passwords, hint, now) {
                    Some((first, last)) => of_secret(first, last, now, context),
                    None => unknown(
                        "when the client secret ends cannot be known: none of the app registration's secrets looks like it"
                            .into(),
                    ),
                },
            };
            row.with_request_id(request_id)
        }
        Err(refused) if refused.error.kind == Kind::Cancelled => return Err(refused.error),
        Err(refused) if refused.error.kind == Kind::Forbidden => unknown(
            "when the client secret ends cannot be known without Application.Read.All, which no import needs".into(),
        )
        .with_remedy(format!(
            "nothing has to be done: note the day from App registrations, this application, Certificates & secrets; \
                     to see it here, {}",
            remedy::grant("Application.Read.All", context)
        )),
        Err(refused) => unknown(format!("when the client secret ends could not be read: {}", refused.error.message)),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Password {
    hint: Option<String>,
    end_date_time: Option<String>,
}

/// When the secret in use ends, at the earliest and at the latest: several may begin alike, and old ones have no hint.
/// What has ended already is not in use, since a token was just issued.
fn ends(passwords: &[Password], hint: &str, now: u64) -> Option<(u64, u64)> {
    let of = |same: fn(Option<&str>, &str) -> bool| {
        let passwords = passwords.iter().filter(|p| same(p.hint.as_deref(), hint));
        let ends = passwords.filter_map(|p| u64::try_from(instant(p.end_date_time.as_deref()?)?).ok());
        ends.filter(|end| *end > now).collect::<Vec<_>>()
    };
    let alike = of(|known, hint| known == Some(hint));
    let candidates = if alike.is_empty() { of(|known, _| known.is_none()) } else { alike };
    Some((*candidates.iter().min()?, *candidates.iter().max()?))
}

fn of_secret(first: u64, last: u64, now: u64, context: &Context) -> Row {
    let left = days((first - now) / DAY);
    let words = if first == last {
        format!("the client secret ends on {} (in {left})", day(at(first)))
    } else {
        format!(
            "the client secret ends between {} (in {left}) and {}: several secrets of the app registration begin alike",
            day(at(first)),
            day(at(last))
        )
    };
    let row = Row::new(None, Step::Token, Outcome::Passed, words);
    if first - now < SOON { row.with_remedy(remedy::new_secret(context)) } else { row }
}

fn of_certificate(ends: SystemTime, context: &Context) -> Row {
    let ends = ends.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let left = ends.saturating_sub(context.graph.now());
    let words = format!("the certificate ends on {} (in {})", day(at(ends)), days(left / DAY));
    let row = Row::new(None, Step::Token, Outcome::Passed, words);
    if left < SOON { row.with_remedy(remedy::new_certificate(context)) } else { row }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_796_256_000;

    fn ends_of(secrets: serde_json::Value) -> Option<(u64, u64)> {
        let passwords: Vec<Password> = serde_json::from_value(secrets).unwrap();
        ends(&passwords, "abc", NOW)
    }

    #[test]
    fn the_secret_in_use_is_the_one_that_begins_alike_and_has_not_ended() {
        let found = ends_of(serde_json::json!([
            {"hint": "abc", "endDateTime": "2026-11-01T00:00:00Z"},
            {"hint": "abc", "endDateTime": "2026-12-04T00:00:00.1234567Z"},
            {"hint": "xyz", "endDateTime": "2026-12-03T12:00:00Z"},
            {"hint": null, "endDateTime": "2026-12-03T13:00:00Z"},
        ]));
        assert_eq!(found, Some((NOW + DAY, NOW + DAY)));
    }

    #[test]
    fn several_that_begin_alike_are_a_span_and_old_ones_without_a_hint_count_last() {
        let alike = ends_of(serde_json::json!([
            {"hint": "abc", "endDateTime": "2026-12-05T00:00:00Z"}, {"hint": "abc", "endDateTime": "2026-12-04T00:00:00Z"},
        ]));
        assert_eq!(alike, Some((NOW + DAY, NOW + 2 * DAY)));
        let old = ends_of(serde_json::json!([{"endDateTime": "2026-12-04T00:00:00Z"}]));
        assert_eq!(old, Some((NOW + DAY, NOW + DAY)));
        assert_eq!(ends_of(serde_json::json!([{"hint": "xyz", "endDateTime": "2026-12-04T00:00:00Z"}])), None);
        assert_eq!(ends_of(serde_json::json!([{"hint": "abc", "endDateTime": "soon"}])), None);
    }
}
