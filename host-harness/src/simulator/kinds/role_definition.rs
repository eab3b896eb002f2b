//! Directory roles: built-in ones, whose template is the role itself, and custom ones.

use serde_json::{Value, json};

use super::deed::Deed;
use super::field::Field;
use super::identity::ObjectRef;
use super::property::{Property, Shape};
use super::source::Source;
use super::{Deletion, IdForm, Kind, Listed, Served, Table, never_drawn};
use crate::simulator::workload::Workload;

/// Permissions any of which shows roles and their assignments.
pub(super) const READ: &[&str] = &["RoleManagement.Read.Directory", "Directory.Read.All"];

pub(super) static TABLE: Table = Table {
    name: "RoleDefinition",
    odata_type: "#microsoft.graph.unifiedRoleDefinition",
    collection: "roleManagement/directory/roleDefinitions",
    live: &["roles/definitions"],
    deleted: None,
    ids: IdForm::Guid,
    mirrors: None,
    read: READ,
    served: Some(Served {
        units: 1,
        workload: Workload::Directory,
        licence: None,
        listed: Listed::Whole { page: "roles/page", expand: &[] },
        feed: None,
        bin: None,
    }),
    properties: &[
        Property::new("id", Shape::Text, "eq in"),
        Property::new("description", Shape::Text, ""),
        Property::new("displayName", Shape::Text, "eq in startswith"),
        Property::new("isBuiltIn", Shape::Flag, "eq in"),
        Property::new("isEnabled", Shape::Flag, ""),
        Property::new("resourceScopes", Shape::Texts, ""),
        Property::new("rolePermissions", Shape::Structures, ""),
        Property::new("templateId", Shape::Text, ""),
        Property::new("version", Shape::Text, ""),
        Property::new("inheritsPermissionsFrom", Shape::Navigation, ""),
    ],
    extensions: &[],
    defaults: &[
        "id",
        "description",
        "displayName",
        "isBuiltIn",
        "isEnabled",
        "resourceScopes",
        "rolePermissions",
        "templateId",
        "version",
    ],
    other_key: None,
    derived: |_, _| None,
    field,
    fresh: |_, number| {
        vec![
            ("displayName", json!(format!("New role {number}"))),
            ("isBuiltIn", json!(false)),
            ("isEnabled", json!(true)),
            ("resourceScopes", json!(["/"])),
        ]
    },
    deletion: |_, _| Deletion::Permanent,
    deeds: &[],
    amounts_to: |_| Deed::Updated,
    draw: never_drawn,
};

const NAMES: [&str; 6] = [
    "Global Administrator",
    "User Administrator",
    "Helpdesk Administrator",
    "Application Administrator",
    "Groups Administrator",
    "Reports Reader",
];

fn field(source: &Source, number: u32, property: &str) -> Field {
    let custom = number % 4 == 3;
    let id = |number: u32| source.ids.id(ObjectRef { kind: Kind::RoleDefinition, number });
    match property {
        "displayName" => Field::set(match NAMES.get(number as usize).filter(|_| !custom) {
            Some(name) => (*name).to_owned(),
            None => format!("{} {number}", if custom { "Custom role, \"limited\"" } else { "Administrator" }),
        }),
        "description" => Field::set(format!("What role {number} allows")),
        "isBuiltIn" => Field::set(!custom),
        "isEnabled" => Field::set(number % 9 != 7),
        "resourceScopes" => Field::set(json!(["/"])),
        "rolePermissions" => Field::set(json!([
            {"allowedResourceActions": ["microsoft.directory/users/basic/update"], "condition": Value::Null}
        ])),
        "templateId" => Field::set(id(number)),
        "version" if !custom => Field::set("1"),
        _ => Field::Never,
    }
}
