//! Certificate and private key of AuthJson: found, read, and held to each other before anything is sent.
//!
//! What is wrong here would come back from the token service as a code that may mean other things as well, so every
//! mistake an operator can make has its own words, and all are told at once. The key's own bytes are overwritten once
//! ring has taken it over; what ring keeps lives as long as the operation and is not overwritten, which ring has no way
//! to do.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::RsaKeyPair;

use super::pem::{self, Block};
use super::{der, problem, refused};
use crate::config::Pem;
use crate::error::{Error, Problem};
use crate::named_file;

/// Certificates with all their issuers are a few kilobytes.
const LARGEST: u64 = 1 << 20;

const NEW: &str = "make a new pair with: openssl req -x509 -newkey rsa:2048 -noenc -days 365 -subj /CN=connector -keyout key.pem \
                   -out certificate.pem";

/// A certificate and its private key.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) key: RsaKeyPair,
    /// SHA-256 of the certificate, as the header of an assertion wants it.
    pub(super) thumbprint: String,
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
}

impl Identity {
    /// Reads both. Of several certificates the one that the key belongs to is taken, wherever it stands in its chain.
    pub(super) fn load(certificate: &Pem, private_key: &Pem) -> Result<Identity, Error> {
        let certificate_key = name(certificate, "Certificate", "CertificateFile");
        let key_key = name(private_key, "PrivateKey", "PrivateKeyFile");
        let certificates = certificates(certificate, certificate_key);
        let key = read_key(private_key, key_key);
        let (certificates, key) = match (certificates, key) {
            (Ok(certificates), Ok(key)) => (certificates, key),
            (certificates, key) => return Err(refused(certificates.err().into_iter().chain(key.err()).collect())),
        };
        let read: Vec<_> =
            certificates.iter().filter_map(|block| Some((block, der::certificate(&block.der)?))).collect();
        let wrong = |key: &str, found: &str, expected: &str| Err(refused(vec![problem(key, found, expected)]));
        if read.is_empty() {
            return wrong(certificate_key, "a damaged certificate", "the certificate as it was made or exported");
        }
        if read.iter().all(|(_, certificate)| certificate.rsa.is_none()) {
            let expected = format!("a certificate for an RSA key: {NEW}");
            return wrong(certificate_key, "a certificate whose key is no RSA key", &expected);
        }
        let Some((block, own)) = read.iter().find(|(_, own)| own.rsa == Some(key.public().as_ref())) else {
            let expected = format!("the private key of the certificate in {certificate_key}: they were made together");
            return wrong(key_key, "a private key that does not belong to the certificate", &expected);
        };
        let thumbprint = URL_SAFE_NO_PAD.encode(digest(&SHA256, &block.der));
        Ok(Identity { key, thumbprint, not_before: own.not_before, not_after: own.not_after })
    }
}

/// The key of AuthJson that it stands in.
fn name(pem: &Pem, text: &'static str, file: &'static str) -> &'static str {
    match pem {
        Pem::Text(_) => text,
        Pem::File(_) => file,
    }
}

fn certificates(pem: &Pem, name: &str) -> Result<Vec<Block>, Problem> {
    let mut blocks = read(pem, name)?;
    blocks.retain(|block| block.label == "CERTIFICATE" && !block.encrypted);
    if blocks.is_empty() {
        let expected = "PEM with a line -----BEGIN CERTIFICATE----- (the portal also offers it without, in DER: convert that \
                        with: openssl x509 -inform der -in certificate.cer -out certificate.pem)";
        return Err(problem(name, "no certificate", expected));
    }
    Ok(blocks)
}

fn read_key(pem: &Pem, name: &str) -> Result<RsaKeyPair, Problem> {
    let blocks = read(pem, name)?;
    let Some(block) = blocks.iter().find(|block| block.label.ends_with("PRIVATE KEY")) else {
        let expected = "PEM with a line -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY-----";
        return Err(problem(name, "no private key", expected));
    };
    let not_rsa =
        || problem(name, "a private key that is no RSA key", format!("an RSA key; EC keys cannot be used: {NEW}"));
    let key = match block.label.as_str() {
        _ if block.encrypted => return Err(encrypted(name)),
        "ENCRYPTED PRIVATE KEY" => return Err(encrypted(name)),
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&block.der),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&block.der),
        _ => return Err(not_rsa()),
    };
    key.map_err(|rejected| match rejected.to_string().as_str() {
        "WrongAlgorithm" => not_rsa(),
        "TooSmall" | "TooLarge" => {
            problem(name, "an RSA key of a size that cannot be used", format!("one of 2048 to 4096 bits: {NEW}"))
        }
        // ring's names for what it refuses hold nothing of the key.
        reason => problem(name, format!("a private key that cannot be used ({reason})"), format!("an RSA key: {NEW}")),
    })
}

fn encrypted(name: &str) -> Problem {
    problem(
        name,
        "an encrypted private key",
        "one that is not encrypted: decrypt it with: openssl pkey -in encrypted.pem -out key.pem, and let only the account of \
         this process read it",
    )
}

fn read(pem: &Pem, name: &str) -> Result<Vec<Block>, Problem> {
    let blocks = match pem {
        Pem::Text(text) => pem::blocks(text.expose()),
        Pem::File(path) => {
            let bytes = named_file::read(path, LARGEST).map_err(|refused| {
                let expected =
                    "the absolute path of a PEM file: a regular file of at most 1 MiB that this process may read";
                problem(name, refused.to_string(), expected)
            })?;
            match std::str::from_utf8(&bytes) {
                Ok(text) => pem::blocks(text),
                Err(_) => Err("a file that is no PEM".to_owned()),
            }
        }
    };
    let expected = "PEM (from a .pfx file: openssl pkcs12 -in certificate.pfx -noenc -out certificate.pem)";
    match blocks {
        Ok(blocks) if blocks.is_empty() => Err(problem(name, "no PEM block", expected)),
        Ok(blocks) => Ok(blocks),
        Err(found) => Err(problem(name, found, expected)),
    }
}
