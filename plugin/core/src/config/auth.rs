//! AuthJson: how the connector gets its token.
//!
//! Every value in it may be a secret, so its mistakes tell types, never values.

use super::choice::{Choice, Words};
use super::document::document;
use super::fields::Fields;
use super::guid::ApplicationId;
use super::key::Key;
use super::problems::Problems;
use super::raw::RawConfig;
use super::secret::Secret;

/// A checked AuthJson.
#[derive(Debug)]
pub enum Auth {
    /// An application with a client secret.
    ClientSecret {
        /// The application's id, in lower case.
        client_id: String,
        /// Its secret's value.
        client_secret: Secret,
    },
}

/// `Mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    ClientSecret,
}

impl Words for Mode {
    const NOW: &'static [(&'static str, Mode)] = &[("ClientSecret", Mode::ClientSecret)];
    const LATER: &'static [&'static str] = &["ClientCertificate", "ManagedIdentity", "WorkloadIdentity"];
}

document! {
    /// Who the connector is to Microsoft Entra ID. The host resolves `secret://` references before it hands this over.
    #[schemars(title = "AuthJson")]
    RawAuth
    required {
        /// How the application proves who it is.
        "Mode" => mode: Choice<Mode>,
        /// The application (client) id of the app registration: a GUID.
        "ClientId" => client_id: ApplicationId,
        /// The value of a client secret of the app registration (not the secret's id).
        "ClientSecret" => client_secret: Secret,
    }
    optional {}
}

/// Names of the modes this version has, for Describe.
pub(crate) fn modes() -> impl Iterator<Item = &'static str> {
    Mode::NOW.iter().map(|(word, _)| *word)
}

/// Reads AuthJson; `None` after mistakes.
pub(super) fn read(text: &str, problems: &mut Problems) -> Option<Auth> {
    let mut fields = Fields::read(text, problems)?;
    if fields.peek("Mode").and_then(serde_json::Value::as_str).is_some_and(|mode| Mode::LATER.contains(&mode)) {
        // The keys are those of a mode this version does not know: nothing can be said about them.
        fields.required::<Choice<Mode>>("Mode");
        return None;
    }
    let raw = RawAuth::read(&mut fields);
    fields.finish(RawAuth::KEYS, RawConfig::KEYS);
    let Key(Choice(mode)) = raw.mode?;
    match mode {
        Mode::ClientSecret => {
            Some(Auth::ClientSecret { client_id: raw.client_id?.0.0, client_secret: raw.client_secret?.0 })
        }
    }
}
