//! Assignments of directory roles, with scopes of every sort and principals that are gone.
//!
//! Their ids are no GUIDs. Case matters in them: the first two assignments of a tenant have ids that differ in the case
//! of one letter.

use serde_json::{Map, Value, json};

use super::deed::{Deed, Drawing};
use super::field::Field;
use super::identity::ObjectRef;
use super::property::{Property, Shape};
use super::role_definition::READ;
use super::source::Source;
use super::{Deletion, Expand, IdForm, Kind, Listed, Served, Table};
use crate::simulator::seed::{mix, stream};
use crate::simulator::workload::Workload;

pub(super) const PRINCIPAL: &[Expand] = &[Expand { name: "principal", id: "principalId" }];

pub(super) static TABLE: Table = Table {
    name: "RoleAssignment",
    odata_type: "#microsoft.graph.unifiedRoleAssignment",
    collection: "roleManagement/directory/roleAssignments",
    live: &["roles/assignments"],
    deleted: None,
    ids: IdForm::CaseSensitive,
    mirrors: None,
    read: READ,
    served: Some(Served {
        units: 1,
        workload: Workload::Directory,
        licence: None,
        listed: Listed::Whole { page: "roles/page", expand: PRINCIPAL },
        feed: None,
        bin: None,
    }),
    properties: &[
        Property::new("id", Shape::Text, "eq"),
        Property::new("appScopeId", Shape::Text, "eq in"),
        Property::new("condition", Shape::Text, ""),
        Property::new("directoryScopeId", Shape::Text, "eq in"),
        Property::new("principalId", Shape::Text, "eq in"),
        Property::new("roleDefinitionId", Shape::Text, "eq in"),
        Property::new("appScope", Shape::Navigation, ""),
        Property::new("directoryScope", Shape::Navigation, ""),
        Property::new("principal", Shape::Navigation, ""),
        Property::new("roleDefinition", Shape::Navigation, ""),
    ],
    extensions: &[],
    defaults: &["id", "appScopeId", "condition", "directoryScopeId", "principalId", "roleDefinitionId"],
    other_key: None,
    derived: |_, _| None,
    field,
    fresh: |source, number| {
        ["roleDefinitionId", "principalId"]
            .into_iter()
            .filter_map(|name| match field(source, number, name) {
                Field::Set(value) => Some((name, value)),
                Field::Cleared | Field::Never => None,
            })
            .chain([("directoryScopeId", json!("/"))])
            .collect()
    },
    deletion: |_, _| Deletion::Permanent,
    // Graph knows no change of an assignment: it is removed and made anew.
    deeds: &[(Deed::Added, &[]), (Deed::Deleted, &[])],
    amounts_to: |_| Deed::Updated,
    draw,
};

fn draw(deed: Deed, drawing: &mut Drawing<'_>) -> Option<Map<String, Value>> {
    if deed != Deed::Added {
        return None;
    }
    let kind = [Kind::User, Kind::User, Kind::Group][drawing.mark as usize % 3];
    let principal = drawing.live(kind)?;
    let role = drawing.live(Kind::RoleDefinition)?;
    Some(Map::from_iter([
        ("principalId".to_owned(), json!(principal)),
        ("roleDefinitionId".to_owned(), json!(role)),
        ("directoryScopeId".to_owned(), json!("/")),
    ]))
}

fn field(source: &Source, number: u32, property: &str) -> Field {
    let roll = mix(source.seed, stream(property) ^ 0x401E, u64::from(number));
    match property {
        "principalId" => Field::set(principal(source, number, roll)),
        "roleDefinitionId" => {
            let roles = source.settings.count("roles/definitions").max(1);
            let number = (roll % u64::from(roles)) as u32;
            Field::set(source.ids.id(ObjectRef { kind: Kind::RoleDefinition, number }))
        }
        "directoryScopeId" => match scope(source, number) {
            Some(scope) => Field::set(scope),
            None => Field::Never,
        },
        "appScopeId" if scope(source, number).is_none() => Field::set("/"),
        _ => Field::Never,
    }
}

/// Mostly users; also groups, service principals, and objects that are there no more.
fn principal(source: &Source, number: u32, roll: u64) -> String {
    let of = |kind: Kind, key: &str| {
        let count = source.settings.count(key);
        let number = (roll % u64::from(count.max(1))) as u32;
        (count > 0).then(|| source.ids.id(ObjectRef { kind, number }))
    };
    let found = match number % 10 {
        6 | 7 => of(Kind::Group, "groups"),
        8 => of(Kind::ServicePrincipal, "servicePrincipals"),
        9 => None,
        _ => of(Kind::User, "users"),
    };
    found.unwrap_or_else(|| source.ids.other(stream("gone principal"), u64::from(number)))
}

/// Where an assignment holds; none where it holds in an application's own scope.
fn scope(source: &Source, number: u32) -> Option<String> {
    let other = |purpose: &str| source.ids.other(stream(purpose), u64::from(number % 7));
    Some(match number % 11 {
        2 | 3 => format!("/administrativeUnits/{}", other("administrative unit")),
        5 => format!("/attributeSets/Set{}", number % 3),
        7 => format!("/{}", other("scope object")),
        9 => "/providers/unheard of/x".to_owned(),
        10 => return None,
        _ => "/".to_owned(),
    })
}
