//! One import: token, tenant, plan, then every object type that is switched on, side by side.
//!
//! An object type that cannot be read costs only itself: its set is closed as incomplete and the others go on. A token or
//! configuration error ends them all; sets then stay open, which removes nothing in any host.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::outcome::{ending, is_fatal};
use super::stream::Ending;
use super::{Context, Tallies, Work};
use crate::config::{Config, ExtraAttribute, Tenant};
use crate::error::{Document, Error, Kind, Problem};
use crate::importer::{ALL, Asked, Importer, Run};
use crate::log::Level;
use crate::sync::{Ledger, Plan, SetWriter, Tally, Warning, Watermark, expired, plan};
use crate::threads::{caught, joined, named};

/// A tally for each object type that is switched on, in the order of `Describe`.
pub(super) fn tallies(config: &Config) -> Tallies {
    ALL.iter().filter(|i| i.is_on(config)).map(|i| Arc::new(Tally::new(i.object_type().name))).collect()
}

/// Checks the watermark against the configuration as far as no network is needed, and answers the work to do.
pub(super) fn prepare(context: &Context, watermark: Option<&str>) -> Result<Work, Error> {
    // Empty is the same as none.
    let watermark = watermark.filter(|t| !t.is_empty()).map(Watermark::parse).transpose()?;
    let early = match &context.config.tenant {
        Tenant::Guid(tenant) => Some(planned(context, watermark.as_ref(), tenant)?),
        // A domain is not an identity: which directory it names is the authority's to say.
        Tenant::Domain(_) => None,
    };
    Ok(Box::new(move |context| run(context, watermark.as_ref(), early).unwrap_or_else(Ending::Failed)))
}

fn planned(context: &Context, watermark: Option<&Watermark>, tenant: &str) -> Result<Plan, Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let asked = Asked::from(&context.config);
    let wanted = asked.wanted(tenant, &context.config.graph_origin, now);
    plan(watermark, &wanted, |link| context.graph.follow(link).is_ok())
}

fn run(context: &Context, watermark: Option<&Watermark>, early: Option<Plan>) -> Result<Ending, Error> {
    let plan = match early {
        Some(plan) => plan,
        None => planned(context, watermark, &context.graph.tenant_guid()?)?,
    };
    context.graph.token()?;
    for warning in &plan.warnings {
        context.log.write(Level::Warn, || warning.message.clone());
    }
    context.notes.warn(plan.warnings.iter().cloned());
    if context.config.import_groups && context.config.group_selection_filter.is_some() {
        context.notes.warn([Warning {
            code: "FilteredList",
            object_type: Some("Group"),
            message: "with GroupSelectionFilter groups are read as a full list on every run, since Graph takes no such filter on a delta query".to_owned(),
        }]);
    }
    let ledger = Ledger::new(plan.carried.clone());
    let run = Run {
        graph: &context.graph,
        config: &context.config,
        plan: &plan,
        sink: &*context.stream,
        ledger: &ledger,
        cancel: &context.cancel,
    };
    let fatal = Mutex::new(None::<Error>);
    let importers = ALL.iter().filter(|i| i.is_on(&context.config));
    let errors: Vec<Error> = std::thread::scope(|threads| {
        let started: Vec<_> = importers
            .zip(context.notes.tallies())
            .map(|(importer, tally)| {
                let (tally, fatal) = (&**tally, &fatal);
                named(threads, "entra-import", move || one_type(*importer, context, run, tally, fatal))
            })
            .collect();
        started.into_iter().map(joined).filter_map(Result::err).collect()
    });
    // The errors that a fatal one caused in its siblings are its echo.
    let errors = match fatal.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(first) => vec![first],
        None => errors,
    };
    Ok(ending(errors, ledger.text()))
}

/// One object type, Begin to End.
fn one_type(
    importer: &dyn Importer,
    context: &Context,
    run: Run<'_>,
    tally: &Tally,
    fatal: &Mutex<Option<Error>>,
) -> Result<(), Error> {
    let name = importer.object_type().name;
    context.log.write(Level::Info, || format!("{name}: import starts"));
    let failure = match caught(|| importer.import(run, tally)) {
        Ok(()) => {
            let totals = tally.totals();
            context.log.write(Level::Info, || {
                format!(
                    "{name}: {} upserts, {} deletes, {} scopes unread",
                    totals.counts.upserts, totals.counts.deletes, totals.counts.unread_scopes
                )
            });
            return tally.unread_because().map_or(Ok(()), |e| Err(e.with_object_type(name)));
        }
        Err(error) => for_operators(error, importer, &context.config),
    };
    context.log.write(Level::Error, || format!("{name}: {}", failure.message));
    if is_fatal(&failure) {
        let mut first = fatal.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.kind != Kind::Cancelled {
            first.get_or_insert_with(|| failure.clone());
        }
        drop(first);
        // Ends the siblings; the host has not cancelled, so its queue stays open for the error.
        context.cancel.cancel();
        return Err(failure);
    }
    let writer = SetWriter { sink: run.sink, tally, ledger: run.ledger };
    writer.give_up(&failure)?;
    Err(failure)
}

/// The error with the object type, and with the step that mends it.
fn for_operators(error: Error, importer: &dyn Importer, config: &Config) -> Error {
    let object_type = importer.object_type();
    let error = error.with_object_type(object_type.name);
    match error.kind {
        Kind::WatermarkExpired => expired(error, object_type.name),
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
        _ => serde_json::json!(config.group_selection_filter),
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
