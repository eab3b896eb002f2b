//! Groups of every flavour: security, Microsoft 365, distribution lists, dynamic ones.

mod properties;
mod values;

use serde_json::{Map, Value, json};

use super::deed::{Deed, Drawing};
use super::property::EXTENSIONS;
use super::{Deletion, Feed, IdForm, Listed, Served, Table, Values};
use crate::simulator::workload::Workload;

pub(super) static TABLE: Table = Table {
    name: "Group",
    odata_type: "#microsoft.graph.group",
    collection: "groups",
    live: &["groups"],
    deleted: Some("deletedGroups"),
    ids: IdForm::Guid,
    mirrors: None,
    read: &["GroupMember.Read.All", "Directory.Read.All"],
    served: Some(Served {
        units: 1,
        workload: Workload::Directory,
        licence: None,
        listed: Listed::Paged { empty_expands: &[] },
        feed: Some(Feed {
            page: "delta/groupPage",
            varies: Some("delta/varyingGroupPages"),
            tracked: &["members", "owners"],
        }),
        bin: Some(&["Group.Read.All", "Directory.Read.All"]),
    }),
    properties: &properties::PROPERTIES,
    extensions: EXTENSIONS.split_at(1).0,
    defaults: &properties::DEFAULTS,
    other_key: None,
    derived: |_, _| None,
    field: |source, number, property| values::Groups(source).field(number, property),
    fresh: |_, number| {
        vec![
            ("displayName", json!(format!("New group {number}"))),
            ("mailNickname", json!(format!("group{number}"))),
            ("groupTypes", json!([])),
            ("securityEnabled", json!(true)),
            ("mailEnabled", json!(false)),
        ]
    },
    deletion,
    deeds: &[
        (Deed::Added, &[]),
        (Deed::Updated, &[]),
        (Deed::Renamed, &[12]),
        (Deed::PropertyCleared, &[]),
        (Deed::VisibilityChanged, &[]),
        (Deed::Deleted, &[]),
        (Deed::Restored, &[11]),
        (Deed::Purged, &[]),
    ],
    amounts_to,
    draw,
};

fn deletion(value: Values<'_>, of_security_groups: Deletion) -> Deletion {
    let unified = value("groupTypes").as_array().is_some_and(|types| types.iter().any(|kind| kind == "Unified"));
    if unified {
        Deletion::Soft
    } else if value("mailEnabled") == true {
        Deletion::Permanent
    } else {
        of_security_groups
    }
}

fn amounts_to(properties: &Map<String, Value>) -> Deed {
    if properties.contains_key("displayName") {
        Deed::Renamed
    } else if properties.contains_key("visibility") {
        Deed::VisibilityChanged
    } else if properties.values().any(Value::is_null) {
        Deed::PropertyCleared
    } else {
        Deed::Updated
    }
}

/// Names move between the prefixes `APP-`, `SEC-` and none, into and out of the scopes that tests filter for.
fn draw(deed: Deed, drawing: &mut Drawing<'_>) -> Option<Map<String, Value>> {
    let mark = drawing.mark;
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    let mut name = || {
        let prefix = ["APP-", "SEC-", ""][drawing.dice.below(3) as usize];
        json!(format!("{prefix}Renamed {mark}"))
    };
    Some(match deed {
        Deed::Added => {
            let unified = mark.is_multiple_of(2);
            Map::from_iter([
                ("displayName".to_owned(), name()),
                ("groupTypes".to_owned(), if unified { json!(["Unified"]) } else { json!([]) }),
                ("securityEnabled".to_owned(), json!(!unified)),
                ("mailEnabled".to_owned(), json!(unified)),
            ])
        }
        Deed::Updated => one("description", json!(format!("Described {mark}\nagain"))),
        Deed::Renamed => one("displayName", name()),
        Deed::PropertyCleared => one(["description", "mail"][mark as usize % 2], Value::Null),
        Deed::VisibilityChanged => one("visibility", json!(["Public", "Private"][mark as usize % 2])),
        Deed::NamesSwapped | Deed::Disabled | Deed::Deleted | Deed::Restored | Deed::Purged | Deed::Removed => {
            return None;
        }
    })
}
