//! The exact step that mends a failure: where to go, what to press, what to write where.
//!
//! The message beside it says what is wrong and repeats Microsoft's words; a remedy never does. Numbers of the token
//! service come first, since one HTTP status means ten different steps.

use crate::error::{Error, Kind};
use crate::operation::Context;

/// The step for an error. `permission`: what the read needed.
pub(super) fn of(error: &Error, permission: Option<&str>, context: &Context) -> String {
    let code = error.http.as_ref().and_then(|http| http.code.as_deref()?.strip_prefix("AADSTS")?.parse().ok());
    if let Some(step) = code.and_then(|code| of_token_service(code, context)) {
        return step;
    }
    let http = error.http.as_ref().map_or(0, |http| http.status);
    match error.kind {
        Kind::Forbidden => grant(permission.unwrap_or("it names"), context),
        Kind::Auth if http == 401 => format!(
            "in ConfigJson let Cloud, GraphEndpoint and GraphScope name one cloud; then check in the Entra admin center under \
             Enterprise applications, {}, Properties that users may sign in is Yes",
            application(context)
        ),
        Kind::Auth => "correct TenantId, Cloud or the credential as the message says, then check again".to_owned(),
        Kind::InvalidConfig => match error.problems.first() {
            Some(problem) if problem.path == "/TenantId" => {
                "in ConfigJson set TenantId to the directory whose identity this machine has; or run the host on an Azure \
                 resource of the directory in TenantId; or choose another Mode in AuthJson"
                    .to_owned()
            }
            Some(problem) => format!(
                "correct {} in ConfigJson; Graph's own words in the message say what it does not take",
                problem.path.trim_start_matches('/')
            ),
            None => {
                "correct GroupSelectionFilter in ConfigJson; Graph's own words in the message say what it does not take"
                    .to_owned()
            }
        },
        Kind::Network => {
            let config = &context.config;
            format!(
                "let this machine reach {} and {} (DNS, firewall); where only a proxy leads out, set Proxy in ConfigJson; where \
                 a proxy opens TLS, set CaFile to a PEM file with its authority's certificate",
                config.authority, config.graph_origin
            )
        }
        Kind::Throttled => {
            let wait = error.retry_after_ms.div_ceil(1000);
            let wait = if wait > 0 { format!("wait {wait} s") } else { "wait some minutes".to_owned() };
            format!(
                "{wait} and check again; if it stays so, lower MaxConcurrency or run when other applications do not"
            )
        }
        Kind::Service if http == 404 => {
            "check that GraphEndpoint names Microsoft Graph itself: a service in front of it does not know this path"
                .to_owned()
        }
        Kind::Service if (300..400).contains(&http) => {
            "set GraphEndpoint to the origin that answers by itself: redirects are never followed".to_owned()
        }
        _ => "check again later; if it stays so, open a support request with Microsoft and quote the request id"
            .to_owned(),
    }
}

/// The step for a number of the token service, where it is always the same one.
fn of_token_service(code: u32, context: &Context) -> Option<String> {
    let application = application(context);
    Some(match code {
        7_000_215 | 7_000_216 | 7_000_218 | 7_000_222 => new_secret(context),
        700_016 | 70_001 => format!(
            "in the Entra admin center of the tenant in TenantId open App registrations, Overview, and compare Application (client) \
             ID with ClientId ({application}) and Directory (tenant) ID with TenantId; for an application of another tenant have \
             an administrator open {}",
            consent(context)
        ),
        7_000_229 | 650_052 => format!("have an administrator of the tenant open {} and accept", consent(context)),
        7_000_112 => format!(
            "in the Entra admin center open Enterprise applications, {application}, Properties, and set Enabled for users to \
             sign in to Yes"
        ),
        700_027 => new_certificate(context),
        700_024 => "set this machine's clock, and let it be kept by a time service (NTP)".to_owned(),
        90_002 | 900_023 | 50_059 | 900_144 => {
            "set TenantId to the Directory (tenant) ID from the Overview of the Entra admin center; if that is what stands \
             there, set Cloud to the cloud the tenant lives in: Public, UsGov, UsGovDoD or China"
                .to_owned()
        }
        90_038 => "set Cloud in ConfigJson to the tenant's national cloud: UsGov, UsGovDoD or China".to_owned(),
        70_011 | 1_002_012 | 500_011 | 650_057 => {
            "take GraphScope, GraphEndpoint and AuthorityHost out of ConfigJson and set Cloud to the tenant's cloud".to_owned()
        }
        53_003 => format!(
            "in the Entra admin center open Protection, Conditional Access, find the policy for workload identities that holds \
             {application}, and allow the public address of this machine there (a named location)"
        ),
        90_055 => "wait some minutes and check again; other runs with this application ask for too many tokens".to_owned(),
        _ => return None,
    })
}

/// The step that grants an application permission.
pub(super) fn grant(permission: &str, context: &Context) -> String {
    format!(
        "in the Entra admin center open App registrations, {}, API permissions, Add a permission, Microsoft Graph, Application \
         permissions; add {permission}, then press Grant admin consent (a Privileged Role Administrator can)",
        application(context)
    )
}

/// The step that makes a new secret.
pub(super) fn new_secret(context: &Context) -> String {
    format!(
        "in the Entra admin center open App registrations, {}, Certificates & secrets, New client secret; put its Value (not its \
         Secret ID; it is shown once) where AuthJson takes ClientSecret from",
        application(context)
    )
}

/// The step that registers a certificate.
pub(super) fn new_certificate(context: &Context) -> String {
    format!(
        "in the Entra admin center open App registrations, {}, Certificates & secrets, Certificates, Upload certificate; point \
         AuthJson to that certificate and its key",
        application(context)
    )
}

/// The step that brings a licence, or does without.
pub(super) fn licence(needed: &str, object_type: &str, switch: &str) -> String {
    format!(
        "buy or start a trial of {needed} in the Microsoft 365 admin center (Billing), or set {switch} to false: {object_type} \
         is then not imported"
    )
}

/// How the Entra admin center lists the application.
fn application(context: &Context) -> String {
    context
        .credential
        .client_id
        .as_ref()
        .map_or_else(|| "this application".to_owned(), |id| format!("application {id}"))
}

/// The page on which an administrator consents.
fn consent(context: &Context) -> String {
    let client = context.credential.client_id.as_deref().unwrap_or("<ClientId>");
    format!("{}/{}/adminconsent?client_id={client}", context.config.authority, context.config.tenant.as_str())
}
