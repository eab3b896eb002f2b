//! A token by workload identity federation: what the application shows is a token that the platform issued (Kubernetes
//! and its kin), and that the app registration was told to trust.
//!
//! The platform replaces the file before its token ends, so it is read for each try and kept nowhere.
//! `azure_identity`'s own credential for this would keep it for ten minutes and send a line break at its end along.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::super::token::{Credential, Fetched};
use super::exchange::{Exchange, Proof};
use super::{problem, refused};
use crate::error::Error;
use crate::named_file;

/// A token is a few kilobytes; whatever is larger was named by mistake.
const LARGEST: u64 = 64 * 1024;

/// An application that trusts the platform's tokens.
#[derive(Debug)]
pub(super) struct WorkloadIdentity {
    pub(super) exchange: Exchange,
    pub(super) token_file: PathBuf,
}

impl Credential for WorkloadIdentity {
    fn fetch(&self, patient: bool, claims: Option<&str>) -> Result<Fetched, Error> {
        self.exchange.fetch(patient, claims, || self.token().map(Proof::Assertion))
    }
}

impl WorkloadIdentity {
    fn token(&self) -> Result<Zeroizing<String>, Error> {
        let wrong = |found: String, expected: &str| refused(vec![problem("TokenFile", found, expected)]);
        let bytes = named_file::read(&self.token_file, LARGEST).map_err(|refused| {
            let expected = "the path of the federated token: a regular file of at most 64 KiB, which the platform writes and this \
                            process may read";
            wrong(refused.to_string(), expected)
        })?;
        let token = std::str::from_utf8(&bytes).unwrap_or_default().trim();
        let is_jwt = token.split('.').count() == 3
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_jwt {
            return Err(wrong(
                "a file that holds no token".to_owned(),
                "a file that holds a JSON Web Token and nothing else, as the platform writes it",
            ));
        }
        Ok(Zeroizing::new(token.to_owned()))
    }
}
