//! What Privileged Identity Management says of role assignments in force: one instance for each assignment, and another
//! one for what the members of a group inherit from it.
//!
//! An instance exists as long as its assignment does: even numbers belong to the assignment of half the number, odd
//! ones repeat the assignment of a group and name no assignment of the list.

use super::deed::Deed;
use super::field::Field;
use super::identity::ObjectRef;
use super::property::{Property, Shape};
use super::role_assignment::PRINCIPAL;
use super::source::Source;
use super::{Deletion, IdForm, Kind, Listed, Mirror, Served, Table, never_drawn};
use crate::simulator::clock::format_moment;
use crate::simulator::seed::{mix, stream};
use crate::simulator::workload::{Licence, Workload};

/// The seconds of 2026-01-01.
const START: u64 = 1_767_225_600;
const DAY: u64 = 24 * 3600;

pub(super) static TABLE: Table = Table {
    name: "RoleAssignmentScheduleInstance",
    odata_type: "#microsoft.graph.unifiedRoleAssignmentScheduleInstance",
    collection: "roleManagement/directory/roleAssignmentScheduleInstances",
    live: &[],
    deleted: None,
    ids: IdForm::CaseSensitive,
    mirrors: Some(Mirror {
        of: Kind::RoleAssignment,
        per: 2,
        exists: |nth, value, kind_of, settings| {
            let inherits = || value("principalId").as_str().and_then(kind_of) == Some(Kind::Group);
            nth == 0 || settings.flag("roles/inheritedInstances") && inherits()
        },
    }),
    // The first is the one that the refusal names.
    read: &["RoleManagement.Read.Directory", "RoleAssignmentSchedule.Read.Directory"],
    served: Some(Served {
        units: 1,
        workload: Workload::PrivilegedIdentity,
        licence: Some(Licence::P2),
        listed: Listed::Whole { page: "roles/page", expand: PRINCIPAL },
        feed: None,
        bin: None,
    }),
    properties: &[
        Property::new("id", Shape::Text, "eq"),
        Property::new("appScopeId", Shape::Text, "eq"),
        Property::new("assignmentType", Shape::Text, "eq"),
        Property::new("directoryScopeId", Shape::Text, "eq"),
        Property::new("endDateTime", Shape::Moment, ""),
        Property::new("memberType", Shape::Text, "eq"),
        Property::new("principalId", Shape::Text, "eq"),
        Property::new("roleAssignmentOriginId", Shape::Text, "eq"),
        Property::new("roleAssignmentScheduleId", Shape::Text, "eq"),
        Property::new("roleDefinitionId", Shape::Text, "eq"),
        Property::new("startDateTime", Shape::Moment, ""),
        Property::new("activatedUsing", Shape::Navigation, ""),
        Property::new("appScope", Shape::Navigation, ""),
        Property::new("directoryScope", Shape::Navigation, ""),
        Property::new("principal", Shape::Navigation, ""),
        Property::new("roleDefinition", Shape::Navigation, ""),
    ],
    extensions: &[],
    defaults: &[
        "id",
        "appScopeId",
        "assignmentType",
        "directoryScopeId",
        "endDateTime",
        "memberType",
        "principalId",
        "roleAssignmentOriginId",
        "roleAssignmentScheduleId",
        "roleDefinitionId",
        "startDateTime",
    ],
    other_key: None,
    derived: |_, _| None,
    field,
    fresh: |_, _| Vec::new(),
    deletion: |_, _| Deletion::Permanent,
    deeds: &[],
    amounts_to: |_| Deed::Updated,
    draw: never_drawn,
};

fn field(source: &Source, number: u32, property: &str) -> Field {
    let (origin, inherited) = (number / 2, number % 2 == 1);
    // An eligible assignment that somebody has activated ends by itself.
    let activated = origin % 5 == 2;
    let start = START + mix(source.seed, stream("instance start"), u64::from(origin)) % (90 * DAY);
    let id = |kind: Kind, number: u32| source.ids.id(ObjectRef { kind, number });
    match property {
        "assignmentType" => Field::set(if activated { "Activated" } else { "Assigned" }),
        "memberType" => Field::set(if inherited { "Group" } else { "Direct" }),
        "roleAssignmentOriginId" if inherited => Field::set(id(Kind::RoleAssignmentScheduleInstance, number)),
        "roleAssignmentOriginId" => Field::set(id(Kind::RoleAssignment, origin)),
        "roleAssignmentScheduleId" => Field::set(source.ids.other(stream("schedule"), u64::from(number))),
        "startDateTime" => Field::set(format_moment(start)),
        "endDateTime" if activated => Field::set(format_moment(start + 8 * 3600)),
        _ => Field::Never,
    }
}
