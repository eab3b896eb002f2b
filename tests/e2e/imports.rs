//! The main job: full, changed, delta; what is stored equals the tenant.

use connector_abi::*;
use host_harness::connector::DoorKind;
use host_harness::simulator::{Change, Delta, Fault, FaultAction, Kind, Refusal, Route, World};
use serde_json::{Value, json};

use crate::world::Tenant;

#[test]
fn full_and_delta_equal_the_truth_in_a_world_that_is_not_gentle() {
    let tenant = Tenant::new();
    tenant.import();
    tenant.assert_equals_truth();
    tenant.sim.apply(&tenant.sim.demo_changes()).unwrap();
    let delta = tenant.import();
    tenant.assert_equals_truth();
    assert_eq!(delta.result["ObjectTypes"]["User"]["Mode"], "Delta");
    assert_eq!(delta.result["ObjectTypes"]["GroupMember"]["Mode"], "Full");
}

#[test]
fn a_delta_makes_as_many_requests_as_there_are_pages_and_lists_no_users() {
    let tenant = Tenant::new();
    tenant.import();
    tenant.sim.apply(&tenant.sim.random_changes(7, 150)).unwrap();
    tenant.requests();
    tenant.import();
    let seen = tenant.requests();
    for feed in [Kind::User, Kind::Group] {
        let pages: Vec<_> = seen.iter().filter(|x| x.feed == Some(feed)).collect();
        assert!(pages[0].called_delta_link(), "{}", pages[0].url);
        assert!(pages[1..].iter().all(|x| x.called_next_link()));
        assert!(pages.iter().all(|x| x.status == Some(200)), "each page is asked for once");
    }
    assert!(
        seen.iter().all(|x| x.route != Route::USERS_LIST && x.route != Route::USER),
        "nothing but feeds, the list of groups and members"
    );
}

#[test]
fn with_full_pages_a_delta_costs_at_most_two_requests_and_one_for_a_hundred_rows() {
    let delta = Delta {
        varying_group_pages: false,
        empty_pages: false,
        duplicates: false,
        replayed_changes: 0,
        ..Delta::default()
    };
    let tenant = Tenant::of(World { users: 2000, groups: 300, delta, ..World::default() });
    tenant.import();
    tenant.sim.apply(&tenant.sim.random_changes(3, 900)).unwrap();
    tenant.requests();
    let report = tenant.import();
    let seen = tenant.requests();
    for (feed, object_type) in [(Kind::User, "User"), (Kind::Group, "Group")] {
        let counts = &report.result["ObjectTypes"][object_type];
        let rows = counts["Upserts"].as_u64().unwrap() + counts["Deletes"].as_u64().unwrap();
        let requests = seen.iter().filter(|x| x.feed == Some(feed)).count() as u64;
        assert!(requests <= 2 + rows.div_ceil(100), "{object_type}: {requests} requests for {rows} rows");
    }
}

#[test]
fn a_delete_tells_whether_it_can_be_undone() {
    let tenant = Tenant::small();
    let mark = tenant.pull(None).watermark().to_owned();
    let (deleted, purged) = (tenant.sim.user_id(0), tenant.sim.user_id(1));
    tenant
        .sim
        .apply(&[
            Change::delete_user(deleted.clone()),
            Change::delete_user(purged.clone()),
            Change::purge_user(purged.clone()),
        ])
        .unwrap();
    let delta = tenant.pull(Some(&mark));
    let last = |id: &str| delta.of("Delete", "User").filter(|d| d["SourceId"] == id).last().unwrap()["Reason"].clone();
    assert_eq!((last(&deleted), last(&purged)), (json!("SoftDeleted"), json!("Purged")));
}

#[test]
fn an_idle_delta_moves_the_watermark_and_nothing_else() {
    let tenant = Tenant::small();
    let full = tenant.pull(None);
    let idle = tenant.pull(Some(full.watermark()));
    assert_eq!((idle.of("Upsert", "User").count(), idle.of("Upsert", "Group").count()), (0, 0));
    assert_eq!(idle.of("Upsert", "GroupMember").count(), full.of("Upsert", "GroupMember").count());
    assert_ne!(idle.watermark(), full.watermark());
}

#[test]
fn three_split_connectors_give_the_mesh_of_one() {
    let tenant = Tenant::new();
    let only = |switch: &str, config: &str| -> String {
        let mut config: Value = serde_json::from_str(config).unwrap();
        for other in ["ImportUsers", "ImportGroups", "ImportMemberships"] {
            config[other] = json!(other == switch);
        }
        config.to_string()
    };
    for round in 0..2 {
        for switch in ["ImportMemberships", "ImportGroups", "ImportUsers"] {
            let engine = tenant.engine("mesh.db").as_instance(switch);
            let report = engine.import(&only(switch, &tenant.config()), &tenant.auth(), false).unwrap();
            assert_eq!(report.status, CONNECTOR_END, "{:#}", report.error);
        }
        tenant.assert_equals_truth();
        if round == 0 {
            tenant.sim.apply(&tenant.sim.demo_changes()).unwrap();
        }
    }
}

#[test]
fn both_doors_deliver_the_same_records() {
    let tenant = Tenant::small();
    let mut through_c = comparable(&tenant.pull(None).records);
    let tenant = tenant.through(DoorKind::AbiStable);
    let mut through_rust = comparable(&tenant.pull(None).records);
    through_c.sort();
    through_rust.sort();
    assert_eq!(through_c, through_rust);
    assert_eq!(tenant.with("PageSize", 0).refused(None).0, CONNECTOR_E_INVALID_CONFIG);
}

/// Records as text, without what is new in every run.
fn comparable(records: &[Value]) -> Vec<String> {
    let without_set = |record: &Value| {
        let mut record = record.clone();
        record.as_object_mut().unwrap().remove("SetId");
        record.to_string()
    };
    records.iter().map(without_set).collect()
}

#[test]
fn records_of_a_type_come_between_its_begin_and_its_end() {
    let pulled = Tenant::new().pull(None);
    for object_type in ["User", "Group", "GroupMember"] {
        let kinds: Vec<&str> = pulled
            .records
            .iter()
            .filter(|r| r["ObjectType"] == object_type)
            .map(|r| r["Kind"].as_str().unwrap())
            .collect();
        assert_eq!((kinds.first(), kinds.last()), (Some(&"Begin"), Some(&"End")));
        let end = pulled.end(object_type);
        assert_eq!(end["Upserts"].as_u64(), Some(pulled.of("Upsert", object_type).count() as u64));
        assert_eq!(end["Deletes"].as_u64(), Some(pulled.of("Delete", object_type).count() as u64));
    }
    assert_eq!(pulled.checkpoints.len(), 4, "one with each End, and the watermark of the END");
}

#[test]
fn the_watermark_holds_graphs_links_byte_for_byte() {
    let tenant = Tenant::new();
    let pulled = tenant.pull(None);
    let mark: Value = serde_json::from_str(pulled.watermark()).unwrap();
    tenant.requests();
    assert_eq!(tenant.pull(Some(pulled.watermark())).status, CONNECTOR_END);
    for (key, feed) in [("u", Kind::User), ("g", Kind::Group)] {
        let called = tenant.requests_of(feed);
        assert_eq!(mark[key], format!("{}{}", tenant.sim.origin(), called[0].url));
    }
}

#[test]
fn a_watermark_of_just_the_two_links_is_taken_over_with_a_warning() {
    let tenant = Tenant::small();
    let mut mark: Value = serde_json::from_str(tenant.pull(None).watermark()).unwrap();
    mark.as_object_mut().unwrap().remove("x");
    let pulled = tenant.pull(Some(&mark.to_string()));
    assert_eq!((pulled.status, pulled.result["ObjectTypes"]["User"]["Mode"].as_str()), (CONNECTOR_END, Some("Delta")));
    assert_eq!(pulled.result["Warnings"][0]["Code"], "ForeignWatermark");
}

#[test]
fn another_selection_restarts_that_type_alone_as_full_with_a_warning() {
    let tenant = Tenant::small();
    let mark = tenant.pull(None).watermark().to_owned();
    let pulled = tenant.with("UserAttributes", json!(["employeeId"])).pull(Some(&mark));
    let types = &pulled.result["ObjectTypes"];
    assert_eq!((types["User"]["Mode"].as_str(), types["Group"]["Mode"].as_str()), (Some("Full"), Some("Delta")));
    assert_eq!(pulled.result["Warnings"][0]["Code"], "SelectionChanged");
}

#[test]
fn an_old_delta_link_warns_and_an_expired_one_says_to_import_in_full() {
    let tenant =
        Tenant::of(World { clock_start: Some(now() - 6 * 86_400), users: 30, groups: 5, edges: 60, ..World::gentle() })
            .with("FullReconcileDays", 0);
    let mark = tenant.pull(None).watermark().to_owned();
    tenant.sim.advance_clock(6 * 86_400);
    assert_eq!(tenant.pull(Some(&mark)).result["Warnings"][0]["Code"], "DeltaLinkAge");
    tenant.sim.advance_clock(2 * 86_400);
    let expired = tenant.pull(Some(&mark));
    assert_eq!(expired.status, CONNECTOR_E_WATERMARK_EXPIRED);
    assert!(expired.error()["Message"].as_str().unwrap().contains("Full mode"));
    assert_eq!(expired.end("GroupMember")["Complete"], true, "the other types finish");
    assert_eq!(tenant.pull(None).status, CONNECTOR_END);
}

#[test]
fn every_shape_of_a_refused_delta_link_is_an_expired_watermark() {
    let tenant = Tenant::small();
    let mark = tenant.pull(None).watermark().to_owned();
    for shape in
        [Refusal::GoneWithLocation, Refusal::SyncStateNotFound, Refusal::OlderThan30Days, Refusal::ResyncRequired]
    {
        tenant.sim.add_fault(Fault::once(Route::GROUPS_DELTA, FaultAction::RefuseDeltaLink { shape }));
        let refused = tenant.pull(Some(&mark));
        assert_eq!(
            (refused.status, &refused.error()["ObjectType"]),
            (CONNECTOR_E_WATERMARK_EXPIRED, &json!("Group")),
            "{shape:?}"
        );
        assert_eq!(refused.end("User")["Complete"], true, "the other types finish");
    }
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_filter_is_judged_on_the_rows_of_the_feed_and_groups_stay_a_delta() {
    let tenant =
        Tenant::new().with("GroupSelectionFilter", "NOT groupTypes/any(c:c eq 'Unified') and securityEnabled eq true");
    for mode in ["Full", "Delta"] {
        let report = tenant.import();
        assert_eq!(report.result["ObjectTypes"]["Group"]["Mode"], mode);
        let groups = tenant.mesh().objects("Group").unwrap();
        let expected = tenant.sim.truth().groups().filter(|g| {
            let types = g.attributes["groupTypes"].to_string();
            g.attributes["securityEnabled"] == true && !types.contains("Unified")
        });
        assert_eq!(groups.iter().filter(|g| !g.hidden).count(), expected.count());
        tenant.sim.apply(&tenant.sim.demo_changes()).unwrap_or_default();
    }
    assert!(
        tenant
            .requests()
            .iter()
            .filter(|x| x.route == Route::GROUPS_LIST)
            .all(|x| x.headers.contains_key("consistencylevel"))
    );
}

#[test]
fn the_external_id_can_be_the_user_principal_name() {
    let pulled = Tenant::small().with("ExternalIdAttribute", "userPrincipalName").pull(None);
    for user in pulled.of("Upsert", "User") {
        assert_eq!(user["ExternalId"], user["Attributes"]["userPrincipalName"]);
    }
    for edge in pulled.of("Upsert", "GroupMember") {
        assert_eq!(edge["ExternalId"], edge["SourceId"]);
    }
}

#[test]
fn extra_attributes_are_asked_for_and_delivered() {
    let tenant = Tenant::small()
        .with("UserAttributes", json!(["employeeId", "proxyAddresses"]))
        .with("GroupAttributes", json!(["onPremisesSyncEnabled"]));
    let pulled = tenant.pull(None);
    let begin = pulled.of("Begin", "User").next().unwrap();
    assert!(begin["Attributes"].as_array().unwrap().contains(&json!("employeeId")));
    assert!(pulled.of("Upsert", "User").all(|u| u["Attributes"].get("employeeId").is_some()));
    assert!(pulled.of("Upsert", "User").any(|u| u["Attributes"]["proxyAddresses"].is_array()));
    assert!(pulled.of("Upsert", "Group").all(|g| g["Attributes"].get("onPremisesSyncEnabled").is_some()));
}

#[test]
fn https_with_a_private_authority_works_with_a_ca_file_and_is_refused_without() {
    let tenant = Tenant::of(World { https: true, users: 30, groups: 5, edges: 60, ..World::gentle() });
    let ca = tenant.folder().join("ca.pem");
    std::fs::write(&ca, tenant.sim.ca_pem().unwrap()).unwrap();
    let refused = tenant.pull(None);
    assert_eq!(refused.status, CONNECTOR_E_NETWORK);
    assert!(refused.error()["Message"].as_str().unwrap().contains("CaFile"), "{:#}", refused.error());
    assert_eq!(tenant.with("CaFile", ca.to_str().unwrap()).pull(None).status, CONNECTOR_END);
}

#[test]
fn one_token_serves_all_workers() {
    let tenant = Tenant::new();
    tenant.import();
    assert_eq!(tenant.requests().iter().filter(|x| x.route == Route::Token).count(), 1);
}

#[test]
fn no_secret_and_no_token_is_ever_written() {
    let pulled = Tenant::new().pull(None);
    let log = pulled.log.iter().map(|l| l.message.as_str()).collect::<Vec<_>>().join("\n");
    let records = pulled.records.iter().map(Value::to_string).collect::<String>();
    for text in [&log, &records, &pulled.result["Error"].to_string()] {
        assert!(!text.contains("sim~8Q") && !text.contains("Bearer") && !text.contains("client_secret"));
        // What follows `token=`, up to the end of the link, is cut short each time.
        let tokens = text.split("token=").skip(1).filter_map(|rest| rest.split(['"', ' ', '\n', ')']).next());
        let whole: Vec<_> = tokens.filter(|token| !token.contains('…')).collect();
        assert!(whole.is_empty(), "links are cut short: {whole:?}");
    }
    assert!(!log.is_empty());
}
