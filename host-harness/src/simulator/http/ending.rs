//! How a connection ends when a fault breaks it.

use std::sync::Arc;

use tokio::sync::Notify;

/// How the connection goes on after the response.
pub(super) enum Ending {
    /// It breaks, now or when the body says so.
    Reset,
    /// It breaks, and with it the others; nobody listens any more.
    GoesAway,
}

/// Ends a connection from within one of its exchanges.
#[derive(Debug, Clone, Default)]
pub(super) struct Break(Arc<Notify>);

impl Break {
    /// Nothing more goes over it; whether it says goodbye is the socket's business.
    pub(super) fn now(&self) {
        self.0.notify_one();
    }

    /// Until that happens.
    pub(super) async fn happened(&self) {
        self.0.notified().await;
    }
}
