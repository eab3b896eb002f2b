//! The sockets: a listener on 127.0.0.1, HTTP/1.1 with keep-alive, plain or TLS, on threads of its own.
//!
//! Stopping drops the runtime, and with it every connection, also those that a fault left hanging.

mod body;
mod control;
mod exchange;
mod respond;
mod socket;
mod tls;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use self::socket::Socket;
use super::service::Service;

/// A listening server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    authority_pem: Option<String>,
}

impl Server {
    pub(crate) fn start(service: &Arc<Service>, port: u16) -> Result<Server> {
        let (acceptor, authority_pem) = if service.world.https {
            let (acceptor, pem) = tls::acceptor().context("making a certificate")?;
            (Some(acceptor), Some(pem))
        } else {
            (None, None)
        };
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| format!("binding port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4)))
            .thread_name("graph-simulator")
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        runtime.spawn(accept(listener, Arc::clone(service), acceptor));
        Ok(Server { runtime: Some(runtime), address, authority_pem })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.authority_pem.is_some() { "https" } else { "http" }, self.address)
    }

    pub(crate) fn authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, service: Arc<Service>, acceptor: Option<TlsAcceptor>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, usually: give connections time to end.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        // Answers are small and latency is measured.
        let _ = stream.set_nodelay(true);
        let socket = Socket::new(stream);
        let (service, acceptor) = (Arc::clone(&service), acceptor.clone());
        tokio::spawn(async move {
            let reset = socket.reset_flag();
            match acceptor {
                None => serve(socket, service, reset, "http").await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        serve(stream, service, reset, "https").await;
                    }
                }
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Arc<Service>,
    reset: Arc<std::sync::atomic::AtomicBool>,
    scheme: &'static str,
) {
    let handler = service_fn(|request| {
        let (service, reset) = (Arc::clone(&service), Arc::clone(&reset));
        async move {
            let outcome = exchange::exchange(service, scheme, request).await;
            if let Some(exchange::Ending::Reset) = outcome.ending {
                reset.store(true, Ordering::SeqCst);
            }
            outcome.response
        }
    });
    // A connection that a client breaks or a fault resets ends in an error nobody needs.
    let _ = http1::Builder::new().keep_alive(true).serve_connection(TokioIo::new(stream), handler).await;
}
