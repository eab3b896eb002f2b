//! The statements of the page as a host's store: what they make of real runs equals the source.
//!
//! Nothing here decides anything that the page leaves to the engine, but which statement belongs to which record; the
//! harness's own store, which keeps the same rules in another way, is not used. What the source holds is asked of the
//! simulator.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use connector_abi::{CONNECTOR_E_CANCELLED, CONNECTOR_END, CONNECTOR_END_PARTIAL, Status};
use host_harness::connector::{Next, StartRequest};
use host_harness::simulator::{Fault, FaultAction, Route, World};
use host_harness::truth::TruthRow;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value, json};

use super::PAGE;
use crate::world::{Tenant, connector, records};

/// A host that does what the page says, and nothing else.
pub(super) struct Host {
    store: Connection,
    statements: BTreeMap<&'static str, &'static str>,
    /// From `Describe`: the attributes that hold an edge's scope and its ends.
    edges: BTreeMap<String, [Option<String>; 4]>,
    /// Types of class `Event`.
    events: BTreeSet<String>,
    /// Mode and Absence of the sets that are open.
    sets: BTreeMap<String, (String, String)>,
    /// Records that were applied, by the statement that was used.
    used: BTreeMap<&'static str, u64>,
}

impl Host {
    pub(super) fn new() -> Host {
        let statements: BTreeMap<_, _> = PAGE
            .split("\n```sql\n-- ")
            .skip(1)
            .map(|block| block.split("\n```").next().unwrap().split_once('\n').unwrap())
            .collect();
        let about: Value = serde_json::from_str(&connector().describe().unwrap()).unwrap();
        let mut types = about["ObjectTypes"].as_array().unwrap().clone();
        // Types that rules are tested with and the connector does not have.
        types.extend(made_types());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let of_class = |class: &'static str| types.iter().filter(move |it| it["Class"] == class);
        let edges = of_class("Edge").map(|it| {
            let end = |number: usize| text(&it["Ends"][number]["Attribute"]);
            let scope = text(&it["ScopeAttribute"]).or_else(|| if end(1).is_none() { end(0) } else { None });
            (text(&it["Name"]).unwrap(), [scope, end(0), end(1), end(2)])
        });
        let edges = edges.collect();
        let events = of_class("Event").map(|it| text(&it["Name"]).unwrap()).collect();
        let store = Connection::open_in_memory().unwrap();
        store.execute_batch(statements["Schema"]).unwrap();
        store.execute_batch("BEGIN").unwrap();
        Host { store, statements, edges, events, sets: BTreeMap::new(), used: BTreeMap::new() }
    }

    /// Runs a block of the page, each parameter from the value of that name.
    fn run(&mut self, name: &'static str, values: &[(&str, Value)]) {
        *self.used.entry(name).or_default() += 1;
        for statement in self.statements[name].split_inclusive(";\n") {
            let mut prepared =
                self.store.prepare_cached(statement).unwrap_or_else(|e| panic!("{name}: {e}: {statement}"));
            for index in 1..=prepared.parameter_count() {
                let parameter = prepared.parameter_name(index).unwrap().trim_start_matches(':').to_owned();
                let (_, value) =
                    values.iter().find(|(name, _)| *name == parameter).unwrap_or_else(|| panic!("{name}: {parameter}"));
                prepared.raw_bind_parameter(index, sql(value)).unwrap();
            }
            prepared.raw_execute().unwrap_or_else(|e| panic!("{name}: {e}: {statement}"));
        }
    }

    /// Asks a block of the page that counts, per object type.
    pub(super) fn counts(&self, name: &str, values: &[(&str, &str)]) -> Vec<(String, i64)> {
        let mut prepared = self.store.prepare(self.statements[name]).unwrap();
        for (parameter, value) in values {
            let index = prepared.parameter_index(&format!(":{parameter}")).unwrap().unwrap();
            prepared.raw_bind_parameter(index, value).unwrap();
        }
        let mut rows = prepared.raw_query();
        let mut counts = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            counts.push((row.get(0).unwrap(), row.get(1).unwrap()));
        }
        counts
    }

    pub(super) fn apply(&mut self, record: &Value) {
        let kind = record["Kind"].as_str().unwrap();
        let Some(object_type) = record["ObjectType"].as_str().map(str::to_owned) else { return };
        let mut values = vec![
            ("object_type", record["ObjectType"].clone()),
            ("source_id", record["SourceId"].clone()),
            ("external_id", record["ExternalId"].clone()),
            ("attributes", record["Attributes"].to_string().into()),
            ("set_id", record["SetId"].clone()),
            ("resumed", record["Resumed"].clone()),
            ("scope", record["Scope"].clone()),
            ("complete", record["Complete"].clone()),
        ];
        let open = self.sets.get(&object_type).cloned();
        if let Some((mode, _)) = &open {
            values.push(("mode", mode.clone().into()));
        }
        match kind {
            "Begin" => {
                let text = |name: &str| record[name].as_str().unwrap().to_owned();
                self.sets.insert(object_type, (text("Mode"), text("Absence")));
                self.run("Begin", &values);
            }
            "Upsert" => {
                if let Some(attributes) = self.edges.get(&object_type) {
                    let names = ["scope_attribute", "end_1_attribute", "end_2_attribute", "end_3_attribute"];
                    values.extend(names.into_iter().zip(attributes.clone().map(Value::from)));
                    self.run("Upsert of an edge", &values);
                } else {
                    let class = if self.events.contains(&object_type) { "Event" } else { "Object" };
                    values.push(("class", class.into()));
                    self.run("Upsert of an object", &values);
                }
            }
            "Delete" => {
                let block = match record["Reason"].as_str().unwrap() {
                    "SoftDeleted" => "Delete, SoftDeleted",
                    "Purged" => "Delete, Purged",
                    "LeftScope" => "Delete, LeftScope",
                    "Removed" => "Delete, Removed",
                    other => panic!("{other}"),
                };
                self.run(block, &values);
            }
            "Scope" if open.as_ref().is_some_and(|(mode, _)| mode == "Full" || mode == "Delta") => {
                self.run("Scope", &values);
            }
            "End" => {
                let (mode, absence) = open.unwrap();
                self.sets.remove(&object_type);
                if mode == "Full" && record["Complete"] == true && !self.events.contains(&object_type) {
                    let block = match absence.as_str() {
                        "SoftDeleted" => "End, SoftDeleted",
                        "LeftScope" => "End, LeftScope",
                        "Removed" => "End, Removed",
                        other => panic!("{other}"),
                    };
                    self.run(block, &values);
                }
            }
            _ => {}
        }
    }

    /// Rows and watermark, together.
    fn commit(&mut self, watermark: &str) {
        self.run("Checkpoint", &[("instance", "one".into()), ("watermark", watermark.into())]);
        self.store.execute_batch("COMMIT; BEGIN").unwrap();
    }

    /// Imports from the stored watermark. May be cut short at its first checkpoint.
    fn import(&mut self, tenant: &Tenant, cut_short: bool) -> Status {
        let watermark: Option<String> = self
            .store
            .query_row("SELECT watermark FROM instance WHERE name = 'one'", [], |row| row.get(0))
            .optional()
            .unwrap();
        let (config, auth) = (tenant.config(), tenant.auth());
        let request = StartRequest {
            config: &config,
            auth: &auth,
            watermark: watermark.as_deref(),
            max_batch_rows: 100,
            ..StartRequest::default()
        };
        let mut operation = connector().import(&request).unwrap_or_else(|e| panic!("{}", e.error_json));
        let status = loop {
            let (checkpoint, over) = match operation.next(Duration::from_secs(120)).unwrap() {
                Next::Pending => panic!("nothing for two minutes"),
                Next::Batch(batch) => {
                    for record in records(&batch) {
                        self.apply(&record);
                    }
                    (batch.checkpoint, None)
                }
                Next::End { checkpoint } => (checkpoint, Some(CONNECTOR_END)),
                Next::EndPartial { checkpoint } => (checkpoint, Some(CONNECTOR_END_PARTIAL)),
                Next::Failed(status) => (None, Some(status)),
            };
            if let Some(checkpoint) = checkpoint {
                self.commit(&checkpoint);
                if cut_short {
                    operation.cancel_handle().cancel();
                }
            }
            if let Some(status) = over {
                break status;
            }
        };
        // What came behind the last checkpoint is not kept.
        self.store.execute_batch("ROLLBACK; BEGIN").unwrap();
        self.sets.clear();
        let result: Value = serde_json::from_str(&operation.result_json().unwrap()).unwrap();
        self.result(&result["ObjectTypes"].as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>());
        self.store.execute_batch("COMMIT; BEGIN").unwrap();
        status
    }

    /// The Result of a run, which lists these types.
    pub(super) fn result(&mut self, listed: &[&str]) {
        self.run("Result", &[("listed", serde_json::to_string(listed).unwrap().into())]);
    }

    /// What the page's two views show: objects with their attributes, and edges by their ends.
    pub(super) fn shows(&self) -> BTreeSet<String> {
        let mut objects = self.store.prepare("SELECT object_type, source_id, attributes FROM visible_object").unwrap();
        let objects = objects.query_map([], |row| {
            let attributes: String = row.get(2)?;
            let attributes: BTreeMap<String, Value> = serde_json::from_str(&attributes).unwrap();
            Ok(format!("{} {} {attributes:?}", row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        });
        let mut shown: BTreeSet<String> = objects.unwrap().map(Result::unwrap).collect();
        // One end: what it is besides; two or three: what they are.
        let ends = "SELECT end_1 || CASE WHEN coalesce(end_2, end_3) IS NULL THEN ' -> ' || source_id
            ELSE coalesce(' -> ' || end_2, '') || coalesce(' -> ' || end_3, '') END FROM visible_edge";
        let mut edges = self.store.prepare(ends).unwrap();
        let edges = edges.query_map([], |row| row.get(0));
        shown.extend(edges.unwrap().map(Result::unwrap));
        shown
    }

    pub(super) fn forgets_sets(&self) {
        self.store.execute_batch("DELETE FROM set_mark").unwrap();
    }

    /// ExternalIds of visible objects, in order.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = self.store.prepare("SELECT external_id FROM visible_object ORDER BY 1").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Fails with the first differences between the views and the tenant, of whose groups only those that `selected`
    /// count.
    #[track_caller]
    fn equals(&self, tenant: &Tenant, selected: impl Fn(&Map<String, Value>) -> bool) {
        let truth: Vec<TruthRow> = TruthRow::of(&tenant.sim.truth()).map(Result::unwrap).collect();
        let selects = |row: &&TruthRow| row.object_type == "Group" && selected(&row.attributes);
        let groups: BTreeSet<&str> = truth.iter().filter(selects).map(|row| row.source_id.as_str()).collect();
        let visible = truth.iter().filter_map(|row| match row.object_type.as_str() {
            "Group" if !groups.contains(row.source_id.as_str()) => None,
            "GroupMember" => {
                let (group, member) = (row.text("groupId"), row.text("memberId"));
                groups.contains(group).then(|| format!("{group} -> {member}"))
            }
            object_type => {
                let attributes: BTreeMap<_, _> = row.expected(&BTreeSet::new()).unwrap().into_iter().collect();
                Some(format!("{object_type} {} {attributes:?}", row.source_id))
            }
        });
        let truth: BTreeSet<String> = visible.collect();
        let shown = self.shows();
        let more: Vec<_> = shown.difference(&truth).take(5).collect();
        let less: Vec<_> = truth.difference(&shown).take(5).collect();
        assert!(more.is_empty() && less.is_empty(), "too much: {more:#?}\ntoo little: {less:#?}");
        assert!(shown.len() > 100, "{} rows prove little", shown.len());
    }

    /// That these statements were run, else the rest would prove nothing about them.
    #[track_caller]
    fn has_used(&self, blocks: &[&str]) {
        let idle: Vec<_> = blocks.iter().filter(|block| !self.used.contains_key(*block)).collect();
        assert!(idle.is_empty(), "not one record came for {idle:?}: {:?}", self.used);
    }
}

fn made_types() -> [Value; 4] {
    [
        json!({"Name": "Credential", "Class": "Edge", "ScopeAttribute": "applicationId", "Ends": [{"Attribute": "applicationId"}]}),
        json!({"Name": "SignInActivity", "Class": "Edge", "ScopeAttribute": null, "Ends": [{"Attribute": "userId"}]}),
        json!({"Name": "LicenseAssignment", "Class": "Edge", "ScopeAttribute": null,
            "Ends": [{"Attribute": "principalId"}, {"Attribute": "skuId"}, {"Attribute": "assignedByGroupId"}]}),
        json!({"Name": "SignIn", "Class": "Event"}),
    ]
}

fn sql(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(it) => i64::from(*it).into(),
        Value::String(it) => it.clone().into(),
        other => panic!("{other} is no parameter"),
    }
}

/// Cancelled and taken up again three times, then three deltas, then in full on what is there.
fn live_through(tenant: &Tenant, selected: impl Fn(&Map<String, Value>) -> bool + Copy) -> Host {
    let mut host = Host::new();
    // Each keeps what it had at its first checkpoint, and no more.
    for _ in 0..3 {
        assert_eq!(host.import(tenant, true), CONNECTOR_E_CANCELLED);
    }
    assert_eq!(host.import(tenant, false), CONNECTOR_END);
    host.equals(tenant, selected);
    for seed in [1, 2, 3] {
        tenant.sim.apply(&tenant.sim.random_changes(seed, 150)).unwrap();
        // Reads of the second one lag behind; the third makes good what the second could not see.
        assert_eq!(host.import(tenant, false), CONNECTOR_END);
        host.equals(tenant, selected);
    }
    tenant.sim.apply(&tenant.sim.random_changes(4, 150)).unwrap();
    host.store.execute_batch("DELETE FROM instance").unwrap();
    assert_eq!(host.import(tenant, false), CONNECTOR_END);
    host.equals(tenant, selected);
    host.has_used(&[
        "Begin",
        "Upsert of an object",
        "Upsert of an edge",
        "Result",
        "Delete, SoftDeleted",
        "Delete, Purged",
        "Checkpoint",
    ]);
    host
}

#[test]
fn a_store_of_the_pages_statements_equals_the_source_after_kills_and_deltas() {
    let host = live_through(&Tenant::new(), |_| true);
    host.has_used(&["Scope", "End, SoftDeleted", "End, Removed"]);
}

#[test]
fn a_store_of_the_pages_statements_equals_the_source_where_memberships_follow_the_feed() {
    let host = live_through(&Tenant::new().with("MembershipMode", "Delta"), |_| true);
    host.has_used(&["Delete, Removed", "End, SoftDeleted", "End, Removed"]);
}

#[test]
fn a_store_of_the_pages_statements_equals_what_a_filter_leaves_of_the_source() {
    let filter = "startswith(displayName,'A')";
    let starts = |group: &Map<String, Value>| {
        group["displayName"].as_str().is_some_and(|name| name.to_lowercase().starts_with('a'))
    };
    let host = live_through(&Tenant::new().with("GroupSelectionFilter", filter), starts);
    host.has_used(&["Delete, LeftScope"]);
    // Graph alone can evaluate this one, so the groups come as a list, and those not in it have left scope.
    let tenant = Tenant::new().with("GroupSelectionFilter", "groupTypes/$count eq 0");
    let plain = |group: &Map<String, Value>| group["groupTypes"].as_array().is_some_and(Vec::is_empty);
    live_through(&tenant, plain).has_used(&["End, LeftScope"]);
}

#[test]
fn an_end_that_is_not_complete_removes_nothing_from_a_store_of_the_pages_statements() {
    let tenant = Tenant::of(World { users: 200, groups: 20, edges: 300, ..World::gentle() }).with("MaxRetries", 0);
    let mut host = Host::new();
    assert_eq!(host.import(&tenant, false), CONNECTOR_END);
    host.equals(&tenant, |_| true);
    let before = host.shows();
    host.store.execute_batch("DELETE FROM instance").unwrap();
    tenant.sim.add_fault(Fault::always(Route::USERS_DELTA, FaultAction::status(500)));
    assert_eq!(host.import(&tenant, false), CONNECTOR_END_PARTIAL);
    assert!(host.shows() == before, "a type that could not be read lost rows");
    tenant.sim.clear_faults();
    assert_eq!(host.import(&tenant, false), CONNECTOR_END);
    host.equals(&tenant, |_| true);
}
