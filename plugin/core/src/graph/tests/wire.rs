//! The wire, over real sockets on this machine. The peer is a list of connections, each a list of answers in raw bytes.

use crate::graph::transport::Accept;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use reqwest::header::HeaderMap;

use super::*;
use crate::error::Kind;
use crate::graph::transport::{Broken, Fault, Outgoing, Reply};
use crate::graph::wire::{Patience, Settings, Wire};

/// `{"value":[]}` by gzip.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 0xff, 0xab, 0x56, 0x2a, 0x4b, 0xcc, 0x29, 0x4d, 0x55, 0xb2, 0x8a, 0x8e, 0xad, 5,
    0, 0x42, 0xea, 0x40, 0x44, 0x0c, 0, 0, 0,
];

/// The peer closes after an answer; saying so keeps the client from using that connection again.
const CLOSE: &str = "Connection: close\r\n";

struct Peer {
    origin: String,
    /// Ends with the heads of all requests, once every connection has been made.
    serving: JoinHandle<Vec<String>>,
}

/// Answers the n-th connection with the n-th list; closes it after its last answer.
fn peer<const N: usize>(connections: [Vec<Vec<u8>>; N]) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut heads = Vec::new();
        for answers in connections {
            let mut stream = listener.accept().unwrap().0;
            for answer in answers {
                heads.push(head(&mut stream));
                stream.write_all(&answer).unwrap();
            }
        }
        heads
    });
    Peer { origin, serving }
}

/// Reads a request up to the end of its body.
fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).unwrap();
    head
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    answer.extend(body);
    answer
}

fn wire() -> Wire {
    Wire::new(Settings { proxy: None, ca_pem: None, home: true, away: false, plain: true, near: false }).unwrap()
}

fn send(wire: &Wire, url: &str) -> Result<Reply, Broken> {
    let headers = HeaderMap::new();
    wire.send(Outgoing { url, headers, body: None, accept: Accept::Page }, &Cancel::new())
}

fn fault(answers: Vec<u8>) -> Fault {
    let peer = peer([vec![answers]]);
    send(&wire(), &peer.origin).unwrap_err().fault
}

#[test]
fn an_answer_comes_whole_whatever_its_status() {
    let peer = peer([vec![answer("404 Not Found", "request-id: r1\r\n", b"{}")]]);
    let reply = send(&wire(), &format!("{}/v1.0/things?$filter=a%20eq%20'b'&$skiptoken=x+y%2Bz", peer.origin)).unwrap();
    assert_eq!((reply.status, &*reply.body, reply.header("request-id")), (404, &b"{}"[..], Some("r1")));
    let head = &peer.serving.join().unwrap()[0];
    // Quotes are encoded on the way, which means the same; nothing else of a link changes.
    assert!(head.starts_with("get /v1.0/things?$filter=a%20eq%20%27b%27&$skiptoken=x+y%2bz http/1.1\r\n"), "{head}");
    assert!(head.contains("accept-encoding: gzip\r\n"));
}

#[test]
fn a_redirect_is_handed_back() {
    let peer = peer([vec![answer("302 Found", "Location: http://127.0.0.1:1/\r\n", b"")]]);
    assert_eq!(send(&wire(), &peer.origin).unwrap().status, 302);
}

#[test]
fn a_compressed_answer_is_unpacked() {
    let peer = peer([vec![answer("200 OK", "Content-Encoding: gzip\r\n", GZIP)]]);
    assert_eq!(send(&wire(), &peer.origin).unwrap().body, b"{\"value\":[]}");
}

#[test]
fn a_damaged_compressed_answer_is_interrupted() {
    let mut damaged = GZIP.to_vec();
    damaged[25] ^= 1;
    for body in [&GZIP[..GZIP.len() - 9], &damaged, b"{\"value\":[]}"] {
        assert_eq!(fault(answer("200 OK", "Content-Encoding: gzip\r\n", body)), Fault::Interrupted);
    }
}

#[test]
fn a_connection_that_ends_early_is_interrupted() {
    assert_eq!(fault(b"".to_vec()), Fault::Interrupted);
    assert_eq!(fault(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()), Fault::Interrupted);
    assert_eq!(fault(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"value\":[".to_vec()), Fault::Interrupted);
    assert_eq!(fault(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"val".to_vec()), Fault::Interrupted);
    assert_eq!(fault(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Fault::Interrupted);
}

#[test]
fn nobody_there_is_a_connect_fault() {
    let origin = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let broken = send(&wire(), &format!("{origin}/v1.0/things?$deltatoken=hidden")).unwrap_err();
    assert_eq!(broken.fault, Fault::Connect);
    assert!(broken.text.contains("refused") && !broken.text.contains("hidden"), "{}", broken.text);
}

const LOCAL: Settings = Settings { proxy: None, ca_pem: None, home: true, away: false, plain: true, near: false };

/// A wire whose limits a test can wait for.
fn hasty(silence: Duration, body: Duration) -> Wire {
    Wire::with_patience(LOCAL, Patience { silence, body, ..Patience::default() }).unwrap()
}

/// A client that would wait for ever is sent away after this, so that its test fails and does not hang.
const HANGS: Duration = Duration::from_secs(20);

/// Answers the first request of each connection with its pieces, waiting before each, and keeps it open until the
/// client leaves.
fn dripping(connections: Vec<Vec<(Duration, Vec<u8>)>>) -> Peer {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (mut heads, mut open) = (Vec::new(), Vec::new());
        for pieces in connections {
            let mut stream = listener.accept().unwrap().0;
            heads.push(head(&mut stream));
            for (wait, piece) in pieces {
                thread::sleep(wait);
                // Whoever has lost patience has left.
                let _ = stream.write_all(&piece);
            }
            open.push(thread::spawn(move || {
                stream.set_read_timeout(Some(HANGS)).unwrap();
                let _ = stream.read_to_end(&mut Vec::new());
            }));
        }
        for connection in open {
            connection.join().unwrap();
        }
        heads
    });
    Peer { origin, serving }
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n";
const MOMENT: Duration = Duration::from_millis(200);
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_silence_ends_with_the_time_limit_before_the_headers_and_within_the_body() {
    for said in [Vec::new(), HEAD.to_vec(), [HEAD, b"[1,"].concat()] {
        let peer = dripping(vec![vec![(Duration::ZERO, said)]]);
        let broken = send(&hasty(MOMENT, LONG), &peer.origin).unwrap_err();
        assert_eq!(broken.fault, Fault::Timeout);
        assert!(!broken.text.is_empty());
    }
}

#[test]
fn a_body_that_drips_is_waited_for_as_long_as_each_piece_comes_in_time() {
    let silence = Duration::from_secs(2);
    let pieces = [HEAD, b"[1", b",2", b",3", b",4"].map(|piece| (silence / 4, piece.to_vec()));
    let peer = dripping(vec![pieces.to_vec()]);
    let broken = send(&hasty(silence, LONG), &peer.origin);
    assert_eq!(broken.unwrap().body, b"[1,2,3,4");
}

#[test]
fn a_body_that_drips_beyond_its_time_is_given_up() {
    let mut pieces = vec![(Duration::ZERO, HEAD.to_vec())];
    pieces.extend(b"[1,2,3,4".map(|byte| (MOMENT / 2, vec![byte])));
    let peer = dripping(vec![pieces]);
    let broken = send(&hasty(LONG, MOMENT), &peer.origin).unwrap_err();
    assert_eq!(broken.fault, Fault::Timeout);
    assert!(broken.text.contains("longer than"), "{}", broken.text);
}

/// An address that takes no more connections and says nothing, as a firewall does that drops what comes.
#[cfg(target_os = "linux")]
fn silent_door() -> (TcpListener, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    // Nobody accepts: once the queue is full, Linux lets a further connection wait.
    while let Ok(stream) = TcpStream::connect_timeout(&address, MOMENT) {
        waiting.push(stream);
        assert!(waiting.len() < 10_000, "the queue has no end");
    }
    (listener, waiting)
}

#[cfg(target_os = "linux")]
#[test]
fn a_connection_that_does_not_come_is_given_up_before_a_silence_would_be() {
    let (listener, _waiting) = silent_door();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let patience = Patience { connect: MOMENT, silence: 30 * MOMENT, body: LONG };
    let broken = send(&Wire::with_patience(LOCAL, patience).unwrap(), &origin).unwrap_err();
    assert_eq!(broken.fault, Fault::Connect, "{}", broken.text);
}

#[test]
fn an_import_waits_as_long_as_the_page_of_reliability_says() {
    let Patience { connect, silence, body } = Patience::default();
    assert_eq!([connect, silence, body].map(|limit| limit.as_secs()), [15, 60, 900]);
}

#[test]
fn a_stall_is_asked_for_again_on_a_new_connection_and_in_the_end_surfaces() {
    let whole = |body: &str| vec![(Duration::ZERO, answer("200 OK", "", body.as_bytes()))];
    let stall = || vec![(Duration::ZERO, [HEAD, b"[1,"].concat())];
    for (stalls, survived) in [(2, true), (3, false)] {
        let mut connections = vec![vec![(Duration::ZERO, answer("200 OK", CLOSE, token_body("t1", 3600).as_bytes()))]];
        connections.extend((0..stalls).map(|_| stall()));
        if survived {
            connections.push(whole("[1,2,3]"));
        }
        let count = connections.len();
        let peer = dripping(connections);
        let connection = Connection { max_retries: 2, ..connection(&peer.origin, &peer.origin) };
        let clock = TestClock::new();
        let origin = || Origin::parse(&peer.origin, "GraphEndpoint").unwrap();
        let wire: Arc<dyn Transport> = Arc::new(hasty(MOMENT, LONG));
        let graph = Graph::over(
            Arc::clone(&wire),
            wire,
            clock.clone(),
            Shared::new(&*clock),
            origin(),
            origin(),
            connection,
            Cancel::new(),
            Counters::new(),
            Log::new(Level::Debug),
        )
        .unwrap();
        let got = graph.get(&Get { link: graph.link("/things"), advanced: false }, |answer| text(answer.body));
        assert_eq!(got.is_ok(), survived);
        if let Err(error) = got {
            assert_eq!(error.error.kind, Kind::Network);
            assert_eq!(error.error.causes, ["tried 3 times, waited 15.0 s in all"]);
        }
        assert_eq!(clock.waits(), [5, 10].map(Duration::from_secs));
        drop(graph);
        assert_eq!(peer.serving.join().unwrap().len(), count);
    }
}

#[test]
fn a_cancel_ends_a_body_between_two_pieces() {
    let cancel = Cancel::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let flag = cancel.clone();
    let serving = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[").unwrap();
        flag.cancel();
        stream.write_all(b"1,").unwrap();
        // Kept open: the rest never comes.
        stream
    });
    let outgoing = Outgoing { url: &origin, headers: HeaderMap::new(), body: None, accept: Accept::Page };
    let broken = wire().send(outgoing, &cancel).unwrap_err();
    assert_eq!(broken.fault, Fault::Cancelled);
    drop(serving.join().unwrap());
}

#[test]
fn a_connection_is_used_again_until_a_new_one_is_wanted() {
    let ok = || answer("200 OK", "", b"{}");
    let peer = peer([vec![ok(), ok()], vec![ok(), ok()]]);
    let (wire, before) = (wire(), Instant::now());
    send(&wire, &peer.origin).unwrap();
    send(&wire, &peer.origin).unwrap();
    wire.reconnect(Instant::now());
    send(&wire, &peer.origin).unwrap();
    // Wanted because of a request made before the new connection: there is one already.
    wire.reconnect(before);
    send(&wire, &peer.origin).unwrap();
    assert_eq!(peer.serving.join().unwrap().len(), 4);
}

#[test]
fn a_new_connection_is_made_though_the_old_one_is_still_open() {
    let answered = || vec![(Duration::ZERO, answer("200 OK", "", b"{}"))];
    let peer = dripping(vec![answered(), answered()]);
    let wire = hasty(HANGS, LONG);
    send(&wire, &peer.origin).unwrap();
    wire.reconnect(Instant::now());
    // Over the old connection nobody would answer.
    send(&wire, &peer.origin).unwrap();
    drop(wire);
    assert_eq!(peer.serving.join().unwrap().len(), 2);
}

#[test]
fn a_proxy_on_this_machine_is_used_for_this_machine() {
    let proxy = peer([vec![answer("200 OK", "", b"{}")]]);
    let settings =
        Settings { proxy: Some(proxy.origin), ca_pem: None, home: true, away: false, plain: true, near: false };
    send(&Wire::new(settings).unwrap(), "http://127.0.0.1:9/v1.0/things").unwrap();
    assert!(proxy.serving.join().unwrap()[0].starts_with("get http://127.0.0.1:9/v1.0/things http/1.1\r\n"));
}

#[test]
fn a_proxy_elsewhere_is_passed_by_on_the_way_to_this_machine() {
    for away in [false, true] {
        let peer = peer([vec![answer("200 OK", "", b"{}")]]);
        // An address of no machine (RFC 5737): asked for by mistake, it would hang or fail.
        let proxy = Some("http://192.0.2.1:9".to_owned());
        let settings = Settings { proxy, ca_pem: None, home: true, away, plain: true, near: false };
        send(&Wire::new(settings).unwrap(), &peer.origin).unwrap();
        assert!(peer.serving.join().unwrap()[0].starts_with("get / http/1.1\r\n"), "straight, not through a proxy");
    }
}

#[test]
fn a_direction_the_configuration_does_not_have_cannot_be_taken() {
    let settings = |home| Settings { proxy: None, ca_pem: None, home, away: !home, plain: true, near: false };
    for (home, url) in [(true, "http://192.0.2.1/"), (false, "http://127.0.0.1:9/"), (true, "nonsense")] {
        assert_eq!(send(&Wire::new(settings(home)).unwrap(), url).unwrap_err().fault, Fault::Request, "{url}");
    }
}

#[test]
fn a_ca_file_that_holds_no_certificate_is_a_configuration_error() {
    for pem in [&b""[..], b"not PEM", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", b"\xff"] {
        let settings =
            Settings { proxy: None, ca_pem: Some(pem.to_vec()), home: false, away: true, plain: false, near: false };
        let error = Wire::new(settings).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidConfig);
        assert!(error.message.contains("CaFile"), "{}", error.message);
    }
}

#[test]
fn the_token_goes_to_the_configured_origin_and_nowhere_else() {
    let graph = peer([
        vec![answer("200 OK", CLOSE, token_body("t1", 3600).as_bytes())],
        vec![answer("307 Temporary Redirect", "Location: http://127.0.0.1:9/v1.0/things\r\n", b"")],
    ]);
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let foreign = format!("http://{}/v1.0/things", elsewhere.local_addr().unwrap());
    let mut connection = connection(&graph.origin, &graph.origin);
    connection.retry_base = Duration::from_millis(1);
    let graph_client = Graph::connect(connection, Cancel::new(), Counters::new(), Log::new(Level::Debug)).unwrap();
    let get = Get { link: graph_client.link("/things"), advanced: false };
    let error = graph_client.get(&get, |answer| text(answer.body)).unwrap_err();
    assert_eq!(error.error.kind, Kind::Service);
    assert!(graph_client.follow(&foreign).is_err());
    let heads = graph.serving.join().unwrap();
    assert!(heads[0].starts_with(&format!("post /{DOMAIN}/oauth2/v2.0/token ")) && !heads[0].contains("authorization"));
    assert!(heads[1].starts_with("get /v1.0/things ") && heads[1].contains("authorization: bearer t1\r\n"));
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err());
}

#[test]
fn an_import_survives_what_a_network_does() {
    let page = || answer("200 OK", "", b"{\"value\":[]}");
    let graph = peer([
        vec![answer("200 OK", CLOSE, token_body("t1", 3600).as_bytes())],
        vec![b"".to_vec()],
        vec![b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()],
        vec![answer("429 Too Many Requests", "Retry-After: 0.001\r\nConnection: close\r\n", b"")],
        vec![answer("200 OK", "Content-Encoding: gzip\r\nConnection: close\r\n", &GZIP[..20])],
        vec![page()],
    ]);
    let mut connection = connection(&graph.origin, &graph.origin);
    connection.retry_base = Duration::from_millis(1);
    let counters = Counters::new();
    let client = Graph::connect(connection, Cancel::new(), counters.clone(), Log::new(Level::Debug)).unwrap();
    let get = Get { link: client.link("/things"), advanced: false };
    assert_eq!(client.get(&get, |answer| text(answer.body)).unwrap(), "{\"value\":[]}");
    assert_eq!((counters.totals().requests, counters.totals().retries, counters.totals().throttled_ms), (5, 4, 1));
    graph.serving.join().unwrap();
}
