//! The sockets: a listener on 127.0.0.1, plain or TLS, on threads of its own. Each connection is served by
//! `connection`.
//!
//! Stopping drops the runtime, and with it every connection, also those that a fault left hanging.

mod body;
mod connection;
mod control;
mod door;
mod ending;
mod exchange;
mod outcome;
mod respond;
mod socket;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context as _, Result};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use self::connection::{Connection, Protocol};
use self::door::Door;
use self::socket::Socket;
use super::service::Service;

/// A listening server. Dropping it stops it.
#[derive(Debug)]
pub(crate) struct Server {
    runtime: Option<Runtime>,
    address: SocketAddr,
    authority_pem: Option<String>,
    door: Arc<Door>,
}

impl Server {
    pub(crate) fn start(service: &Arc<Service>, port: u16) -> Result<Server> {
        let (acceptor, authority_pem) = if service.world.https {
            let (acceptor, pem) = tls::acceptor(service.world.http2).context("making a certificate")?;
            (Some(acceptor), Some(pem))
        } else {
            (None, None)
        };
        let listener = door::listen(port).with_context(|| format!("binding port {port}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let door = Arc::new(Door::of(listener));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 4)))
            .thread_name("graph-simulator")
            .enable_all()
            .build()?;
        runtime.spawn(accept(Arc::clone(service), acceptor, Arc::clone(&door)));
        Ok(Server { runtime: Some(runtime), address, authority_pem, door })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", if self.authority_pem.is_some() { "https" } else { "http" }, self.address)
    }

    /// After a fault that made it go away.
    pub(crate) fn listen_again(&self) -> Result<()> {
        self.door.open().context("listening again")
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

async fn accept(service: Arc<Service>, acceptor: Option<TlsAcceptor>, door: Arc<Door>) {
    let serve = |stream: TcpStream| {
        // Answers are small and latency is measured.
        let _ = stream.set_nodelay(true);
        let socket = Socket::new(stream, Arc::clone(&service.traffic));
        let (service, acceptor, door) = (Arc::clone(&service), acceptor.clone(), Arc::clone(&door));
        // Before the task is on its way: a door that closes meanwhile would go unnoticed.
        let mut closed = door.watch();
        tokio::spawn(async move {
            let reset = socket.reset_flag();
            let connection = Connection::new(service, Arc::clone(&reset), door);
            let serving = async {
                match acceptor {
                    None => connection.serve(socket, "http", Protocol::Http1).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(socket).await {
                            let agreed = Protocol::agreed(stream.get_ref().1.alpn_protocol());
                            connection.serve(stream, "https", agreed).await;
                        }
                    }
                }
            };
            tokio::pin!(serving);
            tokio::select! {
                () = &mut serving => {}
                // Dropping what is served drops the socket.
                _ = closed.changed() => reset.store(true, Ordering::SeqCst),
            }
        });
    };
    // The runtime ends with the server, and this with it.
    let _ = door.accept(serve).await;
}
