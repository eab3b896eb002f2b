//! The connection test: a token, then real reads for each object type that is switched on, as records.
//!
//! A token proves nothing: one without any permission is issued just as readily, and every read then answers 403. So
//! each object type is read once, with the smallest request that needs its permission and selects what an import
//! selects.
//!
//! ```text
//! row      one record                 expiry     until when the credential is good
//! remedy   the step that mends it     watermark  whether the stored one still fits
//! size     how much, how long         day        dates for people
//! ```
//!
//! The check does not end at the first failure. An operator who has to ask an administrator for each mistake separately
//! needs a week, so everything that can be checked is checked.

mod day;
mod expiry;
mod remedy;
mod row;
mod size;
mod watermark;

use std::time::Instant;

use super::Context;
use super::import::for_operators;
use super::stream::Ending;
use crate::error::{Error, Kind};
use crate::graph::{self, Issued, Reason};
use crate::read::{Finding, Further, Probe, switched_on, way_of};
use crate::types::{ObjectType, OptionalPermission};
pub(super) use expiry::Credential;
use row::{Outcome, Row, Step};

/// Writes the rows of the check.
pub(super) fn run(context: &Context, watermark: Option<&str>) -> Ending {
    Check { context, failed: false }.rows(watermark).unwrap_or_else(Ending::Failed)
}

struct Check<'a> {
    context: &'a Context,
    failed: bool,
}

impl Check<'_> {
    /// The error is that of a check that could not go on: it was cancelled.
    fn rows(mut self, watermark: Option<&str>) -> Result<Ending, Error> {
        let context = self.context;
        let token = uncancelled(context.graph.token())?;
        self.push(match &token {
            Ok(issued) => Row::new(None, Step::Token, Outcome::Passed, words(*issued)),
            Err(error) => Row::failed(None, Step::Token, error, &self.remedy(error, None)),
        })?;
        if token.is_ok() {
            self.push(expiry::row(context)?)?;
        }
        for object_type in switched_on(&context.config) {
            match token {
                Ok(_) => self.object_type(object_type)?,
                Err(_) => self.skipped(object_type)?,
            }
        }
        // Empty is the same as none.
        if let Some(text) = watermark.filter(|text| !text.is_empty()) {
            for row in watermark::rows(context, text)? {
                self.push(row)?;
            }
        }
        Ok(if self.failed { Ending::EndPartial(None) } else { Ending::End(None) })
    }

    fn push(&mut self, row: Row) -> Result<(), Error> {
        self.failed |= row.is_failed();
        row.push(&self.context.stream)
    }

    fn remedy(&self, error: &Error, object_type: Option<&ObjectType>) -> String {
        remedy::of(error, object_type.map(|it| it.permissions.join(" and ")).as_deref(), self.context)
    }

    fn skipped(&mut self, object_type: &'static ObjectType) -> Result<(), Error> {
        let row =
            Row::new(Some(object_type.name), Step::Permission, Outcome::Skipped, "no token, so nothing could be read");
        self.push(row.about(object_type.permissions.join(", ")))
    }

    fn object_type(&mut self, object_type: &'static ObjectType) -> Result<(), Error> {
        let context = self.context;
        let (name, permissions) = (object_type.name, object_type.permissions.join(", "));
        let row = |step, outcome, message: &str| Row::new(Some(name), step, outcome, message);
        let probe = way_of(object_type).probe(object_type, &context.graph, &context.config);
        let licence = match (object_type.licence, &probe) {
            (_, Err(graph::Error { reason: Reason::Unlicensed, error })) => {
                let needed = object_type.licence.unwrap_or("a Microsoft Entra ID licence");
                let remedy = remedy::licence(needed, name, object_type.switch.key);
                Row::failed(Some(name), Step::Licence, error, &remedy)
            }
            (None, _) => row(Step::Licence, Outcome::Passed, "needs no Microsoft Entra ID licence"),
            (Some(licence), Ok(Probe::Read { .. })) => {
                row(Step::Licence, Outcome::Passed, &format!("needs {licence}; the read was allowed"))
            }
            (Some(licence), _) => row(Step::Licence, Outcome::Unknown, &format!("needs {licence}; nothing was read")),
        };
        let (permission, allowed) = match probe {
            Ok(Probe::Read { request_id }) => {
                let passed =
                    row(Step::Permission, Outcome::Passed, "one object was asked for and the read was allowed");
                (passed.with_request_id(request_id), true)
            }
            Ok(Probe::NothingToRead) => {
                (row(Step::Permission, Outcome::Unknown, "there is nothing in scope to try the permission on"), true)
            }
            Err(refused) if refused.error.kind == Kind::Cancelled => return Err(refused.error),
            Err(refused) if refused.reason == Reason::Unlicensed => (
                row(Step::Permission, Outcome::Unknown, "the licence is missing, and Graph looks at that first"),
                false,
            ),
            Err(refused) => {
                let error = for_operators(refused.error, object_type, &context.config);
                let remedy = self.remedy(&error, Some(object_type));
                (Row::failed(Some(name), Step::Permission, &error, &remedy), false)
            }
        };
        self.push(permission.about(permissions))?;
        self.push(licence)?;
        if !allowed {
            return self.push(row(Step::Size, Outcome::Skipped, "the type cannot be read, so nothing was counted"));
        }
        let started = Instant::now();
        match way_of(object_type).survey(object_type, &context.graph, &context.config) {
            Ok(survey) => {
                for further in survey.further {
                    self.further(object_type, further)?;
                }
                self.push(size::row(object_type, &survey.size, started.elapsed()))
            }
            Err(refused) if refused.error.kind == Kind::Cancelled => Err(refused.error),
            // An import does not count, so one that cannot be counted is no failure.
            Err(refused) => {
                let message = format!("could not be counted: {}", refused.error.message);
                let request_id = refused.error.http.and_then(|http| http.request_id);
                self.push(row(Step::Size, Outcome::Unknown, &message).with_request_id(request_id))
            }
        }
    }

    /// A permission without which the type can be read, but not all of it.
    fn further(&mut self, object_type: &'static ObjectType, further: Further) -> Result<(), Error> {
        let Further { permission, finding } = further;
        let row = |outcome, message: String| Row::new(Some(object_type.name), Step::Permission, outcome, message);
        let row = match finding {
            Finding::Granted(how) => row(Outcome::Passed, how),
            Finding::NotNeeded(why) => row(Outcome::Skipped, why),
            Finding::Unclear(why) => {
                let named = |optional: &&OptionalPermission| optional.name == permission;
                let purpose = object_type.optional_permissions.iter().find(named).map_or("more", |it| it.purpose);
                let remedy =
                    format!("only if the engine is to see {purpose}: {}", remedy::grant(permission, self.context));
                row(Outcome::Unknown, why).with_remedy(remedy)
            }
            Finding::Refused(refused) if refused.error.kind == Kind::Cancelled => return Err(refused.error),
            Finding::Refused(refused) => {
                let remedy = remedy::of(&refused.error, Some(permission), self.context);
                Row::failed(Some(object_type.name), Step::Permission, &refused.error, &remedy)
            }
        };
        self.push(row.about(permission.to_owned()))
    }
}

/// What is known of a token.
fn words(issued: Issued) -> &'static str {
    match issued {
        Issued::ByDirectory => "a token was issued",
        Issued::ForDirectory => "a token was issued, for the directory in TenantId",
        Issued::Unread => {
            "a token was issued; whether it is for the directory in TenantId cannot be told, since its claims cannot be read"
        }
    }
}

/// A cancel ends the check; any other error is a row.
fn uncancelled<T>(outcome: Result<T, Error>) -> Result<Result<T, Error>, Error> {
    match outcome {
        Err(error) if error.kind == Kind::Cancelled => Err(error),
        outcome => Ok(outcome),
    }
}
