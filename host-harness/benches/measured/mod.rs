//! One measured import: a simulator in a process of its own, the library in this one, a host that discards rows.

#![allow(dead_code, reason = "each benchmark uses its part")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use host_harness::connector::{Connector, Next, StartRequest};
use host_harness::library::shipped_library;
use host_harness::simulator_process::SimulatorProcess;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Runs a measurement; wrong counts end the program with 1.
pub(crate) fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A line of the table.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A simulator of this world, and the documents that lead to it.
pub(crate) struct Measured {
    pub(crate) process: SimulatorProcess,
    /// Holds `ca.pem` where the world serves HTTPS.
    pub(crate) folder: TempDir,
    config: Map<String, Value>,
    auth: String,
}

impl Measured {
    pub(crate) fn start(world: &Value) -> Result<Measured> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("world.json");
        std::fs::write(&file, world.to_string())?;
        let harness = Path::new(env!("CARGO_BIN_EXE_host-harness"));
        let authority = folder.path().join("ca.pem");
        let mut arguments = vec![Path::new("--world"), &file];
        if world["https"] == true {
            arguments.extend([Path::new("--https"), Path::new("--ca-file"), &authority]);
        }
        let process = SimulatorProcess::start(harness, arguments)?;
        let tenant = process.tenant()?;
        let origin = process.origin().to_owned();
        let mut config = Map::new();
        for (key, value) in [("TenantId", tenant.id), ("GraphEndpoint", origin.clone()), ("AuthorityHost", origin)] {
            config.insert(key.to_owned(), value.into());
        }
        let auth = json!({"Mode": "ClientSecret", "ClientId": tenant.client_id, "ClientSecret": tenant.client_secret});
        Ok(Measured { process, folder, config, auth: auth.to_string() })
    }

    /// ConfigJson with further keys, and AuthJson.
    pub(crate) fn documents(&self, keys: &[(&str, Value)]) -> (String, &str) {
        let mut config = self.config.clone();
        let authority = self.folder.path().join("ca.pem");
        if authority.exists() {
            config.insert("CaFile".to_owned(), authority.to_string_lossy().into());
        }
        config.extend(keys.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        (Value::Object(config).to_string(), &self.auth)
    }

    /// A first import with further keys of ConfigJson: rows delivered, seconds, and the Result.
    pub(crate) fn import(&self, keys: &[(&str, Value)]) -> Result<(u64, f64, Value)> {
        let (config, auth) = self.documents(keys);
        discard(&Connector::load(&shipped_library()?)?, &config, auth)
    }
}

/// Imports and throws the rows away: rows delivered, seconds, and the Result.
pub(crate) fn discard(connector: &Connector, config: &str, auth: &str) -> Result<(u64, f64, Value)> {
    let since = Instant::now();
    let mut operation = connector.import(&StartRequest { config, auth, ..StartRequest::default() })?;
    loop {
        match operation.next(Duration::from_secs(120))? {
            Next::Batch(_) => {}
            Next::End { .. } => break,
            other => bail!("{other:?}: {}", operation.result_json().unwrap_or_default()),
        }
    }
    let seconds = since.elapsed().as_secs_f64();
    let rows = operation.progress().map_err(|status| anyhow!("status {status}"))?.rows_delivered;
    let result = serde_json::from_str(&operation.result_json().unwrap_or_default())?;
    Ok((rows, seconds, result))
}

/// Runs this benchmark again in a process of its own, as `verb`, with the library's path behind it and `texts` on its
/// stdin.
pub(crate) fn in_a_process(verb: &str, texts: &Value) -> Result<Output> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(verb)
        .arg(shipped_library()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("no stdin")?.write_all(texts.to_string().as_bytes())?;
    Ok(child.wait_with_output()?)
}

/// VmHWM of this process, in KiB.
pub(crate) fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM: this measurement needs Linux")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}
