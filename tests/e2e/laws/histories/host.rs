//! A host that lives through a history: it imports, stops, rolls back, and is held against the tenant.

use std::collections::BTreeSet;
use std::fmt::Write;

use connector_abi::status::{CONNECTOR_E_TOO_MANY_DELETES, CONNECTOR_END, CONNECTOR_END_PARTIAL};
use host_harness::compare::Comparison;
use host_harness::import::{Unwatched, Watch};
use host_harness::report::RunReport;
use host_harness::simulator::{Change, Fault, FaultAction, Route, Truth, World};
use host_harness::store::RemovalGuard;
use host_harness::truth::TruthRow;
use serde_json::json;

use super::claims::{Places, Reading, TYPES};
use super::crowd::{Crowd, Ids};
use super::limits::{Keepsakes, Untold};
use super::steps::{History, Knob, Outage, Run, Selection, Step, Stop};
use super::stopper::Stopper;
use crate::laws::Verdict;
use crate::laws::coverage::Coverage;
use crate::laws::faulting;
use crate::world::Tenant;

/// One read in so many passes while the others fail: fewer failures in a row than make the connector give up.
const SPARED: u32 = 16;

/// Attributes that [`Selection::extra_attributes`] adds: one of users, one of groups.
const EXTRA: [(&str, &str, &str); 2] =
    [("User", "UserAttributes", "employeeId"), ("Group", "GroupAttributes", "onPremisesSyncEnabled")];

/// The host, its tenant, and what both have lived through.
pub(super) struct Host<'h> {
    history: &'h History,
    coverage: &'h Coverage,
    tenant: Tenant,
    selection: Selection,
    /// Settings that are turned, and whether an import stopped or failed since.
    turned: Vec<(Knob, bool)>,
    ids: Ids,
    /// Counts the changes of the tenant.
    version: u64,
    reading: Reading,
    untold: Untold,
    keepsakes: Keepsakes,
    /// What happened, in words.
    story: String,
    steps: u32,
}

impl<'h> Host<'h> {
    pub(super) fn new(history: &'h History, coverage: &'h Coverage) -> Host<'h> {
        let tenant = Tenant::of(world(history)).with("FullReconcileDays", history.reconcile_days);
        let ids = Ids::of(&tenant.sim);
        coverage.count("setup", history.selection.mode, 1);
        coverage.count("setup", "lag", u64::from(history.tenancy.lag > 0));
        for (quirk, there) in history.tenancy.quirks.named() {
            coverage.count("quirk", quirk, u64::from(there));
        }
        coverage.count("quirk", "hidden groups", u64::from(history.hidden_groups));
        coverage.count("setup", "more than 500 of everything", u64::from(history.crowded));
        Host {
            history,
            coverage,
            tenant,
            selection: history.selection.clone(),
            turned: Vec::new(),
            ids,
            version: 0,
            reading: Reading::default(),
            untold: Untold::default(),
            keepsakes: Keepsakes::default(),
            story: String::new(),
            steps: 0,
        }
    }

    /// Lives through the history, then twice imports in peace.
    pub(super) fn live(mut self) -> Verdict {
        self.through().map_err(|why| format!("{why}\nthe story, {} at first:\n{}", self.history.selection, self.story))
    }

    fn through(&mut self) -> Verdict {
        for step in &self.history.steps {
            match step {
                Step::Change { seed, changes, days } => self.change(*seed, *changes, *days),
                Step::Crowd(crowd) => self.crowd(*crowd),
                Step::Turn(knob) => self.turn(*knob),
                Step::Run(run) => self.run(run)?,
            }
        }
        let clean = Run { max_retries: 2, ..Run::default() };
        let first = self.import(&clean, "a clean import")?;
        if first.status == CONNECTOR_END_PARTIAL && self.history.tenancy.lag > 0 {
            // A read that lags may not show a group yet that another answer has named.
            self.coverage.count("clean import", "partial for a read that lags", 1);
        } else {
            succeeded(&first)?;
        }
        let second = self.import(&clean, "a second clean import")?;
        succeeded(&second)?;
        self.equals(&TYPES).map_err(|why| format!("after two clean imports: {why}"))
    }

    fn tell(&mut self, what: impl std::fmt::Display) {
        self.steps += 1;
        _ = writeln!(self.story, "{:3}. {what}", self.steps);
    }

    fn places(&self) -> Places {
        let path = self.tenant.folder().join("mesh.db");
        let mark = path.exists().then(|| self.tenant.mesh().watermark("mesh.db").unwrap()).flatten();
        Places::of(mark.as_deref())
    }

    fn change(&mut self, seed: u64, changes: usize, days: u64) {
        self.tenant.sim.advance_clock(days * 86_400);
        self.coverage.count("step", "days pass", u64::from(days > 0));
        let mut drawn = self.tenant.sim.random_changes(seed, changes);
        if self.history.hidden_groups && seed.is_multiple_of(3) {
            let visibility = if seed.is_multiple_of(2) { "HiddenMembership" } else { "Public" };
            let group = self.tenant.sim.group_id((seed % 7) as u32);
            let properties = json!({"visibility": visibility}).as_object().cloned().unwrap();
            drawn.push(Change::update_group(group, properties));
        }
        let applied = self.apply(drawn);
        self.tell(format_args!("the tenant changes {applied} times, {days} days pass"));
        self.coverage.count("step", "change of the tenant", u64::from(applied > 0));
    }

    fn crowd(&mut self, crowd: Crowd) {
        let changes = crowd.changes(&self.tenant.sim, &self.ids);
        let applied = self.apply(changes);
        self.tell(format_args!("{crowd:?}: {applied}"));
        self.coverage.count("more than 500", format_args!("{crowd:?}"), u64::from(applied > 500));
    }

    /// One by one: what depends on a change that was left out is impossible and left out too.
    fn apply(&mut self, changes: Vec<Change>) -> usize {
        let places = self.places();
        let mut applied = 0;
        for change in changes {
            if self.untold.forbids(&change, self.selection.mode()) {
                self.coverage.count("left out", "restored before it was told of", 1);
                continue;
            }
            if self.keepsakes.forbid(&change) {
                self.coverage.count("left out", "restored with an attribute that was taken out", 1);
                continue;
            }
            let Ok(summary) = self.tenant.sim.apply(std::slice::from_ref(&change)) else { continue };
            self.coverage.changes(&summary);
            self.untold.changed(&change, &places);
            self.keepsakes.changed(&change);
            applied += 1;
        }
        self.version += u64::from(applied > 0);
        applied
    }

    fn turn(&mut self, knob: Knob) {
        let (first, now) = (&self.history.selection, &mut self.selection);
        let back = self.turned.iter().position(|(turned, _)| *turned == knob);
        match knob {
            Knob::Filter => now.scope = if back.is_some() { &first.scope } else { &self.history.other_scope }.clone(),
            Knob::Mode => now.mode = if now.mode == "Delta" { "Recompute" } else { "Delta" },
            Knob::Attributes => now.extra_attributes = !now.extra_attributes,
            Knob::ExternalId => now.by_name = !now.by_name,
        }
        if let Some((_, stopped)) = back.map(|at| self.turned.remove(at)) {
            let how = if stopped { "taken back after an import that did not end" } else { "taken back" };
            self.coverage.count(knob.name(), how, 1);
        } else {
            self.coverage.count(knob.name(), "changed", 1);
            self.turned.push((knob, false));
        }
        let selection = self.selection.clone();
        self.tell(format_args!("the operator selects: {selection}"));
    }

    fn run(&mut self, run: &Run) -> Verdict {
        self.arm(run);
        let ran = self.import(run, "");
        self.tenant.sim.clear_faults();
        ran.map(drop)
    }

    fn arm(&self, run: &Run) {
        for planned in &run.faults {
            self.tenant.sim.add_fault(planned.fault());
        }
        if let Some(outage) = run.outage {
            let route = match outage {
                Outage::Members => Route::MEMBERS,
                Outage::Groups => Route::GROUP,
            };
            self.tenant.sim.add_fault(Fault::always(route, FaultAction::status(503)).sparing(SPARED));
        }
    }

    /// Imports once, and claims what may be claimed of it.
    fn import(&mut self, run: &Run, title: &str) -> Result<RunReport, String> {
        self.configure(run);
        let before = if run.full { Places::default() } else { self.places() };
        let guard = run.guard.map_or(RemovalGuard::lifted(), |(rows, percent)| RemovalGuard::beyond(rows, percent));
        let engine = self.tenant.engine("mesh.db").guarded_by(guard).with_batch_rows(run.batch_rows);
        self.tenant.sim.clear_journal();
        let mut stopper = run.stop.map(Stopper::new);
        let watch: &mut dyn Watch = match &mut stopper {
            Some(stopper) => stopper,
            None => &mut Unwatched,
        };
        let report = engine.import_watched(&self.tenant.config(), &self.tenant.auth(), run.full, watch).unwrap();
        if report.host_error.is_some() {
            self.wait_for_stragglers();
        }
        self.tenant.sim.settle();
        self.count(run, &before, &report, stopper.as_ref());
        let title = if title.is_empty() { run.to_string() } else { title.to_owned() };
        self.tell(format_args!("{title}: {}", outcome(&report)));
        self.untold.ran(&report, &before);
        self.keepsakes.ran(self.selection.extra_attributes);
        let claimed = self.reading.claimed(&before, &report, self.version);
        self.reading.left(&self.places(), self.version);
        if report.host_error.is_some() || report.status != CONNECTOR_END {
            self.turned.iter_mut().for_each(|(_, stopped)| *stopped = true);
            return Ok(report);
        }
        if self.history.tenancy.lag == 0 && !believes_404(run) {
            self.coverage.count("claimed", "END and equal", 1);
            self.coverage.count(
                "claimed",
                "END and equal where types are older",
                u64::from(claimed.len() < TYPES.len()),
            );
            self.equals(&claimed).map_err(|why| format!("the import ended with END, and {why}"))?;
        }
        Ok(report)
    }

    fn configure(&mut self, run: &Run) {
        let mode = self.selection.mode();
        let Selection { scope, extra_attributes, by_name, .. } = self.selection.clone();
        let tenant = &mut self.tenant;
        tenant.set("MembershipMode", mode);
        tenant.set("PageSize", self.history.page_size);
        tenant.set("GroupSelectionFilter", scope.filter());
        tenant.set("ExternalIdAttribute", if by_name { "userPrincipalName" } else { "id" });
        for (_, key, name) in EXTRA {
            tenant.set(key, if extra_attributes { json!([name]) } else { json!([]) });
        }
        tenant.set("MaxDeletes", run.max_deletes);
        tenant.set("MaxRetries", run.max_retries);
        tenant.set("OnDeltaExpired", if run.full_sync { "FullSync" } else { "Fail" });
        tenant.set("FullImportStrategy", if run.snapshot { "Snapshot" } else { "DeltaWalk" });
    }

    /// A stopped import's last requests may still be on their way; their answers belong to the tenant as it is now.
    fn wait_for_stragglers(&self) {
        let mut seen = self.tenant.sim.journal().len();
        loop {
            std::thread::sleep(std::time::Duration::from_millis(10));
            let now = self.tenant.sim.journal().len();
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    fn truth(&self) -> Truth {
        let scope = self.selection.scope.clone();
        self.tenant.sim.truth().with_groups_where(|group| scope.keeps(group))
    }

    /// The store holds of these types what the tenant has in scope, or these are the differences.
    fn equals(&self, types: &[&str]) -> Verdict {
        let mut comparison = Comparison::default().of_types(types);
        if self.selection.extra_attributes {
            for (object_type, _, name) in EXTRA {
                comparison = comparison.with_attributes(object_type, &[name]);
            }
        }
        if self.selection.by_name {
            comparison = comparison.with_external_id("userPrincipalName");
        }
        let differences = comparison.run(&self.tenant.mesh(), TruthRow::of(&self.truth())).unwrap();
        if differences.is_empty() { Ok(()) } else { Err(differences.to_string()) }
    }

    fn count(&self, run: &Run, before: &Places, report: &RunReport, stopper: Option<&Stopper>) {
        let coverage = self.coverage;
        coverage.count("step", if run.full { "full import" } else { "import" }, 1);
        coverage.count("step", "resumed import", u64::from(before.is_open()));
        coverage.count("outcome", report.outcome.name(), 1);
        coverage.count("stop", "by the removal guard", u64::from(report.removals.is_some()));
        if let Some(stopper) = stopper.filter(|it| it.struck) {
            coverage.count(
                "stop",
                if matches!(stopper.stop, Stop::Batch(_)) { "at a row" } else { "at a checkpoint" },
                1,
            );
            stopper.under_way.iter().for_each(|it| coverage.count("stop", format_args!("inside {it}"), 1));
            coverage.count("stop", "of a resumed import", u64::from(before.is_open()));
        }
        let journal = self.tenant.sim.journal();
        faulting::count(&run.faults, &journal, coverage);
        if run.max_deletes.is_some() {
            let exceeded = report.status == CONNECTOR_E_TOO_MANY_DELETES
                || report.tally.issues.iter().any(|issue| issue.code == "TooManyDeletes");
            coverage.count("MaxDeletes", if exceeded { "exceeded" } else { "kept" }, 1);
        }
        let lists = journal.iter().filter(|it| it.route == Route::USERS_LIST).count();
        coverage.count("step", "Snapshot", u64::from(run.snapshot && lists > 0));
        if run.outage.is_some() {
            coverage.count("more than 500", "unread", u64::from(report.tally.issue_count > 500));
        }
        let codes = report.tally.issues.iter().map(|issue| issue.code.clone()).collect::<BTreeSet<_>>();
        for code in &codes {
            coverage.count("issue", code, 1);
        }
        for warning in report.result["Warnings"].as_array().into_iter().flatten() {
            coverage.count("warning", warning["Code"].as_str().unwrap_or_default(), 1);
        }
    }
}

/// 404 for one object is how a source says that it is gone, and an import that believes it ends well. It heals with the
/// next import, which the last claim of a history proves.
fn believes_404(run: &Run) -> bool {
    run.faults.iter().any(|it| it.kind == "404" && matches!(it.route, Route::MEMBER_OF | Route::MEMBERS | Route::GROUP))
}

fn world(history: &History) -> World {
    let mut world = history.tenancy.world();
    world.hidden_membership_groups = history.hidden_groups;
    if history.crowded {
        world.delta.user_page = 100;
        world.delta.group_page = 100;
    }
    world
}

fn succeeded(report: &RunReport) -> Verdict {
    match &report.host_error {
        Some(error) => Err(format!("the host failed in a clean import: {error}")),
        None if report.status == CONNECTOR_END => Ok(()),
        None => {
            let issues: Vec<_> =
                report.issues().iter().take(5).map(|it| format!("{}: {}", it.code, it.message)).collect();
            Err(format!("a clean import ended with {}: {:#} {issues:?}", report.status, report.error))
        }
    }
}

/// How an import ended, in a few words.
fn outcome(report: &RunReport) -> String {
    let types = TYPES.iter().map(|object_type| {
        let result = &report.result["ObjectTypes"][object_type];
        let mode = result["Mode"].as_str().unwrap_or("-");
        format!("{object_type} {mode}{}", if result["Complete"] == true { "" } else { " incomplete" })
    });
    let warnings = report.result["Warnings"].as_array().into_iter().flatten();
    let codes: Vec<&str> = warnings.filter_map(|it| it["Code"].as_str()).collect();
    match &report.host_error {
        Some(error) => format!("{error} after {} checkpoints", report.checkpoints),
        None => format!(
            "{} ({}){}{}",
            report.outcome.name(),
            types.collect::<Vec<_>>().join(", "),
            if report.tally.issue_count > 0 { format!(", {} issues", report.tally.issue_count) } else { String::new() },
            if codes.is_empty() { String::new() } else { format!(", {codes:?}") },
        ),
    }
}
