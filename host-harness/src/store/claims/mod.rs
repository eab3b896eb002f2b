//! The host rules of the contract, one test for each, told in records.
//!
//! Every test reads the same way: what was told before, what is told now, what the mesh shows. `Told` is a store in a
//! folder of its own; the short functions make the records.

mod accepted;
mod case;
mod durability;
mod edges;
mod ends;
mod events;
mod growth;
mod guard;
mod left_scope;
mod migration;
mod objects;
mod reference;
mod sets;
mod switched_off;
mod unchanged;

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Instance, Mesh, Store, Tally};
use crate::catalog::Catalog;

/// A store that is told records.
struct Told {
    _folder: tempfile::TempDir,
    path: PathBuf,
    store: Store,
    instance: Instance,
    catalog: Catalog,
}

impl Told {
    fn new() -> Told {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mesh.db");
        let store = Store::open(&path).unwrap();
        let instance = store.instance("default", "Fake").unwrap();
        Told { _folder: folder, path, store, instance, catalog: catalog() }
    }

    /// A store that holds users u1 and u2, group g1 and the edges of both.
    fn two_members() -> Told {
        let told = Told::new();
        told.now(&[
            begin("User", "Full", "s0"),
            user("u1", json!({"displayName": "Ann", "mail": "ann@contoso.com"})),
            user("u2", json!({"displayName": "Bob"})),
            end("User"),
            begin("Group", "Full", "s0"),
            group("g1", json!({"displayName": "Sales"})),
            end("Group"),
            begin("GroupMember", "Full", "s0"),
            edge("g1", "u1"),
            edge("g1", "u2"),
            scope("g1", true),
            end("GroupMember"),
        ]);
        told
    }

    /// Tells one run, with a checkpoint at its end.
    fn now(&self, records: &[String]) -> Tally {
        let mut applier = self.store.applier(self.instance, &self.catalog).unwrap();
        applier.apply(records.concat().as_bytes()).unwrap();
        applier.commit(Some("w")).unwrap();
        applier.tally().clone()
    }

    /// Tells one run inside a Delta set of the object type.
    fn delta(&self, object_type: &str, records: &[String]) -> Tally {
        let mut told = vec![begin(object_type, "Delta", "d")];
        told.extend_from_slice(records);
        told.push(end(object_type));
        self.now(&told)
    }

    fn mesh(&self) -> Mesh {
        Mesh::open(&self.path).unwrap()
    }

    /// SourceIds of the visible objects of a type.
    fn shown(&self, object_type: &str) -> Vec<String> {
        self.mesh().objects(object_type).unwrap().into_iter().map(|object| object.source_id).collect()
    }

    /// SourceIds of the edges that are not dormant.
    fn members(&self) -> Vec<String> {
        let mut edges: Vec<String> =
            self.mesh().edges("GroupMember").unwrap().into_iter().map(|edge| edge.source_id).collect();
        edges.sort();
        edges
    }

    /// When each edge was last written, by the store's clock.
    fn touches(&self) -> Vec<(String, i64)> {
        let connection = rusqlite::Connection::open(&self.path).unwrap();
        let sql = "SELECT node.source_id, edge.touch FROM edge JOIN node ON node.id = edge.second_id ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn attributes(&self, object_type: &str, source_id: &str) -> Value {
        Value::Object(self.mesh().object(object_type, source_id).unwrap().unwrap().attributes)
    }
}

fn catalog() -> Catalog {
    let describe = json!({"Name": "Fake", "Version": "1", "ObjectTypes": [
        {"Name": "User", "Class": "Object"}, {"Name": "Group", "Class": "Object"}, {"Name": "SignIn", "Class": "Event"},
        {"Name": "GroupMember", "Class": "Edge", "ScopeAttribute": "groupId",
         "Ends": [{"Attribute": "groupId", "ObjectTypes": ["Group"]}, {"Attribute": "memberId", "TypeAttribute": "memberType"}]},
        {"Name": "Application", "Class": "Object"}, {"Name": "License", "Class": "Object"},
        {"Name": "Credential", "Class": "Edge", "ScopeAttribute": "applicationId",
         "Ends": [{"Attribute": "applicationId", "ObjectTypes": ["Application"]}]},
        {"Name": "SignInActivity", "Class": "Edge", "Ends": [{"Attribute": "userId", "ObjectTypes": ["User"]}]},
        {"Name": "LicenseAssignment", "Class": "Edge",
         "Ends": [{"Attribute": "principalId", "TypeAttribute": "principalType"}, {"Attribute": "skuId", "ObjectTypes": ["License"]},
                  {"Attribute": "assignedByGroupId", "ObjectTypes": ["Group"]}]},
        {"Name": "RoleAssignment", "Class": "Edge",
         "Ends": [{"Attribute": "principalId", "ObjectTypes": ["User", "Group"]}, {"Attribute": "roleId", "ObjectTypes": ["Role"]}]},
    ]});
    Catalog::parse(&describe.to_string()).unwrap()
}

fn line(record: Value) -> String {
    format!("{record}\n")
}

fn begin(object_type: &str, mode: &str, set_id: &str) -> String {
    line(
        json!({"Kind": "Begin", "ObjectType": object_type, "Mode": mode, "SetId": set_id, "Resumed": false, "Absence": "SoftDeleted"}),
    )
}

fn resume(object_type: &str, set_id: &str) -> String {
    line(
        json!({"Kind": "Begin", "ObjectType": object_type, "Mode": "Full", "SetId": set_id, "Resumed": true, "Absence": "SoftDeleted"}),
    )
}

fn user(id: &str, attributes: Value) -> String {
    upsert("User", id, Some(id), attributes)
}

fn group(id: &str, attributes: Value) -> String {
    upsert("Group", id, Some(id), attributes)
}

fn upsert(object_type: &str, id: &str, external_id: Option<&str>, attributes: Value) -> String {
    line(
        json!({"Kind": "Upsert", "ObjectType": object_type, "SourceId": id, "ExternalId": external_id, "Attributes": attributes}),
    )
}

fn edge(group: &str, member: &str) -> String {
    let attributes = json!({"groupId": group, "memberId": member, "memberType": "User"});
    upsert("GroupMember", &format!("{group}:{member}"), Some(&format!("{group}:{member}")), attributes)
}

fn delete(object_type: &str, id: &str, reason: &str) -> String {
    line(json!({"Kind": "Delete", "ObjectType": object_type, "SourceId": id, "ExternalId": null, "Reason": reason}))
}

fn scope(group: &str, complete: bool) -> String {
    line(json!({"Kind": "Scope", "ObjectType": "GroupMember", "Scope": group, "Complete": complete, "Rows": 0}))
}

fn end(object_type: &str) -> String {
    line(json!({"Kind": "End", "ObjectType": object_type, "Complete": true}))
}

fn end_incomplete(object_type: &str) -> String {
    line(json!({"Kind": "End", "ObjectType": object_type, "Complete": false}))
}
