//! SourceIds that are no GUIDs are case-sensitive: two that differ in case alone are two rows.

use super::*;

const PAIR: [&str; 2] =
    ["lAPpYvVpN0KRkAEhdxReEJC2sEqbR_9Hr48lds9SGHI-1", "lAPpYvVpN0KRkAEhdxReEJC2sEqbR_9Hr48lds9SGHi-1"];

fn assignment(id: &str, role: &str) -> String {
    upsert("RoleAssignment", id, Some(id), json!({"principalId": "u1", "roleId": role}))
}

fn roles(told: &Told) -> Vec<(String, String)> {
    told.mesh().edges("RoleAssignment").unwrap().into_iter().map(|it| (it.source_id, it.ends[1].clone())).collect()
}

#[test]
fn edges_whose_ids_differ_in_case_alone_are_two() {
    let told = Told::two_members();
    told.delta("RoleAssignment", &[assignment(PAIR[0], "r1"), assignment(PAIR[1], "r2")]);
    assert_eq!(roles(&told), [(PAIR[0].into(), "r1".into()), (PAIR[1].into(), "r2".into())]);
    told.delta("RoleAssignment", &[delete("RoleAssignment", PAIR[1], "Removed")]);
    assert_eq!(roles(&told), [(PAIR[0].into(), "r1".into())]);
}

#[test]
fn objects_and_marks_whose_ids_differ_in_case_alone_are_two() {
    let told = Told::new();
    told.delta("License", &PAIR.map(|id| upsert("License", id, None, json!({"displayName": id}))));
    told.delta("GroupMember", &PAIR.map(|id| edge("g1", id)));
    told.delta("License", &[delete("License", PAIR[0], "SoftDeleted")]);
    assert_eq!(told.shown("License"), [PAIR[1]]);
    assert_eq!(told.members(), [format!("g1:{}", PAIR[1])]);
}

#[test]
fn scopes_whose_ids_differ_in_case_alone_are_two() {
    let told = Told::new();
    told.delta("GroupMember", &PAIR.map(|id| edge(id, "u1")));
    told.delta("GroupMember", &[scope(PAIR[1], true)]);
    assert_eq!(told.members(), [format!("{}:u1", PAIR[0])]);
}

#[test]
fn object_is_found_by_its_exact_id_and_a_guid_in_any_case() {
    let told = Told::new();
    told.delta("License", &PAIR.map(|id| upsert("License", id, None, json!({}))));
    told.delta("User", &[user("6e7b768e-07e2-4810-8459-485f84f8f204", json!({}))]);
    assert_eq!(told.mesh().named(PAIR[0]).unwrap(), [PAIR[0]]);
    assert_eq!(told.mesh().named("6E7B768E-07E2-4810-8459-485F84F8F204").unwrap().len(), 1);
}
