//! One import: token, tenant, plan, then every object type that is switched on, side by side.
//!
//! An object type that cannot be read costs only itself: its set is closed as incomplete and the others go on. A token or
//! configuration error ends them all; sets then stay open, which removes nothing in any host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::outcome::{Ended, ending};
use super::stream::{Ending, Stream};
use super::{Context, Tallies, Work};
use crate::config::{Config, ExtraAttribute, Tenant};
use crate::error::{Document, Error, Kind, Problem};
use crate::filter::Filter;
use crate::graph::Graph;
use crate::importer::{ALL, Asked, Importer, Line, Run};
use crate::latch::Latch;
use crate::log::Level;
use crate::mapping::Records;
use crate::sync::{Hold, Ledger, Notes, Plan, RecordSink, Tally, Warning, Watermark, plan};
use crate::threads::{caught, joined, named};

/// A tally for each object type that is switched on, in the order of `Describe`.
pub(super) fn tallies(config: &Config) -> Tallies {
    ALL.iter().filter(|i| i.is_on(config)).map(|i| Arc::new(Tally::new(i.object_type().name))).collect()
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
    let asked = Asked::from(&context.config);
    let wanted = asked.wanted(tenant, &context.config.graph_origin, now);
    plan(watermark, &wanted, |link| context.graph.follow(link).is_ok())
}

fn run(context: &Context, watermark: Option<&Watermark>) -> Result<Ending, Error> {
    let config = &context.config;
    let tenant = context.graph.tenant_guid()?;
    context.graph.token()?;
    // By the clock of whoever gave the token: ages of links are measured in Microsoft's time.
    let plan = planned(context, watermark, &tenant, context.graph.now())?;
    let notes = Notes::default();
    plan.warnings.iter().cloned().chain(filtered_list(config)).for_each(|warning| notes.add(warning));
    let lines: Vec<Line> = context
        .notes
        .tallies()
        .iter()
        .map(|tally| Line { tally: Arc::clone(tally), hold: config.max_deletes.map(Hold::new) })
        .collect();
    for line in &lines {
        if plan.carried.lacking.iter().any(|name| name == line.tally.object_type()) {
            line.tally.inherits_lacking();
        }
    }
    let names = lines.iter().map(|line| line.tally.object_type()).collect();
    let ledger = Ledger::new(plan.carried.clone(), names);
    let users_over = Latch::default();
    let sink = Sink { stream: &context.stream, graph: &context.graph, goes_on: watermark.is_some() };
    let run = Run {
        graph: &context.graph,
        config,
        plan: &plan,
        sink: &sink,
        ledger: &ledger,
        lines: &lines,
        notes: &notes,
        users_over: &users_over,
        cancel: &context.cancel,
    };
    let fatal = Mutex::new(None::<Error>);
    let on: Vec<&dyn Importer> = ALL.iter().copied().filter(|i| i.is_on(config)).collect();
    let outcomes: Vec<Result<(), Error>> = std::thread::scope(|threads| {
        let leading = on.iter().filter(|importer| importer.comes_with(config).is_none());
        let started: Vec<_> = leading
            .map(|importer| {
                let (fatal, users_over, importer) = (&fatal, &users_over, *importer);
                let name = importer.object_type().name;
                let riders = on.iter().filter(|other| other.comes_with(config) == Some(name));
                let brought: Vec<_> = riders.map(|rider| rider.object_type().name).collect();
                named(threads, "entra-import", move || {
                    let outcome = caught(|| one_type(importer, &brought, context, run, fatal));
                    if name == "User" {
                        // Whatever happened, a bug while its set was being closed too: others wait for this.
                        users_over.open();
                    }
                    outcome
                })
            })
            .collect();
        if started.iter().any(Result::is_err) {
            // Whoever would have opened it may not be running.
            users_over.open();
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

/// The run's queue. A first import hands out no watermark while nothing was read: it would bind the host to an address at
/// which Graph may not be.
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

/// What the operator should know when groups cannot be read by delta.
fn filtered_list(config: &Config) -> Option<Warning> {
    let why = config.group_selection_filter.as_ref().filter(|_| config.import_groups)?.why_not_here()?;
    Some(Warning {
        code: "FilteredList",
        object_type: Some("Group"),
        message: format!(
            "groups are read as a full list on every run, since only Graph can evaluate GroupSelectionFilter: {why}"
        ),
    })
}

/// One object type and those that come with it, Begin to End.
fn one_type(
    importer: &dyn Importer,
    brought: &[&'static str],
    context: &Context,
    run: Run<'_>,
    fatal: &Mutex<Option<Error>>,
) -> Result<(), Error> {
    let name = importer.object_type().name;
    context.log.write(Level::Info, || format!("{name}: import starts"));
    let outcome = caught(|| importer.import(run)).map_err(|error| for_operators(error, importer, &context.config));
    let result = match outcome {
        Ok(()) => Ok(()),
        Err(failure) => closed(failure, name, brought, context, run, fatal),
    };
    for object_type in [name].iter().chain(brought) {
        let totals = run.writer(object_type).tally.totals();
        context.log.write(Level::Info, || {
            let counts = totals.counts;
            let (upserts, deletes, unread) = (counts.upserts, counts.deletes, counts.unread_scopes);
            format!("{object_type}: {upserts} upserts, {deletes} deletes, {unread} scopes unread")
        });
    }
    result
}

/// Closes what a failure left open; answers the failure.
fn closed(
    failure: Error,
    name: &'static str,
    brought: &[&'static str],
    context: &Context,
    run: Run<'_>,
    fatal: &Mutex<Option<Error>>,
) -> Result<(), Error> {
    context.log.write(Level::Error, || format!("{name}: {}", failure.message));
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
    for object_type in [name].iter().chain(brought) {
        run.writer(object_type).tally.failed(&failure);
        run.writer(object_type).give_up(&failure, |mark| begin_again(mark, object_type))?;
    }
    Err(failure)
}

/// A type that was given up begins its round again with the next run: its set has an End, and cannot be resumed.
fn begin_again(mark: &mut Watermark, object_type: &str) {
    match object_type {
        "User" => mark.users.position = None,
        "Group" => mark.groups.position = None,
        _ => mark.members = None,
    }
}

/// The error with the object type, and with the step that mends it.
pub(super) fn for_operators(error: Error, importer: &dyn Importer, config: &Config) -> Error {
    let object_type = importer.object_type();
    // A type that came with another one has named itself.
    let named = error.object_type.unwrap_or(object_type.name);
    let error = error.with_object_type(named);
    match error.kind {
        Kind::Forbidden => {
            let needed = object_type.permissions.join(" and ");
            let message = format!("{} ({} needs the application permission {needed})", error.message, object_type.name);
            Error { message, ..error }
        }
        Kind::InvalidConfig => about(config, error, "/GroupSelectionFilter"),
        Kind::Service if error.http.as_ref().is_some_and(|http| http.status == 400) => {
            // Names of our own Graph knows; what is left is what the operator added.
            match object_type.name {
                "User" if !config.user_attributes.is_empty() => about(config, error, "/UserAttributes"),
                "Group" if !config.group_attributes.is_empty() => about(config, error, "/GroupAttributes"),
                _ => error,
            }
        }
        _ => error,
    }
}

/// A refusal by Graph of something the operator wrote: a configuration error with its place, in Graph's words.
fn about(config: &Config, error: Error, path: &str) -> Error {
    let names = |attributes: &[ExtraAttribute]| attributes.iter().map(|a| a.name.clone()).collect::<Vec<_>>();
    let found = match path {
        "/UserAttributes" => serde_json::json!(names(&config.user_attributes)),
        "/GroupAttributes" => serde_json::json!(names(&config.group_attributes)),
        _ => serde_json::json!(config.group_selection_filter.as_ref().map(Filter::text)),
    };
    let problem = Problem {
        document: Document::Config,
        path: path.to_owned(),
        found: found.to_string(),
        expected: format!("what Graph accepts: {}", error.message),
        nearest: None,
    };
    let message = format!("{}: {}", path.trim_start_matches('/'), error.message);
    Error { kind: Kind::InvalidConfig, message, problems: vec![problem], ..error }
}
