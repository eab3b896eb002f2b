//! Addresses: scheme, host and perhaps a port. The connector adds the paths.
//!
//! Stricter than the URL standard on purpose. What is accepted here later decides whom the bearer token is sent to, so
//! there must be one reading only: no user-info, no path, no number tricks in hosts (`0x7f.1`), ASCII names. Kept in
//! one spelling (lower case, no default port, no slash) so that links can be compared with it.

use std::net::Ipv4Addr;

use schemars::{Schema, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
// The last label starts with a letter: otherwise URL parsers take the host for a number.
const LAST: &str = "[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const BYTE: &str = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const PORT: &str = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// `GraphEndpoint`, `AuthorityHost`: https, or http on this machine.
#[derive(Debug, Serialize)]
pub(super) struct Origin(pub(super) String);

/// `Proxy`: http or https, on any machine.
#[derive(Debug, Serialize)]
pub(super) struct Proxy(pub(super) String);

impl Shape for Origin {
    fn expected() -> String {
        "an origin such as https://graph.microsoft.com: scheme, host and perhaps a port, http for 127.0.0.1, [::1] and \
         localhost only"
            .to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let split = found.as_str().and_then(split);
        let origin = split.filter(|(scheme, host, _)| *scheme == "https" || LOOPBACK.contains(host));
        refuse_unless(origin.is_some(), found, place, Self::expected());
        origin.map(|parts| Origin(joined(parts)))
    }

    fn schema() -> Schema {
        let loopback = LOOPBACK.map(escaped).join("|");
        schema(&format!("(https://{}|http://({loopback}))", host_pattern()))
    }
}

impl Shape for Proxy {
    fn expected() -> String {
        "an address such as http://proxy.contoso.com:8080: scheme http or https, host and perhaps a port".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let proxy = found.as_str().and_then(split);
        refuse_unless(proxy.is_some(), found, place, Self::expected());
        proxy.map(|parts| Proxy(joined(parts)))
    }

    fn schema() -> Schema {
        schema(&format!("https?://{}", host_pattern()))
    }
}

/// A domain name of at least two labels, as a pattern without anchors: the part of a host that `TenantId` shares.
pub(super) fn domain_pattern() -> String {
    format!(r"({LABEL}\.)+{LAST}")
}

/// Whether `text` is a domain name of at least `labels` labels.
pub(super) fn is_name(text: &str, labels: usize) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.split('.').count() >= labels
        && text.split('.').all(is_label)
        && text.rsplit('.').next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()))
}

fn host_pattern() -> String {
    format!(r"(({LABEL}\.)*{LAST}|({BYTE}\.){{3}}{BYTE}|\[::1\])")
}

fn schema(origin: &str) -> Schema {
    json_schema!({
        "type": "string",
        "pattern": format!("^{origin}(:{PORT})?/?$"),
        // An internationalised name has two spellings; only the one that needs no decoding has one reading.
        "not": { "pattern": "[xX][nN]--" }
    })
}

fn escaped(text: &str) -> String {
    text.replace('.', r"\.").replace('[', r"\[").replace(']', r"\]")
}

/// Scheme, host and port of an origin; `None` when it is none.
fn split(text: &str) -> Option<(&str, &str, Option<u16>)> {
    let (scheme, rest) = text.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = match rest.rsplit_once(':') {
        // `[::1]` ends with a bracket, and nothing behind its last colon is a port.
        Some((host, port)) if !port.ends_with(']') => (host, Some(self::port(port)?)),
        _ => (rest, None),
    };
    let named = is_name(host, 1) && !host.to_ascii_lowercase().contains("xn--");
    (named || host.parse::<Ipv4Addr>().is_ok() || host == "[::1]").then_some((scheme, host, port))
}

fn port(text: &str) -> Option<u16> {
    let plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn joined((scheme, host, port): (&str, &str, Option<u16>)) -> String {
    let host = host.to_ascii_lowercase();
    let default = if scheme == "https" { 443 } else { 80 };
    match port.filter(|port| *port != default) {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    }
}

/// Tells the part that is wrong where it can be named.
fn refuse_unless(fits: bool, found: &Value, place: &mut Place<'_>, expected: String) {
    if fits {
        return;
    }
    let text = found.as_str().unwrap_or_default();
    if let Some((_, host)) = text.rsplit_once('@') {
        // With a scheme before it or without: what stands there may be a password.
        let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme)).unwrap_or_default();
        let masked = Value::String(format!("{scheme}…@{host}"));
        place.refuse(&masked, expected + " (no user name and password: this text is shown in messages)");
        return;
    }
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let has_path = rest.trim_end_matches('/').contains(['/', '?', '#']);
    place.refuse(found, expected + if has_path { " (no path: the connector adds it)" } else { "" });
}
