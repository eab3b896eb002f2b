//! Applies a stream of records to the store: the host's half of the contract.
//!
//! Everything between two checkpoints is **one transaction**, and the checkpoint's watermark is written in it. The
//! contract would allow to commit rows before their checkpoint; this host does not, for a reason that is easy to miss:
//! a row committed ahead of its checkpoint carries this set's touch, and if the tenant loses that row before the run is
//! resumed, the touch would vouch for it at End. Memory stays bounded anyway: SQLite spills what its cache cannot hold
//! into the write-ahead log. Dropping an [`Applier`] takes back what came after the last checkpoint.
//!
//! Once the removal guard is passed the run is held back: the rest is applied to the open transaction, so that the stop
//! can name the whole number, and then all of it is taken back.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};
use rusqlite::Connection;

use super::absence::{Absences, Type};
use super::edge_rows::EdgeType;
use super::guard::{RemovalGuard, RemovalStop};
use super::nodes::Nodes;
use super::object_rows::{Effect, Key};
use super::record::{Absence, Issue, Mode, Reason, Record};
use super::sets::OpenSet;
use super::tally::{Tally, TypeTally};
use super::unchanged::Unchanged;
use super::{edge_rows, instances, nodes, object_rows, removal_counts, sets};
use crate::catalog::{Catalog, Class};

/// Applies the records of one run.
#[derive(Debug)]
pub struct Applier<'s> {
    connection: &'s Connection,
    instance: i64,
    catalog: &'s Catalog,
    types: HashMap<String, TypeState>,
    nodes: Nodes,
    unchanged: Unchanged,
    absences: Absences,
    clock: i64,
    started: bool,
    in_transaction: bool,
    /// Its object types are as of the last commit: what is taken back was never done.
    tally: Tally,
}

#[derive(Debug)]
struct TypeState {
    id: i64,
    class: Class,
    /// What an edge's record needs; empty for another class.
    edge: EdgeType,
    set: Option<OpenSet>,
    /// Scopes whose last word in this run was that they could not be read.
    unread: HashSet<i64>,
    /// Scopes about which the last Issue was a mere Warning.
    warned: HashSet<i64>,
    /// Whether the sets that ended in this run were whole.
    whole: bool,
    tally: TypeTally,
}

impl<'s> Applier<'s> {
    pub(super) fn new(connection: &'s Connection, instance: i64, catalog: &'s Catalog) -> Result<Applier<'s>> {
        Ok(Applier {
            connection,
            instance,
            catalog,
            types: HashMap::new(),
            nodes: Nodes::default(),
            unchanged: Unchanged::default(),
            absences: Absences::guarded_by(RemovalGuard::default()),
            clock: sets::clock(connection)?,
            started: false,
            in_transaction: false,
            tally: Tally::default(),
        })
    }

    /// Replaces the removal guard, which otherwise is the default one.
    #[must_use]
    pub fn guarded_by(mut self, guard: RemovalGuard) -> Applier<'s> {
        self.absences = Absences::guarded_by(guard);
        self
    }

    /// Accepts the removals that the latest stop showed, and no more: under its limits, up to its count of each type.
    /// False when no stop has shown any; then the guard holds as it is.
    pub fn accept_shown_removals(&mut self) -> Result<bool> {
        self.start()?;
        self.absences.accept_shown(self.connection, self.instance)
    }

    /// Applies a batch of NDJSON.
    pub fn apply(&mut self, rows: &[u8]) -> Result<()> {
        for line in rows.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            self.tally.records += 1;
            Record::parse(line)
                .and_then(|record| self.record(record))
                .with_context(|| format!("record {} of this run", self.tally.records))?;
        }
        Ok(())
    }

    /// Whether the removal guard was passed. From here on nothing can be committed; apply the rest of the run to have
    /// it counted, then call [`stop`](Applier::stop).
    pub fn is_held_back(&self) -> bool {
        self.absences.are_held_back()
    }

    /// Takes back everything since the last commit, and remembers what the stop shows, for the operator to accept.
    /// `whole`: the run was applied to its end. After it the applier can only be asked for its tally.
    pub fn stop(&mut self, whole: bool) -> Result<RemovalStop> {
        self.take_back();
        let stop = self.absences.stop(whole);
        removal_counts::show(self.connection, self.instance, &stop)?;
        Ok(stop)
    }

    /// Commits everything since the last commit, and the watermark that is good from here on in the same transaction.
    /// Fails when the run is held back.
    pub fn commit(&mut self, watermark: Option<&str>) -> Result<()> {
        ensure!(!self.is_held_back(), "the removal guard was passed: nothing of this run can be committed any more");
        self.transaction()?;
        if let Some(watermark) = watermark {
            instances::keep_watermark(self.connection, self.instance, watermark)?;
        }
        self.unchanged.write(self.connection, self.clock)?;
        sets::keep_clock(self.connection, self.clock)?;
        self.connection.execute_batch("COMMIT").context("the store could not be written")?;
        self.in_transaction = false;
        self.absences.committed();
        self.tally.types = self.types.iter().map(|(name, state)| (name.clone(), state.tally())).collect();
        Ok(())
    }

    /// Commits the end of a run that ended in order: what an earlier stop showed cannot be accepted any more.
    pub fn commit_end(&mut self, watermark: Option<&str>) -> Result<()> {
        self.transaction()?;
        removal_counts::forget_shown(self.connection, self.instance)?;
        self.commit(watermark)
    }

    /// What came so far, and what it did to the store up to the last commit.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Records seen so far, of any kind.
    pub fn records(&self) -> u64 {
        self.tally.records
    }

    /// Drops the removal counts that are over. Not before the first record: an import that waits for its source has
    /// changed nothing yet.
    fn start(&mut self) -> Result<()> {
        if !self.started {
            removal_counts::start(self.connection, self.instance)?;
            self.started = true;
        }
        Ok(())
    }

    fn transaction(&mut self) -> Result<()> {
        if !self.in_transaction {
            self.start()?;
            self.connection.execute_batch("BEGIN IMMEDIATE").context("the store could not be written")?;
            self.in_transaction = true;
        }
        Ok(())
    }

    fn record(&mut self, record: Record<'_>) -> Result<()> {
        self.transaction()?;
        match record {
            Record::Begin { object_type, mode, set_id, resumed, absence } => {
                self.begin(&object_type, mode, &set_id, resumed, absence)
            }
            Record::Upsert { object_type, source_id, external_id, attributes } => {
                let (state, set) = open(&mut self.types, &object_type)?;
                set.upserts += 1;
                let image = set.mode.brings_images();
                let effect = if state.class == Class::Edge {
                    let row = edge_rows::Upsert { source_id: &source_id, attributes, image, touch: self.clock };
                    edge_rows::upsert(self.connection, &mut self.nodes, &mut self.unchanged, state.edge, row)?
                } else {
                    let key = Key { type_id: state.id, node: self.nodes.of(self.connection, &source_id)? };
                    if state.class == Class::Object {
                        nodes::unmark(self.connection, key.node)?;
                    }
                    let external_id = external_id.as_deref();
                    object_rows::upsert(self.connection, key, external_id, &attributes, image, self.clock)?
                };
                state.tally.count(effect);
                Ok(())
            }
            Record::Delete { object_type, source_id, reason } => self.delete(&object_type, &source_id, reason),
            Record::Scope { object_type, scope, complete } => self.scope(&object_type, &scope, complete),
            Record::Issue(issue) => self.issue(issue),
            Record::End { object_type, complete, upserts, deletes, left_scope, .. } => {
                self.end(&object_type, complete, [upserts, deletes, left_scope])
            }
            Record::Unknown => {
                self.tally.unknown_records += 1;
                Ok(())
            }
        }
    }

    fn begin(&mut self, name: &str, mode: Mode, set_id: &str, resumed: bool, absence: Absence) -> Result<()> {
        if !self.types.contains_key(name) {
            let object_type = self.catalog.object_type(name);
            let type_id = instances::claim(self.connection, self.instance, &object_type)?;
            let edge = match object_type.class {
                Class::Edge => EdgeType::new(type_id, &object_type)?,
                Class::Object | Class::Event => EdgeType::default(),
            };
            let state = TypeState {
                id: type_id,
                class: object_type.class,
                edge,
                set: None,
                unread: HashSet::new(),
                warned: HashSet::new(),
                whole: true,
                tally: TypeTally::default(),
            };
            self.types.insert(name.to_owned(), state);
        }
        self.unchanged.write(self.connection, self.clock)?;
        let state = self.types.get_mut(name).context("an object type that was just put there")?;
        let type_id = state.id;
        state.set = Some(sets::begin(self.connection, &mut self.clock, type_id, set_id, mode, resumed, absence)?);
        state.unread.extend(sets::unread(self.connection, type_id)?);
        state.warned.extend(sets::warned(self.connection, type_id)?);
        self.absences.begin(self.connection, state.named(name), mode)?;
        state.tally.modes.push(mode.name().to_owned());
        state.tally.complete = false;
        Ok(())
    }

    fn delete(&mut self, name: &str, source_id: &str, reason: Reason) -> Result<()> {
        let (state, set) = open(&mut self.types, name)?;
        match reason {
            Reason::LeftScope => set.left_scope += 1,
            _ => set.deletes += 1,
        }
        if !matches!(set.mode, Mode::Full | Mode::Delta) {
            // Append only adds, and for an unknown mode nothing is ever removed.
            state.tally.ignored += 1;
            return Ok(());
        }
        let of = Type { id: state.id, name, class: state.class };
        let gone = match (state.class, reason) {
            (Class::Edge, Reason::LeftScope) => {
                self.absences.of_left_edge(self.connection, of, state.edge, source_id)?
            }
            (Class::Edge, _) => edge_rows::delete(self.connection, state.edge, source_id)?,
            (_, reason) => {
                let key = Key { type_id: of.id, node: self.nodes.of(self.connection, source_id)? };
                match reason {
                    Reason::SoftDeleted => object_rows::soft_delete(self.connection, key, self.clock)?,
                    Reason::Purged | Reason::Removed => object_rows::purge(self.connection, key, self.clock)?,
                    Reason::LeftScope => self.absences.of_left_object(self.connection, of, key)?,
                }
            }
        };
        match reason {
            Reason::LeftScope => state.tally.left_scope += u64::from(gone),
            _ => state.tally.deleted += u64::from(gone),
        }
        Ok(())
    }

    fn scope(&mut self, name: &str, scope: &str, complete: bool) -> Result<()> {
        let state = self.types.get_mut(name).with_context(|| outside(name))?;
        let set = state.set.as_ref().with_context(|| outside(name))?;
        let (type_id, group) = (state.id, self.nodes.of(self.connection, scope)?);
        let since = sets::scope_removes_below(self.connection, type_id, set, group, complete)?;
        let all_came = self.unchanged.close_scope(self.connection, type_id, group, since, self.clock)?;
        if let Some(since) = since.filter(|_| !all_came) {
            let removed = self.absences.of_scope(self.connection, state.named(name), group, since)?;
            state.tally.removed_by_absence += removed;
        }
        sets::close_scope(self.connection, &mut self.clock, type_id, group, complete)?;
        if complete {
            state.unread.remove(&group);
        } else {
            state.unread.insert(group);
        }
        state.tally.scopes += 1;
        Ok(())
    }

    fn end(&mut self, name: &str, complete: bool, said: [u64; 3]) -> Result<()> {
        let state = self.types.get_mut(name).with_context(|| outside(name))?;
        let set = state.set.take().with_context(|| outside(name))?;
        let came = [set.upserts, set.deletes, set.left_scope];
        if said != came {
            self.tally.notes.push(format!(
                "{name}: the connector says it sent {said:?} upserts, deletes and rows that left scope; {came:?} came"
            ));
        }
        let type_id = state.id;
        self.unchanged.write(self.connection, self.clock)?;
        // Of an Event type nothing is ever removed, whatever the Mode of its set.
        if let Some(floor) = set.removes_below(complete).filter(|_| state.class != Class::Event) {
            state.tally.removed_by_absence += if state.class == Class::Edge {
                self.absences.of_edges(self.connection, state.named(name), floor)?
            } else {
                self.absences.of_objects(self.connection, state.named(name), floor, set.absence)?
            };
            // What an earlier set could not read and this one did not list has gone.
            state.unread = sets::unread(self.connection, type_id)?;
        }
        removal_counts::settle(self.connection, type_id)?;
        state.whole = complete && (state.whole || set.mode == Mode::Full);
        state.tally.complete = state.whole;
        Ok(())
    }

    fn issue(&mut self, issue: Issue) -> Result<()> {
        let object_type = issue.object_type.as_deref().and_then(|name| self.types.get_mut(name));
        if let Some(state) = object_type {
            state.tally.issues += 1;
            if let Some(scope) = &issue.scope {
                let (group, warning) = (self.nodes.of(self.connection, scope)?, issue.severity == "Warning");
                sets::keep_issue(self.connection, state.id, group, warning)?;
                if warning {
                    state.warned.insert(group)
                } else {
                    state.warned.remove(&group)
                };
            }
        }
        self.tally.issue(issue);
        Ok(())
    }

    fn take_back(&mut self) {
        if self.in_transaction {
            // A disk that is full has ended the transaction already; there is nothing more to do about an error here.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.in_transaction = false;
        }
    }
}

impl Drop for Applier<'_> {
    fn drop(&mut self) {
        self.take_back();
    }
}

/// The object type's state and its open set. Rows outside a set are the connector's mistake.
fn open<'t>(types: &'t mut HashMap<String, TypeState>, name: &str) -> Result<(TypeParts<'t>, &'t mut OpenSet)> {
    match types.get_mut(name) {
        Some(TypeState { id, class, edge, set: Some(set), tally, .. }) => {
            Ok((TypeParts { id: *id, class: *class, edge, tally }, set))
        }
        _ => bail!(outside(name)),
    }
}

fn outside(name: &str) -> String {
    format!("the connector broke the contract: a record of {name} outside Begin and End")
}

struct TypeParts<'t> {
    id: i64,
    class: Class,
    edge: &'t EdgeType,
    tally: &'t mut TypeTally,
}

impl TypeState {
    fn named<'a>(&self, name: &'a str) -> Type<'a> {
        Type { id: self.id, name, class: self.class }
    }

    fn tally(&self) -> TypeTally {
        TypeTally {
            unread_scopes: self.unread.len() as u64,
            warned_scopes: self.unread.intersection(&self.warned).count() as u64,
            ..self.tally.clone()
        }
    }
}

impl TypeTally {
    fn count(&mut self, effect: Effect) {
        match effect {
            Effect::Added => self.added += 1,
            Effect::Changed => self.changed += 1,
            Effect::Unchanged => self.unchanged += 1,
        }
    }
}
