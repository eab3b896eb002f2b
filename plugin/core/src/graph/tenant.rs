//! Which directory a configured tenant is: a GUID is its own answer, a domain is looked up.
//!
//! The token service publishes an OpenID configuration per tenant, whose `issuer` holds the directory's GUID, in every
//! cloud and without a token (OpenID Connect Discovery 1.0 §4). Domains can be added to a directory, so two texts may mean the
//! same tenant; watermarks compare GUIDs.

use serde_json::Value;

use super::authority::Authority;
use super::failure::Failure;
use crate::error::{Error, Kind};

/// The directory's GUID, lower case.
pub(crate) fn guid_of(authority: &Authority, tenant: &str) -> Result<String, Error> {
    if let Some(guid) = guid(tenant) {
        return Ok(guid);
    }
    // Goes into a path as it stands; configuration has checked it more closely.
    if tenant.is_empty() || !tenant.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-') {
        return Err(Error::new(Kind::InvalidConfig, "TenantId is neither a directory GUID nor a domain name"));
    }
    let path = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    authority.ask("the OpenID configuration of the tenant", true, || {
        let success = match authority.send(&path, None) {
            Ok(success) => success,
            Err(failure) => return Ok(Err(failure)),
        };
        let body: Value = serde_json::from_slice(&success.reply.body).unwrap_or_default();
        let found = body["issuer"].as_str().and_then(|issuer| issuer.split('/').find_map(guid));
        Ok(found.ok_or_else(|| Failure::Unreadable {
            why: "there is no issuer with a directory GUID in it".to_owned(),
            evidence: success.evidence,
        }))
    })
}

/// The text as a GUID in lower case, if it is one, with or without braces.
fn guid(text: &str) -> Option<String> {
    let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let fits = text.len() == 36
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    fits.then(|| text.to_ascii_lowercase())
}
