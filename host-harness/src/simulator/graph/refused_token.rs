//! How Graph refuses an access token: 401, and 401 with a challenge that asks for claims.

use super::Context;
use super::answer::GraphError;
use crate::simulator::seal::base64;

/// 401 as Graph words it.
pub(crate) fn invalid_token(context: &Context<'_>, message: &str) -> GraphError {
    GraphError::new(401, "InvalidAuthenticationToken", message).with(
        "www-authenticate",
        format!(
            "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
            context.origin
        ),
    )
}

/// 401 that demands claims of the next token. Padding comes and goes, as it has been seen to do.
pub(crate) fn claims_challenge(context: &Context<'_>, claims: &str) -> GraphError {
    let encoded = base64(claims.as_bytes());
    let encoded = if context.nonce().is_multiple_of(2) { encoded.trim_end_matches('=') } else { &encoded };
    GraphError::new(401, "InvalidAuthenticationToken", "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenCreatedWithOutdatedPolicies").with(
        "www-authenticate",
        format!(
            "Bearer realm=\"\", authorization_uri=\"{}/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\", \
             errorDescription=\"Continuous access evaluation resulted in challenge\", error=\"insufficient_claims\", claims=\"{}\"",
            context.origin,
            encoded
        ),
    )
}
