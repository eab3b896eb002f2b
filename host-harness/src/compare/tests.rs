//! Every kind of difference is found; equal stores have none.

use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::store::Store;

fn row(id: &str, name: &str) -> TruthRow {
    let attributes = json!({"displayName": name, "businessPhones": ["1", "2"], "mail": null, "unasked": 1});
    TruthRow::new("User", Some(id), attributes.as_object().cloned().unwrap()).unwrap()
}

fn member_of_type(group: &str, member: &str, member_type: &str) -> TruthRow {
    let attributes = json!({"groupId": group, "memberId": member, "memberType": member_type});
    TruthRow::new("GroupMember", None, attributes.as_object().cloned().unwrap()).unwrap()
}

fn member(group: &str, member: &str) -> TruthRow {
    member_of_type(group, member, "User")
}

/// A mesh with user u1 (Ann), hidden user u2 and the edge g1:u1.
fn mesh() -> (tempfile::TempDir, Mesh) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mesh.db");
    let describe = json!({"ObjectTypes": [{"Name": "User"}, {"Name": "GroupMember", "Class": "Edge",
        "Ends": [{"Attribute": "groupId"}, {"Attribute": "memberId"}]}]});
    let catalog = Catalog::parse(&describe.to_string()).unwrap();
    let store = Store::open(&path).unwrap();
    let instance = store.instance("i", "c").unwrap();
    let mut applier = store.applier(instance, &catalog).unwrap();
    let rows = [
        json!({"Kind": "Begin", "ObjectType": "User", "Mode": "Delta", "SetId": "s"}),
        json!({"Kind": "Upsert", "ObjectType": "User", "SourceId": "u1", "ExternalId": "u1", "Attributes": {"displayName": "Ann", "businessPhones": "1,2"}}),
        json!({"Kind": "Upsert", "ObjectType": "User", "SourceId": "u2", "ExternalId": "u2", "Attributes": {}}),
        json!({"Kind": "Delete", "ObjectType": "User", "SourceId": "u2", "Reason": "SoftDeleted"}),
        json!({"Kind": "Begin", "ObjectType": "GroupMember", "Mode": "Delta", "SetId": "s"}),
        json!({"Kind": "Upsert", "ObjectType": "GroupMember", "SourceId": "g1:u1", "Attributes": {"groupId": "g1", "memberId": "u1", "memberType": "User"}}),
    ];
    for row in rows {
        applier.apply(row.to_string().as_bytes()).unwrap();
    }
    applier.commit(None).unwrap();
    drop(applier);
    let mesh = Mesh::open(&path).unwrap();
    (folder, mesh)
}

fn differences(truth: Vec<TruthRow>) -> Vec<String> {
    let (_folder, mesh) = mesh();
    compare(&mesh, truth.into_iter().map(Ok)).unwrap().first
}

#[test]
fn equal_mesh_has_no_differences() {
    let (_folder, mesh) = mesh();
    let found = compare(&mesh, vec![row("u1", "Ann"), member("g1", "u1")].into_iter().map(Ok)).unwrap();
    assert_eq!((found.to_string().as_str(), found.rows()), ("2 rows, no difference", 2));
}

#[test]
fn another_attribute_is_a_difference() {
    assert_eq!(
        differences(vec![row("u1", "Bob"), member("g1", "u1")]),
        ["User u1: displayName is \"Ann\", should be \"Bob\""]
    );
}

#[test]
fn missing_and_hidden_objects_are_differences() {
    let found = differences(vec![row("u1", "Ann"), row("u2", "Bob"), row("u3", "Cem"), member("g1", "u1")]);
    assert_eq!(found, ["User u2 is missing", "User u3 is missing"]);
}

#[test]
fn rows_too_many_are_differences() {
    assert_eq!(
        differences(vec![]),
        ["GroupMember g1:u1 is there and should not be", "User u1 is there and should not be"]
    );
}

#[test]
fn another_attribute_of_an_edge_is_a_difference() {
    let found = differences(vec![row("u1", "Ann"), member_of_type("g1", "u1", "Device")]);
    assert_eq!(found, ["GroupMember g1:u1: memberType is \"User\", should be \"Device\""]);
}

#[test]
fn missing_edge_is_a_difference() {
    let found = differences(vec![row("u1", "Ann"), member("g1", "u1"), member("g1", "u9")]);
    assert_eq!(found, ["GroupMember g1:u9 is missing"]);
}

#[test]
fn other_external_id_is_expected_when_it_was_configured() {
    let (_folder, mesh) = mesh();
    let comparison = Comparison::default().of_types(&["User"]).with_external_id("displayName");
    let found = comparison.run(&mesh, vec![Ok(row("u1", "Ann"))].into_iter()).unwrap();
    assert_eq!(found.first, ["User u1: external id is Some(\"u1\"), should be Some(\"Ann\")"]);
}
