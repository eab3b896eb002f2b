//! ConfigJson. Input: the text; `CANARY` in an address stands for a password.
//!
//! Promises: the same answer twice; every mistake points into the text; messages are bounded whatever the text is; the
//! password of an address is not shown; what is accepted keeps its limits, and its origins are what the `url` crate
//! takes them for.

use url::Url;

use super::canary;
use super::json::Json;
use crate::config::{Config, Setup, Tenant, parse};
use crate::error::{Document, Error, Kind};

const AUTH: &str = r#"{"Mode":"ClientSecret","ClientId":"11111111-2222-4333-8444-555555555555","ClientSecret":"x"}"#;

pub(super) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = read_twice(text, AUTH);
    match &read {
        Ok(setup) => accepted(&setup.config),
        Err(error) => mistakes_point_into(text, Document::Config, error),
    }
    if let Some(planted) = canary::planted(text)
        && let Err(error) = parse(&planted, AUTH)
        && only_in_addresses(&planted)
    {
        assert!(!canary::shows_in(&error), "a password is shown: {error:?}");
    }
}

/// The outcome of reading both texts, which is the same each time, and the same with white space around the first.
pub(super) fn read_twice(config: &str, auth: &str) -> Result<Setup, Error> {
    let (first, second) = (parse(config, auth), parse(config, auth));
    assert_eq!(format!("{first:?}"), format!("{second:?}"), "read twice, read differently");
    if first.is_ok() {
        let padded = parse(&format!("\n\t {config} \r\n"), auth);
        let marked = config.starts_with('\u{feff}') || auth.starts_with('\u{feff}');
        assert!(marked || format!("{first:?}") == format!("{padded:?}"), "white space changes the meaning");
    }
    first
}

/// Every problem lies in `document` and at a place that is there, or whose parent is.
pub(super) fn mistakes_point_into(text: &str, document: Document, error: &Error) {
    assert_eq!(error.kind, Kind::InvalidConfig);
    assert!(!error.problems.is_empty() && error.problems.len() <= 100 && !error.message.is_empty());
    let json = Json::read(text.trim_start_matches('\u{feff}').as_bytes());
    for problem in &error.problems {
        assert_eq!(problem.document, document, "{problem:?}");
        assert!(!problem.expected.is_empty() && problem.expected.chars().count() < 1000, "{problem:?}");
        assert!(problem.found.chars().count() < 300, "{problem:?}");
        let mut steps = problem.path.split('/');
        assert_eq!(steps.next(), Some(""), "no pointer: {problem:?}");
        let steps: Vec<String> = steps.map(unescaped).collect();
        let Ok(json) = &json else {
            assert!(steps.is_empty(), "a place in a text that is no JSON: {problem:?}");
            continue;
        };
        let parent = &steps[..steps.len().saturating_sub(1)];
        assert!(reaches(json, parent), "leads nowhere: {problem:?}");
    }
}

/// RFC 6901: `~` is followed by 0 or 1 and by nothing else.
fn unescaped(step: &str) -> String {
    assert!(step.split('~').skip(1).all(|rest| rest.starts_with(['0', '1'])), "no pointer: {step}");
    step.replace("~1", "/").replace("~0", "~")
}

/// Whether the steps lead somewhere, through the first of repeated members.
fn reaches(json: &Json, steps: &[String]) -> bool {
    let Some((step, rest)) = steps.split_first() else { return true };
    let next = match json {
        Json::Object(_) => json.all(step).next(),
        Json::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
        _ => None,
    };
    next.is_some_and(|next| reaches(next, rest))
}

fn accepted(config: &Config) {
    assert!((1..=999).contains(&config.page_size));
    assert!(config.max_retries <= 20 && (1..=64).contains(&config.max_concurrency));
    assert!((0.01..=60.0).contains(&config.retry_base.as_secs_f64()));
    assert!(config.full_reconcile_days <= 90);
    assert!(config.max_deletes.is_none_or(|most| (1..=100_000).contains(&most)));
    assert!(config.object_types.iter().any(|chosen| chosen.on));
    for origin in [&config.graph_origin, &config.authority] {
        let url = an_origin(origin);
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        assert!(url.scheme() == "https" || loopback, "{origin} is not encrypted");
        assert!(crate::graph::fuzzing::follow(origin, &format!("{origin}/v1.0/users")).is_ok(), "{origin}");
    }
    if let Some(proxy) = &config.proxy {
        an_origin(proxy);
    }
    let tenant = config.tenant.as_str();
    assert!(tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')), "{tenant}");
    assert!(matches!(config.tenant, Tenant::Domain(_)) || tenant.len() == 36);
    assert!(config.ca_file.as_ref().is_none_or(|file| file.is_absolute()));
    for extra in config.object_types.iter().flat_map(|chosen| &chosen.added) {
        assert!(extra.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{}", extra.name);
    }
}

/// What the connector takes for an origin is one to the URL standard, in the same spelling.
fn an_origin(text: &str) -> Url {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(url.origin().ascii_serialization(), text, "two readings of one origin");
    assert!(url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none());
    url
}

/// Whether the canary stands nowhere but in the user-info of addresses: between the first colon and the last `@`.
fn only_in_addresses(text: &str) -> bool {
    let in_user_info = |text: &str| {
        let (before, host) = text.rsplit_once('@').unwrap_or(("", text));
        let (start, _) = before.split_once(':').unwrap_or((before, ""));
        !canary::shows(start) && !canary::shows(host)
    };
    let Ok(Json::Object(members)) = Json::read(text.trim_start_matches('\u{feff}').as_bytes()) else { return false };
    members.iter().all(|(name, value)| match value {
        Json::Text(text) if ["Proxy", "GraphEndpoint", "AuthorityHost"].contains(&name.as_str()) => in_user_info(text),
        // A name or a value that is none of these is shown, and may be.
        _ => !canary::shows(name) && !canary::in_a_name(value) && !canary::in_a_text(value, &|_| true),
    })
}
