//! The wire, as a trait with one real method: a request goes out, a whole answer comes back, or nothing does.
//!
//! Everything that decides anything (retry, token, gate, batch) sits above this trait and is tested over a scripted
//! one. Each way of failing says whether repeating can help; see [`Fault`].

use std::fmt;
use std::time::Instant;

use reqwest::header::HeaderMap;

use super::room::Share;
use crate::cancel::Cancel;

/// A request as it goes out.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    /// The whole address.
    pub(crate) url: &'a str,
    /// Secrets among them are marked sensitive, so that `Debug` does not print them.
    pub(crate) headers: HeaderMap,
    /// With a body it is a POST, without a GET.
    pub(crate) body: Option<Vec<u8>>,
    /// How large the answer may be.
    pub(crate) accept: Accept,
}

/// How large an answer may be, by the service that sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    /// Of the token service, an OpenID configuration or the platform: some kilobytes.
    Small,
    /// Of Graph. It waits for memory that other answers take.
    Page,
    /// Of Graph, ahead of its use: it gets memory at once or fails with [`Fault::NoRoom`].
    PageAhead,
}

impl Accept {
    /// Bytes after decompression.
    pub(crate) fn largest(self) -> usize {
        match self {
            Accept::Small => 1 << 20,
            // A page of 999 users with thirty attributes has two megabytes, a batch of twenty pages of members as much.
            Accept::Page | Accept::PageAhead => 32 << 20,
        }
    }
}

/// A whole answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// As they came.
    pub(crate) headers: HeaderMap,
    /// After decompression.
    pub(crate) body: Vec<u8>,
    /// Gives the body's memory back to other answers when dropped; `None` if the body is small.
    #[expect(dead_code, reason = "held for its drop")]
    pub(crate) share: Option<Share>,
}

impl Reply {
    /// The first header of that name, where it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The server's clock.
    pub(crate) fn date(&self) -> Option<std::time::SystemTime> {
        httpdate::parse_http_date(self.header("date")?).ok()
    }
}

/// Why no whole answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The host has cancelled. Not repeated.
    Cancelled,
    /// The server's certificate was not accepted. Not repeated: it will be the same one.
    Certificate,
    /// The request could not even be written. A bug or a bad header. Not repeated.
    Request,
    /// The answer is larger than any answer of that service. Not repeated.
    TooLarge,
    /// Other answers take the memory. Only an answer ahead of its use ends so, and is asked for again when it is
    /// needed.
    NoRoom,
    /// No connection: name not resolved, refused, no proxy, TLS. Repeated.
    Connect,
    /// Nothing came for too long. Repeated, on a new connection.
    Timeout,
    /// The connection broke, or the body ended early or could not be decompressed. Repeated.
    Interrupted,
}

/// A request without an answer.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// Decides what happens next.
    pub(crate) fault: Fault,
    /// In a few words, for the operator.
    pub(crate) text: String,
}

impl Broken {
    /// Whether repeating can help.
    pub(crate) fn retryable(&self) -> bool {
        match self.fault {
            Fault::Connect | Fault::Timeout | Fault::Interrupted => true,
            Fault::Cancelled | Fault::Certificate | Fault::Request | Fault::TooLarge | Fault::NoRoom => false,
        }
    }
}

/// Sends requests. Shared by all workers of an operation.
pub(crate) trait Transport: Send + Sync + fmt::Debug {
    /// Sends one request, once, and reads the whole answer. Redirects are answers, never followed.
    fn send(&self, outgoing: Outgoing<'_>, cancel: &Cancel) -> Result<Reply, Broken>;

    /// The next request goes over a new connection, unless one was opened anew after `since` already.
    fn reconnect(&self, since: Instant);
}

/// A transport that answers from a script and remembers what it was asked.
#[cfg(test)]
pub(crate) mod scripted {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was asked, as text.
    #[derive(Debug, Clone)]
    pub(crate) struct Asked {
        pub(crate) url: String,
        pub(crate) accept: Accept,
        pub(crate) headers: HeaderMap,
        pub(crate) body: Option<String>,
    }

    impl Asked {
        pub(crate) fn header(&self, name: &str) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap())
        }
    }

    type Answer = Box<dyn FnMut(&Asked) -> Result<Reply, Broken> + Send>;

    #[derive(Default)]
    pub(crate) struct Scripted {
        answers: Mutex<VecDeque<Answer>>,
        asked: Mutex<Vec<Asked>>,
        pub(crate) reconnects: Mutex<u32>,
    }

    impl fmt::Debug for Scripted {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Scripted")
        }
    }

    impl Scripted {
        pub(crate) fn new() -> Arc<Scripted> {
            Arc::default()
        }

        /// Answers the next request that has no answer yet.
        pub(crate) fn then(&self, answer: impl FnMut(&Asked) -> Result<Reply, Broken> + Send + 'static) -> &Scripted {
            self.answers.lock().unwrap().push_back(Box::new(answer));
            self
        }

        pub(crate) fn reply(&self, status: u16, headers: &[(&'static str, &str)], body: &str) -> &Scripted {
            let made = reply(status, headers, body);
            let mut made = Some(made);
            self.then(move |_| Ok(made.take().unwrap()))
        }

        pub(crate) fn breaks(&self, fault: Fault) -> &Scripted {
            self.then(move |_| Err(Broken { fault, text: "broken".to_owned() }))
        }

        pub(crate) fn asked(&self) -> Vec<Asked> {
            self.asked.lock().unwrap().clone()
        }
    }

    pub(crate) fn reply(status: u16, headers: &[(&'static str, &str)], body: &str) -> Reply {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect::<HeaderMap>();
        Reply { status, headers, body: body.as_bytes().to_vec(), share: None }
    }

    impl Transport for Scripted {
        fn send(&self, outgoing: Outgoing<'_>, _: &Cancel) -> Result<Reply, Broken> {
            let asked = Asked {
                url: outgoing.url.to_owned(),
                accept: outgoing.accept,
                headers: outgoing.headers,
                body: outgoing.body.map(|body| String::from_utf8(body).unwrap()),
            };
            self.asked.lock().unwrap().push(asked.clone());
            let answer = self.answers.lock().unwrap().pop_front();
            answer.unwrap_or_else(|| panic!("nobody scripted an answer to {}", asked.url))(&asked)
        }

        fn reconnect(&self, _: Instant) {
            *self.reconnects.lock().unwrap() += 1;
        }
    }
}
