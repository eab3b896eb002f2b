//! One import or check, as the boundary sees it: started, pulled, asked, released.
//!
//! The boundary holds an [`Operation`] and never a thread: workers run until they notice the cancel flag, and nobody
//! waits for them. Dropping the last handle therefore never blocks on the network.

mod check;
mod import;
mod outcome;
mod result;
#[cfg(any(test, feature = "scripted"))]
mod scripted;
mod stream;

#[cfg(test)]
mod tests;

use std::sync::{Arc, mpsc};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::cancel::Cancel;
use crate::config::{self, Config, Setup};
use crate::counters::{Counters, Totals};
use crate::error::{Document, Error, Kind, Problem};
use crate::graph::{Connection, Graph};
use crate::log::{Level, Log};
use crate::named_file;
use crate::sync::Tally;
use crate::threads::{caught, spawned};
use result::ResultNotes;
#[cfg(any(test, feature = "scripted"))]
pub use scripted::Script;
pub use stream::{Batch, Ending, Limits, Next, Waker};
use stream::{Notifier, Stream};

/// What a host passes when it starts an operation.
pub struct Request<'a> {
    /// ConfigJson.
    pub config: &'a str,
    /// AuthJson.
    pub auth: &'a str,
    /// From an earlier checkpoint; `None` or empty: full import.
    pub watermark: Option<&'a str>,
    /// Batch sizes.
    pub limits: Limits,
    /// Lines above it are not made.
    pub max_log_level: Level,
    /// Called when `next` has something after it answered Pending.
    pub wake: Option<Waker>,
}

impl std::fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The texts hold secrets.
        f.debug_struct("Request").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// What an operation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Import,
    Check,
}

/// A running or finished operation.
#[derive(Debug)]
pub struct Operation {
    stream: Arc<Stream>,
    cancel: Cancel,
    counters: Counters,
    log: Log,
    notes: Arc<ResultNotes>,
}

/// Where an operation stands, with its counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What it has come to.
    pub state: State,
    /// The counters.
    pub totals: Totals,
    /// Since the start.
    pub elapsed: Duration,
}

/// As the header's `CONNECTOR_STATE_…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not over.
    Running,
    /// Ended whole.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Ended by the host.
    Cancelled,
    /// Ended in order, something is missing.
    Partial,
}

/// Everything the operation's threads share.
struct Context {
    config: Config,
    graph: Graph,
    cancel: Cancel,
    stream: Arc<Stream>,
    log: Log,
    notes: Arc<ResultNotes>,
    credential: check::Credential,
}

/// What the operation's own thread does.
type Work = Box<dyn FnOnce(&Context) -> Ending + Send>;

impl Operation {
    /// Starts an import. Faults that need no network come back here.
    pub fn import(request: Request<'_>) -> Result<Operation, Error> {
        let watermark = request.watermark.map(str::to_owned);
        Operation::start(request, Purpose::Import, move |context| import::prepare(context, watermark.as_deref()))
    }

    /// Starts a connection test.
    pub fn check(request: Request<'_>) -> Result<Operation, Error> {
        // Anything wrong with it is a row, like everything else that is wrong.
        let watermark = request.watermark.map(str::to_owned);
        Operation::start(request, Purpose::Check, |_| {
            Ok(Box::new(move |context| check::run(context, watermark.as_deref())))
        })
    }

    /// What an importing connector answers to an export.
    pub fn export() -> Error {
        Error::new(
            Kind::NotSupported,
            "EntraId imports only: it never writes to Microsoft Entra ID; let the engine treat this connector as a source, \
             switch exports off for it, and provision through a connector whose Direction in Describe names Export",
        )
    }

    /// Reads both documents and prepares everything that needs no network.
    fn start(
        request: Request<'_>,
        purpose: Purpose,
        prepare: impl FnOnce(&Context) -> Result<Work, Error> + Send + 'static,
    ) -> Result<Operation, Error> {
        // Copied once: the documents are the host's, and its thread is not the one that reads them.
        let texts = Zeroizing::new([request.config.to_owned(), request.auth.to_owned()]);
        let (limits, max_log_level, wake) = (request.limits, request.max_log_level, request.wake);
        Operation::launch(move || {
            let [config, auth] = &*texts;
            let Setup { config, auth } = config::parse(config, auth)?;
            drop(texts);
            let credential = check::Credential::of(&auth);
            let cancel = Cancel::new();
            let counters = Counters::new();
            let log = Log::new(max_log_level);
            let tallies = match purpose {
                Purpose::Import => import::tallies(&config),
                Purpose::Check => Vec::new(),
            };
            let notes = Arc::new(ResultNotes::new(purpose, tallies, counters.clone()));
            let connection = Connection {
                origin: config.graph_origin.clone(),
                authority: config.authority.clone(),
                scope: config.scope.clone(),
                tenant: config.tenant.as_str().to_owned(),
                auth,
                proxy: config.proxy.clone(),
                ca_pem: read_ca_file(&config)?,
                max_retries: config.max_retries,
                retry_base: config.retry_base,
                max_concurrency: config.max_concurrency,
            };
            let graph = Graph::connect(connection, cancel.clone(), counters.clone(), log.clone())?;
            let notifier = wake.map(Notifier::start).transpose()?;
            let stream = Arc::new(Stream::new(limits, counters.clone(), notifier));
            let context = Context {
                config,
                graph,
                cancel: cancel.clone(),
                stream: stream.clone(),
                log: log.clone(),
                notes: notes.clone(),
                credential,
            };
            let work = prepare(&context)?;
            Ok((Operation { stream, cancel, counters, log, notes }, context, work))
        })
    }

    /// Starts the operation's own thread, which first does `begin`, and waits for that. The documents are read there
    /// and not on the host's thread: how deep they nest is the operator's choice, and a host's thread may have a small
    /// stack. The context is dropped once the host can learn the ending: closing connections may take a while.
    fn launch<C, W: FnOnce(&C) -> Ending>(
        begin: impl FnOnce() -> Result<(Operation, C, W), Error> + Send + 'static,
    ) -> Result<Operation, Error> {
        let (begun, begins) = mpsc::channel();
        spawned("entra-operation", move || {
            let (operation, context, work) = match caught(begin) {
                Ok(begun) => begun,
                Err(error) => {
                    let _ = begun.send(Err(error));
                    return;
                }
            };
            let stream = Arc::clone(&operation.stream);
            // The host waits for it, so it arrives.
            let _ = begun.send(Ok(operation));
            let ending = caught(|| Ok(work(&context))).unwrap_or_else(Ending::Failed);
            stream.finish(ending);
        })?;
        begins.recv().unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the operation's thread ended early")))
    }

    /// The next batch, or how it ended. `None`: waits as long as it takes.
    pub fn next(&self, timeout: Option<Duration>) -> Next {
        let next = self.stream.next(timeout);
        if let Next::Ended(ending) = &next {
            self.notes.ended(ending);
        }
        next
    }

    /// Asks it to stop. Returns at once.
    pub fn cancel(&self) {
        self.cancel.cancel();
        self.stream.cancel();
    }

    /// Cancels, and makes sure that no wake-up follows; waits for one that is being called right now. The wake-up is
    /// forgotten first, so that the cancel has none called.
    pub fn release(&self) {
        self.stream.forget_waker();
        self.cancel();
    }

    /// Log lines since the last call. Only the host's own threads ask.
    pub fn take_log(&self) -> Vec<(Level, String)> {
        self.log.take()
    }

    /// Counters now.
    pub fn standing(&self) -> Standing {
        Standing { state: self.notes.state(), totals: self.counters.totals(), elapsed: self.notes.elapsed() }
    }

    /// The result JSON; `InvalidState` until `next` has said how it ended.
    pub fn result(&self) -> Result<String, Error> {
        self.notes.to_json(self.stream.last_checkpoint()).ok_or_else(|| {
            Error::new(Kind::InvalidState, "the result is there once OperationNext has answered an END or an error")
        })
    }
}

/// A bundle of all public authorities has a quarter of a megabyte.
const LARGEST_CA_FILE: u64 = 4 * 1024 * 1024;

fn read_ca_file(config: &Config) -> Result<Option<Vec<u8>>, Error> {
    let Some(path) = &config.ca_file else { return Ok(None) };
    let refused = match named_file::read(path, LARGEST_CA_FILE) {
        Ok(bytes) => return Ok(Some(bytes.to_vec())),
        Err(refused) => refused,
    };
    let message = match &refused {
        named_file::Refused::System(_) => "CaFile cannot be read by the account this process runs as".to_owned(),
        other => format!("CaFile names {other}; it must name a file with the certificates to trust, in PEM form"),
    };
    let mut error = Error::new(Kind::InvalidConfig, message).with_cause(&refused);
    error.problems.push(Problem {
        document: Document::Config,
        path: "/CaFile".to_owned(),
        found: format!("{}: {refused}", path.display()),
        expected:
            "the absolute path of a regular file of at most 4 MiB with PEM certificates, which the account of this \
                   process may read"
                .to_owned(),
        nearest: None,
    });
    Err(error)
}

/// The tallies of the object types switched on, for the import and the result.
type Tallies = Vec<Arc<Tally>>;
