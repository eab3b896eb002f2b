//! The statements of the page, rule by rule: records as a connector may send them, and what the two views show then.
//!
//! Real runs (`store`) hardly ever bring two rare things at once; here each rule has the records that break a store
//! without it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::store::Host;

fn begin(object_type: &str, mode: &str, set_id: &str, resumed: bool, absence: &str) -> Value {
    json!({"Kind": "Begin", "ObjectType": object_type, "Mode": mode, "SetId": set_id, "Resumed": resumed, "Absence": absence})
}

fn full(object_type: &str, set_id: &str) -> Value {
    begin(object_type, "Full", set_id, false, if object_type == "GroupMember" { "Removed" } else { "SoftDeleted" })
}

fn delta(object_type: &str) -> Value {
    begin(object_type, "Delta", "later", false, "SoftDeleted")
}

fn end(object_type: &str, complete: bool) -> Value {
    json!({"Kind": "End", "ObjectType": object_type, "Complete": complete})
}

fn row(object_type: &str, id: &str, attributes: Value) -> Value {
    json!({"Kind": "Upsert", "ObjectType": object_type, "SourceId": id, "ExternalId": id, "Attributes": attributes})
}

fn edge(group: &str, member: &str) -> Value {
    let attributes = json!({"groupId": group, "memberId": member, "memberType": "User"});
    row("GroupMember", &format!("{group}:{member}"), attributes)
}

fn gone(object_type: &str, id: &str, reason: &str) -> Value {
    json!({"Kind": "Delete", "ObjectType": object_type, "SourceId": id, "ExternalId": null, "Reason": reason})
}

fn scope(group: &str, complete: bool) -> Value {
    json!({"Kind": "Scope", "ObjectType": "GroupMember", "Scope": group, "Complete": complete, "Rows": 0})
}

/// Two users in a group that is in another one, read in full.
fn filled() -> Host {
    let mut host = Host::new();
    host.takes(&[
        full("User", "u"),
        row("User", "ann", json!({"displayName": "Ann", "mail": "a@x", "jobTitle": null})),
        row("User", "bob", json!({"displayName": "Bob"})),
        end("User", true),
        full("Group", "g"),
        row("Group", "in", json!({"displayName": "in"})),
        row("Group", "out", json!({"displayName": "out"})),
        end("Group", true),
        full("GroupMember", "m"),
        edge("in", "ann"),
        edge("in", "bob"),
        scope("in", true),
        edge("out", "in"),
        scope("out", true),
        end("GroupMember", true),
    ]);
    host.shows_keys("ann bob in out in->ann in->bob out->in");
    host
}

impl Host {
    fn takes(&mut self, records: &[Value]) -> &mut Host {
        for record in records {
            self.apply(record);
        }
        self
    }

    /// Ids of visible objects, and visible edges.
    #[track_caller]
    fn shows_keys(&self, keys: &str) {
        let key = |line: String| match line.split_once(" -> ") {
            Some((from, to)) => format!("{from}->{to}"),
            None => line.split(' ').nth(1).unwrap_or_default().to_owned(),
        };
        let shown: BTreeSet<String> = self.shows().into_iter().map(key).collect();
        assert_eq!(shown, keys.split(' ').map(str::to_owned).collect::<BTreeSet<_>>());
    }

    #[track_caller]
    fn shows_line(&self, line: &str) {
        let shown = self.shows();
        assert!(shown.contains(line), "{line}: {shown:#?}");
    }
}

#[test]
fn the_pages_upsert_replaces_in_a_full_set_and_merges_in_a_delta() {
    let mut host = filled();
    host.takes(&[delta("User"), row("User", "ann", json!({"mail": null, "jobTitle": "chief"}))]);
    host.shows_line(r#"User ann {"displayName": String("Ann"), "jobTitle": String("chief")}"#);
    let unnamed =
        json!({"Kind": "Upsert", "ObjectType": "User", "SourceId": "ann", "ExternalId": null, "Attributes": {}});
    host.takes(&[unnamed, row("User", "bob", json!({})), row("User", "bob", json!({"displayName": "Rob"}))]);
    assert_eq!(host.names(), ["ann", "bob", "in", "out"], "null on a change leaves the name");
    host.takes(&[
        end("User", true),
        full("User", "again"),
        row("User", "ann", json!({"displayName": "Anna", "mail": null})),
    ]);
    host.shows_line(r#"User ann {"displayName": String("Anna")}"#);
}

#[test]
fn the_pages_soft_delete_hides_an_object_and_puts_its_edges_to_sleep_until_it_is_back() {
    let mut host = filled();
    host.takes(&[delta("User"), gone("User", "ann", "SoftDeleted")]).shows_keys("bob in out in->bob out->in");
    host.takes(&[row("User", "ann", json!({}))]).shows_keys("ann bob in out in->ann in->bob out->in");
    host.shows_line(r#"User ann {"displayName": String("Ann"), "mail": String("a@x")}"#);
    // Somebody who was never here: an edge to it sleeps whenever it comes.
    host.takes(&[gone("User", "cyd", "SoftDeleted"), delta("GroupMember"), edge("in", "cyd")]);
    host.shows_keys("ann bob in out in->ann in->bob out->in");
    host.takes(&[row("User", "cyd", json!({}))]).shows_keys("ann bob cyd in out in->ann in->bob in->cyd out->in");
}

#[test]
fn the_pages_purge_takes_the_edges_along_at_either_end() {
    let mut host = filled();
    host.takes(&[delta("Group"), gone("Group", "in", "Purged")]).shows_keys("ann bob out");
    // An edge that comes late sleeps until whoever was purged is there again.
    host.takes(&[delta("GroupMember"), edge("out", "in")]).shows_keys("ann bob out");
    host.takes(&[row("Group", "in", json!({}))]).shows_keys("ann bob in out out->in");
}

#[test]
fn the_pages_left_scope_takes_the_edges_of_a_group_and_leaves_those_where_it_is_a_member() {
    let mut host = filled();
    host.takes(&[delta("Group"), gone("Group", "in", "SoftDeleted")]).shows_keys("ann bob out");
    host.takes(&[gone("Group", "in", "LeftScope")]).shows_keys("ann bob out out->in");
    host.takes(&[row("Group", "in", json!({}))]).shows_keys("ann bob in out out->in");
}

#[test]
fn the_pages_scope_closes_the_rows_since_the_one_before_and_only_a_complete_one_removes() {
    let mut host = filled();
    host.takes(&[delta("GroupMember"), edge("in", "ann"), scope("in", false)]);
    host.shows_keys("ann bob in out in->ann in->bob out->in");
    host.takes(&[edge("in", "bob"), scope("in", true)]).shows_keys("ann bob in out in->bob out->in");
    // Behind its Scope: a change on top of it.
    host.takes(&[edge("in", "ann"), gone("GroupMember", "in:bob", "Removed"), end("GroupMember", true)]);
    host.shows_keys("ann bob in out in->ann out->in");
    let strange = begin("GroupMember", "Mirror", "s", false, "Removed");
    host.takes(&[strange, scope("in", true), end("GroupMember", true)]).shows_keys("ann bob in out in->ann out->in");
}

#[test]
fn the_pages_end_removes_what_a_whole_set_did_not_touch_as_its_begin_says() {
    let mut host = filled();
    host.takes(&[full("User", "next"), row("User", "bob", json!({})), end("User", true)]);
    host.shows_keys("bob in out in->bob out->in");
    host.takes(&[delta("User"), row("User", "ann", json!({})), end("User", true)]);
    host.shows_keys("ann bob in out in->ann in->bob out->in");
    let listed = begin("Group", "Full", "list", false, "LeftScope");
    host.takes(&[listed, row("Group", "out", json!({})), end("Group", true)]).shows_keys("ann bob out out->in");
}

#[test]
fn the_pages_end_takes_old_marks_of_its_type_away_where_absence_is_left_scope() {
    let mut host = filled();
    host.takes(&[delta("Group"), gone("Group", "in", "SoftDeleted"), end("Group", true)]);
    host.takes(&[delta("User"), gone("User", "ann", "SoftDeleted"), end("User", true)]).shows_keys("bob out");
    let listed = || begin("Group", "Full", "list", false, "LeftScope");
    let told_again = [listed(), row("Group", "out", json!({})), gone("Group", "in", "SoftDeleted"), end("Group", true)];
    host.takes(&told_again).shows_keys("bob out");
    host.takes(&[listed(), row("Group", "out", json!({})), end("Group", true)]).shows_keys("bob out out->in");
}

#[test]
fn the_pages_end_leaves_the_edges_of_groups_that_could_not_be_read() {
    let mut host = filled();
    host.takes(&[full("GroupMember", "next"), scope("in", false), end("GroupMember", true)]);
    host.shows_keys("ann bob in out in->ann in->bob");
    // The next set has its own Scopes.
    host.takes(&[full("GroupMember", "third"), end("GroupMember", true)]).shows_keys("ann bob in out");
}

#[test]
fn the_pages_end_removes_nothing_for_a_set_that_is_not_whole() {
    let all = "ann bob in out in->ann in->bob out->in";
    let mut host = filled();
    host.takes(&[full("User", "next"), end("User", false)]).shows_keys(all);
    host.takes(&[delta("User"), end("User", true)]).shows_keys(all);
    // A set that this store never saw begin, twice: it must not become known by the first time.
    let resumed = || begin("User", "Full", "unseen", true, "SoftDeleted");
    host.takes(&[resumed(), end("User", true)]).shows_keys(all);
    host.takes(&[resumed(), row("User", "bob", json!({})), end("User", true)]).shows_keys(all);
    // Nor to a store that has forgotten all sets.
    host.forgets_sets();
    host.takes(&[resumed(), row("User", "bob", json!({})), end("User", true)]).shows_keys(all);
    // Voided by a second Begin: what it touched does not vouch for the next.
    let again = [full("User", "a"), row("User", "ann", json!({})), full("User", "b"), row("User", "bob", json!({}))];
    host.takes(&again).takes(&[end("User", true)]).shows_keys("bob in out in->bob out->in");
}

#[test]
fn the_pages_resumed_set_keeps_what_it_touched_and_reads_unfinished_groups_anew() {
    let mut host = filled();
    host.takes(&[full("GroupMember", "long"), edge("out", "in"), scope("out", true), edge("in", "ann")]);
    let resumed = begin("GroupMember", "Full", "long", true, "Removed");
    host.takes(&[resumed, edge("in", "bob"), scope("in", true)]).shows_keys("ann bob in out in->bob out->in");
    host.takes(&[end("GroupMember", true)]).shows_keys("ann bob in out in->bob out->in");
}

/// An application with two credentials, and a user with an activity, a licence of its own and one by the group `in`.
fn with_edges() -> Host {
    let mut host = filled();
    let licence = |source_id: &str, by: Option<&str>| {
        row("LicenseAssignment", source_id, json!({"principalId": "ann", "skuId": "sku", "assignedByGroupId": by}))
    };
    host.takes(&[
        delta("Credential"),
        row("Credential", "app:k1", json!({"applicationId": "app", "keyId": "k1"})),
        row("Credential", "app:k2", json!({"applicationId": "app", "keyId": "k2"})),
        delta("SignInActivity"),
        row("SignInActivity", "ann", json!({"userId": "ann"})),
        delta("LicenseAssignment"),
        licence("ann:sku:direct", None),
        licence("ann:sku:in", Some("in")),
        delta("User"),
        delta("Application"),
        delta("License"),
        delta("Group"),
    ]);
    host.shows_edges(ALL_EDGES);
    host
}

const ALL_EDGES: &str = "ann->ann ann->sku ann->sku->in app->app:k1 app->app:k2 in->ann in->bob out->in";

impl Host {
    /// Edges alone: an edge with one end as `end->SourceId`.
    #[track_caller]
    fn shows_edges(&self, expected: &str) {
        let shown = self.shows();
        let edges: Vec<_> =
            shown.iter().filter(|line| line.contains(" -> ")).map(|line| line.replace(" -> ", "->")).collect();
        assert_eq!(edges.join(" "), expected);
    }
}

#[test]
fn the_pages_edges_with_one_or_three_ends_sleep_while_any_end_is_deleted() {
    let back = |object_type: &str, id: &str| row(object_type, id, json!({}));
    for (object_type, id, left) in [
        ("Application", "app", "ann->ann ann->sku ann->sku->in in->ann in->bob out->in"),
        ("User", "ann", "app->app:k1 app->app:k2 in->bob out->in"),
        ("License", "sku", "ann->ann app->app:k1 app->app:k2 in->ann in->bob out->in"),
        ("Group", "in", "ann->ann ann->sku app->app:k1 app->app:k2"),
    ] {
        let mut host = with_edges();
        host.takes(&[gone(object_type, id, "SoftDeleted")]).shows_edges(left);
        host.takes(&[back(object_type, id)]).shows_edges(ALL_EDGES);
        host.takes(&[gone(object_type, id, "Purged"), back(object_type, id)]).shows_edges(left);
    }
}

#[test]
fn the_pages_left_scope_takes_edges_with_one_end_and_leaves_those_that_only_name_it() {
    let mut host = with_edges();
    host.takes(&[
        gone("Application", "app", "LeftScope"),
        gone("User", "ann", "LeftScope"),
        gone("Group", "in", "LeftScope"),
    ]);
    host.shows_edges("ann->sku ann->sku->in out->in");
}

#[test]
fn the_pages_end_of_an_edge_is_unchanged_where_a_change_leaves_it_out_and_none_where_it_is_null() {
    let mut host = with_edges();
    host.takes(&[row("LicenseAssignment", "ann:sku:in", json!({"state": "Active"}))]).shows_edges(ALL_EDGES);
    host.takes(&[row("LicenseAssignment", "ann:sku:in", json!({"assignedByGroupId": null, "skuId": "other"}))]);
    host.shows_edges("ann->ann ann->other ann->sku app->app:k1 app->app:k2 in->ann in->bob out->in");
}

#[test]
fn the_pages_scope_and_end_remove_edges_of_any_number_of_ends() {
    let mut host = with_edges();
    let close = json!({"Kind": "Scope", "ObjectType": "Credential", "Scope": "app", "Complete": true, "Rows": 1});
    host.takes(&[
        delta("Credential"),
        row("Credential", "app:k2", json!({"applicationId": "app", "keyId": "k2"})),
        close,
    ]);
    for object_type in ["SignInActivity", "LicenseAssignment"] {
        host.takes(&[begin(object_type, "Full", "next", false, "Removed"), end(object_type, true)]);
    }
    host.shows_edges("app->app:k2 in->ann in->bob out->in");
}

#[test]
fn the_pages_ids_that_differ_in_case_alone_are_two() {
    let mut host = filled();
    let pair = ["41W1zT6z1U-kJxf62a", "41W1zT6z1U-kJxf62A"];
    host.takes(&[delta("License"), row("License", pair[0], json!({})), row("License", pair[1], json!({}))]);
    host.takes(&[delta("GroupMember"), edge("in", pair[0]), edge("in", pair[1])]);
    host.takes(&[gone("License", pair[1], "SoftDeleted"), gone("GroupMember", &format!("in:{}", pair[0]), "Removed")]);
    assert!(host.shows().contains(&format!("License {} {{}}", pair[0])));
    host.takes(&[row("License", pair[1], json!({}))]).shows_edges("in->41W1zT6z1U-kJxf62A in->ann in->bob out->in");
}

#[test]
fn the_pages_events_are_added_and_replaced_and_take_no_mark_away() {
    let mut host = filled();
    let append = || begin("SignIn", "Append", "s", false, "SoftDeleted");
    host.takes(&[append(), row("SignIn", "e1", json!({"risk": "high", "app": "Mail"})), end("SignIn", true)]);
    host.takes(&[
        append(),
        row("SignIn", "e1", json!({"risk": "none"})),
        row("SignIn", "e2", json!({})),
        end("SignIn", true),
    ]);
    host.takes(&[full("SignIn", "again"), end("SignIn", true)]);
    host.shows_line(r#"SignIn e1 {"risk": String("none")}"#);
    host.shows_line("SignIn e2 {}");
    host.takes(&[delta("User"), gone("User", "ann", "SoftDeleted"), append(), row("SignIn", "ann", json!({}))]);
    host.shows_edges("in->bob out->in");
}

#[test]
fn the_pages_marks_of_a_type_that_is_switched_off_do_not_count_until_it_begins_again() {
    let mut host = filled();
    host.takes(&[delta("User"), gone("User", "ann", "SoftDeleted"), end("User", true)]);
    host.takes(&[delta("Group"), gone("Group", "out", "SoftDeleted"), end("Group", true)]);
    host.result(&["User", "Group", "GroupMember"]);
    host.shows_edges("in->bob");
    host.result(&["Group", "GroupMember"]);
    host.shows_edges("in->ann in->bob");
    // The object itself stays as the last End left it.
    host.shows_keys("bob in in->ann in->bob");
    host.takes(&[full("User", "on"), row("User", "bob", json!({}))]).shows_edges("in->bob");
    host.result(&["Group", "GroupMember"]);
    host.result(&["User", "Group", "GroupMember"]);
    host.shows_edges("in->bob");
}

#[test]
fn statement_of_the_guard_counts_what_a_left_scope_takes_and_nothing_that_was_never_held() {
    let mut host = filled();
    let of = |id: &'static str| [("object_type", "Group"), ("source_id", id)];
    let before = host.shows().len();
    let counts = host.counts("Would go with this LeftScope", &of("in"));
    assert_eq!(counts, [("Group".to_owned(), 1), ("GroupMember".to_owned(), 2)]);
    assert!(host.counts("Would go with this LeftScope", &of("never")).is_empty());
    host.takes(&[delta("Group"), gone("Group", "in", "LeftScope"), gone("Group", "never", "LeftScope")]);
    assert_eq!(before - host.shows().len(), 3);
}
