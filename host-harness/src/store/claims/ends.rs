//! Edges with one, two and three ends, and what happens to them when an end goes.

use super::*;

/// An edge with one end, in the scope of that end.
fn credential(app: &str, key: &str) -> String {
    upsert("Credential", &format!("{app}:{key}"), None, json!({"applicationId": app, "keyId": key}))
}

/// An edge with one end and no scope, whose SourceId is that of its end.
fn activity(user: &str, day: u32) -> String {
    upsert("SignInActivity", user, None, json!({"userId": user, "day": day}))
}

/// An edge with three ends, of which the last may be null.
fn licence(principal: &str, sku: &str, by: Option<&str>) -> String {
    let source_id = format!("{principal}:{sku}:{}", by.unwrap_or("direct"));
    let attributes = json!({"principalId": principal, "principalType": "User", "skuId": sku, "assignedByGroupId": by});
    upsert("LicenseAssignment", &source_id, None, attributes)
}

impl Told {
    /// SourceIds of the edges of a type that are not dormant, in order.
    fn edges_shown(&self, object_type: &str) -> Vec<String> {
        let mut edges: Vec<_> = self.mesh().edges(object_type).unwrap().into_iter().map(|it| it.source_id).collect();
        edges.sort();
        edges
    }

    /// Edges of all three kinds at user u1, application a1 and group g1.
    fn with_edges() -> Told {
        let told = Told::two_members();
        told.delta("Credential", &[credential("a1", "k1"), credential("a1", "k2"), credential("a2", "k1")]);
        told.delta("SignInActivity", &[activity("u1", 1), activity("u2", 1)]);
        let licences = [licence("u1", "s1", None), licence("u1", "s1", Some("g1")), licence("u2", "s2", Some("g1"))];
        told.delta("LicenseAssignment", &licences);
        told
    }
}

#[test]
fn edge_with_one_end_is_dormant_while_its_object_is_soft_deleted() {
    let told = Told::with_edges();
    told.delta("Application", &[delete("Application", "a1", "SoftDeleted")]);
    told.delta("User", &[delete("User", "u1", "SoftDeleted")]);
    assert_eq!(
        (told.edges_shown("Credential"), told.edges_shown("SignInActivity")),
        (vec!["a2:k1".into()], vec!["u2".into()])
    );
    told.delta("Application", &[upsert("Application", "a1", None, json!({}))]);
    told.delta("User", &[user("u1", json!({}))]);
    assert_eq!((told.edges_shown("Credential").len(), told.edges_shown("SignInActivity").len()), (3, 2));
}

#[test]
fn edge_with_one_end_is_gone_with_its_object() {
    for reason in ["Purged", "LeftScope"] {
        let told = Told::with_edges();
        told.delta("Application", &[delete("Application", "a1", reason), upsert("Application", "a1", None, json!({}))]);
        told.delta("User", &[delete("User", "u1", reason), user("u1", json!({}))]);
        assert_eq!(told.edges_shown("Credential"), ["a2:k1"], "{reason}");
        assert_eq!(told.edges_shown("SignInActivity"), ["u2"], "{reason}");
    }
}

#[test]
fn edge_with_three_ends_is_dormant_while_any_of_them_is_deleted() {
    for (object_type, id, left) in [("User", "u2", 2), ("License", "s2", 2), ("Group", "g1", 1), ("License", "s1", 1)] {
        let told = Told::with_edges();
        told.delta(object_type, &[delete(object_type, id, "SoftDeleted")]);
        assert_eq!(told.edges_shown("LicenseAssignment").len(), left, "{id}");
        told.delta(object_type, &[upsert(object_type, id, None, json!({}))]);
        assert_eq!(told.edges_shown("LicenseAssignment").len(), 3, "{id}");
    }
}

#[test]
fn edge_with_three_ends_goes_with_the_purge_of_any_of_them() {
    for (object_type, id, left) in [("User", "u2", 2), ("License", "s2", 2), ("Group", "g1", 1)] {
        let told = Told::with_edges();
        told.delta(object_type, &[delete(object_type, id, "Purged"), upsert(object_type, id, None, json!({}))]);
        assert_eq!(told.edges_shown("LicenseAssignment").len(), left, "{id}");
    }
}

#[test]
fn group_that_left_scope_leaves_the_edges_that_only_name_it() {
    let told = Told::with_edges();
    told.delta("Group", &[delete("Group", "g1", "LeftScope")]);
    assert_eq!((told.edges_shown("LicenseAssignment").len(), told.members().len()), (3, 0));
}

#[test]
fn null_end_makes_no_edge_dormant_and_is_no_attribute() {
    let told = Told::with_edges();
    let direct = told.mesh().edge("LicenseAssignment", "u1:s1:direct").unwrap().unwrap();
    assert_eq!((direct.dormant, direct.ends), (false, vec!["u1".into(), "s1".into(), String::new()]));
    assert_eq!(Value::Object(direct.attributes), json!({"principalId": "u1", "principalType": "User", "skuId": "s1"}));
}

#[test]
fn scope_closes_edges_with_one_end() {
    let told = Told::with_edges();
    let close = scope("a1", true).replace("GroupMember", "Credential");
    told.delta("Credential", &[credential("a1", "k2"), credential("a1", "k3"), close]);
    assert_eq!(told.edges_shown("Credential"), ["a1:k2", "a1:k3", "a2:k1"]);
}

#[test]
fn end_of_a_full_set_removes_edges_of_any_number_of_ends() {
    let told = Told::with_edges();
    told.now(&[begin("SignInActivity", "Full", "s1"), activity("u2", 2), end("SignInActivity")]);
    told.now(&[begin("LicenseAssignment", "Full", "s1"), licence("u1", "s1", None), end("LicenseAssignment")]);
    assert_eq!(told.edges_shown("SignInActivity"), ["u2"]);
    assert_eq!(told.edges_shown("LicenseAssignment"), ["u1:s1:direct"]);
}

#[test]
fn edges_are_removed_by_their_source_id_whatever_it_is_made_of() {
    let told = Told::with_edges();
    told.delta("Credential", &[delete("Credential", "a1:k1", "Removed")]);
    told.delta("SignInActivity", &[delete("SignInActivity", "u1", "Removed")]);
    let gone = ["u1:s1:direct", "u1:s1:g1"].map(|id| delete("LicenseAssignment", id, "Removed"));
    told.delta("LicenseAssignment", &gone);
    assert_eq!(told.edges_shown("Credential"), ["a1:k2", "a2:k1"]);
    assert_eq!(told.edges_shown("SignInActivity"), ["u2"]);
    assert_eq!(told.edges_shown("LicenseAssignment"), ["u2:s2:g1"]);
}

#[test]
fn end_that_a_change_leaves_out_is_unchanged_and_one_that_is_null_is_cleared() {
    let told = Told::with_edges();
    let change = |attributes: Value| {
        told.delta("LicenseAssignment", &[upsert("LicenseAssignment", "u1:s1:g1", None, attributes)])
    };
    change(json!({"state": "Active"}));
    let ends = || told.mesh().edge("LicenseAssignment", "u1:s1:g1").unwrap().unwrap().ends.join(" ");
    assert_eq!(ends(), "u1 s1 g1");
    assert_eq!(change(json!({"assignedByGroupId": null})).types["LicenseAssignment"].changed, 1);
    assert_eq!(ends(), "u1 s1 ");
    told.delta("Group", &[delete("Group", "g1", "SoftDeleted")]);
    assert!(told.edges_shown("LicenseAssignment").contains(&"u1:s1:g1".to_owned()));
    // A whole image leaves nothing as it was.
    told.now(&[
        begin("LicenseAssignment", "Full", "s1"),
        upsert("LicenseAssignment", "u1:s1:g1", None, json!({"skuId": "s9"})),
    ]);
    assert_eq!(ends(), " s9 ");
}

#[test]
fn one_source_id_is_one_edge_wherever_its_ends_move() {
    let told = Told::new();
    let moved = |ends: [&str; 2]| {
        let row = json!({"groupId": ends[0], "memberId": ends[1]});
        told.delta("GroupMember", &[upsert("GroupMember", "g1:u1", None, row)]);
        told.mesh()
            .edges("GroupMember")
            .unwrap()
            .iter()
            .map(|it| format!("{} {}", it.source_id, it.ends.join(" ")))
            .collect::<Vec<_>>()
    };
    assert_eq!(moved(["g1", "u1"]), ["g1:u1 g1 u1"]);
    assert_eq!(moved(["g1", "u2"]), ["g1:u1 g1 u2"]);
    assert_eq!(moved(["g1", "u1"]), ["g1:u1 g1 u1"]);
    told.delta("GroupMember", &[delete("GroupMember", "g1:u1", "Removed")]);
    assert!(told.members().is_empty());
}

#[test]
fn ends_whose_ids_hold_a_colon_are_told_apart() {
    let told = Told::new();
    told.delta("GroupMember", &[edge("a:b", "c"), edge("a", "b:c")]);
    // Both have the SourceId a:b:c, so they are one edge; the later one says where.
    assert_eq!(
        told.mesh().edges("GroupMember").unwrap().iter().map(|it| it.ends.join(" ")).collect::<Vec<_>>(),
        ["a b:c"]
    );
    told.delta("GroupMember", &[delete("GroupMember", "a:b:c", "Removed")]);
    assert!(told.members().is_empty());
}

#[test]
fn edge_type_without_ends_or_with_four_is_refused_with_words() {
    for ends in [0, 4] {
        let ends: Vec<Value> = (0..ends).map(|number| json!({"Attribute": format!("end{number}")})).collect();
        let describe = json!({"Name": "Fake", "ObjectTypes": [{"Name": "Odd", "Class": "Edge", "Ends": ends}]});
        let catalog = Catalog::parse(&describe.to_string()).unwrap();
        let told = Told::new();
        let mut applier = told.store.applier(told.instance, &catalog).unwrap();
        let error = format!("{:#}", applier.apply(begin("Odd", "Full", "s").as_bytes()).unwrap_err());
        assert!(error.contains("edges have one to 3 ends, Odd has"), "{error}");
    }
}
