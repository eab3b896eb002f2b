//! A simulator in a process of its own, plain or with TLS and gzip, and the documents that lead to it.
//!
//! `SimulatorProcess` asks control routes over plain HTTP; here nothing is asked, so that TLS is possible too. The
//! child ends when its stdin does, which the system closes if this process dies.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The file of the certificate authority, in the folder.
const CA: &str = "ca.pem";

/// How answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    Plain,
    TlsAndGzip,
}

/// A tenant that can be asked.
pub(crate) struct Tenant {
    child: Child,
    folder: TempDir,
    wire: Wire,
    hello: Value,
    auth: String,
}

impl Tenant {
    pub(crate) fn start(users: u32, wire: Wire) -> Result<Tenant> {
        let folder = tempfile::tempdir()?;
        let world = json!({
            "users": users, "groups": 1, "edges": 0, "largeGroup": null, "deletedUsers": 0, "latencyMs": 0,
            "gzip": wire == Wire::TlsAndGzip,
            "delta": {"emptyPages": false, "duplicates": false},
        });
        let file = folder.path().join("world.json");
        std::fs::write(&file, world.to_string())?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_host-harness"));
        command.args(["simulate", "--port", "0", "--until-stdin-ends", "--world"]).arg(&file);
        if wire == Wire::TlsAndGzip {
            command.arg("--https").arg("--ca-file").arg(folder.path().join(CA));
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut first = String::new();
        BufReader::new(child.stdout.take().context("no stdout")?).read_line(&mut first)?;
        let hello: Value = serde_json::from_str(&first).context("the simulator did not start")?;
        let auth = json!({
            "Mode": "ClientSecret", "ClientId": hello["clientId"], "ClientSecret": hello["clientSecret"],
        });
        Ok(Tenant { child, folder, wire, hello, auth: auth.to_string() })
    }

    /// What the simulator said of itself.
    pub(crate) fn said(&self, name: &str) -> &str {
        self.hello[name].as_str().unwrap_or_default()
    }

    pub(crate) fn auth(&self) -> &str {
        &self.auth
    }

    /// ConfigJson for users alone, with these attributes.
    pub(crate) fn config(&self, attributes: &[&str]) -> String {
        let mut config = json!({
            "TenantId": self.hello["tenantId"], "GraphEndpoint": self.hello["origin"],
            "AuthorityHost": self.hello["origin"], "ImportGroups": false, "ImportMemberships": false,
        });
        let more = &attributes[crate::baseline::ALWAYS.min(attributes.len())..];
        if !more.is_empty() {
            config["UserAttributes"] = json!(more);
        }
        if self.wire == Wire::TlsAndGzip {
            config["CaFile"] = json!(self.folder.path().join(CA));
        }
        config.to_string()
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It has nothing left to do and ends at once; a child that is gone already is no trouble.
        let _ = self.child.wait();
    }
}
