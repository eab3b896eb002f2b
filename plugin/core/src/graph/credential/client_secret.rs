//! A token by client secret: what the application shows is the secret itself.
//!
//! The simplest mode and the weakest: the secret goes over the wire with each token request, and ends on a day that
//! nobody tells the connector.

use zeroize::Zeroizing;

use super::super::token::{Credential, Fetched};
use super::exchange::{Exchange, Proof};
use crate::config::Secret;
use crate::error::Error;

/// An application with a client secret.
pub(super) struct ClientSecret {
    pub(super) exchange: Exchange,
    pub(super) secret: Secret,
}

impl Credential for ClientSecret {
    fn fetch(&self, patient: bool, claims: Option<&str>) -> Result<Fetched, Error> {
        let secret = || Ok(Proof::Secret(Zeroizing::new(self.secret.expose().to_owned())));
        self.exchange.fetch(patient, claims, secret)
    }
}
