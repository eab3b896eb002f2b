//! Whether anybody listens: a listening socket that can be made deaf and hear again, on the same port.
//!
//! Closing the listener and binding the port anew would let another process take it meanwhile. On Linux `shutdown` ends the
//! listening alone: the kernel then refuses connections to a port that stays ours. A listener that is deaf answers `accept`
//! with errors, so whoever accepts must go on trying.

use std::io;
use std::net::{Shutdown, TcpListener};

use socket2::SockRef;
use tokio::sync::watch;

/// Connections that wait for `accept` at most.
const BACKLOG: i32 = 1024;

/// The way into a server.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    /// Counts how often it was closed: a connection of an earlier count has to end.
    closed: watch::Sender<u64>,
}

impl Door {
    /// The door of a listener; clones of it share its state.
    pub(super) fn of(listener: &TcpListener) -> io::Result<Door> {
        Ok(Door { listener: listener.try_clone()?, closed: watch::Sender::new(0) })
    }

    /// From now on connections are refused, and those that are there break.
    pub(super) fn close(&self) {
        // Elsewhere than on Linux it goes on listening.
        let _ = SockRef::from(&self.listener).shutdown(Shutdown::Read);
        self.closed.send_modify(|times| *times += 1);
    }

    /// Somebody listens again.
    pub(super) fn open(&self) -> io::Result<()> {
        SockRef::from(&self.listener).listen(BACKLOG)
    }

    /// Changes when it is closed.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.closed.subscribe()
    }
}
