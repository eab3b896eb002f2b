//! A gateway between connector and simulator that a test can turn hostile: it passes every exchange on and lets a
//! closure change the answer before it goes back.
//!
//! To the connector the relay *is* Graph and the token service: the `Host` header goes through unchanged, so the
//! simulator writes links that lead back here. Compression is turned off on the way, or there would be no JSON to
//! change.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A request as it passed.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// `Authorization`, or nothing.
    pub(crate) authorization: String,
    pub(crate) body: Vec<u8>,
}

/// An answer on its way back.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answered {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(crate) fn set_json(&mut self, value: &Value) {
        self.body = value.to_string().into_bytes();
    }
}

type Rewrite = Box<dyn FnMut(&Asked, &mut Answered) + Send>;

/// A running relay. Dropping it stops it.
pub(crate) struct Relay {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    rewrite: Mutex<Rewrite>,
    seen: Mutex<Vec<Asked>>,
    stopped: AtomicBool,
}

impl Relay {
    /// In front of a plain HTTP origin; changes nothing yet.
    pub(crate) fn before(origin: &str) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shared = Arc::new(Shared {
            upstream: origin.strip_prefix("http://").unwrap().to_owned(),
            rewrite: Mutex::new(Box::new(|_, _| {})),
            seen: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let relay = Relay { address: listener.local_addr().unwrap(), shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                // A connection that breaks is the other side's to notice.
                thread::spawn(move || shared.serve(stream));
            }
        });
        relay
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes every answer from now on, in place of what did so before.
    pub(crate) fn rewrite(&self, rewrite: impl FnMut(&Asked, &mut Answered) + Send + 'static) {
        *self.shared.rewrite.lock().unwrap() = Box::new(rewrite);
    }

    /// The requests since this was last asked.
    pub(crate) fn seen(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.shared.seen.lock().unwrap())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        let _ = stream.set_nodelay(true);
        let mut client = BufReader::new(stream);
        loop {
            let (first, headers, body) = message(&mut client)?;
            let mut words = first.split(' ').map(str::to_owned);
            let authorization = headers.iter().find(|(name, _)| name == "authorization");
            let authorization = authorization.map(|(_, value)| value.clone()).unwrap_or_default();
            let asked = Asked { method: words.next()?, target: words.next()?, authorization, body };
            self.seen.lock().unwrap().push(asked.clone());
            let mut answered = self.pass_on(&asked, &headers)?;
            self.rewrite.lock().unwrap()(&asked, &mut answered);
            let mut answer = format!("HTTP/1.1 {} x\r\n", answered.status);
            for (name, value) in answered.headers.iter().filter(|(name, _)| !is_framing(name)) {
                answer.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
            }
            answer.extend(["content-length: ", &answered.body.len().to_string(), "\r\n\r\n"]);
            let stream = client.get_mut();
            stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(&answered.body)).ok()?;
        }
    }

    fn pass_on(&self, asked: &Asked, headers: &[(String, String)]) -> Option<Answered> {
        let mut upstream = TcpStream::connect(&self.upstream).ok()?;
        let mut request = format!("{} {} HTTP/1.1\r\n", asked.method, asked.target);
        for (name, value) in headers.iter().filter(|(name, _)| !is_framing(name) && name != "accept-encoding") {
            request.extend([name.as_str(), ": ", value.as_str(), "\r\n"]);
        }
        request.extend(["connection: close\r\ncontent-length: ", &asked.body.len().to_string(), "\r\n\r\n"]);
        upstream.write_all(request.as_bytes()).and_then(|()| upstream.write_all(&asked.body)).ok()?;
        let (first, headers, body) = message(&mut BufReader::new(upstream))?;
        Some(Answered { status: first.split(' ').nth(1)?.parse().ok()?, headers, body })
    }
}

fn is_framing(name: &str) -> bool {
    matches!(name, "content-length" | "connection")
}

/// First line, headers in lower case, body.
type Message = (String, Vec<(String, String)>, Vec<u8>);

/// One HTTP/1.1 message whose length is announced.
fn message(from: &mut impl BufRead) -> Option<Message> {
    let mut line = || {
        let mut text = String::new();
        (from.read_line(&mut text).ok()? > 0).then(|| text.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, n)| n.parse().unwrap());
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((first, headers, body))
}
