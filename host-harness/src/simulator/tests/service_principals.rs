//! Service principals: endpoints, satellites in their rows, the limit of key credentials, derived types.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::Client;
use super::delta::walk;
use crate::simulator::change::script::Draw;
use crate::simulator::{Change, Delta, Kind, Limits, Permissions, World};

const SELECT: &str = "$select=id,displayName,appRoles,keyCredentials,passwordCredentials";

fn world() -> World {
    World { service_principals: 12, other_service_principals: 20, deleted_service_principals: 2, ..World::gentle() }
}

fn update(object: &str, properties: &Value) -> Change {
    Change::update(Kind::ServicePrincipal, object, properties.as_object().cloned().unwrap_or_default())
}

#[test]
fn list_feed_count_and_bin_show_the_same_service_principals() -> Result<()> {
    let client = Client::start(world())?;
    let ids = |rows: &[Value]| -> std::collections::BTreeSet<String> {
        rows.iter().filter_map(|row| Some(row["id"].as_str()?.to_owned())).collect()
    };
    let listed = client.all("/servicePrincipals?$select=id&$top=7", &[])?;
    let (fed, _) = walk(&client, "/servicePrincipals/delta?$select=id")?;
    let truth: std::collections::BTreeSet<_> =
        client.simulator.truth().objects(Kind::ServicePrincipal).map(|it| it.id).collect();
    assert_eq!((ids(&listed), ids(&fed)), (truth.clone(), truth));
    assert_eq!(client.eventually("/servicePrincipals/$count")?.text, "32");
    let bin = client.get("/directory/deletedItems/microsoft.graph.servicePrincipal?$select=id,deletedDateTime")?;
    assert_eq!(bin.rows().len(), 2);
    Ok(())
}

#[test]
fn members_that_are_service_principals_can_be_read_by_id() -> Result<()> {
    let client = Client::start(World { limits: Limits::none(), ..World::default() })?;
    let edge = client.simulator.truth().members().find(|edge| edge.child_type == "ServicePrincipal").unwrap();
    let reply = client.get(&format!("/servicePrincipals/{}?{SELECT}", edge.child))?;
    assert_eq!((reply.status, reply.body["id"].as_str()), (200, Some(edge.child.as_str())));
    Ok(())
}

#[test]
fn one_certificate_stands_twice_and_an_old_secret_has_no_key_id() -> Result<()> {
    let client = Client::start(World { other_service_principals: 200, ..world() })?;
    let rows = client.all(&format!("/servicePrincipals?{SELECT}&$top=999"), &[])?;
    let lists = |name: &str| -> Vec<Vec<Value>> {
        let lists = rows.iter().filter_map(|row| row[name].as_array().cloned());
        lists.filter(|list| !list.is_empty()).collect()
    };
    for keys in lists("keyCredentials") {
        assert_eq!(keys[0]["customKeyIdentifier"], keys[1]["customKeyIdentifier"]);
        assert_ne!(keys[0]["keyId"], keys[1]["keyId"]);
    }
    assert!(lists("keyCredentials").len() > 10);
    let secrets: Vec<Value> = lists("passwordCredentials").into_iter().flatten().collect();
    assert!(secrets.iter().any(|secret| secret["keyId"].is_null()));
    assert!(secrets.iter().all(|secret| secret["secretText"].is_null() && secret["endDateTime"].is_string()));
    let roles: Vec<Value> = lists("appRoles").into_iter().flatten().collect();
    assert!(
        roles.iter().filter(|role| role["id"] == roles[0]["id"]).count() > 1,
        "role ids repeat across applications"
    );
    Ok(())
}

#[test]
fn an_emptied_collection_is_an_empty_array_or_absent() -> Result<()> {
    for absent in [false, true] {
        let delta = Delta { empty_collections_absent: absent, ..World::gentle().delta };
        let client = Client::start(World { delta, ..world() })?;
        let (_, link) = walk(&client, &format!("/servicePrincipals/delta?{SELECT}"))?;
        client.simulator.apply(&[update("#0", &json!({"appRoles": []}))])?;
        let (rows, _) = walk(&client, &link)?;
        let roles = rows[0].get("appRoles").cloned();
        assert_eq!(roles, (!absent).then(|| json!([])));
    }
    Ok(())
}

#[test]
fn selecting_keys_has_a_limit_of_its_own() -> Result<()> {
    let limits = Limits { key_credentials_per_minute: Some(2), ..Limits::default() };
    let client = Client::start(World { limits, ..world() })?;
    let url = format!("/servicePrincipals?{SELECT}");
    assert_eq!([client.get(&url)?.status, client.get(&url)?.status], [200, 200]);
    let refused = client.get(&url)?;
    assert_eq!(refused.status, 429);
    assert!(refused.header("retry-after").is_some_and(|wait| (1..=60).contains(&wait.parse().unwrap_or(0))));
    assert_eq!(client.get("/servicePrincipals?$select=id,appRoles")?.status, 200);
    assert_eq!(client.get(&format!("/servicePrincipals/delta?{SELECT}"))?.status, 429);
    client.simulator.advance_clock(60);
    assert_eq!(client.get(&url)?.status, 200);
    Ok(())
}

#[test]
fn agent_identities_say_so_in_rows_and_among_members() -> Result<()> {
    let limits = Limits::none();
    let client = Client::start(World { agent_identities: true, limits, ..World::default() })?;
    let rows = client.all("/servicePrincipals?$select=id", &[])?;
    let agents = rows.iter().filter(|row| row["@odata.type"] == "#microsoft.graph.agentIdentity").count();
    assert_eq!((rows.len(), agents), (12, 2));
    let agent = rows.iter().find(|row| row.get("@odata.type").is_some()).unwrap()["id"].clone();
    client.simulator.apply(&[Change::add_group(serde_json::Map::new())])?;
    client.simulator.apply(&[Change::add_member("#63", agent.as_str().unwrap(), Kind::ServicePrincipal)])?;
    let group = client.simulator.group_id(63);
    let (rows, _) = walk(&client, &format!("/groups/delta?$select=members&$filter=id%20eq%20'{group}'"))?;
    assert_eq!(rows[0]["members@delta"][0]["@odata.type"], "#microsoft.graph.agentIdentity");
    Ok(())
}

#[test]
fn directory_read_all_opens_what_application_read_all_does() -> Result<()> {
    let mut permissions = Permissions::without(&["Application.Read.All"]);
    let statuses = |permissions: &Permissions| -> Result<Vec<u16>> {
        let client = Client::start(World { permissions: permissions.clone(), ..world() })?;
        ["/servicePrincipals", "/servicePrincipals/delta", "/directory/deletedItems/microsoft.graph.servicePrincipal"]
            .iter()
            .map(|url| Ok(client.get(url)?.status))
            .collect()
    };
    assert_eq!(statuses(&permissions)?, [403; 3]);
    permissions.grant("Directory.Read.All");
    assert_eq!(statuses(&permissions)?, [200; 3]);
    Ok(())
}

#[test]
fn scripts_change_service_principals_where_they_name_them() -> Result<()> {
    let client = Client::start(world())?;
    let plain = client.simulator.random_changes(5, 200);
    assert!(plain.iter().all(|change| !format!("{change:?}").contains("ServicePrincipal, properties")));
    let changes = client.simulator.random_changes_of(5, 400, &[Kind::ServicePrincipal]);
    let summary = client.simulator.apply(&changes)?;
    for kind in crate::simulator::ChangeKind::of(Kind::ServicePrincipal) {
        assert!(summary.counts.contains_key(&kind), "{kind} is missing from {summary:?}");
    }
    let draw: Draw = serde_json::from_str(r#"{"seed": 1, "count": 2, "also": ["servicePrincipal"]}"#)?;
    assert_eq!(draw.also, [Kind::ServicePrincipal]);
    Ok(())
}
