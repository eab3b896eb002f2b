//! Which directory a configured tenant is: a GUID is its own answer, a domain is looked up.
//!
//! The token service publishes an OpenID configuration per tenant, whose `issuer` holds the directory's GUID, in every
//! cloud and without a token (OpenID Connect Discovery 1.0 §4). Domains can be added to a directory, so two texts may
//! mean the same tenant; watermarks compare GUIDs.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;

use super::authority::Authority;
use super::failure::Failure;
use crate::error::{Error, Kind};
use crate::guid::guid;

/// The directory that the configuration names.
#[derive(Debug)]
pub(crate) struct Directory {
    authority: Arc<Authority>,
    /// `TenantId`: a GUID or a verified domain.
    configured: String,
    /// Once it has been asked for.
    known: Mutex<Option<String>>,
}

impl Directory {
    pub(crate) fn new(authority: Arc<Authority>, configured: String) -> Directory {
        Directory { authority, configured, known: Mutex::default() }
    }

    /// As the configuration writes it.
    pub(crate) fn configured(&self) -> &str {
        &self.configured
    }

    /// Its GUID in lower case. Asks the token service once if a domain is configured, otherwise sends nothing.
    pub(crate) fn guid(&self) -> Result<String, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guid) = &*known {
            return Ok(guid.clone());
        }
        let guid = guid_of(&self.authority, &self.configured)?;
        Ok(known.insert(guid).clone())
    }
}

/// The one member of the OpenID configuration that is read; the rest is skipped, whatever its size.
#[derive(Deserialize)]
struct OpenIdConfiguration {
    issuer: String,
}

fn guid_of(authority: &Authority, tenant: &str) -> Result<String, Error> {
    if let Some(guid) = guid(tenant) {
        return Ok(guid);
    }
    // Goes into a path as it stands; configuration has checked it more closely.
    if tenant.is_empty() || !tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-') {
        return Err(Error::new(Kind::InvalidConfig, "TenantId is neither a directory GUID nor a domain name"));
    }
    let path = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    authority.ask("the OpenID configuration of the tenant", true, || {
        let success = match authority.get(&path) {
            Ok(success) => success,
            Err(failure) => return Ok(Err(failure)),
        };
        let body = serde_json::from_slice::<OpenIdConfiguration>(&success.reply.body).ok();
        let found = body.and_then(|body| body.issuer.split('/').find_map(guid));
        Ok(found.ok_or_else(|| Failure::Unreadable {
            why: "there is no issuer with a directory GUID in it".to_owned(),
            evidence: success.evidence,
        }))
    })
}
