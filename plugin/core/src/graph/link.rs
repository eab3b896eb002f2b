//! Links: where requests go. Those we make, and those Graph gives us.
//!
//! A link out of an answer or a watermark is opaque and is kept byte for byte: parsing a token out and writing it back
//! turns `+` into a space, and Graph answers that with a misleading "older than 30 days". It is also not to be trusted:
//! the bearer token must reach the configured origin only, so [`Origin::follow`] checks it before there is a request:
//! twice, as the HTTP client will read it and as it is written. What two parsers read alike has one meaning;
//! `https://%67raph.microsoft.com` has as many as there are parsers. Upper case and a default port written out are what
//! RFC 3986 §6.2.2 calls the same, and pass.

use std::fmt;

use url::{Host, Url};

use super::error::Error;
use super::query::short;
use crate::error::Kind;

/// The version of Graph that all paths stand under.
const VERSION: &str = "/v1.0";

/// A checked place at the configured origin.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Link {
    text: String,
    /// Where `/users…` begins: what a batch item is addressed by.
    relative: usize,
    followed: bool,
}

impl Link {
    /// The whole link, byte for byte as Graph gave it. For watermarks and requests, never for logs.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `https://graph.microsoft.com`.
    pub(crate) fn origin(&self) -> &str {
        &self.text[..self.relative - VERSION.len()]
    }

    /// What follows `https://graph.microsoft.com/v1.0`.
    pub(crate) fn relative(&self) -> &str {
        &self.text[self.relative..]
    }

    /// Whether it came from Graph; what is wrong with such a link is not the operator's doing.
    pub(crate) fn followed(&self) -> bool {
        self.followed
    }
}

/// Cut short: a token inside says nothing to a reader, and may hold what the operator filtered by.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Link").field(&short(&self.text)).finish()
    }
}

/// The one place requests may go to: scheme, host and port.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    url: Url,
    text: String,
    /// `text` with its default port written out, where it has one.
    with_port: Option<String>,
}

impl Origin {
    /// From configuration: `https://graph.microsoft.com`, with or without a slash behind. `key` is the configuration's
    /// name for it.
    pub(crate) fn parse(text: &str, key: &str) -> Result<Origin, crate::error::Error> {
        let url = Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
                && no_user(url)
        });
        let Some(url) = url else {
            return Err(crate::error::Error::new(
                Kind::InvalidConfig,
                format!(
                    "{key} must be an origin such as https://graph.microsoft.com: scheme, host and port, nothing else"
                ),
            ));
        };
        let text = url.origin().ascii_serialization();
        let default = if url.scheme() == "https" { 443 } else { 80 };
        let with_port = url.port().is_none().then(|| format!("{text}:{default}"));
        Ok(Origin { url, text, with_port })
    }

    /// `https://graph.microsoft.com`.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether traffic to it is not encrypted; configuration allows this for loopback addresses only.
    pub(crate) fn plain(&self) -> bool {
        self.url.scheme() == "http"
    }

    /// Whether it is this machine.
    pub(crate) fn loopback(&self) -> bool {
        is_loopback(self.url.host())
    }

    /// A link of our own making: `path_and_query` begins with a slash and is already encoded.
    pub(crate) fn link(&self, path_and_query: &str) -> Link {
        let relative = self.text.len() + VERSION.len();
        Link { text: format!("{}{VERSION}{path_and_query}", self.text), relative, followed: false }
    }

    /// A link out of an answer or a watermark, checked and kept byte for byte.
    pub(crate) fn follow(&self, link: &str) -> Result<Link, Error> {
        let refused = |why: &str| Err(Error::refused_link(why, self.as_str()));
        // The `url` crate drops tabs, newlines and outer spaces without a word; what is sent would not be what was
        // checked.
        if link.contains(|c: char| c.is_control() || c == '\\') || link.trim() != link {
            return refused("holds a character that no link may hold");
        }
        let Ok(url) = Url::parse(link) else { return refused("cannot be read as one") };
        if url.origin() != self.url.origin() {
            // The foreign origin is named, and nothing else of the link: the rest may be made up to mislead.
            let foreign = url.origin().ascii_serialization();
            let foreign: String = foreign.chars().take(100).collect();
            return refused(&format!("leads to {foreign}"));
        }
        if !no_user(&url) || url.fragment().is_some() {
            return refused("holds a user name or a fragment");
        }
        let end =
            link.find("://").map_or(0, |at| link[at + 3..].find(['/', '?']).map_or(link.len(), |end| at + 3 + end));
        if !self.is_written(&link[..end]) {
            return refused("writes its origin in a way that not every program reads alike");
        }
        // Checked as parsed, since `/v1.0/../beta` does not lie under /v1.0, and as written, since batch items are cut
        // from it.
        if url.path().starts_with("/v1.0/") && link[end..].starts_with("/v1.0/") {
            Ok(Link { text: link.to_owned(), relative: end + VERSION.len(), followed: true })
        } else {
            refused("does not lie under /v1.0")
        }
    }

    fn is_written(&self, origin: &str) -> bool {
        let with_port = self.with_port.as_deref();
        self.text.eq_ignore_ascii_case(origin) || with_port.is_some_and(|text| text.eq_ignore_ascii_case(origin))
    }
}

/// Whether a host is this machine. Of names only `localhost` is (RFC 6761 §6.3); what DNS says may change.
pub(crate) fn is_loopback(host: Option<Host<&str>>) -> bool {
    match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn no_user(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph() -> Origin {
        Origin::parse("https://graph.microsoft.com", "GraphEndpoint").unwrap()
    }

    #[test]
    fn a_link_of_our_own_is_origin_version_and_what_was_asked() {
        let link = graph().link("/users/delta?$select=id");
        assert_eq!(link.as_str(), "https://graph.microsoft.com/v1.0/users/delta?$select=id");
        assert_eq!(link.relative(), "/users/delta?$select=id");
        assert_eq!(link.origin(), "https://graph.microsoft.com");
        assert!(!link.followed());
    }

    #[test]
    fn a_followed_link_is_kept_byte_for_byte() {
        for text in [
            "https://graph.microsoft.com/v1.0/users/delta?$skiptoken=a+b%2Bc%2f_-~!*'()&x=Ä",
            "https://GRAPH.microsoft.com:443/v1.0/groups?$filter=displayName eq 'x'&$skiptoken=RFNwdA",
            "HTTPS://graph.microsoft.com/v1.0/groups/x/members?%24skiptoken=..%2f..",
        ] {
            let link = graph().follow(text).unwrap();
            assert_eq!(link.as_str(), text);
            assert_eq!(link.relative(), &text[text.find("/v1.0").unwrap() + 5..]);
            assert!(link.followed());
        }
    }

    #[test]
    fn a_link_to_anywhere_else_is_refused() {
        for text in [
            "https://evil.example/v1.0/users",
            "http://graph.microsoft.com/v1.0/users",
            "http://graph.microsoft.com:443/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://graph.microsoft.com:80/v1.0/users",
            "https://graph.microsoft.com:0/v1.0/users",
            "https://graph.microsoft.com:65536/v1.0/users",
            "https://graph.microsoft.com:443@evil.example/v1.0/users",
            "https://graph.microsoft.com.evil.example/v1.0/users",
            "https://graph.microsoft.com@evil.example/v1.0/users",
            "https://graph.microsoft.com%40evil.example/v1.0/users",
            "https://token@graph.microsoft.com/v1.0/users",
            "https://:@graph.microsoft.com/v1.0/users",
            "https://@graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com\\@evil.example/v1.0/users",
            "https://evil.example\\@graph.microsoft.com/v1.0/users",
            "https:\\\\graph.microsoft.com\\v1.0\\users",
            "https://evil.example#@graph.microsoft.com/v1.0/users",
            "https://evil.example?@graph.microsoft.com/v1.0/users",
            "https://evil.example/https://graph.microsoft.com/v1.0/users",
            "https://evil.example/v1.0/users?x=https://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.us/v1.0/users",
            "https://login.microsoftonline.com/v1.0/users",
            "https://www.graph.microsoft.com/v1.0/users",
            "https://microsoft.com/v1.0/users",
            "https://graph-microsoft.com/v1.0/users",
            "wss://graph.microsoft.com/v1.0/users",
            "ftp://graph.microsoft.com/v1.0/users",
            "blob:https://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com/beta/users",
            "https://graph.microsoft.com/V1.0/users",
            "https://graph.microsoft.com/v1.0",
            "https://graph.microsoft.com?/v1.0/users",
            "https://graph.microsoft.com/v1.0/../beta/users",
            "https://graph.microsoft.com/v1.0/%2e%2e/beta/users",
            "https://graph.microsoft.com/v1.0evil/users",
            "https://graph.microsoft.com/v1.0/users\\x",
            "https://graph.microsoft.com/beta/../v1.0/users",
            "https:/graph.microsoft.com/v1.0/users",
            "https:graph.microsoft.com/v1.0/users",
            "https:///graph.microsoft.com/v1.0/users",
            "//graph.microsoft.com/v1.0/users",
            "//evil.example/v1.0/users",
            "/v1.0/users",
            "v1.0/users",
            "?$skiptoken=x",
            "https://graph.microsoft.com/v1.0/users#x",
            " https://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com/v1.0/users ",
            "https://graph.microsoft.com/v1.0/us\ners",
            "ht\ttps://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com\r\n/v1.0/users",
            "https://graph.microsoft.com\u{0}/v1.0/users",
            "https://graph.microsoft.com\u{85}/v1.0/users",
            "file:///v1.0/users",
            "https://",
            "",
        ] {
            let error = graph().follow(text).expect_err(text);
            assert_eq!(error.error.kind, Kind::Service, "{text}");
        }
    }

    #[test]
    fn a_name_that_only_looks_like_graphs_is_refused_and_shown_as_it_is_resolved() {
        for text in [
            "https://gr\u{430}ph.microsoft.com/v1.0/users", // a Cyrillic a
            "https://graph.micr\u{43e}soft.com/v1.0/users", // a Cyrillic o
            "https://graph.m\u{131}crosoft.com/v1.0/users", // an i without its dot
            "https://xn--grph-53d.microsoft.com/v1.0/users",
            "https://graph.microsoft.com.xn--p1ai/v1.0/users",
        ] {
            let error = graph().follow(text).expect_err(text).error;
            assert!(error.message.contains("xn--"), "{text}: {}", error.message);
        }
    }

    #[test]
    fn the_configured_origin_in_a_spelling_that_parsers_may_read_differently_is_refused() {
        for text in [
            "https://%67raph.microsoft.com/v1.0/users",
            "https://graph%2Emicrosoft%2Ecom/v1.0/users",
            "https://graph.microsoft.com./v1.0/users",
            "https://graph\u{3002}microsoft.com/v1.0/users",
            "https://\u{ff47}raph.microsoft.com/v1.0/users",
            "https://gra\u{ad}ph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:/v1.0/users",
            "https://graph.microsoft.com:0443/v1.0/users",
        ] {
            assert!(graph().follow(text).is_err(), "{text}");
        }
        let local = Origin::parse("http://127.0.0.1:8080", "GraphEndpoint").unwrap();
        for text in [
            "http://127.1:8080",
            "http://2130706433:8080",
            "http://0x7f.0.0.1:8080",
            "http://0177.0.0.1:8080",
            "http://127.0.0.1.:8080",
            "http://127.0.0.1:08080",
            "http://\u{ff11}27.0.0.1:8080",
            "http://[::ffff:127.0.0.1]:8080",
            "http://localhost:8080",
            "https://127.0.0.1:8080",
            "http://127.0.0.1",
        ] {
            assert!(local.follow(&format!("{text}/v1.0/users")).is_err(), "{text}");
        }
        local.follow("HTTP://127.0.0.1:8080/v1.0/users").unwrap();
        Origin::parse("http://localhost", "x").unwrap().follow("http://LOCALHOST:80/v1.0/users").unwrap();
    }

    #[test]
    fn a_refusal_names_the_foreign_origin_and_nothing_else_of_the_link() {
        let error = graph().follow("https://evil.example/v1.0/users?$skiptoken=topsecret").unwrap_err().error;
        assert!(error.message.contains("https://evil.example"));
        assert!(!error.message.contains("topsecret") && !error.message.contains("users"), "{}", error.message);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_alone() {
        assert_eq!(Origin::parse("http://127.0.0.1:8080/", "x").unwrap().as_str(), "http://127.0.0.1:8080");
        assert_eq!(Origin::parse("http://[::1]:8080", "x").unwrap().as_str(), "http://[::1]:8080");
        for text in ["graph.microsoft.com", "ftp://x", "https://x/v1.0", "https://u@x", "https://x?y", ""] {
            assert_eq!(Origin::parse(text, "x").unwrap_err().kind, Kind::InvalidConfig, "{text}");
        }
    }

    #[test]
    fn debug_never_shows_a_token() {
        let link = graph().follow("https://graph.microsoft.com/v1.0/users/delta?$deltatoken=abcdefghijklmnop").unwrap();
        assert!(!format!("{link:?}").contains("ghijkl"));
    }
}
