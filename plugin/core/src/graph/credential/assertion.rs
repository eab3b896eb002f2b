//! The client assertion: a JSON Web Token that the application's private key signs
//! (`entra/identity-platform/certificate-credentials`).
//!
//! PS256 and `x5t#S256` are what Microsoft's text asks for today; older texts and most libraries sign RS256 over a
//! SHA-1 thumbprint. Each token request needs one of its own: `jti` must not come twice.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::RSA_PSS_SHA256;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::request_id;
use super::certificate::Identity;
use crate::error::{Error, Kind};

/// Microsoft recommends five to ten minutes.
const LIFETIME: Duration = Duration::from_secs(600);

/// A signed assertion of `client_id` for the token endpoint `audience`.
pub(super) fn sign(
    identity: &Identity,
    audience: &str,
    client_id: &str,
    now: SystemTime,
) -> Result<Zeroizing<String>, Error> {
    let seconds = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": identity.thumbprint });
    let payload = json!({
        "aud": audience,
        "iss": client_id,
        "sub": client_id,
        "jti": request_id::fresh(),
        "nbf": seconds(now),
        "iat": seconds(now),
        "exp": seconds(now + LIFETIME),
    });
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let mut token = Zeroizing::new(format!("{header}.{payload}"));
    let mut signature = vec![0; identity.key.public().modulus_len()];
    identity.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), token.as_bytes(), &mut signature).map_err(|_| {
        Error::new(
            Kind::InvalidConfig,
            "the private key in AuthJson cannot sign: it is damaged; export certificate and key again",
        )
    })?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
    Ok(token)
}
