//! One import: token, tenant, plan, then every object type that is switched on, side by side.
//!
//! An object type that cannot be read costs only itself: its set is closed as incomplete and the others go on. A token
//! or configuration error ends them all; sets then stay open, which removes nothing in any host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::outcome::{Ended, ending};
use super::stream::{Ending, Stream};
use super::{Context, Tallies, Work};
use crate::config::{Config, Tenant};
use crate::error::{Document, Error, Kind, Problem};
use crate::filter::Filter;
use crate::graph::Graph;
use crate::log::Level;
use crate::mapping::Records;
use crate::read::{Over, Run, TypeRun, plan_of, switched_on, way_of};
use crate::sync::{Hold, Ledger, Notes, Plan, RecordSink, Tally, Watermark};
use crate::threads::{caught, joined, named};
use crate::types::ObjectType;

/// A tally for each object type that is switched on, in the order of `Describe`.
pub(super) fn tallies(config: &Config) -> Tallies {
    switched_on(config).iter().map(|object_type| Arc::new(Tally::new(object_type.name))).collect()
}

/// Checks the watermark against the configuration as far as no network is needed, and answers the work to do.
pub(super) fn prepare(context: &Context, watermark: Option<&str>) -> Result<Work, Error> {
    // Empty is the same as none.
    let watermark = watermark.filter(|t| !t.is_empty()).map(Watermark::parse).transpose()?;
    if let Tenant::Guid(tenant) = &context.config.tenant {
        // A domain is not an identity: which directory it names is the authority's to say, and then is soon enough.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        planned(context, watermark.as_ref(), tenant, now)?;
    }
    Ok(Box::new(move |context| run(context, watermark.as_ref()).unwrap_or_else(Ending::Failed)))
}

pub(super) fn planned(context: &Context, watermark: Option<&Watermark>, tenant: &str, now: u64) -> Result<Plan, Error> {
    plan_of(&context.config, watermark, tenant, now, |link| context.graph.follow(link).is_ok())
}

fn run(context: &Context, watermark: Option<&Watermark>) -> Result<Ending, Error> {
    let config = &context.config;
    let tenant = context.graph.tenant_guid()?;
    context.graph.token()?;
    // By the clock of whoever gave the token: ages of links are measured in Microsoft's time.
    let plan = planned(context, watermark, &tenant, context.graph.now())?;
    let notes = Notes::default();
    let on = switched_on(config);
    let warnings = on.iter().filter_map(|object_type| way_of(object_type).warning(config));
    plan.warnings.iter().cloned().chain(warnings).for_each(|warning| notes.add(warning));
    let lines: Vec<TypeRun> = context
        .notes
        .tallies()
        .iter()
        .map(|tally| TypeRun { tally: Arc::clone(tally), hold: config.max_deletes.map(Hold::new) })
        .collect();
    for line in &lines {
        if plan.carried.lacking.iter().any(|name| name == line.tally.object_type()) {
            line.tally.inherits_lacking();
        }
    }
    let names: Vec<_> = lines.iter().map(|line| line.tally.object_type()).collect();
    let over = Over::new(names.iter().copied());
    let ledger = Ledger::new(plan.carried.clone(), names);
    let sink = Sink { stream: &context.stream, graph: &context.graph, goes_on: watermark.is_some() };
    let run = Run {
        graph: &context.graph,
        config,
        plan: &plan,
        sink: &sink,
        ledger: &ledger,
        lines: &lines,
        notes: &notes,
        over: &over,
        cancel: &context.cancel,
    };
    let fatal = Mutex::new(None::<Error>);
    let outcomes: Vec<Result<(), Error>> = std::thread::scope(|threads| {
        let leading = on.iter().copied().filter(|object_type| way_of(object_type).comes_with(config).is_none());
        let started: Vec<_> = leading
            .map(|leading| {
                let fatal = &fatal;
                let rides = |other: &&&ObjectType| way_of(other).comes_with(config) == Some(leading);
                let together: Vec<_> = [leading].into_iter().chain(on.iter().filter(rides).copied()).collect();
                named(threads, "entra-import", move || {
                    let outcome = caught(|| one_type(&together, context, run, fatal));
                    // Also after a panic while a set was being closed: other types wait for this one.
                    for object_type in &together {
                        run.over.report(object_type.name);
                    }
                    outcome
                })
            })
            .collect();
        if started.iter().any(Result::is_err) {
            // A type that others wait for may not be running.
            over.report_all();
        }
        started.into_iter().map(joined).collect()
    });
    for warning in notes.take() {
        context.log.write(Level::Warn, || warning.message.clone());
        context.notes.warn([warning]);
    }
    // The errors that a fatal one caused in its siblings are its echo.
    let errors = match fatal.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(first) => vec![first],
        None => outcomes.into_iter().filter_map(Result::err).collect(),
    };
    let ended = Ended {
        errors,
        some_complete: lines.iter().any(|line| line.tally.totals().complete),
        // A group on the repair list may have been left there by the run that this one resumes.
        lacking: lines.iter().any(|line| line.tally.is_partial()) || ledger.with(|mark| !mark.lists.repair.is_empty()),
    };
    Ok(ending(ended, ledger.text()))
}

/// The run's queue. A first import hands out no watermark while nothing was read: it would bind the host to an address
/// at which Graph may not be.
struct Sink<'a> {
    stream: &'a Stream,
    graph: &'a Graph,
    /// The host gave a watermark of the same tenant and address.
    goes_on: bool,
}

impl RecordSink for Sink<'_> {
    fn push(&self, records: &Records, checkpoint: Option<String>) -> Result<(), Error> {
        self.stream.push(records, checkpoint.filter(|_| self.goes_on || self.graph.has_read()))
    }

    fn checkpoint_rows(&self) -> u64 {
        self.stream.checkpoint_rows()
    }

    fn admit(&self, readers: usize) -> Result<(), Error> {
        self.stream.admit(readers)
    }

    fn leave(&self) {
        self.stream.leave();
    }
}

/// One object type, the first of `together`, and those that come with it, Begin to End.
fn one_type(
    together: &[&'static ObjectType],
    context: &Context,
    run: Run<'_>,
    fatal: &Mutex<Option<Error>>,
) -> Result<(), Error> {
    let leading = together[0];
    context.log.write(Level::Info, || format!("{}: import starts", leading.name));
    let outcome = caught(|| way_of(leading).import(leading, run));
    let outcome = outcome.map_err(|error| for_operators(error, leading, &context.config));
    let result = match outcome {
        Ok(()) => Ok(()),
        Err(failure) => closed(failure, together, context, run, fatal),
    };
    for object_type in together {
        let totals = run.writer(object_type).tally.totals();
        context.log.write(Level::Info, || {
            let counts = totals.counts;
            let (upserts, deletes, unread) = (counts.upserts, counts.deletes, counts.unread_scopes);
            format!("{}: {upserts} upserts, {deletes} deletes, {unread} scopes unread", object_type.name)
        });
    }
    result
}

/// Closes what a failure left open; answers the failure.
fn closed(
    failure: Error,
    together: &[&'static ObjectType],
    context: &Context,
    run: Run<'_>,
    fatal: &Mutex<Option<Error>>,
) -> Result<(), Error> {
    context.log.write(Level::Error, || format!("{}: {}", together[0].name, failure.message));
    if failure.kind.ends_everything() {
        let mut first = fatal.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.kind != Kind::Cancelled {
            first.get_or_insert_with(|| failure.clone());
        }
        drop(first);
        // Ends the siblings; the host has not cancelled, so its queue stays open for the error.
        context.cancel.cancel();
        return Err(failure);
    }
    for object_type in together {
        let writer = run.writer(object_type);
        writer.tally.failed(&failure);
        // Its set has an End and cannot be resumed, so the next run begins again.
        writer.give_up(&failure, |mark| mark.of_mut(object_type).position = None)?;
    }
    Err(failure)
}

/// The error with the object type, and with the step that mends it.
pub(super) fn for_operators(error: Error, object_type: &'static ObjectType, config: &Config) -> Error {
    // A type that came with another one has named itself.
    let named = error.object_type.unwrap_or(object_type.name);
    let error = error.with_object_type(named);
    match error.kind {
        Kind::Forbidden => {
            let needed = object_type.permissions.join(" and ");
            let message = format!("{} ({} needs the application permission {needed})", error.message, object_type.name);
            Error { message, ..error }
        }
        Kind::InvalidConfig => {
            let filter = config.group_selection_filter.as_ref().map(Filter::text);
            about("GroupSelectionFilter", &serde_json::json!(filter), error)
        }
        Kind::Service if error.http.as_ref().is_some_and(|http| http.status == 400) => {
            // Graph knows the names that every import selects; what is left are those that the operator added.
            let added: Vec<_> = config.added_to(object_type).iter().map(|attribute| &attribute.name).collect();
            match object_type.extra {
                Some(extra) if !added.is_empty() => about(extra.key, &serde_json::json!(added), error),
                _ => error,
            }
        }
        _ => error,
    }
}

/// A refusal by Graph of what the operator wrote under `key`: a configuration error with its place, in Graph's words.
fn about(key: &str, found: &serde_json::Value, error: Error) -> Error {
    let problem = Problem {
        document: Document::Config,
        path: format!("/{key}"),
        found: found.to_string(),
        expected: format!("what Graph accepts: {}", error.message),
        nearest: None,
    };
    let message = format!("{key}: {}", error.message);
    Error { kind: Kind::InvalidConfig, message, problems: vec![problem], ..error }
}
