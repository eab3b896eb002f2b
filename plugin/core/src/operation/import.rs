//! One import: token, tenant, plan, then every object type that is switched on, side by side.
//!
//! An object type that cannot be read costs only itself; a token or configuration error ends them all. Whatever happens,
//! a set that was begun is closed, so that a host never takes a torn set for a whole one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::outcome::{ending, is_fatal};
use super::stream::Ending;
use super::{Context, Tallies, Work};
use crate::config::{Config, Tenant};
use crate::error::{Error, Kind};
use crate::importer::{ALL, Asked, Importer, Run};
use crate::log::Level;
use crate::sync::{Ledger, Plan, SetWriter, Tally, Watermark, expired, plan};
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
        Err(error) => for_operators(error, importer),
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
fn for_operators(error: Error, importer: &dyn Importer) -> Error {
    let object_type = importer.object_type();
    let error = error.with_object_type(object_type.name);
    match error.kind {
        Kind::WatermarkExpired => expired(error, object_type.name),
        Kind::Forbidden => {
            let message = format!(
                "{}: grant the application permission {} with admin consent to read {}",
                error.message,
                object_type.permissions.join(" and "),
                object_type.name
            );
            Error { message, ..error }
        }
        _ => error,
    }
}
