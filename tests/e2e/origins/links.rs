//! Links that Graph's answers and a stored watermark carry.

use std::time::Duration;

use connector_abi::*;
use host_harness::connector::{Next, StartRequest};
use host_harness::simulator::{Delta, World};
use serde_json::{Value, json};

use super::Stage;
use super::tricks::tricks;
use crate::relay::{Answered, Asked};
use crate::world::{connector, drain};

/// Stands in every link that must not be followed, so that following it at home is seen as well.
const MARK: &str = "trick-0816";

/// Where in an answer a link stands.
#[derive(Debug, Clone, Copy)]
enum Carrier {
    NextOfUsers,
    DeltaOfUsers,
    NextOfGroups,
    DeltaOfGroups,
    NextOfGroupList,
    NextOfMembersInBatch,
    NextOfDeletedItems,
}

impl Carrier {
    const ALL: [Carrier; 7] = [
        Carrier::NextOfUsers,
        Carrier::DeltaOfUsers,
        Carrier::NextOfGroups,
        Carrier::DeltaOfGroups,
        Carrier::NextOfGroupList,
        Carrier::NextOfMembersInBatch,
        Carrier::NextOfDeletedItems,
    ];

    fn put(self, link: &str, asked: &Asked, answered: &mut Answered) {
        let (path, name) = match self {
            Carrier::NextOfUsers => ("/v1.0/users/delta", "@odata.nextLink"),
            Carrier::DeltaOfUsers => ("/v1.0/users/delta", "@odata.deltaLink"),
            Carrier::NextOfGroups => ("/v1.0/groups/delta", "@odata.nextLink"),
            Carrier::DeltaOfGroups => ("/v1.0/groups/delta", "@odata.deltaLink"),
            Carrier::NextOfGroupList => ("/v1.0/groups?", "@odata.nextLink"),
            Carrier::NextOfMembersInBatch => ("/v1.0/$batch", "@odata.nextLink"),
            Carrier::NextOfDeletedItems => ("/v1.0/directory/deletedItems", "@odata.nextLink"),
        };
        if !asked.target.starts_with(path) || answered.status != 200 {
            return;
        }
        let mut body = answered.json();
        let page = match self {
            // The others of the batch stay as they are: one bad answer must not spoil them.
            Carrier::NextOfMembersInBatch => &mut body["responses"][0]["body"],
            _ => &mut body,
        };
        let page = page.as_object_mut().unwrap();
        page.remove("@odata.nextLink");
        page.remove("@odata.deltaLink");
        page.insert(name.to_owned(), json!(link));
        answered.set_json(&body);
    }

    /// The delta mode of memberships alone looks into the recycle bin.
    fn mode(self) -> &'static str {
        if matches!(self, Carrier::NextOfDeletedItems) { "Delta" } else { "Recompute" }
    }

    fn path(self) -> String {
        let path = match self {
            Carrier::NextOfUsers | Carrier::DeltaOfUsers => "users/delta",
            Carrier::NextOfGroups | Carrier::DeltaOfGroups => "groups/delta",
            Carrier::NextOfGroupList => "groups",
            Carrier::NextOfMembersInBatch => "groups/00000000-0000-0000-0000-000000000001/members",
            Carrier::NextOfDeletedItems => "directory/deletedItems/microsoft.graph.user",
        };
        format!("/v1.0/{path}?$skiptoken={MARK}")
    }
}

#[test]
fn no_trick_in_any_link_of_an_answer_is_followed() {
    for carrier in Carrier::ALL {
        let stage = Stage::new().with("MembershipMode", carrier.mode());
        for trick in tricks(stage.relay.port(), stage.elsewhere.port, &carrier.path()) {
            let about = format!("{} in {carrier:?} ({:?})", trick.name, trick.link);
            let link = trick.link.clone();
            stage.relay.rewrite(move |asked, answered| carrier.put(&link, asked, answered));
            let pulled = stage.tenant.pull(None);
            stage.assert_nobody_went(MARK, &about);
            let failed = matches!(pulled.status, CONNECTOR_END_PARTIAL | CONNECTOR_E_SERVICE);
            assert!(failed, "{about}: {}", pulled.result);
            let types = pulled.result["ObjectTypes"].as_object().unwrap();
            let errors: Vec<&Value> = types.values().map(|it| &it["Error"]).filter(|error| !error.is_null()).collect();
            assert!(!errors.is_empty(), "{about}: {}", pulled.result);
            for error in errors {
                let message = error["Message"].as_str().unwrap();
                assert_eq!(error["Code"], "Service", "{about}: {message}");
                assert!(message.contains("was not followed") && !message.contains(MARK), "{about}: {message}");
            }
        }
    }
}

#[test]
fn a_next_link_in_canonical_disguise_is_still_home() {
    // RFC 3986 §6.2.2.1: scheme and host mean the same in any case. Such a link is followed, byte for byte.
    let stage =
        Stage::of(World { users: 30, delta: Delta { user_page: 10, ..World::gentle().delta }, ..World::gentle() });
    stage.relay.rewrite(|_, answered| {
        let text = String::from_utf8(answered.body.clone()).unwrap();
        answered.body = text.replace("\"http://127", "\"HTTP://127").into_bytes();
    });
    let pulled = stage.tenant.pull(None);
    assert_eq!(pulled.status, CONNECTOR_END, "{}", pulled.result);
    assert_eq!(pulled.of("Upsert", "User").count(), 30);
    assert!(pulled.watermark().contains("HTTP://127"));
}

/// Pointers to every link a watermark can hold.
const PLACES: [&str; 5] =
    ["/u", "/g", "/x/types/User/now/page", "/x/types/Group/now/page", "/x/types/GroupMember/now/page"];

/// For each place a checkpoint that has a link there.
fn marks(stage: &Stage) -> Vec<(&'static str, Value)> {
    let (config, auth) = (stage.tenant.config(), stage.tenant.auth());
    let request = StartRequest { config: &config, auth: &auth, max_batch_rows: 5, ..StartRequest::default() };
    let mut operation = connector().import(&request).unwrap();
    let mut marks: Vec<Value> = Vec::new();
    loop {
        match operation.next(Duration::from_secs(120)).unwrap() {
            Next::Batch(batch) => {
                marks.extend(batch.checkpoint.iter().map(|mark| serde_json::from_str::<Value>(mark).unwrap()));
            }
            Next::End { .. } => break,
            other => panic!("{other:?}"),
        }
    }
    let with = |place: &str| marks.iter().find(|mark| mark.pointer(place).is_some_and(Value::is_string));
    PLACES.map(|place| (place, with(place).unwrap_or_else(|| panic!("no checkpoint with {place}")).clone())).to_vec()
}

#[test]
fn no_trick_in_any_link_of_a_stored_watermark_is_followed() {
    let delta = Delta { user_page: 10, group_page: 10, ..World::gentle().delta };
    let world = World { users: 40, groups: 40, edges: 80, delta, ..World::gentle() };
    for by_domain in [false, true] {
        let stage = Stage::of(world.clone()).with("PageSize", 10);
        let domain = stage.tenant.sim.domain();
        let stage = if by_domain { stage.with("TenantId", domain) } else { stage };
        for (place, mark) in marks(&stage) {
            let own = mark.pointer(place).unwrap().as_str().unwrap();
            let path = own[own.find("/v1.0").unwrap()..].to_owned() + MARK;
            for trick in tricks(stage.relay.port(), stage.elsewhere.port, &path) {
                let about = format!("{} at {place} ({:?})", trick.name, trick.link);
                let mut mark = mark.clone();
                *mark.pointer_mut(place).unwrap() = json!(trick.link);
                let error = match stage.tenant.start(Some(&mark.to_string())) {
                    Err(refused) => serde_json::from_str(&refused.error_json).unwrap(),
                    // Which directory a domain is has to be asked first.
                    Ok(operation) if by_domain => drain(operation).result["Error"].clone(),
                    Ok(_) => panic!("{about}: the import was started"),
                };
                stage.assert_nobody_went(MARK, &about);
                assert_eq!(error["Code"], "InvalidWatermark", "{about}: {error}");
                assert_eq!(error["Problems"][0]["Path"], place, "{about}: {error}");
                assert!(!error.to_string().contains(MARK), "{about}: {error}");
            }
        }
    }
}
