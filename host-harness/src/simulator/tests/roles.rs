//! Directory roles: whole lists, the expanded principal, ids that case tells apart, and Privileged Identity Management.

use anyhow::Result;
use serde_json::Value;

use super::client::Client;
use crate::simulator::{Change, Kind, Licence, Permissions, Roles, World};

const DIRECTORY: &str = "/roleManagement/directory";

fn world() -> World {
    let roles = Roles { definitions: 9, assignments: 60, page: 25, ..Roles::default() };
    World { roles, service_principals: 5, ..World::gentle() }
}

fn assignments(client: &Client, query: &str) -> Result<Vec<Value>> {
    client.all(&format!("{DIRECTORY}/roleAssignments{query}"), &[])
}

#[test]
fn whole_lists_come_in_pages_of_the_service() -> Result<()> {
    let client = Client::start(world())?;
    let first = client.get(&format!("{DIRECTORY}/roleAssignments?$top=999"))?;
    assert_eq!((first.rows().len(), first.next_link().is_some()), (25, true));
    let all: Vec<String> = assignments(&client, "")?.iter().map(|row| row["id"].to_string()).collect();
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), distinct.len()), (60, 60));
    assert_eq!(client.get(&format!("{DIRECTORY}/roleDefinitions"))?.rows().len(), 9);
    assert_eq!(client.get(&format!("{DIRECTORY}/roleAssignments/$count"))?.status, 404);
    Ok(())
}

#[test]
fn top_is_ignored_or_refused() -> Result<()> {
    let roles = Roles { top_refused: true, ..world().roles };
    let client = Client::start(World { roles, ..world() })?;
    assert_eq!(client.get(&format!("{DIRECTORY}/roleAssignments?$top=5"))?.status, 400);
    Ok(())
}

#[test]
fn two_assignments_have_ids_that_differ_in_case_only() -> Result<()> {
    let client = Client::start(world())?;
    let [one, other] = [0, 1].map(|number| client.simulator.id(Kind::RoleAssignment, number));
    assert!(one != other && one.eq_ignore_ascii_case(&other));
    for id in [one, other] {
        assert_eq!(client.get(&format!("{DIRECTORY}/roleAssignments/{id}"))?.body["id"], id.as_str());
    }
    Ok(())
}

#[test]
fn principals_are_expanded_unless_they_are_gone() -> Result<()> {
    let client = Client::start(world())?;
    let narrow = assignments(&client, "?$expand=principal($select=id)")?;
    let plain = assignments(&client, "?$expand=principal")?;
    let gone = narrow.iter().filter(|row| row.get("principal").is_none()).count();
    assert_eq!((gone, plain.iter().filter(|row| row.get("principal").is_none()).count()), (6, 6));
    let types: std::collections::BTreeSet<String> =
        narrow.iter().filter_map(|row| Some(row["principal"]["@odata.type"].as_str()?.to_owned())).collect();
    assert_eq!(types.len(), 3, "{types:?}");
    for (narrow, plain) in narrow.iter().zip(&plain).filter(|(row, _)| row.get("principal").is_some()) {
        assert_eq!(narrow["principal"]["id"], narrow["principalId"]);
        assert_eq!(
            (narrow["principal"].get("displayName"), plain["principal"].get("displayName").is_some()),
            (None, true)
        );
    }
    Ok(())
}

#[test]
fn a_nested_select_can_be_refused() -> Result<()> {
    let roles = Roles { nested_select_refused: true, ..world().roles };
    let client = Client::start(World { roles, ..world() })?;
    assert_eq!(client.get(&format!("{DIRECTORY}/roleAssignments?$expand=principal($select=id)"))?.status, 400);
    assert_eq!(client.get(&format!("{DIRECTORY}/roleAssignments?$expand=principal"))?.status, 200);
    Ok(())
}

#[test]
fn scopes_are_of_every_sort() -> Result<()> {
    let client = Client::start(world())?;
    let rows = assignments(&client, "")?;
    let has =
        |start: &str| rows.iter().any(|row| row["directoryScopeId"].as_str().is_some_and(|it| it.starts_with(start)));
    assert!(["/administrativeUnits/", "/attributeSets/", "/providers/"].iter().all(|start| has(start)));
    assert!(rows.iter().any(|row| row["directoryScopeId"] == "/"));
    assert!(rows.iter().any(|row| row["directoryScopeId"].is_null() && row["appScopeId"].is_string()));
    Ok(())
}

#[test]
fn every_assignment_has_an_instance_and_groups_have_one_more() -> Result<()> {
    let client = Client::start(world())?;
    let instances = client.all(&format!("{DIRECTORY}/roleAssignmentScheduleInstances"), &[])?;
    let ids: std::collections::BTreeSet<String> =
        assignments(&client, "")?.iter().map(|row| row["id"].to_string()).collect();
    let (direct, inherited): (Vec<_>, Vec<_>) = instances.iter().partition(|row| row["memberType"] == "Direct");
    let named = |row: &&&Value| ids.contains(&row["roleAssignmentOriginId"].to_string());
    assert_eq!((direct.iter().filter(named).count(), inherited.iter().filter(named).count()), (60, 0));
    assert_eq!(inherited.len(), 12);
    let activated = direct.iter().filter(|row| row["assignmentType"] == "Activated");
    assert!(activated.clone().count() > 5 && activated.clone().all(|row| row["endDateTime"].is_string()));
    Ok(())
}

#[test]
fn removing_an_assignment_removes_its_instance() -> Result<()> {
    let client = Client::start(world())?;
    let url = format!("{DIRECTORY}/roleAssignmentScheduleInstances");
    let before = client.all(&url, &[])?.len();
    client.simulator.apply(&[Change::delete(Kind::RoleAssignment, "#0")])?;
    client.simulator.apply(&[Change::add(Kind::RoleAssignment, serde_json::Map::new())])?;
    assert_eq!((assignments(&client, "")?.len(), client.all(&url, &[])?.len()), (60, before));
    let mirrored = Change::delete(Kind::RoleAssignmentScheduleInstance, "#2");
    assert!(client.simulator.apply(&[mirrored]).is_err());
    Ok(())
}

#[test]
fn a_missing_permission_and_a_missing_licence_are_told_apart() -> Result<()> {
    let ask = |world: World| -> Result<[(u16, String); 2]> {
        let client = Client::start(world)?;
        let code = |path: &str| -> Result<(u16, String)> {
            let reply = client.get(&format!("{DIRECTORY}/{path}"))?;
            Ok((reply.status, format!("{} {}", reply.code(), reply.message())))
        };
        Ok([code("roleAssignments")?, code("roleAssignmentScheduleInstances")?])
    };
    let permissions = Permissions::without(&["RoleManagement.Read.Directory"]);
    let [list, instances] = ask(World { permissions, ..world() })?;
    assert_eq!((list.0, instances.0), (403, 403));
    assert!(list.1.starts_with("Authorization_RequestDenied"));
    let message: Value = serde_json::from_str(instances.1.strip_prefix("UnknownError ").unwrap())?;
    assert_eq!(message["errorCode"], "PermissionScopeNotGranted");
    assert!(message["message"].as_str().is_some_and(|it| it.contains("RoleManagement.Read.Directory")));
    let [list, instances] = ask(World { licences: [Licence::P1].into(), ..world() })?;
    assert_eq!((list.0, instances.0), (200, 400));
    assert!(instances.1.starts_with("AadPremiumLicenseRequired"));
    Ok(())
}
