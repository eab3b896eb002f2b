//! AuthJson: how the connector gets its token.
//!
//! Every value in it may be a secret, so its mistakes tell types, never values. Which keys belong together is decided
//! by `Mode` (`mode.rs`); what stands in a PEM text or file is looked at when the operation starts, by those who use
//! it.

mod mode;
mod pem;

use std::path::PathBuf;

use super::choice::{Choice, Words};
use super::document::document;
use super::fields::Fields;
use super::guid::ApplicationId;
use super::key::{Key, Shape};
use super::keys_of_config;
use super::problems::Problems;
use super::secret::Secret;
use mode::{Mode, Part};
use pem::{CertificateText, CredentialFile, PrivateKeyText};

/// A checked AuthJson.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
pub enum Auth {
    /// An application with a client secret.
    ClientSecret {
        /// The application's id, in lower case.
        client_id: String,
        /// Its secret's value.
        client_secret: Secret,
    },
    /// An application with a certificate.
    ClientCertificate {
        /// The application's id, in lower case.
        client_id: String,
        /// The certificate; the same file may hold the key.
        certificate: Pem,
        /// Its private key.
        private_key: Pem,
    },
    /// The managed identity of the Azure resource that the host process runs on.
    ManagedIdentity {
        /// Of a user-assigned identity, in lower case; `None`: the system-assigned one.
        client_id: Option<String>,
    },
    /// An application that trusts another issuer's tokens.
    WorkloadIdentity {
        /// The application's id, in lower case.
        client_id: String,
        /// Where the platform puts the current token; absolute.
        token_file: PathBuf,
    },
}

impl Auth {
    /// The application that asks; none for the identity that the machine has of itself.
    #[must_use]
    pub fn application(&self) -> Option<&str> {
        match self {
            Auth::ClientSecret { client_id, .. }
            | Auth::ClientCertificate { client_id, .. }
            | Auth::WorkloadIdentity { client_id, .. } => Some(client_id),
            Auth::ManagedIdentity { client_id } => client_id.as_deref(),
        }
    }
}

/// Where a PEM text is.
#[expect(missing_debug_implementations, reason = "it holds a secret")]
pub enum Pem {
    /// In AuthJson itself; not yet looked at beyond its first line.
    Text(Secret),
    /// In a file; absolute, not yet opened.
    File(PathBuf),
}

document! {
    /// Who the connector is to Microsoft Entra ID. The host resolves `secret://` references before it hands this over.
    #[schemars(title = "AuthJson", transform = mode::bind)]
    RawAuth
    required {
        /// How the application proves who it is; it decides which other keys are needed.
        "Mode" => mode: Choice<Mode>,
    }
    optional {
        /// The application (client) id of the app registration: a GUID. With `ManagedIdentity`: the client id of a
        /// user-assigned identity; without it, the system-assigned identity is used.
        "ClientId" => client_id: Option<ApplicationId>,
        /// The value of a client secret of the app registration (not the secret's id).
        "ClientSecret" => client_secret: Option<Secret>,
        /// The certificate registered on the application, as PEM text. Instead of it: CertificateFile.
        "Certificate" => certificate: Option<CertificateText>,
        /// Absolute path of a PEM file with the certificate registered on the application.
        "CertificateFile" => certificate_file: Option<CredentialFile>,
        /// The certificate's RSA private key, as PEM text, not encrypted. Instead of it: PrivateKeyFile.
        "PrivateKey" => private_key: Option<PrivateKeyText>,
        /// Absolute path of a PEM file with the certificate's RSA private key, not encrypted; may be that of
        /// CertificateFile.
        "PrivateKeyFile" => private_key_file: Option<CredentialFile>,
        /// Absolute path of the file in which the platform keeps the federated token; read anew for each sign-in.
        "TokenFile" => token_file: Option<CredentialFile>,
    }
}

/// Names of the modes this version has, for Describe.
pub(crate) fn modes() -> impl Iterator<Item = &'static str> {
    Mode::WORDS.iter().map(|(word, _)| *word)
}

/// Reads AuthJson; `None` after mistakes.
pub(super) fn read(text: &str, problems: &mut Problems) -> Option<Auth> {
    let mut fields = Fields::open(text, problems)?;
    let mode = fields.required::<Choice<Mode>>("Mode");
    let raw = RawAuth {
        client_id: by_mode(&mut fields, mode, "ClientId"),
        client_secret: by_mode(&mut fields, mode, "ClientSecret"),
        certificate: by_mode(&mut fields, mode, "Certificate"),
        certificate_file: by_mode(&mut fields, mode, "CertificateFile"),
        private_key: by_mode(&mut fields, mode, "PrivateKey"),
        private_key_file: by_mode(&mut fields, mode, "PrivateKeyFile"),
        token_file: by_mode(&mut fields, mode, "TokenFile"),
        mode: mode.map(Key),
    };
    fields.finish(RawAuth::KEYS, &keys_of_config());
    let Key(Choice(mode)) = raw.mode?;
    let client_id = raw.client_id.0.map(|id| id.0);
    Some(match mode {
        Mode::ClientSecret => Auth::ClientSecret { client_id: client_id?, client_secret: raw.client_secret.0? },
        Mode::ClientCertificate => Auth::ClientCertificate {
            client_id: client_id?,
            certificate: one_of(raw.certificate.0.map(|text| text.0), raw.certificate_file.0)?,
            private_key: one_of(raw.private_key.0.map(|text| text.0), raw.private_key_file.0)?,
        },
        Mode::ManagedIdentity => Auth::ManagedIdentity { client_id },
        Mode::WorkloadIdentity => Auth::WorkloadIdentity { client_id: client_id?, token_file: raw.token_file.0?.0 },
    })
}

/// The value of a key, as far as the mode has a use for it. Without a mode nothing can be missing or out of place.
fn by_mode<T: Shape>(fields: &mut Fields<'_>, mode: Option<Choice<Mode>>, key: &'static str) -> Key<Option<T>> {
    let Some(Choice(mode)) = mode else { return Key(fields.optional(key)) };
    Key(match mode.part(key) {
        Part::Needed => fields.required(key),
        Part::Optional => fields.optional(key),
        Part::EitherOr(other) => {
            let there = |key| fields.peek(key).is_some_and(|value| !value.is_null());
            match (there(key), there(other)) {
                // Told once, at the first of the two.
                (false, false) if mode.comes_first(key, other) => {
                    // A null that stands there is read.
                    fields.optional::<Option<T>>(key);
                    fields.missing(key, format!("{}, or {other}", T::expected()));
                    None
                }
                (true, true) if !mode.comes_first(key, other) => {
                    fields.unwanted(key, format!("a key beside {other}"), format!("one of {other} and {key}"));
                    None
                }
                _ => fields.optional(key),
            }
        }
        Part::Foreign => {
            let found = format!("a key that Mode \"{}\" has no use for", mode.word());
            fields.unwanted(key, found, mode.wants());
            None
        }
    })
}

fn one_of(text: Option<Secret>, file: Option<CredentialFile>) -> Option<Pem> {
    text.map(Pem::Text).or_else(|| file.map(|file| Pem::File(file.0)))
}
