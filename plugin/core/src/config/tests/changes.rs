//! The keys that say how an import follows changes: the filter, memberships, expiry, deletes.

use serde_json::json;

use super::*;
use crate::filter::Filter;

#[test]
fn a_blank_filter_is_refused_and_another_is_kept_word_for_word() {
    for blank in ["", " ", "\t\n"] {
        let problem = problem(config_with("GroupSelectionFilter", json!(blank)));
        assert!(problem.path == "/GroupSelectionFilter" && problem.expected.contains("such as"), "{problem:?}");
    }
    let filter = " startswith(displayName,'APP-') ";
    let config = accepted(config_with("GroupSelectionFilter", json!(filter)));
    assert_eq!(config.group_selection_filter.as_ref().map(Filter::text), Some(filter));
}

#[test]
fn a_filter_that_breaks_off_is_refused_with_the_place_and_what_belongs_there() {
    let told = problem(config_with("GroupSelectionFilter", json!("displayName = 'x'")));
    assert_eq!((told.path.as_str(), told.found.as_str()), ("/GroupSelectionFilter", "\"displayName = 'x'\""));
    assert!(
        told.expected.contains("at character 13") && told.expected.contains("did you mean eq?"),
        "{}",
        told.expected
    );

    let long = format!("{}mail = 'x'{}", "mail eq 'ä' or ".repeat(20), " or mail eq 'b'".repeat(20));
    let told = problem(config_with("GroupSelectionFilter", json!(long)));
    assert!(told.expected.contains("at character 306"), "{}", told.expected);
    assert!(told.found.contains("mail = 'x'") && told.found.chars().count() < 80, "{}", told.found);
}

#[test]
fn a_filter_that_no_request_can_carry_is_refused_in_words() {
    let filter = |letter: &str, times| format!("displayName eq '{}'", letter.repeat(times));
    accepted(config_with("GroupSelectionFilter", json!(filter("x", 32_000))));
    for long in [filter("x", 33_000), filter("ä", 6_000), filter("x", 2_000_000)] {
        let told = problem(config_with("GroupSelectionFilter", json!(long)));
        assert!(told.path == "/GroupSelectionFilter" && told.expected.contains("at most 32 KiB"), "{told:?}");
        assert!(told.found.len() < 100, "{}", told.found);
    }
}

#[test]
fn a_filter_that_only_graph_can_evaluate_is_no_mistake() {
    let config = accepted(config_with("GroupSelectionFilter", json!("contains(displayName,'x')")));
    assert!(config.group_selection_filter.unwrap().why_not_here().unwrap().contains("contains"));
}

fn delta_with(more: Value) -> Value {
    let mut config = config_with("MembershipMode", json!("Delta"));
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

#[test]
fn memberships_from_the_change_feed_need_all_three_types() {
    let filter = json!({ "GroupSelectionFilter": "displayName eq 'x'", "ImportUsers": true });
    for config in [delta_with(json!({})), delta_with(filter)] {
        assert_eq!(accepted(config).membership_mode, MembershipMode::Delta);
    }
    for switch in ["ImportUsers", "ImportGroups", "ImportMemberships"] {
        let problem = problem(delta_with(json!({ switch: false })));
        assert_eq!((problem.path.as_str(), problem.found.as_str()), ("/MembershipMode", "\"Delta\""));
        assert!(problem.expected.contains(&format!("{switch} true")), "{}", problem.expected);
        accepted(json!({ "TenantId": TENANT, "MembershipMode": "Recompute", switch: false }));
    }
}

#[test]
fn memberships_from_the_change_feed_need_a_filter_that_a_row_alone_decides() {
    let config = delta_with(json!({ "GroupSelectionFilter": "contains(displayName,'x')", "ImportGroups": false }));
    let problems = problems(&config.to_string(), &auth().to_string());
    let told: Vec<_> = problems.iter().map(|p| (p.path.as_str(), p.expected.as_str())).collect();
    assert!(
        matches!(told[..], [("/MembershipMode", switch), ("/MembershipMode", filter)]
            if switch.contains("ImportGroups true") && filter.contains("another GroupSelectionFilter") && filter.contains("contains()")),
        "{told:?}"
    );
    // Graph alone knows the order of its texts.
    let told = problem(delta_with(json!({ "GroupSelectionFilter": "displayName ge 'APP'" })));
    assert!(told.path == "/MembershipMode" && told.expected.contains("order only Graph knows"), "{told:?}");
    accepted(delta_with(json!({ "GroupSelectionFilter": "createdDateTime ge 2024-01-01" })));
    // A filter that is none has its own mistake, and no second one.
    assert_eq!(problem(delta_with(json!({ "GroupSelectionFilter": "x = 1" }))).path, "/GroupSelectionFilter");
}

#[test]
fn expiry_deletes_and_reconcile_are_read() {
    let config =
        json!({ "TenantId": TENANT, "OnDeltaExpired": "FullSync", "MaxDeletes": 1e5, "FullReconcileDays": 90 });
    let config = accepted(config);
    assert_eq!(config.on_delta_expired, OnDeltaExpired::FullSync);
    assert_eq!((config.max_deletes, config.full_reconcile_days), (Some(100_000), 90));
    assert_eq!(accepted(config_with("MaxDeletes", json!(1))).max_deletes, Some(1));
    assert_eq!(accepted(config_with("FullReconcileDays", json!(0))).full_reconcile_days, 0);
}
