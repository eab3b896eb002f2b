//! A proof for a token at the token service (OAuth 2.0 client credentials, RFC 6749 §4.4; assertions: RFC 7523).
//!
//! `azure_identity` insists on https, so a loopback authority in plain HTTP is given to it as https, and the transport,
//! which takes nothing but the path from it, sends where the configuration says. Copies of the proof inside it and
//! inside the HTTP client are not overwritten when they go; that they live for one request only is what can be done
//! from here. `azure_identity` cannot send claims, so the transport adds them to the form.

use std::fmt;
use std::sync::Arc;

use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret as AzureSecret, TokenCredential};
use azure_core::http::headers::CONTENT_TYPE;
use azure_core::http::{Body, ClientMethodOptions, ClientOptions, Request};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use reqwest::header::{self, HeaderMap, HeaderValue};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::super::authority::{Authority, Success};
use super::super::failure::Failure;
use super::super::token::Fetched;
use super::super::transport::{Broken, Fault};
use super::drive::{Missed, Post};
use crate::error::{Error, Kind};

/// An application at a token service.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) authority: Arc<Authority>,
    pub(super) tenant: String,
    pub(super) client_id: String,
    pub(super) scope: String,
}

/// What the application shows.
pub(super) enum Proof {
    Secret(Zeroizing<String>),
    Assertion(Zeroizing<String>),
}

impl Exchange {
    /// Gets a token; each try shows a new proof.
    pub(super) fn fetch(
        &self,
        patient: bool,
        claims: Option<&str>,
        mut proof: impl FnMut() -> Result<Proof, Error>,
    ) -> Result<Fetched, Error> {
        self.authority.ask("a token", patient, || self.once(proof()?, claims))
    }

    /// Where tokens are asked for: what an assertion is made out to.
    pub(super) fn endpoint(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.authority.origin.as_str(), self.tenant)
    }

    fn once(&self, proof: Proof, claims: Option<&str>) -> Result<Result<Fetched, Failure>, Error> {
        let (authority, claims) = (Arc::clone(&self.authority), claims.map(str::to_owned));
        let (Proof::Secret(hidden) | Proof::Assertion(hidden)) = &proof;
        let hidden = hidden.clone();
        let post = Post::new(move |request| send(&authority, request, claims.as_deref(), &hidden));
        let asked = self.authority.clock.now();
        let token = self
            .credential(&proof, &post)
            .and_then(|credential| futures::executor::block_on(credential.get_token(&[&self.scope], None)));
        match post.judge(token, asked) {
            Ok(fetched) => Ok(Ok(fetched)),
            Err(Missed::Failed(failure)) => Ok(Err(failure)),
            Err(Missed::Unsent(why)) => {
                let words = format!("a token cannot be asked for with this TenantId, ClientId and GraphScope: {why}");
                Err(Error::new(Kind::InvalidConfig, words))
            }
        }
    }

    fn credential(&self, proof: &Proof, post: &Arc<Post>) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let mut cloud = CustomConfiguration::default();
        let authority = self.authority.origin.as_str();
        cloud.authority_host = match authority.strip_prefix("http://") {
            Some(rest) => format!("https://{rest}"),
            None => authority.to_owned(),
        };
        let client_options = ClientOptions {
            // Always set: without it a variable of the host's environment would decide who gets the proof.
            cloud: Some(Arc::new(cloud.into())),
            ..post.options()
        };
        let client_id = self.client_id.clone();
        Ok(match proof {
            Proof::Secret(secret) => ClientSecretCredential::new(
                &self.tenant,
                client_id,
                AzureSecret::new(secret.to_string()),
                Some(ClientSecretCredentialOptions { client_options }),
            )?,
            Proof::Assertion(assertion) => ClientAssertionCredential::new(
                self.tenant.clone(),
                client_id,
                Made(assertion.clone()),
                Some(ClientAssertionCredentialOptions { client_options }),
            )?,
        })
    }
}

fn send(authority: &Authority, request: &Request, claims: Option<&str>, hidden: &str) -> Result<Success, Failure> {
    let content_type = request.headers().get_optional_str(&CONTENT_TYPE).unwrap_or("application/x-www-form-urlencoded");
    let Body::Bytes(form) = request.body() else {
        let text = "a token request is no stream".to_owned();
        return Err(Failure::Broken(Broken { fault: Fault::Request, text }));
    };
    let mut form = form.to_vec();
    if let Some(claims) = claims {
        form.extend(b"&claims=");
        byte_serialize(claims.as_bytes()).for_each(|part| form.extend(part.as_bytes()));
    }
    // No service should repeat the proof in its answer. If one does, it still stays out of errors and logs.
    let url = format!("{}{}", authority.origin.as_str(), request.url().path());
    let mut headers = HeaderMap::new();
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    authority.call(&url, request.url().path(), headers, Some(form), hidden)
}

/// An assertion for one request.
struct Made(Zeroizing<String>);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made(..)")
    }
}

#[async_trait::async_trait]
impl ClientAssertion for Made {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.to_string())
    }
}
