//! What the operations of a sequence talk to: a loopback server that gives tokens and, for the rest, what the input
//! says.
//!
//! An answer is a first line `STATUS [Retry-After]` and a body; `ORIGIN` in it becomes the server's address, so that
//! links can lead home. Each connection carries one exchange: nothing of an earlier sequence can answer into a later
//! one.

use std::io::{Read, Result, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const TOKEN: &str = r#"{"token_type":"Bearer","expires_in":3600,"access_token":"t"}"#;
/// What is answered where an input says nothing.
const PAGE: &str = r#"200
{"value":[{"id":"0f8fad5b-d9cb-469f-a165-70867728950e","displayName":"A"},{"id":"b","@removed":{}}],"@odata.deltaLink":"ORIGIN/v1.0/users/delta?$deltatoken=a"}"#;

/// The server; it stops when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    over: AtomicBool,
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    answers: Vec<Vec<u8>>,
    given: usize,
}

impl Server {
    /// Listens on a free port of this machine.
    pub(crate) fn start() -> Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { over: AtomicBool::new(false), script: Mutex::default() });
        let served = Arc::clone(&shared);
        thread::Builder::new().name("sequence server".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if served.over.load(Ordering::Relaxed) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&served)) else { continue };
                // A thread each: a connection that carries nothing must not keep the others waiting.
                let _ = thread::Builder::new().spawn(move || exchange(stream, &shared, address));
            }
        })?;
        Ok(Server { address, shared })
    }

    /// `http://127.0.0.1:port`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes the answers of a sequence, separated by a record separator; they are given in turn, over and over.
    pub(super) fn script(&self, answers: &[u8]) {
        let answers = answers.split(|byte| *byte == 0x1e).filter(|answer| !answer.is_empty()).map(<[u8]>::to_vec);
        *self.shared.script.lock().unwrap_or_else(PoisonError::into_inner) =
            Script { answers: answers.collect(), given: 0 };
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes it up.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn next(&self) -> Vec<u8> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.given += 1;
        if script.answers.is_empty() {
            return PAGE.as_bytes().to_vec();
        }
        script.answers[(script.given - 1) % script.answers.len()].clone()
    }
}

fn exchange(mut stream: TcpStream, shared: &Shared, address: SocketAddr) -> Result<()> {
    // Only so that no thread stays for ever where a client keeps a connection open and says nothing.
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    let head = loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        request.extend_from_slice(&buffer[..length]);
        if let Some(at) = request.windows(4).position(|part| part == b"\r\n\r\n") {
            break String::from_utf8_lossy(&request[..at + 4]).to_ascii_lowercase();
        }
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    while request.len() < head.len() + length.unwrap_or(0) {
        match stream.read(&mut buffer)? {
            0 => return Ok(()),
            length => request.extend_from_slice(&buffer[..length]),
        }
    }
    let is_token = head.lines().next().is_some_and(|line| line.contains("/token"));
    let answer = if is_token { format!("200\n{TOKEN}").into_bytes() } else { shared.next() };
    let end = answer.iter().position(|byte| *byte == b'\n').unwrap_or(answer.len());
    let first = String::from_utf8_lossy(&answer[..end]).into_owned();
    let (status, retry_after) = first.split_once(' ').unwrap_or((&first, ""));
    let status = status.parse::<u16>().ok().filter(|status| (200..600).contains(status)).unwrap_or(200);
    let body = answer.get(end + 1..).unwrap_or_default();
    let body = replaced(body, format!("http://{address}").as_bytes());
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !retry_after.is_empty() && retry_after.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        head.extend(["Retry-After: ", retry_after, "\r\n"]);
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&body)
}

fn replaced(body: &[u8], origin: &[u8]) -> Vec<u8> {
    const MARK: &[u8] = b"ORIGIN";
    let mut made = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.windows(MARK.len()).position(|part| part == MARK) {
        made.extend_from_slice(&rest[..at]);
        made.extend_from_slice(origin);
        rest = &rest[at + MARK.len()..];
    }
    made.extend_from_slice(rest);
    made
}
