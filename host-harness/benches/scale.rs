//! How the connector behaves on a large tenant, and how fast a cancel is: measured, printed, and proved where it can
//! be.
//!
//!     cargo bench -p host-harness --bench scale
//!
//! The same tenant is imported with recomputed memberships, with memberships by delta, and with these and a filter: in
//! full, idle, and after one change for every hundred users and groups. Requests are those of the simulator's journal.
//!
//! The simulator runs in a process of its own. Speeds are printed and not judged; what is judged ends this program with
//! 1.

mod measured;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use connector_abi::{CONNECTOR_E_CANCELLED, CONNECTOR_END};
use host_harness::compare::compare;
use host_harness::connector::{Connector, Next, StartRequest};
use host_harness::import::Engine;
use host_harness::library::shipped_library;
use host_harness::simulator::{Exchange, Fault, FaultAction, Route, Simulator, World};
use host_harness::simulator_process::SimulatorProcess;
use measured::{exit_code, say};
use serde_json::{Value, json};

fn main() -> ExitCode {
    exit_code(measure())
}

fn measure() -> Result<()> {
    let tenant = Tenant::start(100_000, 5_000, 500_000)?;
    imports(&tenant)?;
    drop(tenant);
    cancel_times()
}

/// A tenant in a process of its own, and the two texts for it.
struct Tenant {
    process: SimulatorProcess,
    config: String,
    auth: String,
}

impl Tenant {
    fn start(users: u32, groups: u32, edges: u64) -> Result<Tenant> {
        let folder = tempfile::tempdir()?;
        let world = folder.path().join("world.json");
        let text = json!({"users": users, "groups": groups, "edges": edges, "largeGroup": 20_000, "journalCapacity": 1_000_000});
        std::fs::write(&world, text.to_string())?;
        let program = Path::new(env!("CARGO_BIN_EXE_host-harness"));
        let process = SimulatorProcess::start(program, [Path::new("--world"), &world])?;
        let tenant = process.tenant()?;
        let (config, auth) = texts(process.origin(), &tenant.id, &tenant.client_id, &tenant.client_secret);
        say(&format!("\n{users} users, {groups} groups, about {edges} edges, 0 ms latency"));
        Ok(Tenant { process, config, auth })
    }

    /// ConfigJson with further keys.
    fn config_with(&self, more: &Value) -> Result<String> {
        let mut config: Value = serde_json::from_str(&self.config)?;
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        Ok(config.to_string())
    }
}

fn texts(origin: &str, tenant: &str, client: &str, secret: &str) -> (String, String) {
    let config = json!({"TenantId": tenant, "GraphEndpoint": origin, "AuthorityHost": origin});
    let auth = json!({"Mode": "ClientSecret", "ClientId": client, "ClientSecret": secret});
    (config.to_string(), auth.to_string())
}

/// As many changes as one in a hundred users and groups.
const CHANGES: u32 = 1_050;

/// Full and delta imports of one tenant by three configurations, each into a store of its own.
fn imports(tenant: &Tenant) -> Result<()> {
    let recompute = Store::new(tenant, "Recompute", json!({}))?;
    let followed = Store::new(tenant, "Delta", json!({"MembershipMode": "Delta"}))?;
    let filter = json!({"MembershipMode": "Delta", "GroupSelectionFilter": "startswith(displayName,'APP-')"});
    let filtered = Store::new(tenant, "Delta with a filter", filter)?;
    for store in [&recompute, &followed, &filtered] {
        store.import("full import")?;
    }
    recompute.is_the_truth()?;
    followed.is_the_truth()?;
    recompute.import("idle delta")?;
    for store in [&followed, &filtered] {
        store.import("delta after the full import")?;
        // What the first run left to be read once more, such as hidden groups, is done now.
        let requests = store.import("idle delta")?;
        ensure!(requests <= 4, "{}: an idle delta took {requests} requests", store.name);
    }
    let changed = tenant.process.change(&json!({"random": {"seed": 1, "count": CHANGES}}))?;
    say(&format!("changes: {}", changed["summary"]["counts"]));
    for store in [&recompute, &followed, &filtered] {
        store.import("delta after the changes")?;
        store.import("delta after that, nothing changed")?;
    }
    recompute.is_the_truth()?;
    followed.is_the_truth()
}

/// A store, and what it is fed with.
struct Store<'t> {
    name: &'static str,
    tenant: &'t Tenant,
    config: String,
    engine: Engine,
    _folder: tempfile::TempDir,
}

impl Store<'_> {
    fn new<'t>(tenant: &'t Tenant, name: &'static str, more: Value) -> Result<Store<'t>> {
        let folder = tempfile::tempdir()?;
        let engine = Engine::new(shipped_library()?, folder.path().join("mesh.db"));
        Ok(Store { name, tenant, config: tenant.config_with(&more)?, engine, _folder: folder })
    }

    /// Imports and prints what it took. Answers the requests, as the simulator's journal has them.
    fn import(&self, what: &str) -> Result<u64> {
        let (tenant, what) = (self.tenant, format!("{}, {what}", self.name));
        let before = tenant.process.journal()?.last().map_or(0, |exchange| exchange.sequence);
        let report = self.engine.import(&self.config, &tenant.auth, false)?;
        ensure!(report.status == CONNECTOR_END, "{what} ended with {}: {:#}", report.status, report.result);
        let count = |name: &str| -> u64 { types(&report.result).map(|t| t[name].as_u64().unwrap_or(0)).sum() };
        let rows = count("Upserts") + count("Deletes") + count("LeftScope");
        ensure!(count("Issues") == 0, "{what}: issues: {:#}", report.result);
        let seconds = report.elapsed.as_secs_f64();

        let journal = tenant.process.journal()?;
        let asked = |x: &&Exchange| x.sequence > before && !matches!(x.route, Route::Token | Route::OpenId);
        let mut routes = BTreeMap::<String, u64>::new();
        for exchange in journal.iter().filter(asked) {
            ensure!(exchange.status == Some(200), "{what}: a request was answered with {:?}", exchange.status);
            *routes.entry(format!("{:?}", exchange.route)).or_default() += 1;
        }
        let requests: u64 = routes.values().sum();
        let said = report.counted("Requests");
        ensure!(requests == said, "{what}: {said} requests by the result, {requests} by the journal");
        let routes: Vec<String> = routes.iter().map(|(route, count)| format!("{count} {route}")).collect();
        say(&format!(
            "{what}: {rows} rows in {seconds:.1} s = {:.0} rows/s, {} checkpoints, {requests} requests: {}",
            rows as f64 / seconds,
            report.checkpoints,
            routes.join(", ")
        ));
        for warning in report.result["Warnings"].as_array().into_iter().flatten() {
            say(&format!("  warning {}", warning["Code"]));
        }
        Ok(requests)
    }

    fn is_the_truth(&self) -> Result<()> {
        let differences = compare(&self.engine.mesh()?, self.tenant.process.truth()?)?;
        ensure!(differences.is_empty(), "{}: the store differs from the tenant:\n{differences}", self.name);
        say(&format!("{}: equal to the truth, {} rows compared, every attribute", self.name, differences.rows()));
        Ok(())
    }
}

fn types(result: &Value) -> impl Iterator<Item = &Value> {
    result["ObjectTypes"].as_object().into_iter().flat_map(|types| types.values())
}

/// How long `OperationNext` takes to return after a cancel, and the last thread after a release.
fn cancel_times() -> Result<()> {
    say("\ncancel, from OperationCancel to the return of OperationNext, 20 times each");
    for (what, action) in [
        ("in a Retry-After of one hour", FaultAction::retry_after(429, "3600")),
        ("in a stalled body", FaultAction::StallMidBody),
    ] {
        let mut times = Vec::new();
        for _ in 0..20 {
            times.push(cancel_once(action.clone())?);
        }
        times.sort();
        say(&format!("{what}: median {:.2} ms, max {:.2} ms", millis(times[10]), millis(times[19])));
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn cancel_once(action: FaultAction) -> Result<Duration> {
    let sim = Simulator::start(World { users: 30, groups: 5, edges: 60, ..World::gentle() })?;
    sim.add_fault(Fault::always(Route::USERS_DELTA, action));
    let (config, auth) = texts(&sim.origin(), &sim.tenant_id(), &sim.client_id(), &sim.client_secret());
    let connector = Connector::load(&shipped_library()?)?;
    let mut operation = connector.import(&StartRequest { config: &config, auth: &auth, ..StartRequest::default() })?;
    let cancel = operation.cancel_handle();
    std::thread::scope(|threads| {
        let inside = threads.spawn(move || -> Result<Instant> {
            loop {
                match operation.next(Duration::MAX)? {
                    Next::Batch(_) => {}
                    Next::Failed(CONNECTOR_E_CANCELLED) => return Ok(Instant::now()),
                    other => bail!("{other:?}"),
                }
            }
        });
        while !sim.journal().iter().any(|x| x.faulted) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // By now only the faulted feed is left, and its thread waits.
        std::thread::sleep(Duration::from_millis(100));
        let from = Instant::now();
        cancel.cancel();
        let returned = inside.join().map_err(|_| anyhow::anyhow!("the thread inside OperationNext panicked"))??;
        Ok(returned.saturating_duration_since(from))
    })
}
