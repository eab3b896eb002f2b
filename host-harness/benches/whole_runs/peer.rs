//! The two peers that come from public registries, run by their drivers in `tests/peers`.
//!
//! Nothing is installed from here. A driver refuses any other version than its own, which ends the benchmark: figures
//! of an unknown version say nothing.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::json;

use crate::measured::Measured;
use crate::run::Brought;

/// A program that reads a directory, too.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Peer {
    /// Microsoft's client for JavaScript, with eight workers.
    NpmClient,
    /// cartography's Entra sync.
    Cartography,
}

impl Peer {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Peer::NpmClient => "npm `@microsoft/microsoft-graph-client` 3.0.7, 8 workers: groups, memberships",
            Peer::Cartography => "`cartography` 0.143.0: users, groups, memberships",
        }
    }

    /// Where the workspace is: cargo runs a benchmark in its package's folder.
    fn workspace() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    fn folder() -> PathBuf {
        std::env::var_os("PEERS").map_or_else(|| Peer::workspace().join("target/peers"), PathBuf::from)
    }

    pub(crate) fn is_installed(self) -> bool {
        let installed = match self {
            Peer::NpmClient => "npm/node_modules/@microsoft/microsoft-graph-client",
            Peer::Cartography => "cartography/bin/python",
        };
        Peer::folder().join(installed).exists()
    }

    fn command(self) -> Command {
        let drivers = Peer::workspace().join("tests/peers");
        match self {
            Peer::NpmClient => {
                let mut command = Command::new("node");
                command.arg(drivers.join("npm_client.mjs")).arg(Peer::folder());
                command
            }
            Peer::Cartography => {
                let mut command = Command::new(Peer::folder().join("cartography/bin/python"));
                // It warns of every Python before 3.13.
                command.args(["-W", "ignore::DeprecationWarning"]).arg(drivers.join("cartography_sync.py"));
                command
            }
        }
    }

    pub(crate) fn run(self, tenant: &Measured) -> Result<Brought> {
        let who = tenant.process.tenant()?;
        let hello = json!({
            "origin": tenant.process.origin(), "tenantId": who.id, "clientId": who.client_id, "clientSecret": who.client_secret,
        });
        let mut child =
            self.command().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().context("starting a peer")?;
        child.stdin.take().context("no stdin")?.write_all(format!("{hello}\n").as_bytes())?;
        Brought::parse(&child.wait_with_output()?)
    }
}
