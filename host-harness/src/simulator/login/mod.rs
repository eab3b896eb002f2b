//! The authority: token endpoint, OpenID configuration, and the check of bearer tokens.
//!
//! Error bodies are the documented ones, number, wording and status: operators find help by them. Tokens are stateless;
//! revoking all of them is raising a generation number.

mod access_token;
mod assertion;
pub(super) mod managed_identity;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use access_token::Token;

use crate::simulator::clock::format_spaced;
use crate::simulator::graph::Context;
use crate::simulator::graph::answer::{Answer, Body, GraphError};
use crate::simulator::graph::refused_token::{claims_challenge, invalid_token};
use crate::simulator::graph::request::Request;
use crate::simulator::percent::decode;
use crate::simulator::seal::from_base64;
use crate::simulator::seed::{mix, stream};
use crate::simulator::service::Service;

/// A refusal of the authority.
struct Aadsts {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

impl Aadsts {
    fn new(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Aadsts {
        Aadsts { status, error, code, message: message.into() }
    }

    fn into_answer(self, context: &Context<'_>) -> Answer {
        let timestamp = format_spaced(context.service.clock.seconds());
        let trace = context.service.base.ids.other(stream("trace"), context.nonce());
        let correlation = &context.client_request_id;
        Answer::new(
            self.status,
            Body::Json(json!({
                "error": self.error,
                "error_description": format!(
                    "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}", self.code, self.message
                ),
                "error_codes": [self.code],
                "timestamp": timestamp,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": format!("{}/error?code={}", context.origin, self.code),
            })),
        )
    }
}

/// `POST /{tenant}/oauth2/v2.0/token`. `form` is the raw body.
pub(crate) fn token(context: &Context<'_>, request: &Request, tenant: &str, form: &str) -> Answer {
    let claims = match grant(context, request, tenant, form) {
        Ok(claims) => claims,
        Err(refused) => return refused.into_answer(context),
    };
    let (token, seconds) = issue(context, claims);
    let access_token = access_token::write(context.service, &token, &context.service.tenant_id);
    Answer::new(
        200,
        Body::Json(json!({
            "token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": access_token
        })),
    )
}

/// An access token, and the seconds it lives.
fn issue(context: &Context<'_>, claims: Option<String>) -> (Token, u64) {
    let service = context.service;
    let random = 3_599 + mix(service.world.seed, stream("lifetime"), context.nonce()) % 1_800;
    let seconds = service.world.sign_in.token_seconds.unwrap_or(random);
    let token = Token {
        expires: service.clock.seconds() + seconds,
        generation: service.generation(),
        roles: !service.world.sign_in.without_roles,
        claims,
    };
    (token, seconds)
}

/// The claims that were asked for, once everything else is in order.
fn grant(context: &Context<'_>, request: &Request, tenant: &str, form: &str) -> Result<Option<String>, Aadsts> {
    let service = context.service;
    check_tenant(service, tenant)?;
    let mut fields: BTreeMap<String, String> = form
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name, true), decode(value, true)))
        .collect();
    if let Some((id, secret)) = basic(request) {
        fields.entry("client_id".into()).or_insert(id);
        fields.entry("client_secret".into()).or_insert(secret);
    }
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let missing = |name: &str| {
        let message = format!("The request body must contain the following parameter: '{name}'.");
        Aadsts::new(400, "invalid_request", 900_144, message)
    };
    let grant_type = field("grant_type").ok_or_else(|| missing("grant_type"))?;
    if grant_type != "client_credentials" {
        let message = format!("The app requested an unsupported grant type '{grant_type}'.");
        return Err(Aadsts::new(400, "unsupported_grant_type", 70_003, message));
    }
    let client = field("client_id").ok_or_else(|| missing("client_id"))?;
    if !client.eq_ignore_ascii_case(&service.client_id) {
        let message = format!(
            "Application with identifier '{client}' was not found in the directory 'Contoso'. This can happen if the \
             application has not been installed by the administrator of the tenant or consented to by any user in the \
             tenant. You may have sent your authentication request to the wrong tenant."
        );
        return Err(Aadsts::new(400, "unauthorized_client", 700_016, message));
    }
    check_scope(field("scope").ok_or_else(|| missing("scope"))?)?;
    match field("client_assertion") {
        Some(assertion) if field("client_secret").is_none() => {
            let endpoint = format!("{}{}", context.origin, request.path);
            assertion::check(service, assertion, field("client_assertion_type"), &endpoint)?;
        }
        _ => check_secret(service, client, field("client_secret"))?,
    }
    Ok(field("claims").map(str::to_owned))
}

fn check_tenant(service: &Service, tenant: &str) -> Result<(), Aadsts> {
    let is_guid = tenant.len() == 36 && tenant.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let is_domain =
        tenant.contains('.') && tenant.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    if tenant.eq_ignore_ascii_case(&service.tenant_id) || tenant.eq_ignore_ascii_case(&service.world.domain) {
        return Ok(());
    }
    if matches!(tenant, "common" | "organizations" | "consumers") {
        let message =
            "No tenant-identifying information found in either the request or implied by any provided credentials.";
        return Err(Aadsts::new(400, "invalid_request", 50_059, message));
    }
    if is_guid || is_domain {
        let message = format!(
            "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct \
             cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the \
             tenant."
        );
        return Err(Aadsts::new(400, "invalid_tenant", 90_002, message));
    }
    let message =
        format!("Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.");
    Err(Aadsts::new(400, "invalid_request", 900_023, message))
}

fn check_scope(scope: &str) -> Result<(), Aadsts> {
    if !scope.contains("://") || scope.contains(' ') {
        let message = format!(
            "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' \
             is not valid. The scope {scope} is not valid."
        );
        return Err(Aadsts::new(400, "invalid_scope", 70_011, message));
    }
    if !scope.ends_with("/.default") {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
             /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(Aadsts::new(400, "invalid_scope", 1_002_012, message));
    }
    let resource = scope.trim_end_matches("/.default");
    let host = resource.split("://").nth(1).unwrap_or_default();
    let known = host.starts_with("127.0.0.1")
        || host.starts_with("localhost")
        || ["graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"]
            .contains(&host);
    if known {
        return Ok(());
    }
    let message = format!("The resource principal named {resource} was not found in the tenant named Contoso.");
    Err(Aadsts::new(400, "invalid_resource", 500_011, message))
}

fn check_secret(service: &Service, client: &str, secret: Option<&str>) -> Result<(), Aadsts> {
    match secret {
        None => {
            let message =
                "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
            Err(Aadsts::new(401, "invalid_client", 7_000_216, message))
        }
        Some(secret) if secret != service.world.client_secret => {
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not \
                 the client secret ID, for a secret added to app '{client}'."
            );
            Err(Aadsts::new(401, "invalid_client", 7_000_215, message))
        }
        Some(_) if service.world.sign_in.secret_expired => {
            let message = format!(
                "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for \
                 your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
                 https://aka.ms/certCreds."
            );
            Err(Aadsts::new(401, "invalid_client", 7_000_222, message))
        }
        Some(_) => Ok(()),
    }
}

/// RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
fn basic(request: &Request) -> Option<(String, String)> {
    let encoded = request.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(from_base64(encoded.trim())?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id, true), decode(secret, true)))
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`.
pub(crate) fn openid(context: &Context<'_>, tenant: &str) -> Answer {
    if let Err(refused) = check_tenant(context.service, tenant) {
        return refused.into_answer(context);
    }
    let (origin, id) = (&context.origin, &context.service.tenant_id);
    Answer::new(
        200,
        Body::Json(json!({
            "token_endpoint": format!("{origin}/{id}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{origin}/{id}/discovery/v2.0/keys"),
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": format!("https://login.microsoftonline.com/{id}/v2.0"),
            "authorization_endpoint": format!("{origin}/{id}/oauth2/v2.0/authorize"),
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": "graph.microsoft.com",
        })),
    )
}

/// `GET /common/discovery/instance`: this authority knows itself only.
pub(crate) fn instance(context: &Context<'_>) -> Answer {
    let (origin, id) = (&context.origin, &context.service.tenant_id);
    let discovery = format!("{origin}/{id}/v2.0/.well-known/openid-configuration");
    Answer::new(
        200,
        Body::Json(
            json!({"tenant_discovery_endpoint": discovery, "api-version": "1.1", "metadata": Value::Array(Vec::new())}),
        ),
    )
}

/// Whether a request to Graph carries a token that is good now.
pub(crate) fn check_bearer(context: &Context<'_>, request: &Request) -> Result<(), GraphError> {
    let token = request.header("authorization").and_then(|header| header.strip_prefix("Bearer ")).map(str::trim);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Err(invalid_token(context, "Access token is empty."));
    };
    let Some(token) = access_token::read(context.service, token) else {
        return Err(invalid_token(context, "CompactToken parsing failed with error code: 80049217"));
    };
    if token.generation != context.service.generation() {
        return Err(invalid_token(context, "Access token has expired or is not yet valid."));
    }
    if token.expires <= context.service.clock.seconds() {
        return Err(invalid_token(context, "Lifetime validation failed, the token is expired."));
    }
    if let Some(demanded) = context.service.demanded_claims().filter(|demanded| token.claims.as_ref() != Some(demanded))
    {
        return Err(claims_challenge(context, &demanded));
    }
    if token.roles { Ok(()) } else { Err(GraphError::denied()) }
}
