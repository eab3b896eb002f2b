//! Service principals: applications as this tenant knows them, and managed identities.
//!
//! Their app roles and credentials are properties of their rows. One SAML certificate stands twice among the keys, and old
//! secrets have no key id, as in real tenants.

mod properties;
mod values;

use serde_json::{Map, Value, json};

use super::deed::{Deed, Drawing};
use super::{Deletion, Feed, IdForm, Listed, Served, Table};
use crate::simulator::workload::Workload;

const READ: &[&str] = &["Application.Read.All", "Directory.Read.All"];

pub(super) static TABLE: Table = Table {
    name: "ServicePrincipal",
    odata_type: "#microsoft.graph.servicePrincipal",
    collection: "servicePrincipals",
    // Those that are members of groups have the first numbers.
    live: &["servicePrincipals", "otherServicePrincipals"],
    deleted: Some("deletedServicePrincipals"),
    ids: IdForm::Guid,
    mirrors: None,
    read: READ,
    served: Some(Served {
        units: 1,
        workload: Workload::Directory,
        licence: None,
        listed: Listed::Paged { empty_expands: &[] },
        feed: Some(Feed { page: "delta/servicePrincipalPage", varies: None, tracked: &[] }),
        bin: Some(READ),
    }),
    properties: &properties::PROPERTIES,
    extensions: &[],
    defaults: &properties::DEFAULTS,
    other_key: None,
    derived: |source, number| {
        let derived = source.settings.flag("agentIdentities") && number % 5 == 4;
        derived.then_some("#microsoft.graph.agentIdentity")
    },
    field: values::field,
    fresh: |source, number| {
        vec![
            ("displayName", json!(format!("New service principal {number}"))),
            ("appId", values::app_id(source, number)),
            ("accountEnabled", json!(true)),
            ("servicePrincipalType", json!("Application")),
        ]
    },
    deletion: |_, _| Deletion::Soft,
    // None has turns of its own: a script changes them where it names the kind.
    deeds: &[
        (Deed::Added, &[]),
        (Deed::Updated, &[]),
        (Deed::Disabled, &[]),
        (Deed::PropertyCleared, &[]),
        (Deed::Deleted, &[]),
        (Deed::Restored, &[]),
        (Deed::Purged, &[]),
    ],
    amounts_to,
    draw,
};

fn amounts_to(properties: &Map<String, Value>) -> Deed {
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    if properties.get("accountEnabled") == Some(&Value::Bool(false)) {
        Deed::Disabled
    } else if properties.values().any(empty) {
        Deed::PropertyCleared
    } else {
        Deed::Updated
    }
}

fn draw(deed: Deed, drawing: &mut Drawing<'_>) -> Option<Map<String, Value>> {
    let mark = drawing.mark;
    let one = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    Some(match deed {
        Deed::Added => Map::from_iter([
            ("displayName".to_owned(), json!(format!("Added app \"{mark}\""))),
            ("tags".to_owned(), json!(["WindowsAzureActiveDirectoryIntegratedApp"])),
            ("appRoles".to_owned(), json!([values::role(mark, 0)])),
        ]),
        Deed::Updated => match mark % 4 {
            0 => one("displayName", json!(format!("Renamed app {mark}"))),
            1 => one("appRoles", json!([values::role(mark, 0), values::role(mark, 1)])),
            2 => one("passwordCredentials", json!([values::secret(mark, 0, Some(1_900_000_000))])),
            _ => one("appRoleAssignmentRequired", json!(mark.is_multiple_of(8))),
        },
        Deed::Disabled => one("accountEnabled", json!(false)),
        Deed::PropertyCleared => match mark % 4 {
            0 => one("notes", Value::Null),
            1 => one("appRoles", json!([])),
            2 => one("passwordCredentials", json!([])),
            _ => one("keyCredentials", json!([])),
        },
        Deed::Renamed
        | Deed::NamesSwapped
        | Deed::VisibilityChanged
        | Deed::Deleted
        | Deed::Restored
        | Deed::Purged
        | Deed::Removed => return None,
    })
}
