//! What the cases of a law met: kinds of changes, faults, kill points and dimensions, counted.
//!
//! A property test that holds because nothing happened looks like one that holds. The counts are printed past the test
//! runner's capture, so that the reader of a green run sees what it covered.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use host_harness::simulator::{ChangeKind, ChangeSummary};

/// A sort of thing and the kinds of it that must occur.
#[derive(Debug, Clone)]
pub(super) struct Kinds {
    sort: &'static str,
    kinds: Vec<String>,
}

impl Kinds {
    pub(super) fn of(sort: &'static str, kinds: impl IntoIterator<Item = impl ToString>) -> Kinds {
        Kinds { sort, kinds: kinds.into_iter().map(|kind| kind.to_string()).collect() }
    }

    /// Every kind of change that scripts know.
    pub(super) fn of_changes() -> Kinds {
        Kinds::of("change", ChangeKind::all())
    }
}

/// The counts of one law.
#[derive(Debug, Default)]
pub(super) struct Coverage(Mutex<BTreeMap<(&'static str, String), u64>>);

impl Coverage {
    pub(super) fn count(&self, sort: &'static str, kind: impl ToString, times: u64) {
        if times > 0 {
            *self.0.lock().unwrap().entry((sort, kind.to_string())).or_default() += times;
        }
    }

    pub(super) fn changes(&self, summary: &ChangeSummary) {
        for (kind, times) in &summary.counts {
            self.count("change", kind, u64::from(*times));
        }
    }

    fn times(&self, sort: &'static str, kind: &str) -> u64 {
        self.0.lock().unwrap().get(&(sort, kind.to_owned())).copied().unwrap_or(0)
    }

    /// What must occur and did not.
    pub(super) fn never(&self, must_occur: &[Kinds]) -> Vec<String> {
        let all = must_occur.iter().flat_map(|kinds| kinds.kinds.iter().map(move |kind| (kinds.sort, kind)));
        all.filter(|(sort, kind)| self.times(sort, kind) == 0).map(|(sort, kind)| format!("{sort} {kind}")).collect()
    }

    /// Everything counted, and the zeroes of what must occur.
    pub(super) fn print(&self, title: &str, must_occur: &[Kinds]) {
        let mut lines = self.0.lock().unwrap().clone();
        for kinds in must_occur {
            for kind in &kinds.kinds {
                lines.entry((kinds.sort, kind.clone())).or_default();
            }
        }
        let mut out = std::io::stderr().lock();
        // A closed stderr is no reason to fail.
        let _ = writeln!(out, "{title}");
        for ((sort, kind), times) in lines {
            let _ = writeln!(out, "{times:8}  {sort} {kind}");
        }
    }
}
