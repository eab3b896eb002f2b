//! What went over the wire: connections and bytes, TLS and headers included, whatever the journal keeps.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// Counts since the start, over all connections.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    connections: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Somebody connected.
    pub(crate) fn opened(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were made.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Bytes of clients.
    pub(crate) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes to clients.
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// As `GET info` tells it.
    pub(crate) fn told(&self) -> Value {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "connections": self.connections(),
            "receivedBytes": count(&self.received),
            "sentBytes": count(&self.sent),
        })
    }
}
