//! A simulator in a process of its own, as `demo` uses it: so that the host's memory is the host's, and so that what
//! the library talks to is a service and not a neighbour in the same address space.
//!
//! The child ends when it is asked to, when this value is dropped, and when this process is gone for whatever reason:
//! it watches its stdin, which the system closes for us.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::http_client::{self, Body};
use crate::simulator::Exchange;
use crate::truth::TruthRow;

/// How long a child may take to end by itself.
const GRACE: Duration = Duration::from_secs(10);

/// A running child. Dropping it ends it.
#[derive(Debug)]
pub struct SimulatorProcess {
    child: Child,
    origin: String,
    hello: Value,
}

/// Who may sign in to the simulated tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The directory's GUID.
    pub id: String,
    /// The application.
    pub client_id: String,
    /// The application's made-up secret.
    pub client_secret: String,
}

impl SimulatorProcess {
    /// Starts `program simulate --port 0` with more arguments and waits until it answers.
    pub fn start<S: AsRef<std::ffi::OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<SimulatorProcess> {
        let child = Command::new(program)
            .args(["simulate", "--port", "0", "--until-stdin-ends"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the simulator ({})", program.display()))?;
        // From here on `drop` ends it, whatever goes wrong.
        let mut started = SimulatorProcess { child, origin: String::new(), hello: Value::Null };
        let mut first = String::new();
        if let Some(stdout) = started.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut first)?;
        }
        started.hello = serde_json::from_str(&first).unwrap_or_default();
        started.hello["origin"].as_str().context("the simulator did not start")?.clone_into(&mut started.origin);
        Ok(started)
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The child's process id, for who measures what it costs.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Who may sign in.
    pub fn tenant(&self) -> Result<Tenant> {
        let text = |name: &str| {
            self.hello[name]
                .as_str()
                .map(str::to_owned)
                .with_context(|| format!("the simulator does not say its {name}"))
        };
        Ok(Tenant { id: text("tenantId")?, client_id: text("clientId")?, client_secret: text("clientSecret")? })
    }

    /// Applies a change script and answers what was changed.
    pub fn change(&self, script: &Value) -> Result<Value> {
        self.json("POST", "change", &script.to_string())
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) -> Result<()> {
        self.send("DELETE", "faults", "").map(drop)
    }

    /// What the tenant holds now.
    pub fn truth(&self) -> Result<impl Iterator<Item = Result<TruthRow>> + use<>> {
        let lines = BufReader::new(self.send("GET", "truth", "")?).lines();
        Ok(lines.filter_map(|line| line.map_err(Into::into).and_then(|line| TruthRow::of_line(&line)).transpose()))
    }

    /// Every exchange so far.
    pub fn journal(&self) -> Result<Vec<Exchange>> {
        let lines = BufReader::new(self.send("GET", "journal", "")?).lines();
        lines.map(|line| serde_json::from_str(&line?).context("not an exchange")).collect()
    }

    /// Asks it to end and waits until it has; what it writes at its end is written then.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let asked = self.send("POST", "shutdown", "");
        drop(self.child.stdin.take());
        let since = Instant::now();
        while asked.is_ok() && since.elapsed() < GRACE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn json(&self, method: &str, command: &str, body: &str) -> Result<Value> {
        let mut text = String::new();
        self.send(method, command, body)?.read_to_string(&mut text)?;
        serde_json::from_str(&text).with_context(|| format!("the simulator answered {command} with no JSON"))
    }

    fn send(&self, method: &str, command: &str, body: &str) -> Result<Body> {
        let authority = self.origin.strip_prefix("http://").context("control routes are asked over plain http")?;
        http_client::send(authority, method, &format!("/_simulator/{command}"), body)
    }
}

impl Drop for SimulatorProcess {
    fn drop(&mut self) {
        // Nothing can be done about a child that will not end, and it ends with our stdin anyway.
        let _ = self.end();
    }
}
