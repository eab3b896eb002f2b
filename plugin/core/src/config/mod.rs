//! ConfigJson and AuthJson: two texts in, one checked [`Setup`] or every mistake of both out.
//!
//! Two steps. *Raw* (`raw.rs`) lists the keys, each once, with its type; the type knows its limits, its default and how
//! JSON Schema says the same, so parser, schema and Describe cannot disagree. *Checked* (`checked.rs`) is what the rest
//! of the connector sees. A derived `Deserialize` would stop at the first mistake; an operator who has one attempt per
//! engine run needs all of them at once.
//!
//! Nothing here touches the network or the disk: whether `CaFile` exists is found out when it is read.

#[cfg(test)]
mod agreement;
mod attribute_names;
mod auth;
mod by_type;
mod ca_file;
mod checked;
mod choice;
mod chosen;
mod cloud;
mod document;
mod fields;
mod filter;
mod guid;
mod key;
mod nearest;
mod number;
mod one_cloud;
mod origin;
mod problems;
mod raw;
mod scope;
mod secret;
mod tenant;
mod text;

use std::fmt;

use serde_json::Value;

use crate::error::{Document, Error};

pub(crate) use attribute_names::EXTENSION_TYPE;
pub use attribute_names::ExtraAttribute;
pub(crate) use auth::modes as auth_modes;
pub use auth::{Auth, Pem};
pub use checked::{Config, ExternalId, FullImportStrategy, MembershipMode, OnDeltaExpired};
pub use chosen::Chosen;
pub use secret::Secret;
pub use tenant::Tenant;

/// Everything an operation is told by its two texts.
pub struct Setup {
    /// From ConfigJson.
    pub config: Config,
    /// From AuthJson.
    pub auth: Auth,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Reads both texts. An error holds all mistakes of both: ConfigJson's first, each document's in the order of its keys.
///
/// ```
/// use entra_id_core::config::parse;
/// let error = parse(r#"{"TenantId": "common", "Pagesize": 5}"#, r#"{"Mode": "ClientSecret"}"#).unwrap_err();
/// let paths: Vec<_> = error.problems.iter().map(|p| p.path.as_str()).collect();
/// assert_eq!(paths, ["/TenantId", "/Pagesize", "/ClientId", "/ClientSecret"]);
/// ```
pub fn parse(config_json: &str, auth_json: &str) -> Result<Setup, Error> {
    let mut config_problems = problems::Problems::new(Document::Config);
    let mut auth_problems = problems::Problems::new(Document::Auth);
    let config = checked::read(config_json, &mut config_problems);
    let auth = auth::read(auth_json, &mut auth_problems);
    match (config, auth) {
        (Some(config), Some(auth)) if config_problems.is_empty() && auth_problems.is_empty() => {
            Ok(Setup { config, auth })
        }
        _ => Err(problems::error(config_problems, auth_problems)),
    }
}

/// Every key of ConfigJson, in the order in which they are read.
fn keys_of_config() -> Vec<&'static str> {
    raw::RawConfig::KEYS.iter().copied().chain(by_type::keys()).collect()
}

/// JSON Schema (2020-12) of ConfigJson: what it accepts, [`parse`] accepts, and the reverse. One exception: no schema
/// can say what an OData filter is, so a text that is none, or none for `MembershipMode` "Delta", passes the schema
/// only.
pub fn config_schema() -> Value {
    document::schema::<raw::RawConfig>()
}

/// JSON Schema (2020-12) of AuthJson: what it accepts, [`parse`] accepts, and the reverse. What stands in a PEM text or
/// a file is judged when an operation starts.
pub fn auth_schema() -> Value {
    document::schema::<auth::RawAuth>()
}

#[cfg(test)]
mod tests;
