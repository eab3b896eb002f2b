//! One connection: the protocol that was agreed on, and how it ends when a fault breaks it.
//!
//! Over HTTP/2 many requests share a connection. A fault that breaks the connection of one request breaks it for all
//! that are on their way in it, as a gateway that restarts does; a stream of its own ends only where a body stalls or
//! drips.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use super::door::Door;
use super::ending::{Break, Ending};
use super::exchange;
use super::tls;
use crate::simulator::service::Service;

/// Requests that may be under way in one connection of HTTP/2. Graph's own number is not known.
const STREAMS: u32 = 250;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// Of what the handshake of TLS agreed on.
    pub(super) fn agreed(alpn: Option<&[u8]>) -> Protocol {
        if alpn == Some(tls::HTTP2) { Protocol::Http2 } else { Protocol::Http1 }
    }
}

/// What the exchanges of a connection share.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    service: Arc<Service>,
    reset: Arc<AtomicBool>,
    door: Arc<Door>,
    broken: Break,
}

impl Connection {
    pub(super) fn new(service: Arc<Service>, reset: Arc<AtomicBool>, door: Arc<Door>) -> Connection {
        Connection { service, reset, door, broken: Break::default() }
    }

    /// Until the client leaves, or a fault breaks it. Dropping this drops the stream.
    pub(super) async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        scheme: &'static str,
        protocol: Protocol,
    ) {
        let broken = self.broken.clone();
        let handler = service_fn(move |request| {
            let connection = self.clone();
            async move {
                let mut outcome = exchange::exchange(Arc::clone(&connection.service), scheme, request).await;
                if let Some(ending) = outcome.ending {
                    connection.reset.store(true, Ordering::SeqCst);
                    if let Ending::GoesAway = ending {
                        connection.door.close().await;
                    }
                    let Ok(response) = &mut outcome.response else {
                        connection.broken.now();
                        // An error would reach the client of HTTP/2 as the end of its stream alone.
                        return pending().await;
                    };
                    response.body_mut().on(connection.broken);
                }
                outcome.response
            }
        });
        let stream = TokioIo::new(stream);
        let serving = async {
            // A connection that a client breaks ends in an error nobody needs.
            match protocol {
                Protocol::Http1 => drop(http1::Builder::new().keep_alive(true).serve_connection(stream, handler).await),
                Protocol::Http2 => {
                    let mut http2 = http2::Builder::new(TokioExecutor::new());
                    drop(http2.max_concurrent_streams(STREAMS).serve_connection(stream, handler).await);
                }
            }
        };
        tokio::select! {
            () = serving => {}
            () = broken.happened() => {}
        }
    }
}
