//! Whether anybody listens: a listening socket that can be made deaf and hear again, on the same port.
//!
//! Closing the listener and binding the port anew would let another process take it meanwhile. On Linux `shutdown` ends
//! the listening alone: the kernel then refuses connections to a port that stays ours, if it was asked for by its
//! number. tokio must not look on while that happens: to it a socket that was shut down is ready for ever.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener as Listener, TcpStream};
use tokio::sync::watch;

/// Connections that wait for `accept` at most.
const BACKLOG: i32 = 1024;

/// Listens on a port of 127.0.0.1; 0 is any that is free.
pub(super) fn listen(port: u16) -> io::Result<TcpListener> {
    // Found by one socket and then asked for by another one: a port that the system chose would be given back to it.
    let found = if port == 0 { Some(bound(0)?) } else { None };
    let port = match &found {
        Some(found) => found.local_addr()?.as_socket().map_or(0, |address| address.port()),
        None => port,
    };
    let socket = bound(port)?;
    drop(found);
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn bound(port: u16) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // On Unix two sockets may then have a port as long as neither listens. On Windows it would let anybody take it.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    Ok(socket)
}

/// The way into a server.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    /// Whether anybody should listen.
    wanted: watch::Sender<bool>,
    /// Whether the accepting task does.
    heard: watch::Sender<bool>,
    /// Counts how often it was closed: connections of before have to end.
    closed: watch::Sender<u64>,
}

impl Door {
    /// The door of a listener.
    pub(super) fn of(listener: TcpListener) -> Door {
        let (wanted, heard, closed) = (watch::Sender::new(true), watch::Sender::new(true), watch::Sender::new(0));
        Door { listener, wanted, heard, closed }
    }

    /// Takes connections until the door is dropped; `serve` must not wait.
    pub(super) async fn accept(&self, mut serve: impl FnMut(TcpStream)) -> io::Result<()> {
        let mut wanted = self.wanted.subscribe();
        loop {
            let listener = Listener::from_std(self.listener.try_clone()?)?;
            while *wanted.borrow_and_update() {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => serve(stream),
                        // Out of file descriptors, usually: give connections time to end.
                        Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                    },
                    _ = wanted.changed() => {}
                }
            }
            drop(listener);
            // Elsewhere than on Linux it goes on listening.
            let _ = SockRef::from(&self.listener).shutdown(Shutdown::Read);
            self.heard.send_replace(false);
            while !*wanted.borrow_and_update() {
                if wanted.changed().await.is_err() {
                    return Ok(());
                }
            }
            self.heard.send_replace(true);
        }
    }

    /// From now on connections are refused, and those that are there break.
    pub(super) async fn close(&self) {
        let mut heard = self.heard.subscribe();
        self.wanted.send_replace(false);
        let _ = heard.wait_for(|heard| !heard).await;
        self.closed.send_modify(|times| *times += 1);
    }

    /// Connections are taken again.
    pub(super) fn open(&self) -> io::Result<()> {
        SockRef::from(&self.listener).listen(BACKLOG)?;
        self.wanted.send_replace(true);
        Ok(())
    }

    /// Changes when it is closed.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.closed.subscribe()
    }
}
