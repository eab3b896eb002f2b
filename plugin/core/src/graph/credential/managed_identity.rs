//! A token by managed identity: the platform vouches for the process, nothing is shown.
//!
//! The variables of the *host's* process decide where it is asked for: `IDENTITY_ENDPOINT` with `IDENTITY_HEADER` (App
//! Service, Functions, Container Apps), else the metadata service of virtual machines at its one fixed address. No key
//! of ConfigJson moves either, and no proxy lies between. The endpoint keeps tokens itself, for up to a day: it may
//! answer a request for a fresh one with the same one, and it knows no claims. Nor does it know `TenantId`: every token
//! is compared with it before use.

use std::env;
use std::sync::Arc;

use azure_core::credentials::TokenCredential as _;
use azure_core::http::Request;
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::super::aadsts::Proof;
use super::super::authority::{Authority, Success};
use super::super::clock::ServerClock;
use super::super::failure::Failure;
use super::super::link::Origin;
use super::super::retry::Policy;
use super::super::tenant::Directory;
use super::super::token::{Credential, Fetched};
use super::super::token_claims::directory_of;
use super::super::transport::Transport;
use super::drive::{Missed, Post};
use crate::error::{Document, Error, Kind, Problem};

/// Of virtual machines (`entra/identity/managed-identities-azure-resources/how-to-use-vm-token`).
const METADATA_SERVICE: &str = "http://169.254.169.254";

/// It is near, or it is not there: more attempts would only keep the operator waiting for that answer.
const MOST_RETRIES: u32 = 2;

/// The identity of the resource that this process runs on.
#[derive(Debug)]
pub(super) struct ManagedIdentity {
    endpoint: Arc<Authority>,
    directory: Arc<Directory>,
    client_id: Option<String>,
    scope: String,
}

/// Where the platform is asked, as an origin.
pub(in crate::graph) fn endpoint() -> String {
    let of_host = env::var("IDENTITY_HEADER").and_then(|_| env::var("IDENTITY_ENDPOINT")).ok();
    let origin = of_host.and_then(|endpoint| Some(Url::parse(&endpoint).ok()?.origin().ascii_serialization()));
    origin.unwrap_or_else(|| METADATA_SERVICE.to_owned())
}

impl ManagedIdentity {
    pub(super) fn new(
        authority: &Authority,
        local: Arc<dyn Transport>,
        directory: &Arc<Directory>,
        client_id: Option<String>,
        scope: String,
    ) -> Result<ManagedIdentity, Error> {
        let endpoint = Authority {
            origin: Origin::parse(&endpoint(), "IDENTITY_ENDPOINT")?,
            transport: local,
            clock: Arc::clone(&authority.clock),
            // The platform's clock is not Microsoft's.
            server_clock: Arc::new(ServerClock::default()),
            policy: Policy { max_retries: authority.policy.max_retries.min(MOST_RETRIES), ..authority.policy },
            proof: Proof::Platform,
            secret: None,
            cancel: authority.cancel.clone(),
            log: authority.log.clone(),
        };
        Ok(ManagedIdentity { endpoint: Arc::new(endpoint), directory: Arc::clone(directory), client_id, scope })
    }

    fn once(&self) -> Result<Result<Fetched, Failure>, Error> {
        let endpoint = Arc::clone(&self.endpoint);
        let post = Post::new(move |request| send(&endpoint, request));
        let asked = self.endpoint.clock.now();
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: self.client_id.clone().map(UserAssignedId::ClientId),
            client_options: post.options(),
        };
        let token = ManagedIdentityCredential::new(Some(options))
            .and_then(|credential| futures::executor::block_on(credential.get_token(&[&self.scope], None)));
        match post.judge(token, asked) {
            Ok(fetched) => Ok(Ok(fetched)),
            Err(Missed::Failed(failure)) => Ok(Err(failure)),
            Err(Missed::Unsent(why)) => Err(Error::new(
                Kind::Auth,
                format!(
                    "this process cannot use a managed identity: {why}; App Service, Functions, Container Apps and virtual \
                     machines can; elsewhere choose Mode ClientCertificate or WorkloadIdentity"
                ),
            )),
        }
    }
}

impl ManagedIdentity {
    /// Refuses a token of another directory: with it the import would run, of the wrong tenant. The platform gives
    /// tokens of the directory that the resource lies in, and is never told `TenantId`.
    fn of_configured_directory(&self, fetched: &Fetched) -> Result<(), Error> {
        let Some(found) = directory_of(&fetched.token) else { return Ok(()) };
        let expected = self.directory.guid()?;
        if found == expected {
            return Ok(());
        }
        let configured = self.directory.configured();
        let named = if configured == expected { expected } else { format!("{configured} ({expected})") };
        let mut error = Error::new(
            Kind::InvalidConfig,
            format!(
                "the managed identity of this machine belongs to the directory {found}, but TenantId names {named}: set TenantId \
                 to {found} to import that directory, or run the host on an Azure resource of the directory in TenantId"
            ),
        );
        error.problems.push(Problem {
            document: Document::Config,
            path: "/TenantId".to_owned(),
            found: format!("\"{configured}\""),
            expected: format!("the directory of this machine's managed identity: {found}"),
            nearest: None,
        });
        Err(error)
    }
}

impl Credential for ManagedIdentity {
    fn fetch(&self, patient: bool, claims: Option<&str>) -> Result<Fetched, Error> {
        if claims.is_some() {
            return Err(Error::new(
                Kind::Auth,
                "Graph demands a token with further claims (continuous access evaluation), which a managed identity cannot \
                 get: see in the sign-in logs of Microsoft Entra ID which policy asks for them, and exempt this identity or \
                 choose Mode ClientCertificate",
            ));
        }
        let fetched = self.endpoint.ask("a token", patient, || self.once())?;
        self.of_configured_directory(&fetched)?;
        Ok(fetched)
    }
}

fn send(endpoint: &Authority, request: &Request) -> Result<Success, Failure> {
    let mut headers = HeaderMap::with_capacity(2);
    for name in ["metadata", "x-identity-header"] {
        let value = request.headers().iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name));
        if let Some(mut value) = value.and_then(|(_, value)| HeaderValue::from_str(value.as_str()).ok()) {
            // What the host's environment holds for this purpose is a secret of the host.
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let secret = env::var("IDENTITY_HEADER").unwrap_or_default();
    endpoint.call(request.url().as_str(), request.url().path(), headers, None, &secret)
}
