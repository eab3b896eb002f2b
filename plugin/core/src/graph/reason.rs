//! What the layers above can do differently about a refusal: they never read a status code, they read a [`Reason`].
//!
//! A delta link that is no longer accepted has been answered in many shapes, most of them undocumented; a client that
//! knows 410 alone fails for good after a holiday. Status first, code second; the message is looked at here and nowhere
//! else, since nothing else tells some of the shapes apart.

use super::failure::Refusal;
use super::link::Link;
use super::query::{has_option, option};

/// What the caller can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// What was asked for does not exist, or no longer.
    Gone,
    /// The delta link is no longer accepted: only an enumeration from the start helps.
    DeltaLinkRefused,
    /// A page link is no longer accepted: the round has to start again from its first link.
    PageTokenExpired,
    /// Graph does not understand what was asked.
    BadRequest,
    /// The tenant lacks the licence for it.
    Unlicensed,
    /// Graph does not do what was asked, and will not in a moment.
    NotOffered,
    /// Anything else; the error says it all.
    Other,
}

/// The reason behind an answer to this link.
pub(super) fn reason(link: &Link, refusal: &Refusal) -> Reason {
    let service = &refusal.service;
    let resync = service.has_code("syncStateNotFound") || service.has_code_starting("resync");
    let has = |name| has_option(link.as_str(), name);
    // `latest` asks for a link, it is none.
    let delta_link = option(link.as_str(), "deltatoken").is_some_and(|token| !token.eq_ignore_ascii_case("latest"));
    let delta_path =
        link.relative().split('?').next().is_some_and(|path| path.ends_with("delta") || path.ends_with("delta()"));
    match refusal.status {
        // Every shape in which a delta link has been seen refused; never on 401, 403, 404, 429 or 5xx.
        400 | 409 | 410 | 412 if delta_link && (refusal.status == 410 || resync || about_token(refusal)) => {
            Reason::DeltaLinkRefused
        }
        400 if service.has_code_starting("Directory_ExpiredPageToken")
            || service.has_code_starting("DirectoryPageTokenNotFound") =>
        {
            Reason::PageTokenExpired
        }
        // Inside a round: back to the link the round began with, which is refused in turn if it is the cause.
        400 if has("skiptoken") && (resync || delta_path && about_token(refusal)) => Reason::PageTokenExpired,
        410 if has("skiptoken") => Reason::PageTokenExpired,
        404 if has("skiptoken") && delta_path => Reason::PageTokenExpired,
        400 | 403
            if service.has_code("AadPremiumLicenseRequired")
                || service.has_code_starting("Authentication_RequestFromNonPremiumTenant") =>
        {
            Reason::Unlicensed
        }
        400 => Reason::BadRequest,
        404 => Reason::Gone,
        501 => Reason::NotOffered,
        _ => Reason::Other,
    }
}

/// Status and code of an answer by which Graph says that it does not understand a request, or does not offer what it
/// asks for. For an error whose [`Reason`] was left behind on its way up.
pub fn refusal_of(error: &crate::error::Error) -> Option<String> {
    let http = error.http.as_ref().filter(|http| matches!(http.status, 400 | 501))?;
    Some(format!("{} {}", http.status, http.code.as_deref().unwrap_or("without a code")))
}

/// A 400 that speaks of the token, or the code that production answers with. A token changed by one byte gets the same
/// answer as one that is too old.
fn about_token(refusal: &Refusal) -> bool {
    let service = &refusal.service;
    service.has_code("Request_UnsupportedQuery")
        || ["deltalink", "delta link", "deltatoken", "delta token", "skiptoken", "page token", "badtoken", "sync state"]
            .iter()
            .any(|words| service.mentions(words))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::graph::failure::Signals;
    use crate::graph::link::Origin;

    const DELTA: &str = "/users/delta?$deltaToken=abcdefghijkl";

    fn reason_of(path: &str, status: u16, code: &str, message: &str) -> Reason {
        let origin = Origin::parse("https://graph.microsoft.com", "GraphEndpoint").unwrap();
        let body = format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
        let refusal = Refusal::new(status, &Signals::default(), body.as_bytes(), "", SystemTime::UNIX_EPOCH);
        reason(&origin.link(path), &refusal)
    }

    #[test]
    fn every_known_shape_of_a_refused_delta_link() {
        for (status, code, message) in [
            (410, "", ""),
            (410, "resyncRequired", ""),
            (410, "resyncChangesApplyDifferences", ""),
            (400, "syncStateNotFound", ""),
            (400, "SyncStateNotFound", ""),
            (410, "SyncStateNotFound", ""),
            (400, "Request_UnsupportedQuery", "DeltaLink older than 30 days is not supported."),
            (400, "BadRequest", "The provided delta token is invalid."),
        ] {
            assert_eq!(reason_of(DELTA, status, code, message), Reason::DeltaLinkRefused, "{status} {code} {message}");
        }
        assert_eq!(reason_of("/users/delta?%24deltatoken=abc", 410, "", ""), Reason::DeltaLinkRefused);
    }

    #[test]
    fn a_delta_link_is_not_refused_by_what_passes_or_concerns_something_else() {
        for status in [401, 403, 404, 429, 500, 503] {
            assert_ne!(
                reason_of(DELTA, status, "syncStateNotFound", "delta token"),
                Reason::DeltaLinkRefused,
                "{status}"
            );
        }
        assert_eq!(reason_of(DELTA, 400, "BadRequest", "Something else"), Reason::BadRequest);
        assert_eq!(reason_of("/users/delta?$select=id", 410, "", ""), Reason::Other);
        assert_eq!(
            reason_of("/users/delta?$deltatoken=latest", 400, "Request_UnsupportedQuery", ""),
            Reason::BadRequest
        );
    }

    #[test]
    fn a_page_link_that_died_restarts_the_round() {
        let page = "/users/delta?$skiptoken=abc";
        assert_eq!(
            reason_of("/groups?$skiptoken=abc", 400, "Directory_ExpiredPageToken", ""),
            Reason::PageTokenExpired
        );
        assert_eq!(reason_of(page, 400, "Request_UnsupportedQuery", "DeltaLink older"), Reason::PageTokenExpired);
        assert_eq!(reason_of(page, 410, "", ""), Reason::PageTokenExpired);
        assert_eq!(reason_of(page, 404, "", ""), Reason::PageTokenExpired);
        assert_eq!(reason_of("/groups/g/members?$skiptoken=abc", 404, "", ""), Reason::Gone);
    }

    #[test]
    fn a_missing_licence_is_told_from_a_missing_permission() {
        let path = "/things";
        assert_eq!(reason_of(path, 400, "AadPremiumLicenseRequired", ""), Reason::Unlicensed);
        let code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant";
        assert_eq!(reason_of(path, 403, code, ""), Reason::Unlicensed);
        assert_eq!(reason_of(path, 403, "Authorization_RequestDenied", ""), Reason::Other);
    }
}
