//! A row of the groups feed that outlives its page: what is decided about it may need another request.
//!
//! Its members are mapped to records at once, while their bytes are there; whether they are delivered is decided later.

use serde_json::value::RawValue;

use crate::mapping::{ObjectId, Records, Selection, directory_id, edge, removed_edge};
use crate::model::{Removed, Row};
use crate::types::GROUP_MEMBER;

/// A row of the groups feed.
#[derive(Debug)]
pub(super) struct GroupRow {
    /// As records carry it.
    pub(super) id: String,
    pub(super) removed: Option<Removed>,
    /// Those of the selection, in its order; `None`: the row said nothing.
    pub(super) values: Vec<Option<Box<RawValue>>>,
    /// Its slice of members as edges, in the order they came; `None`: it had none.
    pub(super) entries: Option<Records>,
}

impl GroupRow {
    /// From the page; `None` for a row without an id. `entries` makes an empty list for its members.
    pub(super) fn of(row: &Row<'_>, entries: impl FnOnce() -> Records) -> Option<GroupRow> {
        let id = directory_id(row.id.as_deref().filter(|id| !id.is_empty())?).into_owned();
        let entries = (!row.members.is_empty()).then(|| {
            let mut records = entries();
            for change in &row.members {
                let member = change.member();
                if change.removed {
                    removed_edge(&id, member.id.as_deref().unwrap_or_default(), &mut records);
                } else {
                    edge(&GROUP_MEMBER, &id, &member, &mut records);
                }
            }
            records
        });
        let values = row.values.iter().map(|value| value.map(ToOwned::to_owned)).collect();
        Some(GroupRow { id, removed: row.removed, values, entries })
    }

    /// Its id for lists; groups always have GUIDs.
    pub(super) fn object_id(&self) -> Option<ObjectId> {
        ObjectId::parse(&self.id)
    }

    /// Whether the row said nothing of what records carry.
    pub(super) fn is_bare(&self, selection: &Selection) -> bool {
        self.values[..selection.delivered().len()].iter().all(Option::is_none)
    }

    /// Whether the row said something of each of these.
    pub(super) fn has_all(&self, mut places: impl Iterator<Item = usize>) -> bool {
        places.all(|place| self.values[place].is_some())
    }
}
