//! HTTPS with an authority made on the spot: the client is told to trust its PEM, as with a company's own authority.
//!
//! Which HTTP is spoken is agreed on in the handshake (ALPN): HTTP/2 with who offers it, as Graph's front door does.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

/// A name that no resolver knows (RFC 6761 §6.2): who reaches the simulator by it came through a proxy.
const NAME: &str = "graph.simulator.test";

/// What a client offers that can speak HTTP/2 (RFC 9113 §3.2).
pub(super) const HTTP2: &[u8] = b"h2";

/// An acceptor for the loopback addresses and the PEM of the authority that signed its certificate.
pub(super) fn acceptor(http2: bool) -> Result<(TlsAcceptor, String)> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    authority.distinguished_name.push(DnType::CommonName, "Graph simulator authority");
    let certificate = authority.self_signed(&authority_key)?;
    let pem = certificate.pem();
    let issuer = Issuer::new(authority, authority_key);

    let server_key = KeyPair::generate()?;
    let names = ["127.0.0.1", "::1", "localhost", NAME].map(str::to_owned).to_vec();
    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "localhost");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    let server_certificate = server.signed_by(&server_key, &issuer)?;

    let key = PrivateKeyDer::try_from(server_key.serialize_der()).map_err(anyhow::Error::msg)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![server_certificate.der().clone()], key)?;
    let spoken = [http2.then_some(HTTP2), Some(b"http/1.1")];
    config.alpn_protocols = spoken.into_iter().flatten().map(<[u8]>::to_vec).collect();
    Ok((TlsAcceptor::from(Arc::new(config)), pem))
}
