//! What a store shows, to be compared before and after: nothing invented, nothing lost.

use std::collections::BTreeMap;

use host_harness::store::Mesh;

use super::Verdict;

/// Every visible row with its values, by type and id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows(BTreeMap<String, String>);

impl Rows {
    pub(super) fn of(mesh: &Mesh) -> Rows {
        let mut rows = BTreeMap::new();
        mesh.each_object(None, |it| {
            if !it.hidden {
                rows.insert(
                    format!("{} {}", it.object_type, it.source_id),
                    format!("{:?} {:?}", it.external_id, it.attributes),
                );
            }
            Ok(())
        })
        .unwrap();
        mesh.each_edge(None, |it| {
            if !it.dormant {
                rows.insert(format!("{} {}", it.object_type, it.source_id), format!("{:?}", it.attributes));
            }
            Ok(())
        })
        .unwrap();
        Rows(rows)
    }

    /// Judges what a struck run left, between what stood there and what is true now.
    pub(super) fn between(&self, before: &Rows, truth: &Rows) -> Verdict {
        let had = |rows: &Rows, key: &str, row: &String| rows.0.get(key) == Some(row);
        let invented: Vec<_> =
            self.0.iter().filter(|(key, row)| !had(before, key, row) && !had(truth, key, row)).take(5).collect();
        if !invented.is_empty() {
            return Err(format!("invented: {invented:#?}"));
        }
        let lost: Vec<_> =
            before.0.keys().filter(|key| truth.0.contains_key(*key) && !self.0.contains_key(*key)).take(5).collect();
        if lost.is_empty() { Ok(()) } else { Err(format!("lost: {lost:#?}")) }
    }
}
