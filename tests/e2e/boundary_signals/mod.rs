//! Signals: a server that closes its connections ends no host, and a host's own signal masks stay as they were.
//!
//! Programs with Rust's `main` ignore SIGPIPE, and so do the runtimes of Python, Node, Java and .NET. Only a host in C
//! shows what the default disposition does, so the server's test starts one process for each attempt.

mod closing;
mod masks;

use std::process::Stdio;

use connector_abi::{CONNECTOR_E_NETWORK, CONNECTOR_E_SERVICE};
use serde_json::Value;

use self::closing::{Close, Closing, Protocol};
use crate::boundary_hosts::{Host, library, times};
use crate::world::Tenant;

/// Processes for each way of closing; 100 by hand.
const ATTEMPTS: &str = "CONNECTOR_TEST_CLOSINGS";

/// Starts C hosts one after the other, and fails if one of them does not end in order.
#[track_caller]
fn assert_host_survives(protocol: Protocol, close: Close) {
    let asked = std::env::var(ATTEMPTS).ok().map(|attempts| attempts.parse().expect("a number of attempts"));
    let attempts = asked.unwrap_or_else(|| times(20));
    let server = Closing::new(protocol, close);
    let tenant = Tenant::small();
    let certificate = tenant.folder().join("server.pem");
    std::fs::write(&certificate, server.certificate()).unwrap();
    let tenant = tenant
        .with("CaFile", certificate.to_str().unwrap())
        .with("GraphEndpoint", server.origin())
        .with("AuthorityHost", server.origin())
        .with("MaxRetries", 0);
    let host = Host::new("closing", &tenant);
    let mut ended = Vec::new();
    for attempt in 0..attempts {
        server.expect(0);
        let before = server.closed();
        let child = host.command(&library(), &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        server.expect(child.id());
        let output = child.wait_with_output().unwrap();
        let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let in_order = [CONNECTOR_E_NETWORK, CONNECTOR_E_SERVICE].iter().any(|status| said["status"] == *status);
        if !output.status.success() || !in_order {
            ended.push(format!(
                "attempt {attempt}: {} {said} {}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            ));
        } else {
            assert!(server.closed() > before, "attempt {attempt} met no server that closes: {said}");
        }
    }
    assert!(
        ended.is_empty(),
        "{protocol:?}, {close:?}: {} of {attempts} hosts did not end in order: {}",
        ended.len(),
        ended[0]
    );
}

#[test]
fn c_host_survives_server_that_closes_after_goaway() {
    assert_host_survives(Protocol::Http2, Close::AfterGoAway);
}

#[test]
fn c_host_survives_http2_server_that_closes_after_close_notify() {
    assert_host_survives(Protocol::Http2, Close::AfterCloseNotify);
}

#[test]
fn c_host_survives_http1_server_that_closes_after_close_notify() {
    assert_host_survives(Protocol::Http1, Close::AfterCloseNotify);
}

#[test]
fn frozen_c_host_survives_http2_server_that_resets_behind_fin() {
    assert_host_survives(Protocol::Http2, Close::ResetWhileFrozen);
}

#[test]
fn frozen_c_host_survives_http1_server_that_resets_behind_fin() {
    assert_host_survives(Protocol::Http1, Close::ResetWhileFrozen);
}
