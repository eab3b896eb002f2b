//! One `$batch` again and again, for `benches/batch.rs`: the other door into the layer that only this feature opens.
//!
//! No target: it asserts nothing. It answers how much was read, which is for the benchmark to judge.

use crate::graph::fuzzing::graph;
use crate::graph::{Get, Graph, Unreadable};
use crate::model::{Member, Page};

/// Reads of members that are always answered alike.
pub struct BatchReader {
    graph: Graph,
    gets: Vec<Get>,
}

impl std::fmt::Debug for BatchReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchReader").field("reads", &self.gets.len()).finish_non_exhaustive()
    }
}

impl BatchReader {
    /// So many reads in a batch, which `body` answers.
    pub fn new(reads: usize, body: Vec<u8>) -> BatchReader {
        let (graph, _) = graph(0, move |_, _| (200, Vec::new(), body.clone()));
        let get = |number| Get { link: graph.link(&format!("/groups/{number}/members?$select=id")), advanced: true };
        let gets = (0..reads).map(get).collect();
        BatchReader { graph, gets }
    }

    /// Sends the batch; how many members were in the items that could be read.
    pub fn members(&self) -> usize {
        let read = self.graph.batch(&self.gets, |_, answer| {
            let page = Page::<Member<'_>>::read_plain(answer.body).map_err(|error| Unreadable(error.to_string()))?;
            Ok(page.rows.len())
        });
        read.into_iter().flatten().flatten().sum()
    }
}
