//! Users: people and guests.

mod properties;
mod values;

use serde_json::{Map, Value, json};

use super::deed::{Deed, Drawing};
use super::property::EXTENSIONS;
use super::{Deletion, Feed, IdForm, Listed, Served, Table};
use crate::simulator::workload::Workload;

const READ: &[&str] = &["User.Read.All", "Directory.Read.All"];

pub(super) static TABLE: Table = Table {
    name: "User",
    odata_type: "#microsoft.graph.user",
    collection: "users",
    live: &["users"],
    deleted: Some("deletedUsers"),
    ids: IdForm::Guid,
    mirrors: None,
    read: READ,
    served: Some(Served {
        units: 2,
        workload: Workload::Directory,
        licence: None,
        // Nobody has a manager, and Graph then leaves the property out.
        listed: Listed::Paged { empty_expands: &["manager"] },
        feed: Some(Feed { page: "delta/userPage", varies: None, tracked: &["manager"] }),
        bin: Some(READ),
    }),
    properties: &properties::PROPERTIES,
    extensions: &EXTENSIONS,
    defaults: &properties::DEFAULTS,
    other_key: Some("userPrincipalName"),
    derived: |_, _| None,
    field: |source, number, property| values::Users(source).field(number, property),
    fresh: |source, number| {
        vec![
            ("displayName", json!(format!("New user {number}"))),
            ("userPrincipalName", json!(format!("new{number}@{}", source.domain))),
            ("accountEnabled", json!(true)),
            ("userType", json!("Member")),
        ]
    },
    deletion: |_, _| Deletion::Soft,
    deeds: &[
        (Deed::Added, &[]),
        (Deed::Updated, &[]),
        (Deed::Renamed, &[]),
        (Deed::NamesSwapped, &[13]),
        (Deed::Disabled, &[]),
        (Deed::PropertyCleared, &[]),
        (Deed::Deleted, &[]),
        (Deed::Restored, &[10]),
        (Deed::Purged, &[]),
    ],
    amounts_to,
    draw,
};

fn amounts_to(properties: &Map<String, Value>) -> Deed {
    if properties.contains_key("userPrincipalName") {
        Deed::Renamed
    } else if properties.get("accountEnabled") == Some(&Value::Bool(false)) {
        Deed::Disabled
    } else if properties.values().any(Value::is_null) {
        Deed::PropertyCleared
    } else {
        Deed::Updated
    }
}

/// User principal names stay unique, since a host may key users by them.
fn draw(deed: Deed, drawing: &mut Drawing<'_>) -> Option<Map<String, Value>> {
    let (mark, newcomer, domain) = (drawing.mark, drawing.newcomer, drawing.domain);
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    Some(match deed {
        Deed::Added => {
            let mail =
                if mark.is_multiple_of(3) { Value::Null } else { json!(format!("added{mark}.{newcomer}@contoso.com")) };
            Map::from_iter([
                ("displayName".to_owned(), json!(format!("Added \"{mark}\" 新しい"))),
                ("userPrincipalName".to_owned(), json!(format!("added{mark}.{newcomer}@{domain}"))),
                ("mail".to_owned(), mail),
                ("businessPhones".to_owned(), json!([format!("+49 30 {mark}, 2")])),
            ])
        }
        Deed::Updated => match mark % 6 {
            0 => one("jobTitle", json!(format!("Title {mark}"))),
            1 => one("department", json!(format!("Department, {mark}"))),
            2 => one("displayName", json!(format!("Renamed O'{mark}"))),
            3 => one("businessPhones", json!([format!("+1 {mark}"), "x,y"])),
            4 => one("accountEnabled", json!(true)),
            _ => one("usageLocation", json!("CH")),
        },
        Deed::Renamed => {
            // The id makes the name nobody else's, also where two scripts draw the same mark.
            let user = drawing.target()?;
            one("userPrincipalName", json!(format!("renamed{mark}.{}@{domain}", &user[..8])))
        }
        Deed::Disabled => one("accountEnabled", json!(false)),
        Deed::PropertyCleared => {
            let name = ["mail", "jobTitle", "businessPhones", "mobilePhone", "usageLocation"][mark as usize % 5];
            one(name, Value::Null)
        }
        Deed::NamesSwapped
        | Deed::VisibilityChanged
        | Deed::Deleted
        | Deed::Restored
        | Deed::Purged
        | Deed::Removed => return None,
    })
}
