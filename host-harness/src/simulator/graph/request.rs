//! A request to Graph taken apart: path segments, query options, the headers that matter.
//!
//! Tokens are read without turning plus signs into spaces, every other option with: Graph's links are to be sent back
//! byte for byte, and a client that decodes and writes them anew is found out here.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::simulator::percent::decode;

/// One request, from the wire or from inside a batch.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// `HTTP/1.1` or `HTTP/2.0`; an item of a batch has none.
    pub(crate) protocol: String,
    pub(crate) method: String,
    /// As sent, with its leading slash, without the query.
    pub(crate) path: String,
    /// As sent, without the question mark.
    pub(crate) query: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The path and query as sent.
    pub(crate) fn url(&self) -> String {
        if self.query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, self.query) }
    }

    pub(crate) fn is_eventual(&self) -> bool {
        self.header("consistencylevel").is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
    }
}

/// The query options of a request.
#[derive(Debug, Clone)]
pub(crate) struct Options(Vec<(String, String)>);

impl Options {
    pub(crate) fn parse(query: &str) -> Options {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), value.to_owned())
        });
        Options(pairs.collect())
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// An option's decoded value.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| decode(value, true))
    }

    /// A token exactly as it stands in the link; percent-encoding alone is undone.
    pub(crate) fn token(&self, name: &str) -> Option<String> {
        self.raw(name).map(|value| decode(value, false))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn is_true(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Everything but one option, as sent: what a next link repeats.
    pub(crate) fn without(&self, name: &str) -> String {
        let others = self.0.iter().filter(|(known, _)| !known.eq_ignore_ascii_case(name));
        others.fold(String::new(), |query, (known, value)| query + known + "=" + value + "&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_is_a_space_except_in_tokens() {
        let options = Options::parse("$filter=a+eq+'b%2Bc'&%24SkipToken=x+y%2Bz");
        assert_eq!(options.get("$filter").as_deref(), Some("a eq 'b+c'"));
        assert_eq!(options.token("$skiptoken").as_deref(), Some("x+y+z"));
        assert_eq!(options.without("$skiptoken"), "$filter=a+eq+'b%2Bc'&");
    }
}
