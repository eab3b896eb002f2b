//! What a history is made of: a tenant, two selections, and the steps of an operator and of the tenant.
//!
//! Every value prints as a line of the story, so that a failing history reads like a report.

use std::fmt;

use host_harness::simulator::TruthObject;
use serde_json::Value;

use super::crowd::Crowd;
use crate::laws::case::Tenancy;
use crate::laws::faulting::Planned;
use crate::laws::independent_filter::Filter;

/// A tenant, how the connector is configured at first, and what happens.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) tenancy: Tenancy,
    /// More than 500 of everything: lists of a watermark overflow.
    pub(super) crowded: bool,
    /// Groups that hide their members exist; the application has the permission to read them.
    pub(super) hidden_groups: bool,
    pub(super) selection: Selection,
    /// The other scope, for [`Knob::Filter`].
    pub(super) other_scope: Scope,
    pub(super) page_size: u32,
    /// `FullReconcileDays`.
    pub(super) reconcile_days: u32,
    pub(super) steps: Vec<Step>,
}

/// What the connector is asked for.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) mode: &'static str,
    pub(super) scope: Scope,
    /// Two attributes more than the default.
    pub(super) extra_attributes: bool,
    /// `ExternalIdAttribute` is `userPrincipalName`.
    pub(super) by_name: bool,
}

/// The groups in scope.
#[derive(Debug, Clone)]
pub(super) enum Scope {
    All,
    /// A filter that the connector evaluates.
    By(Filter),
    /// A filter that only Graph evaluates: groups without a type.
    Untyped,
}

impl Scope {
    pub(super) fn keeps(&self, group: &TruthObject) -> bool {
        match self {
            Scope::All => true,
            Scope::By(filter) => filter.keeps(group),
            Scope::Untyped => group.attributes.get("groupTypes").and_then(Value::as_array).is_none_or(Vec::is_empty),
        }
    }

    /// For `GroupSelectionFilter`.
    pub(super) fn filter(&self) -> Option<String> {
        match self {
            Scope::All => None,
            Scope::By(filter) => Some(filter.to_string()),
            Scope::Untyped => Some("groupTypes/$count eq 0".to_owned()),
        }
    }
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The tenant changes at random, and days pass.
    Change { seed: u64, changes: usize, days: u64 },
    /// More than 500 objects of the tenant change.
    Crowd(Crowd),
    /// The operator changes a setting, or takes the change back.
    Turn(Knob),
    /// The host imports.
    Run(Run),
}

/// A setting that makes the connector read a type anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Knob {
    Filter,
    Mode,
    Attributes,
    ExternalId,
}

impl Knob {
    pub(super) const ALL: [Knob; 4] = [Knob::Filter, Knob::Mode, Knob::Attributes, Knob::ExternalId];

    pub(super) fn name(self) -> &'static str {
        match self {
            Knob::Filter => "filter",
            Knob::Mode => "mode",
            Knob::Attributes => "attributes",
            Knob::ExternalId => "external id",
        }
    }
}

/// One import.
#[derive(Debug, Clone, Default)]
pub(super) struct Run {
    /// Without the stored watermark.
    pub(super) full: bool,
    /// `FullImportStrategy` is `Snapshot`.
    pub(super) snapshot: bool,
    pub(super) max_deletes: Option<u32>,
    /// The host's removal guard: rows and per cent.
    pub(super) guard: Option<(u64, u8)>,
    /// `OnDeltaExpired` is `FullSync`.
    pub(super) full_sync: bool,
    pub(super) max_retries: u32,
    pub(super) faults: Vec<Planned>,
    /// All but one in so many of the reads of groups, or of members, fail.
    pub(super) outage: Option<Outage>,
    pub(super) stop: Option<Stop>,
    /// Rows of a batch; 0 is the connector's default.
    pub(super) batch_rows: u32,
}

/// Most reads of one sort fail, too few in a row for the connector to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outage {
    Members,
    Groups,
}

/// Where the host stops and rolls back to its last checkpoint.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Before this batch is applied.
    Batch(u32),
    /// After this checkpoint was committed.
    Checkpoint(u32),
}

impl Selection {
    /// `MembershipMode`: a filter that only Graph evaluates goes with recomputed memberships alone.
    pub(super) fn mode(&self) -> &'static str {
        if matches!(self.scope, Scope::Untyped) { "Recompute" } else { self.mode }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.mode())?;
        if let Some(filter) = self.scope.filter() {
            write!(f, ", filter {filter}")?;
        }
        f.write_str(if self.extra_attributes { ", more attributes" } else { "" })?;
        f.write_str(if self.by_name { ", external id userPrincipalName" } else { "" })
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.full { "full import" } else { "import" })?;
        f.write_str(if self.snapshot { ", Snapshot" } else { "" })?;
        f.write_str(if self.full_sync { ", FullSync" } else { "" })?;
        if let Some(most) = self.max_deletes {
            write!(f, ", MaxDeletes {most}")?;
        }
        if let Some((rows, percent)) = self.guard {
            write!(f, ", guard beyond {rows} rows and {percent} %")?;
        }
        for it in &self.faults {
            let times = it.times.map_or("for ever".to_owned(), |times| format!("{times} times"));
            write!(f, ", {:?} fails ({}) {times} after {}", it.route, it.kind, it.skip)?;
        }
        if let Some(outage) = self.outage {
            write!(f, ", most reads of {outage:?} fail")?;
        }
        if let Some(stop) = self.stop {
            write!(f, ", to be stopped at {stop:?}")?;
        }
        Ok(())
    }
}
