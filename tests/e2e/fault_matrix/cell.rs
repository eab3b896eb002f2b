//! One cell: a tenant, a store that equals it, and then for each form of the fault a change, a struck run, a judgement
//! and a clean run.
//!
//! A run by delta and one in Full mode fail differently: the one has a link to keep, the other a whole set that could
//! take away what it did not mention. Both are struck.

use connector_abi::{CONNECTOR_END, CONNECTOR_END_PARTIAL, STATUS_NAMES};
use host_harness::compare::Comparison;
use host_harness::connector::LogLine;
use host_harness::import::{Unwatched, Watch};
use host_harness::report::RunReport;
use host_harness::simulator::{Change, Delta, Exchange, Simulator, World};
use host_harness::truth::TruthRow;
use serde_json::{Map, Value, json};

use super::Verdict;
use super::faults::{action, aimed, is_answered, named_wait, waits_for_seconds};
use super::page::{Cell, Expected, Place};
use super::rows::Rows;
use crate::world::Tenant;

const STORE: &str = "mesh.db";

/// Users at the start. Every run reads 21 to 29 of them, on three pages.
const USERS: u32 = 29;

/// Members of the group whose reads are struck, on three pages.
const MEMBERS: u32 = 13;

/// A name that no resolver is asked for: DNS knows names of 253 characters at most.
fn unresolvable() -> String {
    format!("https://{}invalid", format!("{}.", "a".repeat(60)).repeat(5))
}

/// How a run of the connector is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Full,
    Delta,
}

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Transient,
    Lasting,
}

pub(super) struct Stage<'c> {
    cell: &'c Cell,
    tenant: Tenant,
    /// The group whose members are read in a batch that is struck.
    group: String,
    max_retries: u32,
    /// Rounds of changes so far.
    rounds: u32,
}

/// How the forms of a cell ended, as the page says them.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Ended {
    pub(super) recovered: u32,
    pub(super) partial: u32,
    pub(super) failed: u32,
}

/// Runs a cell in every form and mode that it has.
pub(super) fn run(cell: &Cell) -> Result<Ended, String> {
    let mut stage = Stage::open(cell)?;
    let mut ended = Ended::default();
    let forms = [(Form::Transient, cell.transient.as_ref()), (Form::Lasting, Some(&cell.lasting))];
    for (form, expected) in forms.into_iter().filter_map(|(form, expected)| Some((form, expected?))) {
        for mode in [Mode::Full, Mode::Delta] {
            if !stage.makes_sense(mode) {
                continue;
            }
            stage.struck(form, mode, expected).map_err(|why| format!("{form:?}, {mode:?}: {why}"))?;
        }
        match expected {
            Expected::Recovered => ended.recovered += 1,
            Expected::Partial(_) => ended.partial += 1,
            Expected::Failed(_) => ended.failed += 1,
        }
    }
    Ok(ended)
}

/// Puts the simulator's door back when the connector has found it closed.
struct DoorKeeper<'s>(Option<&'s Simulator>);

impl Watch for DoorKeeper<'_> {
    fn log(&mut self, line: &LogLine) -> anyhow::Result<()> {
        if line.message.contains("refused")
            && let Some(simulator) = self.0.take()
        {
            simulator.listen_again()?;
        }
        Ok(())
    }
}

impl<'c> Stage<'c> {
    fn open(cell: &'c Cell) -> Result<Stage<'c>, String> {
        let delta = Delta { user_page: 10, ..World::gentle().delta };
        let mut world =
            World { users: USERS, groups: 5, edges: 60, large_group: Some(MEMBERS), delta, ..World::gentle() };
        // Only https takes a name that is not this machine's.
        world.https = cell.fault == "DNS failure";
        let max_retries = if waits_for_seconds(&cell.fault) { 1 } else { 2 };
        // One request at a time: then it is known which one is struck.
        let mut tenant =
            Tenant::of(world).with("PageSize", 5).with("MaxConcurrency", 1).with("MaxRetries", max_retries);
        if let Some(pem) = tenant.sim.ca_pem() {
            let file = tenant.folder().join("ca.pem");
            std::fs::write(&file, pem).unwrap();
            tenant = tenant.with("CaFile", file.to_str().unwrap());
        }
        for switch in ["ImportUsers", "ImportGroups", "ImportMemberships"] {
            tenant = tenant.with(switch, imports(cell, switch));
        }
        let edges: Vec<_> = tenant.sim.truth().members().collect();
        let size = |group: &str| edges.iter().filter(|edge| edge.parent == group).count();
        let group = edges.iter().map(|edge| edge.parent.clone()).max_by_key(|group| size(group)).unwrap();
        let stage = Stage { cell, tenant, group, max_retries, rounds: 0 };
        let report = stage.tenant.import_into(STORE, false);
        if report.status != CONNECTOR_END {
            return Err(format!("the clean import: {:#}", report.error));
        }
        stage.equals_truth()?;
        Ok(stage)
    }

    fn makes_sense(&self, mode: Mode) -> bool {
        match &*self.cell.fault {
            // A watermark of another endpoint is refused before any name is looked up.
            "DNS failure" => mode == Mode::Full || !self.leads_elsewhere(),
            "410" => mode == Mode::Delta,
            _ => true,
        }
    }

    /// Whether the struck run asks another Graph than all others.
    fn leads_elsewhere(&self) -> bool {
        self.cell.fault == "DNS failure" && self.cell.place != Place::TokenEndpoint
    }

    fn struck(&mut self, form: Form, mode: Mode, expected: &Expected) -> Verdict {
        self.change();
        let before = self.rows();
        self.arm(form);
        self.tenant.requests();
        let report = self.attempt(form, mode);
        let journal = self.tenant.requests();
        self.tenant.sim.clear_faults();
        if self.cell.fault == "connection refused" {
            self.tenant.sim.listen_again().unwrap();
        }
        let after = self.rows();
        let outcome = self.judged(expected, &report, &journal);
        let measure = self.in_measure(form, &report, &journal);
        if *expected != Expected::Recovered {
            let clean = self.tenant.import_into(STORE, false);
            if clean.status != CONNECTOR_END {
                let why = clean.host_error.unwrap_or_else(|| format!("{:#}\n{:#}", clean.error, clean.result));
                return outcome.and(Err(format!("the next run: {why}")));
            }
        }
        let said = |why| format!("{why}\nthe run said: {:#}", report.result);
        outcome.and(measure).and_then(|()| self.equals_truth()).map_err(said)?;
        after.between(&before, &self.rows()).map_err(said)
    }

    /// Users come, go and change, a group is renamed, members come and go. Users last: what follows them in the log
    /// would be a page of its own.
    fn change(&mut self) {
        let sim = &self.tenant.sim;
        let edges: Vec<_> = sim.truth().members().filter(|edge| edge.parent == self.group).collect();
        let leaves = edges.iter().find(|edge| edge.child_type == "User").unwrap().child.clone();
        let comes = (6..USERS).map(|number| sim.user_id(number));
        let comes = comes.filter(|user| edges.iter().all(|edge| edge.child != *user)).last().unwrap();
        let member_type = host_harness::simulator::Kind::User;
        let properties = |value: Value| -> Map<String, Value> { value.as_object().cloned().unwrap() };
        let told = format!("round {}", self.rounds);
        let mut changes = vec![
            Change::update_group(sim.group_id(1), properties(json!({"description": told}))),
            Change::remove_member(self.group.clone(), leaves, member_type),
            Change::add_member(self.group.clone(), comes, member_type),
            Change::delete_user(sim.user_id(self.rounds)),
            Change::add_user(properties(json!({
                "displayName": told, "userPrincipalName": format!("new{}@contoso.onmicrosoft.com", self.rounds)
            }))),
        ];
        changes.extend(
            (6..USERS).map(|number| Change::update_user(sim.user_id(number), properties(json!({"jobTitle": told})))),
        );
        sim.apply(&changes).unwrap();
        self.rounds += 1;
    }

    fn arm(&mut self, form: Form) {
        if let Some(action) = action(&self.cell.fault) {
            let times = (form == Form::Transient).then_some(self.cell.strikes);
            self.tenant.sim.add_fault(aimed(self.cell, action, &self.group, times));
        }
    }

    fn attempt(&self, form: Form, mode: Mode) -> RunReport {
        let mut config: Value = serde_json::from_str(&self.tenant.config()).unwrap();
        if self.cell.fault == "DNS failure" {
            let key = if self.cell.place == Place::TokenEndpoint { "AuthorityHost" } else { "GraphEndpoint" };
            config[key] = unresolvable().into();
        }
        let engine = self.tenant.engine(STORE).with_log(connector_abi::CONNECTOR_LOG_WARN);
        let comes_back = self.cell.fault == "connection refused" && form == Form::Transient;
        if comes_back {
            // The host hears of a refusal when it asks next, and only then opens the door again.
            config["MaxRetries"] = 10.into();
            config["RetryBaseSeconds"] = json!(0.1);
        }
        let mut keeper = DoorKeeper(comes_back.then_some(&self.tenant.sim));
        let watch: &mut dyn Watch = if comes_back { &mut keeper } else { &mut Unwatched };
        engine.import_watched(&config.to_string(), &self.tenant.auth(), mode == Mode::Full, watch).unwrap()
    }

    fn rows(&self) -> Rows {
        Rows::of(&self.tenant.mesh())
    }

    fn equals_truth(&self) -> Verdict {
        let types: Vec<&str> =
            TYPES.into_iter().filter(|(_, switch)| imports(self.cell, switch)).map(|it| it.0).collect();
        let truth = self.tenant.sim.truth();
        let differences =
            Comparison::default().of_types(&types).run(&self.tenant.mesh(), TruthRow::of(&truth)).unwrap();
        if differences.is_empty() { Ok(()) } else { Err(format!("store and tenant: {differences}")) }
    }

    fn judged(&self, expected: &Expected, report: &RunReport, journal: &[Exchange]) -> Verdict {
        if let Some(error) = &report.host_error {
            return Err(format!("the host: {error}"));
        }
        match expected {
            Expected::Recovered if report.status == CONNECTOR_END => Ok(()),
            Expected::Partial(code) if report.status == CONNECTOR_END_PARTIAL => self.partial(code, report, journal),
            Expected::Failed(code) if Some(report.status) == status_of(code) => {
                let id = report.error["Http"]["RequestId"].as_str();
                let words = report.error["Message"].as_str().unwrap_or_default();
                equal("the code of the error", report.error["Code"].as_str(), Some(code))?;
                self.evidence(id, words, journal)
            }
            _ => Err(format!("{expected:?} was expected, and the status is {}", report.status)),
        }
    }

    fn partial(&self, code: &str, report: &RunReport, journal: &[Exchange]) -> Verdict {
        let errors: Vec<_> = report.issues().iter().filter(|issue| issue.severity == "Error").collect();
        let [issue] = errors.as_slice() else { return Err(format!("one Issue was expected: {errors:#?}")) };
        equal("the code of the Issue", &*issue.code, code)?;
        let struck = match self.cell.place {
            Place::FirstPage | Place::MiddlePage | Place::LastPage => "User",
            _ => "GroupMember",
        };
        equal("the type of the Issue", issue.object_type.as_deref(), Some(struck))?;
        for (object_type, _) in TYPES {
            let it = &report.result["ObjectTypes"][object_type];
            let whole = object_type != struck || code == "MembersUnread";
            equal(object_type, it["Complete"].as_bool(), Some(whole))?;
            let unread = u64::from(object_type == struck && code == "MembersUnread");
            equal("UnreadScopes", it["UnreadScopes"].as_u64(), Some(unread))?;
        }
        self.evidence(issue.request_id.as_deref(), &issue.message, journal)
    }

    /// The request id of the answer that struck, and words.
    fn evidence(&self, id: Option<&str>, words: &str, journal: &[Exchange]) -> Verdict {
        if words.len() < 30 {
            return Err(format!("no words for the operator: {words:?}"));
        }
        let struck = journal.iter().rev().find(|it| it.faulted || it.items.iter().any(|item| item.faulted));
        let told = struck.and_then(|it| it.response_headers.get("request-id")).map(String::as_str);
        equal("the request id", id, told.filter(|_| is_answered(&self.cell.fault)))
    }

    /// No request is made more often than it may be.
    fn in_measure(&self, form: Form, report: &RunReport, journal: &[Exchange]) -> Verdict {
        let items = |it: &Exchange| it.items.iter().filter(|item| item.faulted).count();
        let strikes = journal.iter().map(|it| usize::from(it.faulted) + items(it)).sum::<usize>();
        let made = if form == Form::Transient { self.cell.strikes } else { self.cell.made.with(self.max_retries) };
        match &*self.cell.fault {
            "connection refused" | "DNS failure" => {
                equal("requests that reached the service", strikes, usize::from(self.cell.fault != "DNS failure"))?;
                if form == Form::Lasting {
                    let tried = format!("tried {made} times");
                    let causes = report.error["Causes"].to_string();
                    equal(&format!("{tried} in {causes}"), causes.contains(&tried), true)?;
                }
            }
            _ => equal("requests that were struck", strikes, made as usize)?,
        }
        if self.cell.place != Place::TokenEndpoint && named_wait(&self.cell.fault) > 0 {
            let waits = u64::from(if form == Form::Transient { self.cell.strikes } else { self.max_retries });
            let waited = report.counted("ThrottledMs");
            let least = waits * named_wait(&self.cell.fault);
            equal(&format!("{waited} ms of waiting are {least} at least"), waited >= least, true)?;
        }
        let walks = 1 + self.cell.made.new_starts() as usize;
        let asked = |it: &Exchange| -> Vec<String> {
            let own = (it.route != host_harness::simulator::Route::Batch).then(|| it.url.clone());
            own.into_iter().chain(it.items.iter().filter(|item| !item.faulted).map(|item| item.url.clone())).collect()
        };
        let unstruck: Vec<String> = journal.iter().filter(|it| !it.faulted).flat_map(asked).collect();
        // A token that is refused is replaced by one more.
        let most = walks.max(if self.cell.fault == "401" { 2 } else { 1 });
        match unstruck.iter().find(|url| unstruck.iter().filter(|other| other == url).count() > most) {
            Some(url) => Err(format!("{url} was not struck and asked for more than {most} times")),
            None => Ok(()),
        }
    }
}

const TYPES: [(&str, &str); 3] =
    [("User", "ImportUsers"), ("Group", "ImportGroups"), ("GroupMember", "ImportMemberships")];

/// When the whole service goes away, everything fails that is not over yet: one type is imported, so that it is known
/// what.
fn imports(cell: &Cell, switch: &str) -> bool {
    let struck = match cell.place {
        Place::FirstPage | Place::MiddlePage | Place::LastPage => "ImportUsers",
        Place::InsideBatch | Place::WholeBatch => "ImportMemberships",
        Place::TokenEndpoint => return true,
    };
    cell.fault != "connection refused" || switch == struck
}

fn status_of(code: &str) -> Option<i32> {
    STATUS_NAMES.iter().find(|(_, _, name)| *name == code).map(|(status, _, _)| *status)
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, is: T, should: T) -> Verdict {
    if is == should { Ok(()) } else { Err(format!("{what}: {is:?}, should be {should:?}")) }
}
