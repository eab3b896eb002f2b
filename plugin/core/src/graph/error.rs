//! From the last failure of a request to words, a decision and evidence.
//!
//! The layers above never read a status code: what they can do differently is a [`Reason`]. Status first, code second,
//! message last: Graph's documentation allows new codes and other words at any time (`concepts/errors.md`). A message is
//! looked at in one place only, for delta links, whose refusals come in shapes that nothing else tells apart.

use std::fmt;

use super::failure::{Failure, Refusal};
use super::link::Link;
use super::query::{has_option, option, short};
use super::retry::Tries;
use super::transport::{Broken, Fault};
use crate::error::{Error as Top, Kind};

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
    /// Anything else; the error says it all.
    Other,
}

/// A request that did not succeed, after all retries.
#[derive(Debug, Clone)]
pub struct Error {
    /// For the caller.
    pub reason: Reason,
    /// For host and operator.
    pub error: Top,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Error {}

impl From<Error> for Top {
    fn from(error: Error) -> Top {
        error.error
    }
}

impl From<Top> for Error {
    fn from(error: Top) -> Error {
        Error { reason: Reason::Other, error }
    }
}

impl Error {
    /// A link that must not be followed.
    pub(crate) fn refused_link(why: &str, origin: &str) -> Error {
        Top::new(
            Kind::Service,
            format!(
                "a link {why} and was not followed, since links must stay at {origin}; if a proxy rewrites Graph's answers, \
                 let it pass them unchanged"
            ),
        )
        .into()
    }

    /// The failure that ended the tries of a request.
    pub(crate) fn surface(link: &Link, failure: &Failure, tries: Tries) -> Error {
        let what = short(link.as_str());
        let mut error = match failure {
            Failure::Refused(refusal) => refused(link, &what, refusal, tries.made()),
            Failure::Broken(broken) => Error::from(no_answer(&what, broken)),
            Failure::Unreadable { why, evidence } => Error::from(
                Top::new(
                    Kind::Service,
                    format!(
                        "Graph's answer to {what} cannot be read: if a proxy changes answers, let it pass them: {why}"
                    ),
                )
                .with_http(evidence.clone()),
            ),
        };
        if tries.made() > 1 {
            let waited = tries.waited().as_secs_f64();
            error.error = error.error.with_cause(format!("tried {} times, waited {waited:.1} s in all", tries.made()));
        }
        error
    }
}

/// No answer at all, from Graph or from the token service.
pub(crate) fn no_answer(what: &str, broken: &Broken) -> Top {
    let text = &broken.text;
    match broken.fault {
        Fault::Cancelled => Top::new(Kind::Cancelled, "the operation was cancelled"),
        Fault::Certificate => Top::new(
            Kind::Network,
            format!(
                "the certificate that answers {what} is not trusted: if a proxy inspects TLS, set CaFile to a PEM file with \
                 its authority's certificate: {text}"
            ),
        ),
        Fault::Request => Top::new(Kind::Internal, format!("{what} cannot be sent: {text}")),
        Fault::TooLarge => {
            Top::new(Kind::Service, format!("the answer to {what} is too large for any answer of Graph: {text}"))
        }
        Fault::Connect => {
            Top::new(Kind::Network, format!("no connection for {what}: check DNS, firewall and Proxy: {text}"))
        }
        Fault::Timeout | Fault::Interrupted => Top::new(
            Kind::Network,
            format!("no whole answer to {what}: check firewall and Proxy, then run again: {text}"),
        ),
    }
}

fn refused(link: &Link, what: &str, refusal: &Refusal, tries: u32) -> Error {
    let reason = reason(link, refusal);
    let cause = refusal.cause();
    let (kind, words) = match (reason, refusal.status) {
        (Reason::DeltaLinkRefused, _) => (
            Kind::WatermarkExpired,
            format!("Graph no longer accepts the delta link {what}: run in Full mode, without a watermark: {cause}"),
        ),
        (Reason::PageTokenExpired, _) => {
            (Kind::Service, format!("Graph no longer accepts the page link {what}: run again: {cause}"))
        }
        (Reason::Unlicensed, _) => (
            Kind::Forbidden,
            format!("{what} needs a Microsoft Entra ID licence that this tenant does not have: {cause}"),
        ),
        (Reason::Gone, _) => (Kind::Service, format!("{what} does not exist: {cause}")),
        (Reason::BadRequest, _) if operators_words(link) => {
            (Kind::InvalidConfig, format!("Graph refuses the filter in {what}: correct it: {cause}"))
        }
        (_, 401) if refusal.claims_challenge => (
            Kind::Auth,
            format!(
                "access was revoked while running (continuous access evaluation) and a fresh token did not help: check the \
                 application's state, its risk and the Conditional Access policies for workload identities: {cause}"
            ),
        ),
        (_, 401) => (
            Kind::Auth,
            format!(
                "Graph does not accept even a fresh token for {what}: check that Cloud, GraphEndpoint and GraphScope belong \
                 together and that the application is still enabled: {cause}"
            ),
        ),
        (_, 403) => (
            Kind::Forbidden,
            format!("the application lacks a permission for {what}: grant it and give admin consent: {cause}"),
        ),
        (_, 429) => (
            Kind::Throttled,
            format!(
                "Graph throttles {what} still after {tries} tries: run again later, or lower MaxConcurrency: {cause}"
            ),
        ),
        // The directory's old throttling answer comes as 503 (Request_ThrottledTemporarily).
        (_, 503) if refusal.service.mentions("throttled") => (
            Kind::Throttled,
            format!(
                "Graph throttles {what} still after {tries} tries: run again later, or lower MaxConcurrency: {cause}"
            ),
        ),
        (_, 501) => (
            Kind::Service,
            format!(
                "Graph does not offer what {what} asks for: take the attribute it cannot deliver out of the configuration: {cause}"
            ),
        ),
        (_, 300..=399) => (
            Kind::Service,
            format!(
                "{what} was answered with a redirect, which is never followed: check GraphEndpoint and Proxy: {cause}"
            ),
        ),
        (_, 500.. | 408) => (
            Kind::Service,
            format!(
                "Graph did not answer {what} after {tries} tries: run again later, and give Microsoft's support the request-id if it stays so: {cause}"
            ),
        ),
        _ => (Kind::Service, format!("Graph refuses {what}: {cause}")),
    };
    let mut error = Top::new(kind, words).with_http(refusal.evidence.clone());
    error.retry_after_ms = refusal.named_wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    Error { reason, error }
}

fn reason(link: &Link, refusal: &Refusal) -> Reason {
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
        _ => Reason::Other,
    }
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

/// Whether the operator wrote part of this link. A followed one has passed Graph once: what is wrong with it is not the
/// filter.
fn operators_words(link: &Link) -> bool {
    !link.followed() && (has_option(link.as_str(), "filter") || has_option(link.as_str(), "search"))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::graph::failure::Signals;
    use crate::graph::link::Origin;

    const DELTA: &str = "/users/delta?$deltaToken=abcdefghijkl";

    fn surfaced(path: &str, status: u16, code: &str, message: &str) -> Error {
        let origin = Origin::parse("https://graph.microsoft.com", "GraphEndpoint").unwrap();
        let body =
            format!(r#"{{"error":{{"code":"{code}","message":"{message}","innerError":{{"request-id":"r"}}}}}}"#);
        let signals = Signals { retry_after: Some("7"), ..Signals::default() };
        let refusal = Refusal::new(status, &signals, body.as_bytes(), "c", SystemTime::UNIX_EPOCH);
        Error::surface(&origin.link(path), &refusal.into(), Tries::default())
    }

    fn reason_of(path: &str, status: u16, code: &str, message: &str) -> Reason {
        surfaced(path, status, code, message).reason
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
            let error = surfaced(DELTA, status, code, message);
            assert_eq!(error.reason, Reason::DeltaLinkRefused, "{status} {code} {message}");
            assert_eq!(error.error.kind, Kind::WatermarkExpired);
            assert!(error.error.message.contains("Full mode"));
            assert!(!error.error.message.contains("ghijkl"));
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
    fn a_filter_that_graph_refuses_is_the_operators_and_shown_verbatim() {
        let words = "Unsupported property filter clause operator 'Contains'.";
        let error = surfaced("/groups?$filter=contains(displayName,'x')", 400, "Request_UnsupportedQuery", words);
        assert_eq!((error.reason, error.error.kind), (Reason::BadRequest, Kind::InvalidConfig));
        assert!(error.error.message.contains(words));
        assert!(!error.error.message.contains("displayName,"));
        let error = surfaced("/users/delta?$select=x", 400, "BadRequest", words);
        assert_eq!((error.reason, error.error.kind), (Reason::BadRequest, Kind::Service));
    }

    #[test]
    fn each_status_has_its_decision() {
        for (status, code, kind, reason) in [
            (401, "InvalidAuthenticationToken", Kind::Auth, Reason::Other),
            (403, "Authorization_RequestDenied", Kind::Forbidden, Reason::Other),
            (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", Kind::Forbidden, Reason::Unlicensed),
            (400, "AadPremiumLicenseRequired", Kind::Forbidden, Reason::Unlicensed),
            (404, "Request_ResourceNotFound", Kind::Service, Reason::Gone),
            (429, "TooManyRequests", Kind::Throttled, Reason::Other),
            (503, "serviceNotAvailable", Kind::Service, Reason::Other),
            (503, "Request_ThrottledTemporarily", Kind::Throttled, Reason::Other),
            (500, "", Kind::Service, Reason::Other),
            (501, "NotImplemented", Kind::Service, Reason::Other),
            (302, "", Kind::Service, Reason::Other),
            (418, "", Kind::Service, Reason::Other),
        ] {
            let error = surfaced("/things", status, code, "words");
            assert_eq!((error.error.kind, error.reason), (kind, reason), "{status} {code}");
        }
    }

    #[test]
    fn the_evidence_is_complete() {
        let error = surfaced("/things", 429, "TooManyRequests", "Please retry again later.").error;
        let http = error.http.unwrap();
        assert_eq!((http.status, http.code.as_deref()), (429, Some("TooManyRequests")));
        assert_eq!((http.request_id.as_deref(), http.client_request_id.as_deref()), (Some("r"), Some("c")));
        assert_eq!(error.retry_after_ms, 7000);
    }

    #[test]
    fn a_certificate_error_speaks_of_the_key_that_helps() {
        let broken = Broken { fault: Fault::Certificate, text: "unknown issuer".to_owned() };
        let error = no_answer("/things", &broken);
        assert_eq!(error.kind, Kind::Network);
        assert!(error.message.contains("CaFile") && error.message.ends_with("unknown issuer"));
    }
}
