//! Response bodies that can misbehave: pieces, pauses, silence, an abort; and streams of lines too long to build.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::ending::Break;

/// What a body does next.
#[derive(Debug)]
pub(super) enum Piece {
    Bytes(Bytes),
    Pause(Duration),
    /// Nothing more, ever; the connection stays open.
    Silence,
    /// The connection breaks.
    Abort,
}

/// Lines computed while they are sent.
type Lines = Box<dyn Iterator<Item = String> + Send>;

/// A response body.
pub(super) struct Payload {
    pieces: VecDeque<Piece>,
    pause: Option<Pin<Box<Sleep>>>,
    lines: Option<Lines>,
    connection: Option<Break>,
}

/// How much of a stream of lines goes out at once.
const BLOCK: usize = 64 * 1024;

impl Payload {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Payload {
        let bytes = bytes.into();
        Payload::pieces(if bytes.is_empty() { Vec::new() } else { vec![Piece::Bytes(bytes)] })
    }

    pub(super) fn pieces(pieces: Vec<Piece>) -> Payload {
        Payload { pieces: pieces.into(), pause: None, lines: None, connection: None }
    }

    pub(super) fn lines(lines: impl Iterator<Item = String> + Send + 'static) -> Payload {
        Payload { pieces: VecDeque::new(), pause: None, lines: Some(Box::new(lines)), connection: None }
    }

    /// The connection that an abort breaks.
    pub(super) fn on(&mut self, connection: Break) {
        self.connection = Some(connection);
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Payload").field("pieces", &self.pieces.len()).finish_non_exhaustive()
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                match pause.as_mut().poll(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(()) => self.pause = None,
                }
            }
            match self.pieces.pop_front() {
                Some(Piece::Bytes(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Piece::Pause(length)) => self.pause = Some(Box::pin(sleep(length))),
                Some(Piece::Silence) => {
                    // Hyper drops the body when the client leaves or the runtime ends; no waker is needed for either.
                    self.pieces.push_front(Piece::Silence);
                    return Poll::Pending;
                }
                Some(Piece::Abort) => {
                    // An error would end one stream of HTTP/2 and leave the connection as it is.
                    if let Some(connection) = &self.connection {
                        connection.now();
                    }
                    self.pieces.push_front(Piece::Silence);
                    return Poll::Pending;
                }
                None => break,
            }
        }
        let Some(lines) = &mut self.lines else { return Poll::Ready(None) };
        let mut block = String::with_capacity(BLOCK);
        while block.len() < BLOCK {
            match lines.next() {
                Some(line) => block.push_str(&line),
                None => break,
            }
        }
        if block.is_empty() { Poll::Ready(None) } else { Poll::Ready(Some(Ok(Frame::data(block.into())))) }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && self.lines.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let mut length = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Bytes(bytes) => length += bytes.len() as u64,
                Piece::Pause(_) => {}
                Piece::Silence | Piece::Abort => return SizeHint::default(),
            }
        }
        if self.lines.is_some() { SizeHint::default() } else { SizeHint::with_exact(length) }
    }
}
