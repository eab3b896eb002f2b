//! A case under way: the tenant changes, runs follow, the store is compared.
//!
//! Easy to get wrong: `settle` comes at the end of every run and not before it. Reads may lag behind the feed
//! while a run goes on, never behind the end of the run before.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use connector_abi::{CONNECTOR_END, CONNECTOR_END_PARTIAL};
use host_harness::compare::Comparison;
use host_harness::import::{Engine, Unwatched, Watch};
use host_harness::report::RunReport;
use host_harness::simulator::{Change, ChangeKind, Deed, Exchange, Kind, Route, Truth};
use host_harness::store::{Mesh, RemovalGuard};
use host_harness::truth::TruthRow;

use super::Verdict;
use super::bounds::{self, Terms};
use super::case::{Round, Setup, Tenancy, hides};
use super::coverage::Coverage;
use super::faulting::Planned;
use crate::world::Tenant;

/// Days after which a delta import reads everything once: the default of `FullReconcileDays`.
const RECONCILE_DAYS: u64 = 7;

/// The name under which every store of a case is filled.
pub(super) const INSTANCE: &str = "laws";

/// A tenant, the connector's setup, and what is known about the runs so far.
pub(super) struct Stage<'c> {
    pub(super) tenant: Tenant,
    pub(super) tenancy: &'c Tenancy,
    pub(super) setup: &'c Setup,
    coverage: &'c Coverage,
    /// Days since everything was read.
    days: u64,
    /// Restores since the last run that succeeded.
    restores: u64,
    /// Users that scripts added.
    added: u64,
    /// The truth at the end of the last run, when reads had caught up.
    settled: Option<Truth>,
    /// Tokens of earlier runs.
    bearers: HashSet<u64>,
    /// Groups that earlier runs left to be read once more.
    carried: u64,
    /// Objects whose groups the last run asked for, and whether the next one looks again at what a full walk may have
    /// missed.
    looked_up: u64,
    second_look: bool,
    /// Whether a walk was interrupted, and what was deleted since it began.
    walk_open: bool,
    deleted_in_walk: BTreeSet<String>,
}

/// A run that is over, however it ended, and what it asked for.
pub(super) struct Ran {
    pub(super) report: RunReport,
    pub(super) journal: Vec<Exchange>,
}

impl<'c> Stage<'c> {
    pub(super) fn open(tenancy: &'c Tenancy, setup: &'c Setup, coverage: &'c Coverage) -> Stage<'c> {
        let mut tenant = Tenant::of(tenancy.world())
            .with("PageSize", setup.page_size)
            .with("MembershipMode", setup.mode)
            .with("FullReconcileDays", RECONCILE_DAYS);
        coverage.count("setup", setup.mode, 1);
        if let Some(filter) = &setup.filter {
            tenant = tenant.with("GroupSelectionFilter", filter.to_string());
            coverage.count("setup", "filter", 1);
        }
        coverage.count("setup", "lag", u64::from(tenancy.lag > 0));
        coverage.count("setup", "a group above 1,000 members", u64::from(tenancy.large_group.is_some()));
        Stage {
            tenant,
            tenancy,
            setup,
            coverage,
            days: 0,
            restores: 0,
            added: 0,
            settled: None,
            bearers: HashSet::new(),
            carried: 0,
            looked_up: 0,
            second_look: false,
            walk_open: false,
            deleted_in_walk: BTreeSet::new(),
        }
    }

    /// With one more key of ConfigJson.
    pub(super) fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Stage<'c> {
        self.tenant = self.tenant.with(key, value);
        self
    }

    /// Lets a round happen to the tenant.
    pub(super) fn change(&mut self, round: &Round) {
        self.tenant.sim.advance_clock(round.days * 86_400);
        self.days += round.days;
        self.coverage.count("setup", "days pass", u64::from(round.days > 0));
        let drawn = self.tenant.sim.random_changes(round.seed, round.changes);
        for change in drawn.into_iter().filter(|change| !hides(change)) {
            if self.is_beyond_the_limits(&change) {
                continue;
            }
            // One by one: what depends on a change that was left out is impossible and left out too.
            let Ok(summary) = self.tenant.sim.apply(std::slice::from_ref(&change)) else { continue };
            self.coverage.changes(&summary);
            self.added += u64::from(change.kind() == ChangeKind::Object(Kind::User, Deed::Added));
            self.restores += u64::from(matches!(change.kind(), ChangeKind::Object(_, Deed::Restored)));
            if let (true, Change::Delete { object: id, .. }) = (self.walk_open, &change) {
                self.deleted_in_walk.insert(id.clone());
            }
        }
    }

    /// With `Delta` an object soft-deleted and restored inside one walk is wrong until the next Reconcile, and
    /// `docs/semantics.md` says so. The place to judge changes during a run too, once the simulator makes them.
    fn is_beyond_the_limits(&self, change: &Change) -> bool {
        match change {
            Change::Restore { object: id, .. } => self.setup.mode == "Delta" && self.deleted_in_walk.contains(id),
            _ => false,
        }
    }

    /// One instance whatever the store is called, so that a store can be copied and gone on with.
    pub(super) fn engine(&self, store: &str) -> Engine {
        // A random script may well end most memberships at once: the host's guard is not what the laws are about.
        self.tenant.engine(store).as_instance(INSTANCE).guarded_by(RemovalGuard::lifted())
    }

    /// Arms a script of faults.
    pub(super) fn arm(&self, script: &[Planned]) {
        for planned in script {
            self.tenant.sim.add_fault(planned.fault());
        }
    }

    /// Imports by the watermark, in whatever way it ends.
    pub(super) fn attempt(&mut self, engine: &Engine, full: bool, watch: &mut dyn Watch) -> Ran {
        self.tenant.sim.clear_journal();
        let report = engine.import_watched(&self.tenant.config(), &self.tenant.auth(), full, watch).unwrap();
        if report.host_error.is_some() {
            self.wait_for_stragglers();
        }
        let mut journal = self.tenant.sim.journal();
        // A killed run's last requests may have been on their way until now; they are not this run's.
        journal.retain(|exchange| exchange.bearer.is_none_or(|bearer| !self.bearers.contains(&bearer)));
        self.bearers.extend(journal.iter().filter_map(|exchange| exchange.bearer));
        self.tenant.sim.settle();
        self.settled = Some(self.truth());
        // A group judged by a read by id is read once more, like one whose members were read.
        let by_id = bounds::served(&journal, |route, _| route == Route::GROUP);
        let members = bounds::served(&journal, bounds::reads_members) + bounds::rows_of_member_of(&journal);
        let looked_up = bounds::looked_up(&journal);
        let read_again = if self.setup.mode == "Recompute" { by_id } else { members + by_id };
        if report.host_error.is_none() && report.status == CONNECTOR_END {
            // A round that was taken up again ends where it began to, and is as old: what came later shows in the next.
            if !self.walk_open {
                self.restores = 0;
            }
            if !self.walk_open && ran_in_full(&report) {
                self.days = 0;
            }
            self.second_look = self.setup.mode == "Delta" && (self.walk_open || reads_in_full(&report));
            // A run that was taken up again leaves out what its interrupted part finished, lists for the next run too.
            let interrupted = if self.walk_open { (self.carried, self.looked_up) } else { (0, 0) };
            (self.carried, self.looked_up) = (interrupted.0 + read_again, interrupted.1 + looked_up);
            self.walk_open = false;
            self.deleted_in_walk.clear();
        } else {
            self.carried += read_again;
            // What its feeds mentioned may still wait to be looked up.
            let rows = |kind| bounds::rows_that_came(&journal, kind);
            self.looked_up += looked_up + rows(Kind::User) + rows(Kind::Group);
            self.walk_open = true;
        }
        Ran { report, journal }
    }

    /// A killed run's last requests may still be on their way. What they are answered with belongs to the tenant as it
    /// is now.
    fn wait_for_stragglers(&self) {
        let mut seen = self.tenant.sim.journal().len();
        loop {
            std::thread::sleep(Duration::from_millis(15));
            let now = self.tenant.sim.journal().len();
            if now == seen {
                return;
            }
            seen = now;
        }
    }

    /// Imports by the watermark and expects success, within the bounds of an undisturbed run.
    pub(super) fn import(&mut self, store: &str, full: bool) -> Result<RunReport, String> {
        let by_delta = !full && self.is_by_delta(store);
        let terms = self.terms(!by_delta, 0);
        let ran = self.attempt(&self.engine(store), full, &mut Unwatched);
        bounds::check(&ran.journal, &terms)?;
        if by_delta {
            expect_delta(&ran.report)?;
        }
        if self.may_not_see_yet(&ran) {
            self.coverage.count("setup", "a group not to be seen yet", 1);
            let again = self.attempt(&self.engine(store), false, &mut Unwatched);
            succeeded(&again.report).map_err(during("once reads had caught up"))?;
            return Ok(again.report);
        }
        succeeded(&ran.report)?;
        Ok(ran.report)
    }

    /// A new group is named by the feed, or by one list, before others show it: it cannot be read, and the run says
    /// Partial.
    fn may_not_see_yet(&self, ran: &Ran) -> bool {
        let only_404 = ran.report.tally.issues.iter().all(|issue| issue.message.contains("404"));
        self.tenancy.lag > 0 && ran.report.status == CONNECTOR_END_PARTIAL && only_404
    }

    /// The run succeeded, or lacks no more than what reads could not show yet.
    pub(super) fn ended_well(&self, ran: &Ran) -> Verdict {
        if self.may_not_see_yet(ran) { Ok(()) } else { succeeded(&ran.report) }
    }

    /// Whether the next run has what it needs to be a delta run: a finished run before it, and no Reconcile due.
    pub(super) fn is_by_delta(&self, store: &str) -> bool {
        // A day's margin: the clock of the simulator goes on while a case runs.
        let reconcile = self.days + 1 > RECONCILE_DAYS;
        let path = self.tenant.folder().join(store);
        let finished = path.exists()
            && Mesh::open(&path).unwrap().runs(1).unwrap().first().is_some_and(|run| run.outcome == "Succeeded");
        finished && !reconcile
    }

    /// What the bounds of a run depend on, as the tenant is now.
    pub(super) fn terms(&self, from_scratch: bool, repeats: u64) -> Terms<'c> {
        let world = self.tenant.sim.world();
        let truth = self.truth();
        let settled = self.settled.clone().filter(|_| self.tenancy.lag > 0).unwrap_or_else(|| truth.clone());
        Terms {
            setup: self.setup,
            tenancy: self.tenancy,
            truth,
            settled,
            from_scratch,
            carried: self.carried,
            restores: self.restores,
            // A kill at the last checkpoint comes after the end of the run.
            second_look: self.setup.mode == "Delta" && (self.second_look || self.walk_open),
            looked_up: self.looked_up,
            resumed: self.walk_open,
            users_ever: u64::from(world.users + world.deleted_users) + self.added,
            repeats,
        }
    }

    /// What a correct import holds: the tenant, restricted by the filter as this test reads it.
    pub(super) fn truth(&self) -> Truth {
        let truth = self.tenant.sim.truth();
        match &self.setup.filter {
            Some(filter) => truth.with_groups_where(|group| filter.keeps(group)),
            None => truth,
        }
    }

    pub(super) fn mesh(&self, store: &str) -> Mesh {
        Mesh::open(&self.tenant.folder().join(store)).unwrap()
    }

    /// The store equals the truth, or these are the differences.
    pub(super) fn equals_truth(&self, store: &str) -> Verdict {
        let differences = Comparison::default().run(&self.mesh(store), TruthRow::of(&self.truth())).unwrap();
        if differences.is_empty() { Ok(()) } else { Err(differences.to_string()) }
    }
}

fn ran_in_full(report: &RunReport) -> bool {
    report.result["ObjectTypes"]["User"]["Mode"] == "Full"
}

fn reads_in_full(report: &RunReport) -> bool {
    let types = report.result["ObjectTypes"].as_object().into_iter().flatten();
    types.filter(|(_, line)| line["Mode"] == "Full").count() > 0
}

/// A restart as Full where a delta was possible is a defect.
pub(super) fn expect_delta(report: &RunReport) -> Verdict {
    for object_type in ["User", "Group"] {
        let mode = &report.result["ObjectTypes"][object_type]["Mode"];
        if mode != "Delta" {
            return Err(format!("{object_type} was read as {mode} where a delta was possible"));
        }
    }
    Ok(())
}

/// Partial where success was is a defect too.
pub(super) fn succeeded(report: &RunReport) -> Verdict {
    match &report.host_error {
        Some(error) => Err(format!("the host failed: {error}")),
        None if report.status == CONNECTOR_END => Ok(()),
        None => Err(format!("the run ended with {}: {:#}", report.status, report.error)),
    }
}

/// Says which part of a law broke.
pub(super) fn during(what: impl std::fmt::Display) -> impl FnOnce(String) -> String {
    move |why| format!("{what}: {why}")
}
