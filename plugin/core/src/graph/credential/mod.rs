//! Where tokens come from, one file for each `Mode` of AuthJson.
//!
//! ```text
//! client_secret  client_certificate  workload_identity     ask the token service, through `exchange`
//! managed_identity                                         asks the platform, through `drive` too
//! certificate  assertion  pem  der                         what a certificate needs; no OpenSSL
//! ```
//!
//! All four are `azure_identity`'s credentials, driven over our own transport (`drive.rs` says why and how). None
//! of them is reused: the cache of a credential cannot be emptied, so each fetch makes a new one.

mod assertion;
mod certificate;
mod client_certificate;
mod client_secret;
mod der;
mod drive;
mod exchange;
mod managed_identity;
mod pem;
mod workload_identity;

use std::sync::Arc;
use std::time::SystemTime;

use super::aadsts::Proof;
use super::authority::Authority;
use super::tenant::Directory;
use super::token::Credential;
use super::transport::Transport;
use crate::config::Auth;
use crate::error::{Document, Error, Kind, Problem};
use certificate::Identity;
use client_certificate::ClientCertificate;
use client_secret::ClientSecret;
use exchange::Exchange;
use managed_identity::ManagedIdentity;
use workload_identity::WorkloadIdentity;

pub(super) use managed_identity::endpoint as identity_endpoint;

/// A credential that can be asked.
pub(super) struct Prepared {
    pub(super) credential: Box<dyn Credential>,
    /// When it ends by itself, where that can be known.
    pub(super) expiry: Option<SystemTime>,
}

/// How a mode proves who it is, for the words about a refusal.
pub(super) fn proof(auth: &Auth) -> Proof {
    match auth {
        Auth::ClientSecret { .. } => Proof::Secret,
        Auth::ClientCertificate { .. } => Proof::Certificate,
        Auth::ManagedIdentity { .. } => Proof::Platform,
        Auth::WorkloadIdentity { .. } => Proof::Federated,
    }
}

/// Reads certificate and key, where there are any; asks nobody. `local` goes past every proxy.
pub(super) fn prepare(
    auth: Auth,
    authority: &Arc<Authority>,
    local: Arc<dyn Transport>,
    directory: &Arc<Directory>,
    scope: &str,
) -> Result<Prepared, Error> {
    let exchange = |client_id| Exchange {
        authority: Arc::clone(authority),
        tenant: directory.configured().to_owned(),
        client_id,
        scope: scope.to_owned(),
    };
    let mut expiry = None;
    let credential: Box<dyn Credential> = match auth {
        Auth::ClientSecret { client_id, client_secret } => {
            Box::new(ClientSecret { exchange: exchange(client_id), secret: client_secret })
        }
        Auth::ClientCertificate { client_id, certificate, private_key } => {
            let identity = Identity::load(&certificate, &private_key)?;
            expiry = Some(identity.not_after);
            Box::new(ClientCertificate { exchange: exchange(client_id), identity })
        }
        Auth::ManagedIdentity { client_id } => {
            Box::new(ManagedIdentity::new(authority, local, directory, client_id, scope.to_owned())?)
        }
        Auth::WorkloadIdentity { client_id, token_file } => {
            Box::new(WorkloadIdentity { exchange: exchange(client_id), token_file })
        }
    };
    Ok(Prepared { credential, expiry })
}

/// A mistake in what a key of AuthJson holds or names. Neither text shows it: everything in AuthJson may be secret.
fn problem(key: &str, found: impl Into<String>, expected: impl Into<String>) -> Problem {
    Problem {
        document: Document::Auth,
        path: format!("/{key}"),
        found: found.into(),
        expected: expected.into(),
        nearest: None,
    }
}

fn refused(problems: Vec<Problem>) -> Error {
    let sentences: Vec<String> = problems
        .iter()
        .map(|problem| format!("AuthJson {}: found {}, expected {}", problem.path, problem.found, problem.expected))
        .collect();
    Error { problems, ..Error::new(Kind::InvalidConfig, sentences.join("; ")) }
}
