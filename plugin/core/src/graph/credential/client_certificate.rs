//! A token by certificate: what the application shows is an assertion, signed anew for each try.
//!
//! An assertion is good for minutes, so the clock decides. Times are those of the token service's own clock as soon as
//! one of its answers has told it; where this machine's clock was so wrong that the first assertion was refused for it,
//! a second one is made by the date of that refusal.

use std::time::{Duration, SystemTime};

use azure_core::time::OffsetDateTime;

use super::super::authority::Authority;
use super::super::token::{Credential, Fetched};
use super::assertion;
use super::certificate::Identity;
use super::exchange::{Exchange, Proof};
use crate::error::{Error, Kind};
use crate::log::Level;

/// An assertion that is refused for its times although this machine's clock is no further off has another fault.
const SKEW: Duration = Duration::from_secs(60);

/// An application with a certificate.
#[derive(Debug)]
pub(super) struct ClientCertificate {
    pub(super) exchange: Exchange,
    pub(super) identity: Identity,
}

impl Credential for ClientCertificate {
    fn fetch(&self, patient: bool, claims: Option<&str>) -> Result<Fetched, Error> {
        let authority = &self.exchange.authority;
        let now = clock(authority);
        let refused = match self.signed(patient, claims) {
            Err(error) if outside_its_time(&error) => error,
            other => return other,
        };
        let told = clock(authority);
        let off = told.duration_since(now).unwrap_or_else(|earlier| earlier.duration());
        if off < SKEW {
            return Err(refused);
        }
        authority.log.write(Level::Warn, || {
            format!("this machine's clock is {} s off: the token is asked for by the server's", off.as_secs())
        });
        self.signed(patient, claims)
    }
}

impl ClientCertificate {
    fn signed(&self, patient: bool, claims: Option<&str>) -> Result<Fetched, Error> {
        self.exchange.fetch(patient, claims, || {
            let now = clock(&self.exchange.authority);
            self.in_force(now)?;
            let audience = self.exchange.endpoint();
            assertion::sign(&self.identity, &audience, &self.exchange.client_id, now).map(Proof::Assertion)
        })
    }

    /// The token service would answer with a code that may mean other things as well.
    fn in_force(&self, now: SystemTime) -> Result<(), Error> {
        let Identity { not_before, not_after, .. } = self.identity;
        let words = if now < not_before {
            format!("is not valid before {}", day(not_before))
        } else if now > not_after {
            format!("has expired on {}", day(not_after))
        } else {
            return Ok(());
        };
        Err(Error::new(
            Kind::Auth,
            format!(
                "the certificate in AuthJson {words}, and today is {}: check this machine's clock; if it is right, put a \
                 certificate in force into AuthJson and register it on the application",
                day(now)
            ),
        ))
    }
}

fn clock(authority: &Authority) -> SystemTime {
    authority.server_clock.now(&*authority.clock)
}

fn outside_its_time(error: &Error) -> bool {
    error.http.as_ref().and_then(|http| http.code.as_deref()) == Some("AADSTS700024")
}

fn day(time: SystemTime) -> String {
    OffsetDateTime::from(time).date().to_string()
}
