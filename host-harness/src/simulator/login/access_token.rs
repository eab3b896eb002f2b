//! Access tokens: JWTs in form, as Entra's are, with a sealed signature part that alone decides.
//!
//! The claims are there for clients that look into a token. The simulator believes only the sealed part.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::simulator::seal::base64;
use crate::simulator::service::Service;

/// The inside of an access token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) expires: u64,
    pub(super) generation: u64,
    pub(super) roles: bool,
    /// What was sent as `claims` when it was asked for.
    pub(super) claims: Option<String>,
}

/// What every sealed text begins with; its dot would add a part to the JWT.
const SEALED: &str = "0.";

/// The token as text, for the directory `tid`.
pub(super) fn write(service: &Service, token: &Token, tid: &str) -> String {
    let claims = json!({
        "aud": "https://graph.microsoft.com", "iss": format!("https://sts.windows.net/{tid}/"), "exp": token.expires,
        "appid": service.client_id, "idtyp": "app", "tid": tid, "ver": "1.0",
        "roles": if token.roles { service.world.permissions.names().collect() } else { Vec::new() },
    });
    let header = part(&json!({"typ": "JWT", "alg": "RS256"}));
    format!("{header}.{}.{}", part(&claims), opaque(service, token))
}

/// The token as text that a client cannot look into.
pub(super) fn opaque(service: &Service, token: &Token) -> String {
    let sealed = service.bearer_seal.seal(service.nonce(), token);
    sealed.strip_prefix(SEALED).unwrap_or(&sealed).to_owned() + &service.world.sign_in.token_ending
}

/// The inverse of [`write()`] and [`opaque`].
pub(super) fn read(service: &Service, text: &str) -> Option<Token> {
    let sealed = text.strip_suffix(service.world.sign_in.token_ending.as_str())?;
    let signature = sealed.rsplit('.').next()?;
    service.bearer_seal.open(&format!("{SEALED}{signature}"))
}

fn part(value: &Value) -> String {
    base64(value.to_string().as_bytes()).trim_end_matches('=').replace('+', "-").replace('/', "_")
}
