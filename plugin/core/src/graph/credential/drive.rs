//! `azure_identity`'s credentials, driven over our own transport.
//!
//! Why so much around them. Their cache takes any token with less than five minutes left for expired and cannot be
//! emptied, so each fetch gets a credential of its own, and [`super::super::token`] does the keeping. Their retries
//! cannot be cancelled, and the one for virtual machines cannot be switched off: so [`Post`] answers every failure with
//! an error that no retry policy repeats, and remembers what really happened, which is more than the errors of
//! `azure_identity` tell. They are async without needing a runtime: the future is driven to its end on the calling
//! thread.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use azure_core::credentials::AccessToken;
use azure_core::error::ErrorKind;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, ClientOptions, HttpClient, Request, RetryOptions, Transport};
use azure_core::time::OffsetDateTime;
use zeroize::Zeroizing;

use super::super::authority::Success;
use super::super::failure::Failure;
use super::super::token::Fetched;
use crate::error::HttpEvidence;

type Send = dyn Fn(&Request) -> Result<Success, Failure> + std::marker::Send + Sync;

/// The transport that a credential gets.
pub(super) struct Post {
    send: Box<Send>,
    outcome: Mutex<Option<Outcome>>,
}

#[derive(Debug)]
enum Outcome {
    Failed(Failure),
    Answered(HttpEvidence),
}

/// Why there is no token.
pub(super) enum Missed {
    /// The request went out.
    Failed(Failure),
    /// It could not even be made, and why.
    Unsent(String),
}

impl Post {
    pub(super) fn new(
        send: impl Fn(&Request) -> Result<Success, Failure> + std::marker::Send + Sync + 'static,
    ) -> Arc<Post> {
        Arc::new(Post { send: Box::new(send), outcome: Mutex::default() })
    }

    /// What a credential needs to use it.
    pub(super) fn options(self: &Arc<Self>) -> ClientOptions {
        let transport: Arc<dyn HttpClient> = Arc::clone(self) as _;
        ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(transport)),
            ..ClientOptions::default()
        }
    }

    /// What became of a credential's attempt that began at `asked`.
    pub(super) fn judge(&self, token: azure_core::Result<AccessToken>, asked: Instant) -> Result<Fetched, Missed> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (token, outcome) {
            // An answer without the member makes an empty token.
            (Ok(token), _) if !token.token.secret().is_empty() => {
                let left = token.expires_on - OffsetDateTime::now_utc();
                Ok(Fetched {
                    token: Zeroizing::new(token.token.secret().to_owned()),
                    lifetime: Duration::try_from(left).unwrap_or_default(),
                    asked,
                })
            }
            (_, Some(Outcome::Failed(failure))) => Err(Missed::Failed(failure)),
            (_, Some(Outcome::Answered(evidence))) => {
                // The credential's words would repeat the answer, which may be anything that a proxy makes up.
                let why = "there is no token in it".to_owned();
                Err(Missed::Failed(Failure::Unreadable { why, evidence }))
            }
            (token, None) => {
                let why = token.err().map_or_else(|| "nothing was sent".to_owned(), |error| error.to_string());
                Err(Missed::Unsent(why))
            }
        }
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What it sends holds secrets.
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl HttpClient for Post {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (answer, outcome) = match (self.send)(request) {
            Ok(success) => {
                let status = success.reply.status.into();
                let answer = AsyncRawResponse::from_bytes(status, Headers::new(), success.reply.body);
                (Ok(answer), Outcome::Answered(success.evidence))
            }
            Err(failure) => {
                let error = azure_core::Error::with_message(ErrorKind::Other, "no token was given");
                (Err(error), Outcome::Failed(failure))
            }
        };
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        answer
    }
}
