//! A token by client secret: `azure_identity`'s credential, driven over our own transport.
//!
//! Why so much around it. Its cache takes any token with less than five minutes left for expired and cannot be emptied,
//! so each fetch gets a credential of its own, and [`super::token`] does the keeping. Its retries cannot be cancelled, so
//! they are off. It insists on https, so a loopback authority in plain HTTP is given to it as https, and the transport,
//! which takes nothing but the path from it, sends where the configuration says. It is async without needing a runtime:
//! its future is driven to its end on the calling thread. Copies of the secret inside it and inside the HTTP client are
//! not overwritten when they go; that they live for one request only is what can be done from here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use azure_core::cloud::CustomConfiguration;
use azure_core::credentials::{Secret as AzureSecret, TokenCredential as _};
use azure_core::error::ErrorKind;
use azure_core::http::headers::{CONTENT_TYPE, Headers};
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, Request, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use zeroize::Zeroizing;

use super::authority::Authority;
use super::failure::Failure;
use super::token::{Credential, Fetched};
use crate::config::Secret;
use crate::error::{Error, HttpEvidence, Kind};

/// An application with a client secret.
#[derive(Debug)]
pub(crate) struct ClientSecret {
    pub(crate) authority: Arc<Authority>,
    pub(crate) tenant: String,
    pub(crate) client_id: String,
    pub(crate) secret: Secret,
    pub(crate) scope: String,
}

impl Credential for ClientSecret {
    fn fetch(&self, patient: bool) -> Result<Fetched, Error> {
        self.authority.ask("a token", patient, || self.once()).map_err(|error| self.without_secret(error))
    }
}

/// Entra's own secrets have forty characters; this leaves room for others.
const SHORTEST_SECRET: usize = 8;

impl ClientSecret {
    fn once(&self) -> Result<Result<Fetched, Failure>, Error> {
        let post = Arc::new(Post { authority: Arc::clone(&self.authority), outcome: Mutex::default() });
        let asked = self.authority.clock.now();
        let token = self
            .credential(Arc::clone(&post))
            .and_then(|credential| futures::executor::block_on(credential.get_token(&[&self.scope], None)));
        match (token, post.take()) {
            // An answer without the member makes an empty token.
            (Ok(token), _) if !token.token.secret().is_empty() => {
                let left = token.expires_on - OffsetDateTime::now_utc();
                Ok(Ok(Fetched {
                    token: Zeroizing::new(token.token.secret().to_owned()),
                    lifetime: Duration::try_from(left).unwrap_or_default(),
                    asked,
                }))
            }
            (_, Some(Outcome::Failed(failure))) => Ok(Err(failure)),
            (_, Some(Outcome::Answered(evidence))) => {
                // The credential's words would repeat the answer, which may be anything that a proxy makes up.
                Ok(Err(Failure::Unreadable { why: "there is no token in it".to_owned(), evidence }))
            }
            (token, None) => {
                let why = token.err().map_or_else(|| "nothing was sent".to_owned(), |error| error.to_string());
                let words = format!("a token cannot be asked for with this TenantId, ClientId and GraphScope: {why}");
                Err(Error::new(Kind::InvalidConfig, words))
            }
        }
    }

    fn credential(&self, post: Arc<Post>) -> azure_core::Result<Arc<ClientSecretCredential>> {
        let mut cloud = CustomConfiguration::default();
        let authority = self.authority.origin.as_str();
        cloud.authority_host = match authority.strip_prefix("http://") {
            Some(rest) => format!("https://{rest}"),
            None => authority.to_owned(),
        };
        let client_options = ClientOptions {
            // Always set: without it a variable of the host's environment would decide who gets the secret.
            cloud: Some(Arc::new(cloud.into())),
            retry: RetryOptions::none(),
            transport: Some(Transport::new(post)),
            ..ClientOptions::default()
        };
        ClientSecretCredential::new(
            &self.tenant,
            self.client_id.clone(),
            AzureSecret::new(self.secret.expose().to_owned()),
            Some(ClientSecretCredentialOptions { client_options }),
        )
    }

    /// No service should repeat the secret in its answer. If one does, it still stays out of errors and logs. A text so
    /// short that it stands in our own words by chance is no secret Entra ever issued.
    fn without_secret(&self, mut error: Error) -> Error {
        let secret = self.secret.expose();
        if secret.len() >= SHORTEST_SECRET {
            let clean = |text: &mut String| *text = text.replace(secret, "[client secret]");
            clean(&mut error.message);
            error.causes.iter_mut().for_each(clean);
            if let Some(http) = &mut error.http {
                http.code.iter_mut().for_each(clean);
            }
        }
        error
    }
}

/// The transport that `azure_identity` gets. It remembers what really happened, which is more than the errors of
/// `azure_identity` tell.
#[derive(Debug)]
struct Post {
    authority: Arc<Authority>,
    outcome: Mutex<Option<Outcome>>,
}

#[derive(Debug)]
enum Outcome {
    Failed(Failure),
    Answered(HttpEvidence),
}

impl Post {
    fn take(&self) -> Option<Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[async_trait::async_trait]
impl HttpClient for Post {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let content_type =
            request.headers().get_optional_str(&CONTENT_TYPE).unwrap_or("application/x-www-form-urlencoded");
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.to_vec(),
            Body::SeekableStream(_) => {
                return Err(azure_core::Error::with_message(ErrorKind::Io, "a token request is no stream"));
            }
        };
        let sent = self.authority.send(request.url().path(), Some((content_type, body)));
        let (answer, outcome) = match sent {
            Ok(success) => {
                let status = success.reply.status.into();
                let answer = AsyncRawResponse::from_bytes(status, Headers::new(), success.reply.body);
                (Ok(answer), Outcome::Answered(success.evidence))
            }
            Err(failure) => {
                let error = azure_core::Error::with_message(ErrorKind::Io, "the token service gave no token");
                (Err(error), Outcome::Failed(failure))
            }
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        answer
    }
}
