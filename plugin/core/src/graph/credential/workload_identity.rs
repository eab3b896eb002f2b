//! A token by workload identity federation: what the application shows is a token that the platform issued (Kubernetes and
//! its kin), and that the app registration was told to trust.
//!
//! The platform replaces the file before its token ends, so it is read for each try and kept nowhere. `azure_identity`'s own
//! credential for this would keep it for ten minutes and send a line break at its end along.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use zeroize::{Zeroize as _, Zeroizing};

use super::super::token::{Credential, Fetched};
use super::exchange::{Exchange, Proof};
use super::{problem, refused};
use crate::error::Error;

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
        // Made at once in its whole size: a text that grows leaves copies of itself behind.
        let mut text = Zeroizing::new(String::with_capacity(LARGEST as usize + 1));
        File::open(&self.token_file).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(
            |error| {
                wrong(
                    format!("a path that cannot be read ({error})"),
                    "the path of the federated token, which the platform writes and this process may read",
                )
            },
        )?;
        let token = text.trim();
        let is_jwt = token.split('.').count() == 3
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !is_jwt || text.len() as u64 > LARGEST {
            return Err(wrong(
                "a file that holds no token".to_owned(),
                "a file that holds a JSON Web Token and nothing else, as the platform writes it",
            ));
        }
        let token = Zeroizing::new(token.to_owned());
        text.zeroize();
        Ok(token)
    }
}
