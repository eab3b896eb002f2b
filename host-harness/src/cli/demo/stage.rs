//! The folder a demo plays in: what an operator would have set up by hand.
//!
//! ```text
//! Connectors/libEntraId.so   auth.json   secrets/contoso-secret
//! entra.json   mesh.db   entra-delta.json   mesh-delta.db
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::connector::DoorKind;
use crate::discovery::{self, Identified};
use crate::library::connector_library;
use crate::secrets::Secrets;
use crate::simulator_process::Tenant;

const SECRET: &str = "contoso-secret";

/// The folder and the two documents.
#[derive(Debug)]
pub(super) struct Stage {
    folder: PathBuf,
    config: String,
    auth: String,
}

impl Stage {
    /// Makes the folder: the one that is named, which must be new or empty, or a temporary one. It is kept.
    pub(super) fn set(keep: Option<&Path>) -> Result<Stage> {
        let folder = match keep {
            Some(folder) => {
                fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
                if fs::read_dir(folder)?.next().is_some() {
                    bail!("{} is not empty: name a new folder with --keep", folder.display());
                }
                std::path::absolute(folder)?
            }
            None => tempfile::Builder::new().prefix("connector-demo-").tempdir()?.keep(),
        };
        Ok(Stage { folder, config: String::new(), auth: String::new() })
    }

    /// Copies the connector library into `Connectors/` and loads it from there, as an engine would.
    pub(super) fn place_library(&self, door: DoorKind) -> Result<Identified> {
        let library = connector_library()?;
        let connectors = self.folder.join("Connectors");
        fs::create_dir(&connectors)?;
        let name = library.file_name().context("the library has no file name")?;
        fs::copy(&library, connectors.join(name)).with_context(|| format!("cannot copy {}", library.display()))?;
        discovery::choose(&connectors, None, door)
    }

    /// Writes ConfigJson, AuthJson with a reference, and the secret it refers to.
    pub(super) fn write_documents(&mut self, origin: &str, tenant: &Tenant) -> Result<()> {
        let config = json!({"TenantId": tenant.id, "GraphEndpoint": origin, "AuthorityHost": origin});
        let auth =
            json!({"Mode": "ClientSecret", "ClientId": tenant.client_id, "ClientSecret": format!("secret://{SECRET}")});
        self.config = format!("{config:#}\n");
        self.auth = format!("{auth:#}\n");
        fs::write(self.folder.join("entra.json"), &self.config)?;
        fs::write(self.folder.join("auth.json"), &self.auth)?;
        self.secrets().set(SECRET, &tenant.client_secret)?;
        Ok(())
    }

    pub(super) fn config(&self) -> &str {
        &self.config
    }

    pub(super) fn auth(&self) -> &str {
        &self.auth
    }

    pub(super) fn store(&self) -> PathBuf {
        self.folder.join("mesh.db")
    }

    /// ConfigJson with memberships from the change feed.
    pub(super) fn followed_config(&self) -> Result<String> {
        let mut config: Value = serde_json::from_str(&self.config)?;
        config["MembershipMode"] = json!("Delta");
        let text = format!("{config:#}\n");
        fs::write(self.folder.join("entra-delta.json"), &text)?;
        Ok(text)
    }

    /// The store of the imports with that configuration.
    pub(super) fn followed_store(&self) -> PathBuf {
        self.folder.join("mesh-delta.db")
    }

    pub(super) fn secrets(&self) -> Secrets {
        Secrets::in_folder(self.folder.join("secrets"))
    }
}
