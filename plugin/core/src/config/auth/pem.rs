//! The types of PEM texts and credential files.
//!
//! Only what a schema can say too is looked at here: that a text has the right first line, that a path is absolute. The
//! certificate is not parsed: the schema could not follow, and a file cannot be read here anyway.

use std::path::PathBuf;

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::super::ca_file::{absolute, absolute_schema};
use super::super::guid::ApplicationId;
use super::super::key::Shape;
use super::super::problems::Place;
use super::super::secret::Secret;

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

/// `Certificate`.
pub(in crate::config) struct CertificateText(pub(super) Secret);

impl Shape for CertificateText {
    fn expected() -> String {
        format!("the text of a PEM file with a line {CERTIFICATE}")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let text = found.as_str().filter(|text| text.contains(CERTIFICATE));
        if text.is_none() {
            place.refuse(found, Self::expected());
        }
        text.map(|text| CertificateText(Secret::new(text.to_owned())))
    }

    fn schema() -> Schema {
        text_schema(CERTIFICATE, false)
    }
}

/// `PrivateKey`. An encrypted or an EC key passes: only with its content in hand can be said what to do about it.
pub(in crate::config) struct PrivateKeyText(pub(super) Secret);

impl PrivateKeyText {
    const PATTERN: &'static str = "-----BEGIN [A-Z ]*PRIVATE KEY-----";

    fn fits(text: &str) -> bool {
        let mut labels = text.split("-----BEGIN ").skip(1).filter_map(|rest| rest.split_once("-----"));
        labels.any(|(label, _)| {
            label.ends_with("PRIVATE KEY") && label.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ')
        })
    }
}

impl Shape for PrivateKeyText {
    fn expected() -> String {
        "the text of a PEM file with a line -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let text = found.as_str().filter(|text| Self::fits(text));
        if text.is_none() {
            place.refuse(found, Self::expected());
        }
        text.map(|text| PrivateKeyText(Secret::new(text.to_owned())))
    }

    fn schema() -> Schema {
        text_schema(Self::PATTERN, true)
    }
}

fn text_schema(pattern: &str, secret: bool) -> Schema {
    let mut schema = json_schema!({
        "type": "string",
        "pattern": pattern,
        // A reference that the host should have resolved.
        "not": { "pattern": "^[sS][eE][cC][rR][eE][tT]://" }
    });
    if secret {
        schema.insert("writeOnly".to_owned(), json!(true));
    }
    schema
}

/// `CertificateFile`, `PrivateKeyFile`, `TokenFile`: an absolute path.
#[derive(Debug)]
pub(in crate::config) struct CredentialFile(pub(super) PathBuf);

impl Shape for CredentialFile {
    fn expected() -> String {
        let example = if cfg!(windows) { r"C:\secrets\connector.pem" } else { "/etc/connector/entra.pem" };
        format!("an absolute path such as {example}")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let path = absolute(found);
        if path.is_none() {
            place.refuse(found, Self::expected());
        }
        path.map(CredentialFile)
    }

    fn schema() -> Schema {
        absolute_schema()
    }
}

/// Defaults are printed in schemas, and that of every key of AuthJson is null.
macro_rules! never_printed {
    ($($shape:ty),*) => {
        $(impl Serialize for $shape {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_none()
            }
        })*
    };
}

never_printed!(CertificateText, PrivateKeyText, CredentialFile, Secret, ApplicationId);
