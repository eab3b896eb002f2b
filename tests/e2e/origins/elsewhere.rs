//! Where a token must never arrive: listeners on every address that a trick can lead to, which remember each connection
//! and what came over it.
//!
//! "Nobody came" is easy to claim too early. A listener takes connections in the order they were made, so the proof
//! ends with a visit of our own: once that has been seen, whoever came before it has been seen as well.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

const OURS: &[u8] = b"the test itself\n";

/// Listeners, each on a thread that ends with its visits' receiver.
pub(super) struct Elsewhere {
    /// Of the listener that differs from home by its port alone.
    pub(super) port: u16,
    listeners: Vec<SocketAddr>,
    visits: Receiver<(SocketAddr, Vec<u8>)>,
}

impl Elsewhere {
    /// Around a server at `127.0.0.1:home`: the same host on another port, and the same port on every other loopback
    /// address this machine has.
    pub(super) fn around(home: u16) -> Elsewhere {
        let (sender, visits) = channel();
        let mut listeners = Vec::new();
        for address in ["127.0.0.1:0".to_owned(), format!("127.0.0.2:{home}"), format!("[::1]:{home}")] {
            // Not every machine has a second loopback address or IPv6; the first listener is everywhere.
            let Ok(listener) = TcpListener::bind(&address) else { continue };
            listeners.push(listener.local_addr().unwrap());
            let sender = sender.clone();
            thread::spawn(move || listen(&listener, &sender));
        }
        let port = listeners[0].port();
        Elsewhere { port, listeners, visits }
    }

    /// Fails when somebody else than this test was there since it was last asked.
    #[track_caller]
    pub(super) fn assert_nobody_came(&self, after: &str) {
        for address in &self.listeners {
            TcpStream::connect(address).unwrap().write_all(OURS).unwrap();
            let (at, read) = self.visits.recv_timeout(Duration::from_secs(60)).unwrap();
            assert!(read == OURS, "after {after}: {at} was called with {:?}", String::from_utf8_lossy(&read));
        }
    }
}

/// Answers everybody with an empty page, so that whoever follows a link wrongly does not even notice.
fn listen(listener: &TcpListener, visits: &Sender<(SocketAddr, Vec<u8>)>) {
    let at = listener.local_addr().unwrap();
    for mut stream in listener.incoming().map_while(Result::ok) {
        let mut read = vec![0; 4096];
        let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
        let length = stream.read(&mut read).unwrap_or(0);
        read.truncate(length);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\nconnection: close\r\n\r\n{\"value\":[]}");
        if visits.send((at, read)).is_err() {
            return;
        }
    }
}

#[test]
#[should_panic(expected = "was called with")]
fn a_visit_is_noticed() {
    let elsewhere = Elsewhere::around(0);
    TcpStream::connect(elsewhere.listeners[0]).unwrap().write_all(b"GET /").unwrap();
    elsewhere.assert_nobody_came("a visit");
}
