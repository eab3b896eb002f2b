//! One page of a feed: which rows it holds and where the next one goes on.
//!
//! How full a page is, whether it is empty and what it repeats is drawn from the seed and the place in the feed, so
//! that asking for the same page twice gives the same page, as far as the tenant has not changed.

use serde_json::Value;

use super::cursor::{Cursor, Place, Round};
use super::row::Rows;
use crate::simulator::graph::Context;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::seed::{Progression, mix, stream};
use crate::simulator::tenant::Tenant;
use crate::simulator::tenant::state::{Presence, Step};

/// Groups whose further slices may wait while other groups are shown; it bounds the token.
const MOST_PENDING: usize = 40;

/// The rows of the page a cursor points at, and the round's next position.
pub(super) fn page(context: &Context<'_>, tenant: &Tenant, cursor: &Cursor, minimal: bool) -> (Vec<Value>, Round) {
    let world = &context.service.world;
    let (round, walk) = match &cursor.round {
        Round::Since { since } => {
            let until = tenant.log.end();
            // A replay starts earlier than the link says; a round with no news stays empty.
            let replayed = if *since < until { world.delta.replayed_changes } else { 0 };
            let since = since.saturating_sub(replayed);
            (Round::Later { since, until, place: Place { at: since, ..Place::default() } }, Walk::Log { since, until })
        }
        Round::First { since, count, .. } => (cursor.round.clone(), Walk::Enumeration { count: *count, since: *since }),
        Round::Later { since, until, .. } => (cursor.round.clone(), Walk::Log { since: *since, until: *until }),
    };
    let (mut place, window) = match &round {
        Round::Later { since, until, place } => (place.clone(), Some((*since, *until))),
        Round::First { place, .. } => (place.clone(), None),
        Round::Since { .. } => (Place::default(), None),
    };
    let rows = Rows::new(context, tenant, cursor, window, minimal);
    let feed = Feed { tenant, cursor, walk, rows: &rows, keep_removed: world.delta.removed_in_first_round };

    let place_key = (u64::from(place.at) << 32) ^ (u64::from(place.empties) << 24) ^ place.pending.len() as u64;
    let roll = |purpose: &str| mix(world.seed ^ cursor.kind as u64, stream(purpose), place_key);
    if world.delta.empty_pages && place.empties < 3 && roll("empty page").is_multiple_of(5) {
        place.empties += 1;
        return (Vec::new(), with_place(round, place));
    }
    let start = place.at;
    let repeats = world.delta.duplicates && start > 0 && roll("duplicates").is_multiple_of(3);
    let size = page_size(context, cursor.kind, roll("page size"));
    let limit = if repeats { size.saturating_sub(2).max(1) } else { size };
    let mut values = feed.fill(&mut place, limit as usize, roll("slices"));
    if repeats && window.is_some() && world.delta.membership_history {
        // Only right behind its first appearance: an old slice after a newer one would undo what the newer one told.
        values.extend(values.last().cloned());
    } else if repeats {
        let repeated = [start - 1, start.saturating_sub(2)].into_iter().filter_map(|at| feed.candidate(at));
        values.extend(repeated.take(size.saturating_sub(1).min(2) as usize).map(|object| rows.first_slice(object).0));
    }
    place.empties = 0;
    let finished = place.at >= feed.end() && place.pending.is_empty();
    let next = match (finished, &round) {
        (true, Round::First { since, .. }) => Round::Since { since: *since },
        (true, Round::Later { until, .. }) => Round::Since { since: *until },
        _ => with_place(round, place),
    };
    (values, next)
}

fn with_place(round: Round, place: Place) -> Round {
    match round {
        Round::First { since, count, .. } => Round::First { since, count, place },
        Round::Later { since, until, .. } => Round::Later { since, until, place },
        since @ Round::Since { .. } => since,
    }
}

fn page_size(context: &Context<'_>, kind: Kind, roll: u64) -> u32 {
    let Some(feed) = kind.table().served.as_ref().and_then(|served| served.feed.as_ref()) else { return 1 };
    let settings = &context.service.base.settings;
    let most = settings.count(feed.page).max(1);
    if !feed.varies.is_some_and(|key| settings.flag(key)) {
        return most;
    }
    match roll % 10 {
        0 => 1,
        1..=3 => 1 + (roll >> 8) as u32 % most,
        _ => most,
    }
}

enum Walk {
    Enumeration { count: u32, since: u32 },
    Log { since: u32, until: u32 },
}

struct Feed<'a> {
    tenant: &'a Tenant,
    cursor: &'a Cursor,
    walk: Walk,
    rows: &'a Rows<'a>,
    keep_removed: bool,
}

impl Feed<'_> {
    fn end(&self) -> u32 {
        match self.walk {
            Walk::Enumeration { count, .. } => count,
            Walk::Log { until, .. } => until,
        }
    }

    fn fill(&self, place: &mut Place, limit: usize, roll: u64) -> Vec<Value> {
        let mut values = Vec::new();
        let mut newest = None;
        while values.len() < limit {
            let exhausted = place.at >= self.end();
            let waiting = place.pending.first().copied();
            let apart = waiting.is_some_and(|(group, _)| newest != Some(group));
            let turn = place.pending.len() >= MOST_PENDING
                || apart && mix(roll, values.len() as u64, u64::from(place.at)).is_multiple_of(3);
            if let Some((group, from)) = waiting.filter(|_| exhausted || turn) {
                place.pending.remove(0);
                let (row, more) = self.rows.further_slice(group, from);
                values.extend(row);
                place.pending.extend(more.map(|slot| (group, slot)));
                newest = Some(group);
            } else if exhausted {
                break;
            } else {
                let at = place.at;
                place.at += 1;
                if let Some(object) = self.candidate(at) {
                    let (row, more) = self.rows.first_slice(object);
                    values.push(row);
                    place.pending.extend(more.map(|slot| (object.number, slot)));
                    newest = Some(object.number);
                }
            }
        }
        values
    }

    /// The object to show at a position, if there is one to show.
    fn candidate(&self, at: u32) -> Option<ObjectRef> {
        match self.walk {
            Walk::Enumeration { count, since } => self.enumerated(at, count, since),
            Walk::Log { since, .. } => self.changed(at, since),
        }
    }

    fn enumerated(&self, at: u32, count: u32, since: u32) -> Option<ObjectRef> {
        let kind = self.cursor.kind;
        let number = match &self.cursor.ids {
            Some(ids) => *ids.get(at as usize)?,
            None => Progression::new(count, mix(self.tenant.base.seed, stream("order"), kind as u64)).at(at),
        };
        let object = ObjectRef { kind, number };
        let view = self.tenant.now();
        view.presence(object)?;
        // Which objects a round tells was decided when it began; how they look is read when their page is asked for.
        let shown = match self.tenant.presence_at(object, since) {
            Presence::Live => true,
            Presence::SoftDeleted => self.keep_removed,
            // Created and gone before anybody asked: never mentioned.
            Presence::Purged => self.keep_removed && !view.state.altered(object).is_some_and(|altered| altered.created),
        };
        shown.then_some(object)
    }

    /// The object of a log entry, at its first entry that concerns this query.
    fn changed(&self, at: u32, since: u32) -> Option<ObjectRef> {
        let step = self.tenant.log.step(at)?;
        let object = step.object()?;
        let wanted = object.kind == self.cursor.kind
            && self.cursor.ids.as_ref().is_none_or(|ids| ids.contains(&object.number))
            && self.concerns(step);
        let first = wanted && !self.tenant.log.of(object, since, at).any(|earlier| self.concerns(earlier));
        first.then_some(object)
    }

    fn concerns(&self, step: &Step) -> bool {
        match step {
            Step::Update { fields, .. } => fields.keys().any(|name| self.rows.selects(name)),
            Step::Link { relation, child, .. } | Step::Unlink { relation, child, .. } => {
                self.cursor.follows == Some(*relation) && self.rows.lists(child.kind)
            }
            Step::Create { .. } | Step::SoftDelete { .. } | Step::Restore { .. } | Step::Purge { .. } => true,
            Step::Append { .. } | Step::Rewrite { .. } => false,
        }
    }
}
