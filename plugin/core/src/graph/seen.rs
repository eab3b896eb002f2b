//! A guard against next links that go round in circles (microsoftgraph/microsoft-graph-docs#4263): without it a
//! repeated link makes an import that never ends.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use super::link::Link;

/// The links of one round, as hashes: a link is some kilobytes, and a feed has thousands of pages.
#[derive(Debug, Default)]
pub struct SeenLinks {
    // Two independent 64-bit hashes: by chance alone no round is long enough to see one pair twice.
    states: (RandomState, RandomState),
    hashes: HashSet<(u64, u64)>,
}

impl SeenLinks {
    /// None seen yet.
    pub fn new() -> SeenLinks {
        SeenLinks::default()
    }

    /// False when this very link has been here before.
    pub fn first_time(&mut self, link: &Link) -> bool {
        let hashes = self.hashes_of(link);
        self.hashes.insert(hashes)
    }

    /// Whether this very link has been here.
    pub fn has(&self, link: &Link) -> bool {
        self.hashes.contains(&self.hashes_of(link))
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.hashes.len()
    }

    fn hashes_of(&self, link: &Link) -> (u64, u64) {
        let text = link.as_str();
        (self.states.0.hash_one(text), self.states.1.hash_one(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::link::Origin;

    #[test]
    fn a_link_is_new_once() {
        let graph = Origin::parse("https://graph.microsoft.com", "GraphEndpoint").unwrap();
        let mut seen = SeenLinks::new();
        assert!(seen.first_time(&graph.link("/users/delta?$skiptoken=a")));
        assert!(seen.first_time(&graph.link("/users/delta?$skiptoken=b")));
        assert!(!seen.first_time(&graph.link("/users/delta?$skiptoken=a")));
    }
}
