//! A TLS server that reads one request on each connection and then closes the connection in the way a test asks for.
//!
//! Frames of HTTP/2 are written by hand: a real server never closes at the worst moment on demand. To freeze the client
//! between the answer and the first write after it, the server stops the client's process and lets it go on when
//! everything, the reset included, has arrived.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server and the client speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// How the server closes a connection after it has read a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// HTTP/2 only: GOAWAY in place of an answer, close_notify, FIN.
    AfterGoAway,
    /// An answer, close_notify, FIN.
    AfterCloseNotify,
    /// An answer, close_notify, FIN and RST, which all arrive while the client's process is stopped.
    ResetWhileFrozen,
}

/// The answer to every request: good as a token, unreadable as a page of Graph.
const BODY: &str = r#"{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"access_token":"a.b.c"}"#;

/// A running server. Dropping it stops it.
pub(super) struct Closing {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    tls: Arc<ServerConfig>,
    certificate: String,
    protocol: Protocol,
    close: Close,
    /// The client's process; 0 until it has been started.
    client: AtomicU32,
    /// Held while the client is stopped, so that one connection's end does not let it go on during another's.
    freezing: Mutex<()>,
    closed: AtomicUsize,
    stopped: AtomicBool,
}

impl Closing {
    pub(super) fn new(protocol: Protocol, close: Close) -> Closing {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        tls.alpn_protocols = vec![if protocol == Protocol::Http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let shared = Arc::new(Shared {
            tls: Arc::new(tls),
            certificate: certificate.pem(),
            protocol,
            close,
            client: AtomicU32::new(0),
            freezing: Mutex::default(),
            closed: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        });
        let server = Closing { address: listener.local_addr().unwrap(), shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A connection that breaks early is not counted, and the test looks at the count.
                thread::spawn(move || shared.serve(stream));
            }
        });
        server
    }

    pub(super) fn origin(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What a client must trust.
    pub(super) fn certificate(&self) -> &str {
        &self.shared.certificate
    }

    /// The process of the next client.
    pub(super) fn expect(&self, client: u32) {
        self.shared.client.store(client, Ordering::SeqCst);
    }

    /// Connections that were closed as asked for.
    pub(super) fn closed(&self) -> usize {
        self.shared.closed.load(Ordering::SeqCst)
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let connection = ServerConnection::new(Arc::clone(&self.tls)).map_err(io::Error::other)?;
        let mut tls = StreamOwned::new(connection, stream);
        let request = match self.protocol {
            Protocol::Http1 => read_http1(&mut tls).map(|()| 0)?,
            Protocol::Http2 => read_http2(&mut tls)?,
        };
        match self.close {
            Close::AfterGoAway => {
                // The last stream that was looked at, and NO_ERROR.
                let [a, b, c, d] = request.to_be_bytes();
                tls.write_all(&frame(7, 0, 0, &[a, b, c, d, 0, 0, 0, 0]))?;
                self.say_close(&mut tls)
            }
            Close::AfterCloseNotify => {
                self.answer(&mut tls, request)?;
                self.say_close(&mut tls)
            }
            Close::ResetWhileFrozen => {
                let _freezing = self.freezing.lock().unwrap();
                let client = self.client();
                signal(client, "STOP");
                let sent = wait_until_stopped(client).and_then(|()| self.reset(tls, request));
                signal(client, "CONT");
                sent
            }
        }
    }

    /// Answers, says goodbye, and resets the connection behind the FIN.
    fn reset(&self, mut tls: Tls, request: u32) -> io::Result<()> {
        self.answer(&mut tls, request)?;
        self.say_close(&mut tls)?;
        tls.sock.shutdown(Shutdown::Write)?;
        // A close with nothing to linger for is a reset.
        socket2::SockRef::from(&tls.sock).set_linger(Some(Duration::ZERO))
    }

    fn say_close(&self, tls: &mut Tls) -> io::Result<()> {
        self.closed.fetch_add(1, Ordering::SeqCst);
        tls.conn.send_close_notify();
        tls.flush()
    }

    /// The process may connect before the test has noted its id.
    fn client(&self) -> u32 {
        loop {
            match self.client.load(Ordering::SeqCst) {
                0 => thread::yield_now(),
                client => return client,
            }
        }
    }

    fn answer(&self, tls: &mut Tls, stream: u32) -> io::Result<()> {
        let bytes = match self.protocol {
            Protocol::Http1 => format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
                BODY.len()
            )
            .into_bytes(),
            Protocol::Http2 => {
                // `:status: 200` is entry 8 of HPACK's static table (RFC 7541 appendix A).
                let mut bytes = frame(1, 0x4, stream, &[0x88]);
                bytes.extend(frame(0, 0x1, stream, BODY.as_bytes()));
                bytes
            }
        };
        tls.write_all(&bytes)
    }
}

/// Reads a request whose length is announced, or that has no body.
fn read_http1(tls: &mut Tls) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        tls.read_exact(&mut byte)?;
        head.push(byte[0].to_ascii_lowercase());
    }
    let head = String::from_utf8_lossy(&head);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    tls.read_exact(&mut vec![0; length])
}

/// Reads frames up to the end of the first request and returns the request's stream.
fn read_http2(tls: &mut Tls) -> io::Result<u32> {
    tls.read_exact(&mut [0; 24])?; // the preface (RFC 9113 §3.4)
    tls.write_all(&frame(4, 0, 0, &[]))?;
    loop {
        let mut head = [0; 9];
        tls.read_exact(&mut head)?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        tls.read_exact(&mut vec![0; u32::from_be_bytes([0, a, b, c]) as usize])?;
        let is_request = matches!(kind, 0 | 1);
        if kind == 4 && flags & 0x1 == 0 {
            tls.write_all(&frame(4, 0x1, 0, &[]))?; // the client's settings are accepted
        } else if is_request && flags & 0x1 != 0 {
            return Ok(u32::from_be_bytes(stream));
        }
    }
}

/// A frame of HTTP/2 (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![a, b, c, kind, flags];
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn signal(process: u32, name: &str) {
    // A process that has ended meanwhile is the test's to notice.
    let _ = Command::new("sh").args(["-c", &format!("kill -{name} {process} 2>/dev/null")]).status();
}

/// Waits until no thread of the process runs. Fails if the process ends instead.
fn wait_until_stopped(process: u32) -> io::Result<()> {
    loop {
        let mut running = 0;
        for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
            // The state follows the name, which ends with the last parenthesis. A thread may end meanwhile.
            let stat = std::fs::read_to_string(task?.path().join("stat")).unwrap_or_default();
            match stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()) {
                Some('T' | 't') | None => {}
                Some('Z' | 'X') => return Err(io::Error::other("the client's process has ended")),
                Some(_) => running += 1,
            }
        }
        if running == 0 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(1));
    }
}
