//! The real transport: `reqwest::blocking`.
//!
//! A blocking request cannot be aborted from outside, so every wait in here is bounded: connecting, the wait for
//! headers, and each piece of a body. Between pieces the cancel flag is looked at. The client owns a thread, which ends
//! when the last clone goes; it must not be dropped inside somebody's async runtime.
//!
//! What goes to this machine may go in plain HTTP, token and all. So it has a client of its own, which knows neither
//! the system's proxy nor a `Proxy` on another machine: neither could reach our loopback, and both would read the
//! token.

use std::error::{self, Error as _};
use std::io::{self, Read as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use reqwest::blocking::{Client, Response};
use reqwest::{Certificate, Proxy, redirect};
use url::Url;

use super::link::is_loopback;
use super::room::{Room, Share};
use super::transport::{Accept, Broken, Fault, Outgoing, Reply, Transport};
use crate::cancel::Cancel;
use crate::error::{Error, Kind};

/// The platform's own endpoint is one hop away, or it is not there.
const CONNECT_NEAR: Duration = Duration::from_secs(3);

/// Pieces in which a body is read.
const PIECE: usize = 64 * 1024;

/// ring is chosen once per copy of this library; rustls keeps that choice in a static of its own.
static RING: OnceCell<()> = OnceCell::new();

/// What the connections of one operation have in common.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Takes the place of the system's own settings.
    pub(crate) proxy: Option<String>,
    /// Trusted besides the system's authorities.
    pub(crate) ca_pem: Option<Vec<u8>>,
    /// There is something to ask on this machine.
    pub(crate) home: bool,
    /// There is something to ask elsewhere.
    pub(crate) away: bool,
    /// Nothing is encrypted.
    pub(crate) plain: bool,
    /// Everything goes to this machine or the one that it runs on.
    pub(crate) near: bool,
}

impl Settings {
    /// For the platform's endpoint of managed identities: past every proxy.
    pub(crate) fn of_platform(endpoint: &str) -> Settings {
        let home = is_local(endpoint);
        let plain = !endpoint.starts_with("https://");
        Settings { proxy: None, ca_pem: None, home, away: !home, plain, near: true }
    }
}

/// How long the wire waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) connect: Duration,
    /// For the headers, and then for each piece of the body: what `timeout` means to a blocking client.
    pub(crate) silence: Duration,
    /// For a whole body, so that one that drips does not hold an import for ever.
    pub(crate) body: Duration,
}

impl Default for Patience {
    fn default() -> Patience {
        Patience { connect: Duration::from_secs(15), silence: Duration::from_secs(60), body: Duration::from_secs(900) }
    }
}

/// The connections of one operation.
#[derive(Debug)]
pub(crate) struct Wire {
    settings: Settings,
    patience: Patience,
    room: Arc<Room>,
    current: RwLock<(Clients, Instant)>,
}

/// One for each direction that is needed.
#[derive(Debug, Clone)]
struct Clients {
    home: Option<Client>,
    away: Option<Client>,
}

impl Wire {
    /// Builds the clients and starts their threads. No network.
    pub(crate) fn new(settings: Settings) -> Result<Wire, Error> {
        Wire::with_patience(settings, Patience::default())
    }

    /// With other limits than those an import has.
    pub(crate) fn with_patience(settings: Settings, patience: Patience) -> Result<Wire, Error> {
        let clients = build(&settings, patience)?;
        Ok(Wire { settings, patience, room: Room::new(), current: RwLock::new((clients, Instant::now())) })
    }

    fn client(&self, url: &str) -> Result<Client, Broken> {
        let home = Url::parse(url).is_ok_and(|url| is_loopback(url.host()));
        let clients = &self.current.read().unwrap_or_else(PoisonError::into_inner).0;
        let client = if home { &clients.home } else { &clients.away };
        client.clone().ok_or_else(|| Broken {
            fault: Fault::Request,
            text: "nothing of the configuration leads there".to_owned(),
        })
    }
}

impl Transport for Wire {
    fn send(&self, outgoing: Outgoing<'_>, cancel: &Cancel) -> Result<Reply, Broken> {
        let client = self.client(outgoing.url)?;
        let request = match outgoing.body {
            Some(body) => client.post(outgoing.url).body(body),
            None => client.get(outgoing.url),
        };
        let mut response = request.headers(outgoing.headers).send().map_err(|error| broken(&error))?;
        let mut share = (outgoing.accept != Accept::Small).then(|| self.room.share());
        let limits = Limits { accept: outgoing.accept, longest: self.patience.body };
        let body = read_body(&mut response, limits, share.as_mut(), cancel)?;
        let status = response.status().as_u16();
        Ok(Reply { status, headers: std::mem::take(response.headers_mut()), body, share })
    }

    /// A client's pool cannot be emptied; a new client has an empty one.
    fn reconnect(&self, since: Instant) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.1 <= since
            && let Ok(clients) = build(&self.settings, self.patience)
        {
            let old = std::mem::replace(&mut *current, (clients, Instant::now()));
            // The last clone of a client waits for its thread: not while others want the lock.
            drop(current);
            drop(old);
        }
    }
}

fn build(settings: &Settings, patience: Patience) -> Result<Clients, Error> {
    let one = |home| build_one(settings, patience, home);
    Ok(Clients {
        home: settings.home.then(|| one(true)).transpose()?,
        away: settings.away.then(|| one(false)).transpose()?,
    })
}

fn build_one(settings: &Settings, patience: Patience, home: bool) -> Result<Client, Error> {
    RING.get_or_init(|| {
        // An error only says that a choice was made before.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(if settings.near { CONNECT_NEAR } else { patience.connect })
        .timeout(patience.silence);
    // A proxy on this machine can be asked for this machine; somebody who debugs has put it there.
    if let Some(proxy) = settings.proxy.as_ref().filter(|proxy| !home || is_local(proxy)) {
        let proxy = Proxy::all(proxy).map_err(|_| {
            Error::new(Kind::InvalidConfig, "Proxy must be an address such as http://proxy.contoso.com:8080")
        })?;
        builder = builder.proxy(proxy);
    } else if home || settings.near {
        builder = builder.no_proxy();
    }
    let own = match &settings.ca_pem {
        Some(pem) => certificates(pem)?,
        None => Vec::new(),
    };
    let with_own = !own.is_empty();
    // Without TLS the machine needs no certificate authorities, and bare containers have none.
    let plain = settings.plain && settings.proxy.as_deref().is_none_or(|proxy| proxy.starts_with("http://"));
    builder = if plain || (with_own && cfg!(target_vendor = "apple")) {
        // Apple's verifier takes no further roots: there CaFile stands in for the system's.
        builder.tls_certs_only(own)
    } else {
        builder.tls_certs_merge(own)
    };
    builder.build().map_err(|error| {
        let text = chain(&error);
        if text.contains("No CA certificates") {
            Error::new(
                Kind::Network,
                "this machine has no certificate authorities to trust: install its ca-certificates package, or set CaFile \
                 to a PEM file",
            )
        } else if with_own {
            Error::new(Kind::InvalidConfig, format!("a certificate in CaFile cannot be used: {text}"))
        } else {
            Error::new(Kind::Network, format!("the HTTP client cannot be set up: {text}"))
        }
    })
}

fn is_local(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| is_loopback(url.host()))
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Error> {
    let wrong =
        |why: &str| Error::new(Kind::InvalidConfig, format!("CaFile must hold certificates in PEM form: {why}"));
    let certificates = Certificate::from_pem_bundle(pem).map_err(|error| wrong(&chain(&error)))?;
    if certificates.is_empty() { Err(wrong("there is none in it")) } else { Ok(certificates) }
}

/// How much of a body is read, and how long.
#[derive(Debug, Clone, Copy)]
struct Limits {
    accept: Accept,
    longest: Duration,
}

fn read_body(
    response: &mut Response,
    limits: Limits,
    mut share: Option<&mut Share>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Broken> {
    let Limits { accept, longest } = limits;
    let largest = accept.largest();
    let too_large = || Broken { fault: Fault::TooLarge, text: format!("more than {} MiB", largest >> 20) };
    let started = Instant::now();
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    if announced > largest {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(announced.min(1 << 20));
    let mut piece = vec![0; PIECE];
    loop {
        if cancel.is_cancelled() {
            return Err(Broken { fault: Fault::Cancelled, text: "cancelled".to_owned() });
        }
        if started.elapsed() > longest {
            return Err(Broken {
                fault: Fault::Timeout,
                text: format!("the answer took longer than {} s", longest.as_secs()),
            });
        }
        let read = match response.read(&mut piece) {
            Ok(0) => return Ok(body),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken_body(&error)),
        };
        let length = body.len() + read;
        if length > largest {
            return Err(too_large());
        }
        if let Some(share) = share.as_mut() {
            share.grow(length, accept == Accept::Page, cancel)?;
        }
        if length > body.capacity() {
            // A quarter more at a time: doubling would take twice the memory of a large body.
            body.reserve_exact(read.max(body.len() / 4).max(PIECE));
        }
        body.extend_from_slice(&piece[..read]);
    }
}

fn broken_body(error: &io::Error) -> Broken {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<reqwest::Error>()) {
        Some(inner) => {
            Broken { fault: if inner.is_timeout() { Fault::Timeout } else { Fault::Interrupted }, text: chain(inner) }
        }
        None => Broken { fault: Fault::Interrupted, text: error.to_string() },
    }
}

fn broken(error: &reqwest::Error) -> Broken {
    let fault = if refused_certificate(error) {
        Fault::Certificate
    } else if error.is_builder() {
        Fault::Request
    } else if error.is_connect() {
        Fault::Connect
    } else if error.is_timeout() {
        Fault::Timeout
    } else {
        Fault::Interrupted
    };
    Broken { fault, text: chain(error) }
}

/// rustls's error sits inside an `io::Error` inside another, and `source` skips what an `io::Error` wraps.
fn refused_certificate(error: &(dyn error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented);
    }
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.is_some_and(|inner| refused_certificate(inner)) || error.source().is_some_and(refused_certificate)
}

/// The causes of an error, outermost first. The error itself is left out: it names the whole link.
fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        cause = error.source();
        // `client error (Connect)`: what follows says it better.
        if cause.is_some() && text.starts_with("client error") {
            continue;
        }
        if parts.last().is_none_or(|last| !last.ends_with(&text)) {
            parts.push(text);
        }
    }
    match (parts.is_empty(), error.is_timeout()) {
        (false, _) => parts.join(": "),
        (true, true) => "nothing came in time".to_owned(),
        (true, false) => "the connection failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_certificate_is_found_however_deep_it_lies() {
        let certificate = || rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(refused_certificate(&certificate()));
        assert!(refused_certificate(&io::Error::other(certificate())));
        assert!(refused_certificate(&io::Error::other(io::Error::other(certificate()))));
        assert!(!refused_certificate(&io::Error::other(rustls::Error::HandshakeNotComplete)));
        assert!(!refused_certificate(&io::Error::from(io::ErrorKind::ConnectionReset)));
    }
}
