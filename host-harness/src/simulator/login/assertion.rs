//! Client assertions, really verified: signature with the registered certificate's key, thumbprint, audience, window,
//! and an id that has not been seen.
//!
//! The certificate is read and the signature checked by webpki, which the connector's own reading and signing shares
//! nothing with. A federated token's issuer is out of reach here: the world names the tokens that are trusted.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use sha2::{Digest, Sha256};
use webpki::EndEntityCert;
use webpki::ring::RSA_PSS_2048_8192_SHA256_LEGACY_KEY;

use super::Aadsts;
use crate::simulator::seal::{base64, from_base64};
use crate::simulator::service::Service;

/// What the token service tolerates between two clocks.
const SKEW: u64 = 300;

pub(super) fn check(service: &Service, jwt: &str, kind: Option<&str>, endpoint: &str) -> Result<(), Aadsts> {
    if kind != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
        let message = "The request body must contain the following parameter: 'client_assertion_type'.";
        return Err(Aadsts::new(400, "invalid_request", 900_144, message));
    }
    if service.world.sign_in.federated_tokens.iter().any(|trusted| trusted == jwt) {
        return Ok(());
    }
    let malformed = || {
        let message = "JWT token is invalid or malformed.";
        Aadsts::new(400, "invalid_request", 50_027, message)
    };
    let parts: Vec<&str> = jwt.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { return Err(malformed()) };
    let json = |part: &str| serde_json::from_slice::<Value>(&from_url_base64(part)?).ok();
    let (Some(header), Some(payload)) = (json(header), json(payload)) else { return Err(malformed()) };
    let Some(thumbprint) = header["x5t#S256"].as_str() else {
        let message = "No matching federated identity record found for presented assertion.";
        return Err(Aadsts::new(400, "invalid_client", 700_213, message));
    };
    let not_registered = || {
        let message = format!(
            "The certificate with identifier used to sign the client assertion is not registered on application. \
             [Reason - The key was not found., Thumbprint of key used by client: '{thumbprint}']"
        );
        Aadsts::new(401, "invalid_client", 700_027, message)
    };
    let mut registered = service.world.sign_in.certificates.iter().filter_map(|pem| certificate(pem));
    let certificate =
        registered.find(|der| url_base64(&Sha256::digest(der)) == thumbprint).ok_or_else(not_registered)?;
    let signed = &jwt[..jwt.len() - signature.len() - 1];
    let verified = header["alg"] == "PS256"
        && EndEntityCert::try_from(&certificate).is_ok_and(|certificate| {
            let signature = from_url_base64(signature).unwrap_or_default();
            let verified =
                certificate.verify_signature(RSA_PSS_2048_8192_SHA256_LEGACY_KEY, signed.as_bytes(), &signature);
            verified.is_ok()
        });
    if !verified {
        return Err(not_registered());
    }
    let text = |name: &str| payload[name].as_str().unwrap_or_default();
    if !text("iss").eq_ignore_ascii_case(&service.client_id) || text("iss") != text("sub") {
        return Err(malformed());
    }
    if text("aud") != endpoint {
        let message = "Client assertion audience claim does not match Realm issuer.";
        return Err(Aadsts::new(401, "invalid_client", 50_012, message));
    }
    let now = service.clock.seconds();
    let [from, to] = ["nbf", "exp"].map(|name| payload[name].as_u64().unwrap_or_default());
    let is_fresh = !text("jti").is_empty() && service.is_new_assertion(text("jti"));
    if !is_fresh || now + SKEW < from || now > to + SKEW || to > from + 3_600 {
        let message = format!(
            "Client assertion is not within its valid time range. Current time: {now}, assertion valid from {from}, \
             expiry time of assertion {to}."
        );
        return Err(Aadsts::new(401, "invalid_client", 700_024, message));
    }
    Ok(())
}

fn certificate(pem: &str) -> Option<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()
}

fn url_base64(bytes: &[u8]) -> String {
    base64(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

fn from_url_base64(text: &str) -> Option<Vec<u8>> {
    from_base64(&text.replace('-', "+").replace('_', "/"))
}
