//! `TenantId`: which directory.
//!
//! The token service also takes `common` and the like, and would then sign in the application in *its own* directory:
//! the import would run, of the wrong tenant.

use schemars::{Schema, json_schema};
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;
use super::{guid, origin};

/// The directory to import. Both forms are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tenant {
    /// Its id.
    Guid(String),
    /// One of its verified domain names.
    Domain(String),
}

impl Tenant {
    /// As it stands in the authority's address.
    pub fn as_str(&self) -> &str {
        match self {
            Tenant::Guid(text) | Tenant::Domain(text) => text,
        }
    }
}

const LONGEST: usize = 253;

impl Shape for Tenant {
    fn expected() -> String {
        "directory GUID or verified domain name".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let text = found.as_str().unwrap_or_default();
        if let Some(guid) = crate::guid::guid(text) {
            return Some(Tenant::Guid(guid));
        }
        if text.len() <= LONGEST && origin::is_name(text, 2) {
            return Some(Tenant::Domain(text.to_ascii_lowercase()));
        }
        let shared = ["common", "organizations", "consumers"].iter().any(|word| word.eq_ignore_ascii_case(text));
        let suffix =
            if shared { " (this word stands for no particular tenant, and an import reads exactly one)" } else { "" };
        place.refuse(found, Self::expected() + suffix);
        None
    }

    fn schema() -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^({}|{})$", guid::pattern(), origin::domain_pattern()),
            "maxLength": LONGEST
        })
    }
}
