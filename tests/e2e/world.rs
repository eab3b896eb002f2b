//! The harness of every end-to-end test: a tenant, an import through the loaded library, three ledgers to look at.
//!
//! The ledgers are the rows a host got or stored, the requests the simulator saw, and what was logged. Most real bugs
//! show in the second.

use std::path::PathBuf;
use std::time::Duration;

use connector_abi::Status;
use host_harness::connector::{Batch, Connector, DoorKind, LogLine, Next, Operation, StartError, StartRequest};
use host_harness::import::Engine;
use host_harness::library::connector_library;
use host_harness::report::RunReport;
use host_harness::simulator::{Exchange, Kind, Simulator, World};
use host_harness::store::{Mesh, RemovalGuard};
use serde_json::{Map, Value, json};

/// The library under test.
pub(crate) fn connector() -> Connector {
    Connector::load(&connector_library().unwrap()).unwrap()
}

/// A simulated tenant, the two texts for it, and a store.
pub(crate) struct Tenant {
    pub(crate) sim: Simulator,
    config: Map<String, Value>,
    auth: Map<String, Value>,
    door: DoorKind,
    guard: RemovalGuard,
    folder: tempfile::TempDir,
}

/// What a host that stores nothing has pulled.
#[derive(Debug)]
pub(crate) struct Pulled {
    /// The last status.
    pub(crate) status: Status,
    /// Every record, in order.
    pub(crate) records: Vec<Value>,
    /// Every checkpoint, the last one being the watermark of the END, if there was one.
    pub(crate) checkpoints: Vec<String>,
    /// The result JSON.
    pub(crate) result: Value,
    /// The log, down to Debug.
    pub(crate) log: Vec<LogLine>,
}

impl Tenant {
    /// The default world, which is not gentle.
    pub(crate) fn new() -> Tenant {
        Tenant::of(World::default())
    }

    /// A small, gentle one, where a test is about something else.
    pub(crate) fn small() -> Tenant {
        Tenant::of(World { users: 30, groups: 5, edges: 60, ..World::gentle() })
    }

    pub(crate) fn of(world: World) -> Tenant {
        let sim = Simulator::start(world).unwrap();
        let config = json!({
            "TenantId": sim.tenant_id(),
            "GraphEndpoint": sim.origin(),
            "AuthorityHost": sim.origin(),
            "RetryBaseSeconds": 0.01,
        });
        let auth = json!({"Mode": "ClientSecret", "ClientId": sim.client_id(), "ClientSecret": sim.client_secret()});
        let (Value::Object(config), Value::Object(auth)) = (config, auth) else { unreachable!() };
        Tenant {
            sim,
            config,
            auth,
            door: DoorKind::C,
            guard: RemovalGuard::default(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// With a key of ConfigJson.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Tenant {
        self.config.insert(key.to_owned(), value.into());
        self
    }

    /// Sets a key of ConfigJson.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.config.insert(key.to_owned(), value.into());
    }

    /// With a key of AuthJson.
    pub(crate) fn with_auth(mut self, key: &str, value: impl Into<Value>) -> Tenant {
        self.auth.insert(key.to_owned(), value.into());
        self
    }

    /// Without a key of ConfigJson.
    pub(crate) fn without(mut self, key: &str) -> Tenant {
        self.config.remove(key);
        self
    }

    /// Whose engine removes whatever an import no longer lists.
    pub(crate) fn unguarded(mut self) -> Tenant {
        self.guard = RemovalGuard::lifted();
        self
    }

    /// Through the other door.
    pub(crate) fn through(mut self, door: DoorKind) -> Tenant {
        self.door = door;
        self
    }

    pub(crate) fn config(&self) -> String {
        Value::Object(self.config.clone()).to_string()
    }

    pub(crate) fn auth(&self) -> String {
        Value::Object(self.auth.clone()).to_string()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Starts an import.
    pub(crate) fn start(&self, watermark: Option<&str>) -> Result<Operation, StartError> {
        let connector = Connector::load_through(&connector_library().unwrap(), self.door).unwrap();
        let (config, auth) = (self.config(), self.auth());
        connector.import(&StartRequest {
            config: &config,
            auth: &auth,
            watermark,
            log_level: Some(4),
            ..StartRequest::default()
        })
    }

    /// Imports to the end.
    pub(crate) fn pull(&self, watermark: Option<&str>) -> Pulled {
        drain(self.start(watermark).unwrap_or_else(|e| panic!("{}", e.error_json)))
    }

    /// Tests the connection to the end.
    pub(crate) fn check(&self) -> Pulled {
        let (config, auth) = (self.config(), self.auth());
        let request = StartRequest { config: &config, auth: &auth, log_level: Some(4), ..StartRequest::default() };
        drain(connector().check(&request).unwrap_or_else(|e| panic!("{}", e.error_json)))
    }

    /// The error JSON of an import that could not be started.
    pub(crate) fn refused(&self, watermark: Option<&str>) -> (Status, Value) {
        let error = self.start(watermark).expect_err("the import should have been refused");
        (error.status, serde_json::from_str(&error.error_json).unwrap())
    }

    /// An engine on a store of this name.
    pub(crate) fn engine(&self, store: &str) -> Engine {
        Engine::new(connector_library().unwrap(), self.folder.path().join(store))
            .through(self.door)
            .guarded_by(self.guard)
            .as_instance(store)
    }

    /// Imports into the store of this name, from its watermark unless `full`.
    pub(crate) fn import_into(&self, store: &str, full: bool) -> RunReport {
        self.engine(store).import(&self.config(), &self.auth(), full).unwrap()
    }

    /// Imports into the default store by its watermark, and expects success.
    pub(crate) fn import(&self) -> RunReport {
        let report = self.import_into("mesh.db", false);
        assert_eq!(report.status, connector_abi::CONNECTOR_END, "{:#}", report.error);
        report
    }

    /// The default store.
    pub(crate) fn mesh(&self) -> Mesh {
        Mesh::open(&self.folder.path().join("mesh.db")).unwrap()
    }

    /// Fails with the first differences between the default store and the tenant.
    #[track_caller]
    pub(crate) fn assert_equals_truth(&self) {
        self.assert_store_equals_truth("mesh.db");
    }

    #[track_caller]
    pub(crate) fn assert_store_equals_truth(&self, store: &str) {
        let mesh = Mesh::open(&self.folder.path().join(store)).unwrap();
        let differences =
            host_harness::compare::compare(&mesh, host_harness::truth::TruthRow::of(&self.sim.truth())).unwrap();
        assert!(differences.is_empty(), "{differences}");
    }

    /// The pages of one feed that the simulator served, without forgetting them.
    pub(crate) fn requests_of(&self, feed: Kind) -> Vec<Exchange> {
        self.sim.journal().into_iter().filter(|x| x.feed == Some(feed)).collect()
    }

    /// What the simulator saw since this was last asked.
    pub(crate) fn requests(&self) -> Vec<Exchange> {
        let seen = self.sim.journal();
        self.sim.clear_journal();
        seen
    }
}

/// Pulls to the end.
pub(crate) fn drain(mut operation: Operation) -> Pulled {
    let mut pulled =
        Pulled { status: 0, records: Vec::new(), checkpoints: Vec::new(), result: Value::Null, log: Vec::new() };
    let mut sequence = 0;
    loop {
        match operation.next(Duration::from_secs(120)).unwrap() {
            Next::Batch(batch) => {
                assert_eq!(batch.sequence, sequence, "a batch is missing");
                sequence += 1;
                pulled.records.extend(records(&batch));
                pulled.checkpoints.extend(batch.checkpoint);
            }
            Next::Pending => panic!("nothing for two minutes"),
            Next::End { checkpoint } => {
                pulled.status = connector_abi::CONNECTOR_END;
                pulled.checkpoints.extend(checkpoint);
                break;
            }
            Next::EndPartial { checkpoint } => {
                pulled.status = connector_abi::CONNECTOR_END_PARTIAL;
                pulled.checkpoints.extend(checkpoint);
                break;
            }
            Next::Failed(status) => {
                pulled.status = status;
                break;
            }
        }
    }
    pulled.result = serde_json::from_str(&operation.result_json().unwrap()).unwrap();
    pulled.log = operation.take_log();
    pulled
}

/// The records of a batch; a line that is no JSON fails the test.
pub(crate) fn records(batch: &Batch) -> Vec<Value> {
    let lines: Vec<Value> =
        batch.rows.split_inclusive(|b| *b == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect();
    assert_eq!(lines.len() as u64, batch.row_count);
    lines
}

impl Pulled {
    /// The watermark of the END.
    #[track_caller]
    pub(crate) fn watermark(&self) -> &str {
        self.checkpoints.last().expect("a checkpoint")
    }

    /// Records of this kind and object type.
    pub(crate) fn of<'p>(&'p self, kind: &'static str, object_type: &str) -> impl Iterator<Item = &'p Value> + use<'p> {
        let object_type = object_type.to_owned();
        self.records.iter().filter(move |r| r["Kind"] == kind && r["ObjectType"] == object_type)
    }

    /// The End of an object type.
    #[track_caller]
    pub(crate) fn end(&self, object_type: &str) -> &Value {
        self.of("End", object_type).last().expect("an End")
    }

    /// Why an object type could not be read to its end.
    pub(crate) fn failure(&self, object_type: &str) -> &Value {
        &self.result["ObjectTypes"][object_type]["Error"]
    }

    /// The error of the result.
    pub(crate) fn error(&self) -> &Value {
        &self.result["Error"]
    }
}
