//! From the last failure of a request to words, a decision and evidence.
//!
//! A text names what was asked (path and option names, never a whole link), says what the operator can do, and ends
//! with Graph's own words. Status first, code second: Graph's documentation allows new codes and other words at any
//! time (`concepts/errors.md`).

use std::fmt;

use super::failure::{Failure, Refusal};
use super::link::Link;
use super::query::{has_option, short};
use super::reason::{Reason, reason};
use super::retry::Tries;
use super::transport::{Broken, Fault};
use crate::error::{Error as Top, Kind};

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
            Failure::Refused(refusal) => refused(link, &what, refusal, tries),
            Failure::Broken(broken) => Error::from(no_answer(link.origin(), &what, broken)),
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

/// No answer at all, from Graph or from the token service. `origin` is what a firewall has to let through.
pub(crate) fn no_answer(origin: &str, what: &str, broken: &Broken) -> Top {
    let text = &broken.text;
    let (kind, words) = match broken.fault {
        Fault::Cancelled => return Top::new(Kind::Cancelled, "the operation was cancelled"),
        Fault::Certificate => (
            Kind::Network,
            format!(
                "the certificate of {origin} is not trusted: check this machine's clock, and if a proxy inspects TLS, set \
                 CaFile to a PEM file with its authority's certificate: {text}"
            ),
        ),
        Fault::Request => (Kind::Internal, format!("{what} cannot be sent to {origin}: {text}")),
        // Asked for again before anybody sees it.
        Fault::NoRoom => (Kind::Internal, format!("the answer of {origin} to {what} was not read: {text}")),
        Fault::TooLarge => (Kind::Service, format!("the answer of {origin} to {what} is too large to be one: {text}")),
        Fault::Connect => {
            (Kind::Network, format!("no connection to {origin} for {what}: check DNS, firewall and Proxy: {text}"))
        }
        Fault::Timeout | Fault::Interrupted => (
            Kind::Network,
            format!("no whole answer from {origin} for {what}: check firewall and Proxy, then run again: {text}"),
        ),
    };
    Top::new(kind, words)
}

fn refused(link: &Link, what: &str, refusal: &Refusal, tries: Tries) -> Error {
    let tries = if tries.made() == 1 { "one try".to_owned() } else { format!("{} tries", tries.made()) };
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
        (_, 401) if refusal.challenge.is_some() => (
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
        // The directory's old throttling answer comes as 503 (Request_ThrottledTemporarily).
        (_, 429 | 503) if refusal.status == 429 || refusal.service.mentions("throttled") => {
            let asks = refusal
                .named_wait
                .map_or_else(String::new, |wait| format!(", asks to wait {:.0} s", wait.as_secs_f64()));
            (
                Kind::Throttled,
                format!(
                    "Graph throttles {what} still after {tries}{asks}: run again later, or lower MaxConcurrency: {cause}"
                ),
            )
        }
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
                "Graph did not answer {what} after {tries}: run again later, and give Microsoft's support the request-id if it stays so: {cause}"
            ),
        ),
        _ => (Kind::Service, format!("Graph refuses {what}: {cause}")),
    };
    let mut error = Top::new(kind, words).with_http(refusal.evidence.clone());
    error.retry_after_ms = refusal.named_wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
    Error { reason, error }
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

    fn origin() -> Origin {
        Origin::parse("https://graph.microsoft.com", "GraphEndpoint").unwrap()
    }

    fn surfaced(path: &str, status: u16, code: &str, message: &str) -> Error {
        let body =
            format!(r#"{{"error":{{"code":"{code}","message":"{message}","innerError":{{"request-id":"r"}}}}}}"#);
        let signals = Signals { retry_after: Some("7"), ..Signals::default() };
        let refusal = Refusal::new(status, &signals, body.as_bytes(), "c", SystemTime::UNIX_EPOCH);
        Error::surface(&origin().link(path), &refusal.into(), Tries::default())
    }

    #[test]
    fn a_filter_that_graph_refuses_is_the_operators_and_shown_verbatim() {
        let words = "Unsupported property filter clause operator 'Contains'.";
        let error = surfaced("/groups?$filter=contains(displayName,'x')", 400, "Request_UnsupportedQuery", words);
        assert_eq!((error.reason, error.error.kind), (Reason::BadRequest, Kind::InvalidConfig));
        assert!(error.error.message.contains(words));
        assert!(!error.error.message.contains("displayName,"));
        let next = origin().follow("https://graph.microsoft.com/v1.0/groups?$filter=x&$skiptoken=y").unwrap();
        let refusal = Refusal::new(400, &Signals::default(), b"", "", SystemTime::UNIX_EPOCH);
        let error = Error::surface(&next, &refusal.into(), Tries::default());
        assert_eq!((error.reason, error.error.kind), (Reason::BadRequest, Kind::Service));
        let error = surfaced("/users/delta?$select=x", 400, "BadRequest", words);
        assert_eq!((error.reason, error.error.kind), (Reason::BadRequest, Kind::Service));
    }

    #[test]
    fn a_refused_delta_link_tells_the_operator_what_to_do_and_hides_the_token() {
        let error = surfaced("/users/delta?$deltatoken=abcdefghijkl", 410, "resyncRequired", "gone").error;
        assert_eq!(error.kind, Kind::WatermarkExpired);
        assert!(error.message.contains("Full mode") && error.message.ends_with("410 resyncRequired: gone"));
        assert!(!error.message.contains("ghijkl"));
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
            (501, "NotImplemented", Kind::Service, Reason::NotOffered),
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
        let error = no_answer("https://graph.microsoft.com", "/things", &broken);
        assert_eq!(error.kind, Kind::Network);
        assert!(error.message.contains("CaFile") && error.message.ends_with("unknown issuer"));
    }
}
