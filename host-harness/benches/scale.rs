//! How the connector behaves on a large tenant, and how fast a cancel is: measured, printed, and proved where it can be.
//!
//!     cargo bench -p host-harness --bench scale                 100,000 users
//!     cargo bench -p host-harness --bench scale -- --million    also memory with 1,000,000 users
//!
//! The simulator runs in a process of its own, and so does the host whose memory is measured: it discards rows, so that
//! what grows there is the connector's. Speeds are printed and not judged; what is judged ends this program with 1.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use connector_abi::{CONNECTOR_E_CANCELLED, CONNECTOR_END};
use host_harness::compare::compare;
use host_harness::connector::{Connector, Next, StartRequest};
use host_harness::import::Engine;
use host_harness::library::connector_library;
use host_harness::simulator::{Exchange, Fault, FaultAction, Route, Simulator, World};
use host_harness::simulator_process::SimulatorProcess;
use serde_json::{Value, json};

/// What a host that discards rows may need above what it needs once the library is loaded, in KiB.
const MEMORY: u64 = 64 * 1024;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["discard", library] => discard(Path::new(library)),
        _ => measure(arguments.iter().any(|a| a == "--million")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn measure(million: bool) -> Result<()> {
    let tenant = Tenant::start(100_000, 5_000, 500_000)?;
    import_into_sqlite(&tenant)?;
    let small = memory(&tenant)?;
    drop(tenant);
    if million {
        let large = memory(&Tenant::start(1_000_000, 5_000, 500_000)?)?;
        say(&format!("memory with ten times the users: {:+} KiB", large.cast_signed() - small.cast_signed()));
        ensure!(large < small + 8 * 1024, "memory grows with the tenant");
    }
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
}

fn texts(origin: &str, tenant: &str, client: &str, secret: &str) -> (String, String) {
    let config = json!({"TenantId": tenant, "GraphEndpoint": origin, "AuthorityHost": origin});
    let auth = json!({"Mode": "ClientSecret", "ClientId": client, "ClientSecret": secret});
    (config.to_string(), auth.to_string())
}

fn import_into_sqlite(tenant: &Tenant) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::new(connector_library()?, folder.path().join("mesh.db"));
    let report = engine.import(&tenant.config, &tenant.auth, true)?;
    ensure!(report.status == CONNECTOR_END, "the import ended with {}: {:#}", report.status, report.error);
    let rows: u64 =
        types(&report.result).map(|t| t["Upserts"].as_u64().unwrap_or(0) + t["Deletes"].as_u64().unwrap_or(0)).sum();
    let issues: u64 = types(&report.result).map(|t| t["Issues"].as_u64().unwrap_or(0)).sum();
    ensure!(issues == 0, "{issues} issues: {:#}", report.result);
    let seconds = report.elapsed.as_secs_f64();
    let requests = report.result["Requests"].as_u64().context("no count of requests")?;
    say(&format!(
        "full import into SQLite: {rows} rows in {seconds:.1} s = {:.0} rows/s, {requests} requests",
        rows as f64 / seconds
    ));

    let journal = tenant.process.journal()?;
    let of = |routes: &[Route]| journal.iter().filter(|x| routes.contains(&x.route)).count() as u64;
    let pages = of(&[Route::UsersDelta, Route::GroupsDelta, Route::GroupsList, Route::Members]);
    let batches = of(&[Route::Batch]);
    say(&format!("requests: {pages} pages + {batches} batches"));
    ensure!(requests == pages + batches, "{requests} requests are not {pages} pages + {batches} batches");
    ensure!(journal.iter().all(|x: &Exchange| x.status == Some(200)), "a request failed");

    let differences = compare(&engine.mesh()?, tenant.process.truth()?)?;
    ensure!(differences.is_empty(), "the store differs from the tenant:\n{differences}");
    say(&format!("equal to the truth: {} rows compared, every attribute", differences.rows()));
    for stored in engine.mesh()?.types()? {
        say(&format!("  {:12} {:8} in the store, as many in the tenant", stored.name, stored.visible));
    }
    Ok(())
}

fn types(result: &Value) -> impl Iterator<Item = &Value> {
    result["ObjectTypes"].as_object().into_iter().flat_map(|types| types.values())
}

/// Peak memory above that of the host with the library loaded, in KiB.
fn memory(tenant: &Tenant) -> Result<u64> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg("discard")
        .arg(connector_library()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let texts = json!({"config": tenant.config, "auth": tenant.auth});
    child.stdin.take().context("no stdin")?.write_all(texts.to_string().as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "the host that discards rows failed");
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let number = |name: &str| said[name].as_u64().with_context(|| format!("no {name}"));
    let (loaded, peak) = (number("loaded")?, number("peak")?);
    say(&format!(
        "a host that discards rows: {} rows in {:.1} s; VmHWM {loaded} KiB after loading, {peak} KiB at the end: {} KiB more",
        number("rows")?,
        number("ms")? as f64 / 1000.0,
        peak - loaded
    ));
    ensure!(peak - loaded <= MEMORY, "more than {MEMORY} KiB");
    Ok(peak - loaded)
}

fn discard(library: &Path) -> Result<()> {
    let texts: Value = serde_json::from_reader(std::io::stdin())?;
    let connector = Connector::load(library)?;
    connector.describe()?;
    let loaded = peak_memory()?;
    let since = Instant::now();
    let (config, auth) = (texts["config"].as_str().context("no config")?, texts["auth"].as_str().context("no auth")?);
    let mut operation = connector.import(&StartRequest { config, auth, ..StartRequest::default() })?;
    loop {
        match operation.next(Duration::from_secs(120))? {
            Next::Batch(_) => {}
            Next::End { .. } => break,
            other => bail!("{other:?}"),
        }
    }
    let rows = operation.progress().map_err(|s| anyhow::anyhow!("status {s}"))?.rows_delivered;
    say(&json!({"loaded": loaded, "peak": peak_memory()?, "rows": rows, "ms": since.elapsed().as_millis() as u64})
        .to_string());
    Ok(())
}

/// VmHWM of this process, in KiB.
fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM: this measurement needs Linux")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
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
    sim.add_fault(Fault::always(Route::UsersDelta, action));
    let (config, auth) = texts(&sim.origin(), &sim.tenant_id(), &sim.client_id(), &sim.client_secret());
    let connector = Connector::load(&connector_library()?)?;
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
