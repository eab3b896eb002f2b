//! What was asked and what was answered, in order: the second ledger of a test, beside the rows a host stored.
//!
//! Tokens and secrets are never in it: neither `Authorization` headers nor the bodies of token requests are kept.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::kinds::Kind;
use super::percent::decode;
use super::route::Route;
use super::world::JournalMode;

/// One request and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    /// Counts from 1, in the order of arrival; it goes on when the journal is cleared.
    pub sequence: u64,
    /// The endpoint.
    pub route: Route,
    /// `HTTP/1.1` or `HTTP/2.0`.
    #[serde(default)]
    pub protocol: String,
    /// The HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub url: String,
    /// The status sent; absent when the connection ended without one.
    pub status: Option<u16>,
    /// Request headers that change an answer, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Response headers worth asserting on, names in lower case.
    pub response_headers: BTreeMap<String, String>,
    /// Rows served, over all items of a batch.
    pub rows: u32,
    /// Resource units charged.
    pub units: u32,
    /// The id of the one object that was addressed, in lower case.
    #[serde(default)]
    pub object: Option<String>,
    /// The feed, when this was a page of a delta query.
    pub feed: Option<Kind>,
    /// The items of a batch.
    pub items: Vec<Item>,
    /// How many exchanges were under way when this one arrived, itself included.
    #[serde(default)]
    pub in_flight: u32,
    /// A number for the token that came with it: the same for all requests of one sign-in, and nothing of the token.
    #[serde(default)]
    pub bearer: Option<u64>,
    /// Whether a fault was in play.
    pub faulted: bool,
    /// The request body, in full mode.
    pub body: Option<Value>,
    /// The response body, in full mode.
    pub response: Option<Value>,
}

impl Exchange {
    /// Whether a delta link was called.
    pub fn called_delta_link(&self) -> bool {
        self.calls("$deltatoken=")
    }

    /// Whether a next link was called.
    pub fn called_next_link(&self) -> bool {
        self.calls("$skiptoken=")
    }

    /// What was asked in this exchange: itself, or the items of a batch that was opened.
    pub fn asked(&self) -> impl Iterator<Item = Asked<'_>> {
        let sequence = self.sequence;
        let own = (self.route != Route::Batch).then(|| Asked {
            sequence,
            route: self.route,
            url: &self.url,
            object: self.object.as_deref(),
            feed: self.feed,
            status: self.status,
            rows: self.rows,
            in_batch: false,
        });
        own.into_iter().chain(self.items.iter().map(move |item| Asked {
            sequence,
            route: item.route,
            url: &item.url,
            object: item.object.as_deref(),
            feed: item.feed,
            status: item.status,
            rows: item.rows,
            in_batch: true,
        }))
    }

    fn calls(&self, parameter: &str) -> bool {
        decode(&self.url, false).to_lowercase().contains(parameter)
    }
}

/// One item of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// The item's id in the batch.
    pub id: String,
    /// Path and query, with the version.
    pub url: String,
    /// The endpoint.
    pub route: Route,
    /// The id of the one object that was addressed, in lower case.
    #[serde(default)]
    pub object: Option<String>,
    /// The feed, when this was a page of a delta query.
    #[serde(default)]
    pub feed: Option<Kind>,
    /// The item's own status; absent when a fault left it out of the answer.
    pub status: Option<u16>,
    /// Rows served.
    pub rows: u32,
    /// Whether a fault was in play.
    #[serde(default)]
    pub faulted: bool,
}

/// One thing that was asked: a request of its own, or an item of a batch. A batch itself is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The number of the exchange it came in.
    pub sequence: u64,
    /// The endpoint.
    pub route: Route,
    /// Path and query.
    pub url: &'a str,
    /// The id of the one object that was addressed, in lower case.
    pub object: Option<&'a str>,
    /// The feed, when a page of a delta query was served.
    pub feed: Option<Kind>,
    /// The status; absent when there was no answer.
    pub status: Option<u16>,
    /// Rows served.
    pub rows: u32,
    /// Whether it came in a batch.
    pub in_batch: bool,
}

/// The exchanges kept.
#[derive(Debug)]
pub(crate) struct Journal {
    pub(crate) mode: JournalMode,
    capacity: usize,
    sequence: u64,
    kept: VecDeque<Exchange>,
}

impl Journal {
    pub(crate) fn new(mode: JournalMode, capacity: usize) -> Journal {
        Journal { mode, capacity: capacity.max(1), sequence: 0, kept: VecDeque::new() }
    }

    pub(crate) fn record(&mut self, mut exchange: Exchange) {
        self.sequence += 1;
        exchange.sequence = self.sequence;
        if self.mode == JournalMode::Off {
            return;
        }
        if self.kept.len() >= self.capacity {
            self.kept.pop_front();
        }
        self.kept.push_back(exchange);
    }

    pub(crate) fn all(&self) -> Vec<Exchange> {
        self.kept.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }
}

/// Write Graph's exchanges as JSON lines for a schema checker: method, url, headers, body, status, response.
pub(crate) fn write_lines(exchanges: &[Exchange], to: &mut impl Write) -> io::Result<()> {
    let graph = exchanges.iter().filter(|exchange| exchange.url.starts_with("/v1.0/"));
    for exchange in graph {
        let mut line = json!({
            "method": exchange.method, "url": exchange.url, "headers": exchange.headers, "sequence": exchange.sequence,
            "faulted": exchange.faulted,
        });
        let members = [
            ("body", exchange.body.clone()),
            ("status", exchange.status.map(Value::from)),
            ("response", exchange.response.clone()),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                line[name] = value;
            }
        }
        writeln!(to, "{line}")?;
    }
    to.flush()
}
