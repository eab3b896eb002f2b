//! Microsoft Graph as a function: a request in, an answer out, no sockets.
//!
//! `answer` is what both the HTTP server and a batch item go through: permission, throttling, then the endpoint.

pub(crate) mod answer;
mod applications;
mod batch;
mod children;
pub(crate) mod delta;
mod expand;
pub(crate) mod faulted;
mod list;
mod log;
mod order;
mod paging;
pub(crate) mod refused_token;
pub(crate) mod request;
pub(crate) mod target;
mod throttled;

use self::answer::{Answer, GraphError};
use self::request::{Options, Request};
use self::target::Target;
use super::service::Service;
use super::workload::{Licence, Workload};

/// What Graph says its JSON is.
pub(crate) const CONTENT_TYPE: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// What every part of an answer may need to know of the request's surroundings.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) service: &'a Service,
    /// Scheme, host and port as the client addressed them; links carry it.
    pub(crate) origin: String,
    pub(crate) request_id: String,
    pub(crate) client_request_id: String,
}

impl Context<'_> {
    /// A number that never comes again.
    pub(crate) fn nonce(&self) -> u64 {
        self.service.nonce()
    }
}

/// Answer a request to Graph whose token was accepted.
pub(crate) fn answer(context: &Context<'_>, request: &Request, target: &Target) -> Answer {
    if *target == Target::Batch {
        if request.method != "POST" {
            return wrong_method(&request.method).into_answer(context);
        }
        return batch::batch(context, request).unwrap_or_else(|error| error.into_answer(context));
    }
    charged(context, request, target)
}

/// Answer one request and charge its resource units, or turn it away as throttled.
fn charged(context: &Context<'_>, request: &Request, target: &Target) -> Answer {
    // A service of its own does not count resource units.
    if let Target::Log(stream) = target {
        return throttled::of(context, stream.table().workload)
            .unwrap_or_else(|| endpoint(context, request, target).unwrap_or_else(|error| error.into_answer(context)));
    }
    let units = units(request, target);
    if let Err(throttled) = throttled::charge(context, units) {
        return throttled;
    }
    let answer = endpoint(context, request, target).unwrap_or_else(|error| error.into_answer(context));
    let answer = Answer { units, ..answer };
    match context.service.load() {
        Some(percentage) => answer.header("x-ms-throttle-limit-percentage", percentage),
        None => answer,
    }
}

fn endpoint(context: &Context<'_>, request: &Request, target: &Target) -> Result<Answer, GraphError> {
    if request.method != "GET" {
        return Err(wrong_method(&request.method));
    }
    if let Some(gate) = Gate::of(target) {
        gate.open(context)?;
    }
    match target {
        Target::Delta(kind) => delta::delta(context, request, *kind),
        Target::List(kind) => list::list(context, request, *kind),
        Target::Count(kind) => list::count(context, request, *kind),
        Target::Object(kind, id) => list::object(context, request, *kind, id),
        Target::Children { relation, parent, cast } => children::children(context, request, *relation, parent, *cast),
        Target::ChildCount { relation, parent } => children::count(context, request, *relation, parent),
        Target::Parents { relation, kind, id, cast } => {
            children::parents(context, request, *relation, *kind, id, *cast)
        }
        Target::Deleted(kind) => list::deleted(context, request, *kind),
        Target::Log(stream) => log::log(context, request, *stream),
        Target::Applications => applications::applications(context, request),
        Target::Batch => Err(GraphError::new(400, "BadRequest", "A batch cannot hold a batch.")),
        Target::Unknown(segment) => {
            Err(GraphError::new(400, "BadRequest", format!("Resource not found for the segment '{segment}'.")))
        }
    }
}

/// What a request needs before it is answered, and the service that refuses it otherwise.
struct Gate {
    any_of: &'static [&'static str],
    licence: Option<Licence>,
    workload: Workload,
}

impl Gate {
    /// None where nothing is served.
    fn of(target: &Target) -> Option<Gate> {
        let directory = |any_of| Some(Gate { any_of, licence: None, workload: Workload::Directory });
        match target {
            Target::Delta(kind) | Target::List(kind) | Target::Count(kind) | Target::Object(kind, _) => {
                let table = kind.table();
                let served = table.served.as_ref()?;
                Some(Gate { any_of: table.read, licence: served.licence, workload: served.workload })
            }
            Target::Deleted(kind) => directory(kind.table().served.as_ref()?.bin?),
            Target::Children { relation, .. }
            | Target::ChildCount { relation, .. }
            | Target::Parents { relation, .. } => directory(relation.table().read),
            Target::Log(stream) => {
                let table = stream.table();
                Some(Gate { any_of: table.read, licence: table.licence, workload: table.workload })
            }
            Target::Applications => directory(applications::READ),
            Target::Batch | Target::Unknown(_) => None,
        }
    }

    fn open(&self, context: &Context<'_>) -> Result<(), GraphError> {
        let world = &context.service.world;
        if !world.permissions.allow(self.any_of) {
            return Err(GraphError::refused(self.workload.denied(self.any_of.first().unwrap_or(&""))));
        }
        if self.licence.is_some_and(|licence| !world.licences.contains(&licence)) {
            return Err(GraphError::refused(self.workload.unlicensed()));
        }
        Ok(())
    }
}

fn wrong_method(method: &str) -> GraphError {
    GraphError::new(
        405,
        "Request_BadRequest",
        format!("Specified HTTP method {method} is not allowed for the request target."),
    )
}

/// The published price of a request; `$select` and small pages make it cheaper.
fn units(request: &Request, target: &Target) -> u32 {
    let base: u32 = match target {
        Target::Children { relation, .. } | Target::ChildCount { relation, .. } => relation.table().units,
        Target::Parents { relation, .. } => relation.table().reverse_units,
        Target::List(kind) => kind.table().served.as_ref().map_or(1, |served| served.units),
        Target::Applications => 2,
        Target::Delta(_)
        | Target::Count(_)
        | Target::Object(..)
        | Target::Deleted(_)
        | Target::Log(_)
        | Target::Batch
        | Target::Unknown(_) => 1,
    };
    let options = Options::parse(&request.query);
    let select = u32::from(options.get("$select").is_some());
    let expand = u32::from(options.get("$expand").is_some());
    let small = u32::from(options.get("$top").and_then(|top| top.parse::<u32>().ok()).is_some_and(|top| top < 20));
    (base + expand).saturating_sub(select + small).max(1)
}
