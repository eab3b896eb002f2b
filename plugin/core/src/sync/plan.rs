//! What each object type of a run starts from: nothing, its delta link, or the place where an interrupted run stopped.
//!
//! The order of the checks is part of the contract. Another tenant or Graph: the whole watermark is refused, since
//! going on would mix two directories. Another selection, filter, mode or external id: the types touched restart as
//! Full, with a warning. A link that leads elsewhere: refused before any request is made.

use std::time::Duration;

use super::mark::{Position, Stage, TypeMark};
use super::notes::Warning;
use super::restored::Gone;
use super::watermark::{Watermark, invalid};
use crate::code::Code;
use crate::error::{Error, Kind};
use crate::mapping::ObjectId;
use crate::types::{self, Class, ObjectType};

const DAY: u64 = 24 * 3600;

/// Graph keeps delta tokens of directory objects for seven days (docs: delta query overview); from this age a run
/// warns.
const WARN_AGE: Duration = Duration::from_secs(5 * DAY);

/// Where an object type starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// The interrupted run had finished it.
    Done,
    /// At the beginning, or inside a Full set of an interrupted run.
    Full {
        /// Where to go on.
        resume: Option<FullPlace>,
    },
    /// At a delta link.
    Delta {
        /// The link.
        link: String,
        /// Where to go on inside its round.
        page: Option<String>,
        /// `Walk`, or `Drain` at the end of a Reconcile.
        stage: Stage,
        /// When the Reconcile began, for `Drain`.
        since: Option<u64>,
    },
    /// Everything is read once, then the round from this link on top; only where memberships follow the groups feed.
    Reconcile {
        /// The link.
        link: String,
        /// Where to go on: `Members` or `Groups`.
        place: Option<Position>,
    },
}

/// A place inside a Full set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullPlace {
    /// Its name.
    pub set: String,
    /// The page to go on with; `None`: the first.
    pub page: Option<String>,
    /// When it began.
    pub since: Option<u64>,
    /// Scopes before that page that are still to be read.
    pub unread: Vec<ObjectId>,
}

impl Start {
    /// At the beginning.
    pub fn full() -> Start {
        Start::Full { resume: None }
    }

    /// The same round, from its first page.
    #[must_use]
    pub fn from_its_beginning(self) -> Start {
        match self {
            Start::Full { .. } => Start::full(),
            Start::Delta { link, stage, since, .. } => Start::Delta { link, page: None, stage, since },
            other => other,
        }
    }
}

/// What of an object type is kept from one run to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeps {
    /// A delta link of this collection, and a place inside its rounds.
    Link {
        /// `/users`.
        collection: &'static str,
    },
    /// A place inside the set of an interrupted run: it is read whole on every run.
    Place,
}

/// What this run asks for of one object type.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The object type.
    pub object_type: &'static ObjectType,
    /// Names everything that decides what its records carry.
    pub fingerprint: String,
    /// What is kept of it.
    pub keeps: Keeps,
    /// A watermark of just links would fit: no filter, default attributes.
    pub plain: bool,
    /// Its soft-deleted objects must be known, since members are read by a feed that does not mention them.
    pub needs_bin: bool,
    /// What its feed never mentions is corrected by lists and not by walking the feed anew.
    pub reconciles: bool,
}

/// What this run asks for.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Directory GUID.
    pub tenant: &'a str,
    /// Graph origin.
    pub origin: &'a str,
    /// The object types that keep a mark, in the order of `Describe`.
    pub types: &'a [Asked],
    /// Fingerprint of all that is asked for, switches included.
    pub all: &'a str,
    /// Groups are judged and read one by one: those that could not be are named by the watermark.
    pub repairs: bool,
    /// Memberships follow a feed: soft-deleted objects are named by the watermark.
    pub follows_members: bool,
    /// Days between Reconciles; 0: never.
    pub reconcile_days: u16,
    /// Seconds since 1970, by Graph's clock.
    pub now: u64,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    starts: Vec<(&'static str, Start)>,
    feeds: Vec<&'static str>,
    /// For the result.
    pub warnings: Vec<Warning>,
    /// What the run's watermark grows from.
    pub carried: Watermark,
}

impl Plan {
    /// Where an object type starts.
    pub fn start(&self, object_type: &ObjectType) -> Start {
        let start = self.starts.iter().find(|(name, _)| *name == object_type.name);
        start.map_or_else(Start::full, |(_, start)| start.clone())
    }

    /// Whether the object type is read by a feed, from the link that the last run left.
    pub fn has_feed(&self, object_type: &ObjectType) -> bool {
        self.feeds.contains(&object_type.name)
    }
}

/// Decides. `leads_here` says whether a link is one of the configured Graph.
pub fn plan(
    previous: Option<&Watermark>,
    wanted: &Wanted<'_>,
    leads_here: impl Fn(&str) -> bool,
) -> Result<Plan, Error> {
    let mut carried = Watermark {
        tenant: Some(wanted.tenant.to_owned()),
        origin: Some(wanted.origin.to_owned()),
        asked: Some(wanted.all.to_owned()),
        ..Watermark::default()
    };
    carried.lists.gone = wanted.follows_members.then(Gone::default);
    let starts = wanted.types.iter().map(|asked| (asked.object_type.name, Start::full())).collect();
    let feeds = wanted.types.iter().filter(|asked| matches!(asked.keeps, Keeps::Link { .. }));
    let feeds = feeds.map(|asked| asked.object_type.name).collect();
    let mut plan = Plan { starts, feeds, warnings: Vec::new(), carried };
    let Some(previous) = previous else { return Ok(plan) };
    same("/x/tenant", "tenant", previous.tenant.as_deref(), wanted.tenant)?;
    same("/x/origin", "Graph endpoint", previous.origin.as_deref(), wanted.origin)?;
    for object_type in types::ALL {
        let asked = wanted.types.iter().find(|asked| asked.object_type == *object_type);
        links_lead_here(previous.of(object_type), object_type, asked, wanted.origin, &leads_here)?;
        // Events that were not asked for meanwhile are still there to be read.
        if asked.is_none() && object_type.class == Class::Event {
            *plan.carried.of_mut(object_type) = previous.of(object_type).clone();
        }
    }
    // What a run was doing says nothing to a run that asks for something else.
    let same_run = previous.asked.as_deref() == Some(wanted.all);
    for asked in wanted.types {
        let (object_type, mark) = (asked.object_type, previous.of(asked.object_type));
        let done = same_run && previous.done.iter().any(|done| done == object_type.name);
        let start = match asked.keeps {
            // Where memberships follow the feed, whoever was deleted meanwhile must be known before groups are read on:
            // what was finished is looked at again, by the link it left.
            _ if done && !asked.needs_bin => Start::Done,
            Keeps::Link { .. } => from_link(asked, mark, wanted, previous, &mut plan.warnings),
            Keeps::Place => from_place(asked, mark, same_run),
        };
        *plan.carried.of_mut(object_type) = match asked.keeps {
            // The list of soft-deleted objects begins with this run, so from now on the link would hide that it was
            // empty.
            Keeps::Link { .. } if bin_is_unknown(asked, previous) => TypeMark::default(),
            // A link that was made for another selection stays until the Begin of the new set: a run that fails before
            // it changes nothing.
            Keeps::Link { .. } => mark.clone(),
            // What is read as a list has no delta link, and one made before would miss what happens meanwhile.
            Keeps::Place if matches!(start, Start::Full { resume: Some(_) }) => {
                TypeMark { position: mark.position.clone(), unread: mark.unread.clone(), ..TypeMark::default() }
            }
            Keeps::Place => TypeMark::default(),
        };
        if matches!(start, Start::Full { resume: Some(_) }) {
            carry_lacking(&mut plan.carried, previous, object_type.name);
        }
        plan.starts.iter_mut().filter(|(name, _)| *name == object_type.name).for_each(|(_, at)| *at = start.clone());
    }
    if same_run {
        plan.carried.done.clone_from(&previous.done);
        previous.lacking.iter().for_each(|name| plan.carried.lacks(name));
    }
    let lists = &mut plan.carried.lists;
    // A list brings every group on each run, and nothing would ever take one of these off.
    if wanted.repairs {
        lists.repair.clone_from(&previous.lists.repair);
        lists.confirm.clone_from(&previous.lists.confirm);
    }
    if wanted.follows_members {
        lists.gone = Some(previous.lists.gone.clone().unwrap_or_default());
        lists.restored.clone_from(&previous.lists.restored);
    }
    Ok(plan)
}

/// Whether memberships follow the feed from this run on, so that nothing is known of the recycle bin yet.
fn bin_is_unknown(asked: &Asked, previous: &Watermark) -> bool {
    asked.needs_bin && previous.lists.gone.is_none()
}

/// What an interrupted run left unread is still unread for the run that resumes it.
fn carry_lacking(carried: &mut Watermark, previous: &Watermark, object_type: &str) {
    if previous.lacking.iter().any(|name| name == object_type) {
        carried.lacks(object_type);
    }
}

fn same(path: &str, what: &str, stored: Option<&str>, wanted: &str) -> Result<(), Error> {
    match stored {
        Some(stored) if stored != wanted => {
            Err(invalid(path, format!("{what} {stored}"), format!("{what} {wanted}, as configured")))
        }
        _ => Ok(()),
    }
}

fn links_lead_here(
    mark: &TypeMark,
    object_type: &ObjectType,
    asked: Option<&Asked>,
    origin: &str,
    leads_here: &impl Fn(&str) -> bool,
) -> Result<(), Error> {
    let name = object_type.name;
    let elsewhere =
        |path: String| invalid(&path, "a link that leads elsewhere", format!("a link of {name} at {origin}"));
    let of_feed = |link: &str| match asked.map(|asked| asked.keeps) {
        Some(Keeps::Link { collection }) => is_of_feed(link, collection),
        _ => true,
    };
    if mark.link.as_deref().is_some_and(|link| !(leads_here(link) && of_feed(link))) {
        let in_mark = || format!("/x/types/{name}/link");
        return Err(elsewhere(object_type.link_member.map_or_else(in_mark, |member| format!("/{member}"))));
    }
    let page = mark.position.as_ref().and_then(|position| position.page.as_deref());
    if page.is_some_and(|page| !leads_here(page)) {
        return Err(elsewhere(format!("/x/types/{name}/now/page")));
    }
    Ok(())
}

/// Inside the set of the interrupted run that this one resumes, or at the beginning.
fn from_place(asked: &Asked, mark: &TypeMark, same_run: bool) -> Start {
    let place = mark.position.as_ref().filter(|place| same_run && place.fingerprint == asked.fingerprint);
    let resume = place.and_then(|place| {
        let (set, page, since) = (place.set.clone()?, place.page.clone(), place.since);
        Some(FullPlace { set, page, since, unread: mark.unread.clone() })
    });
    Start::Full { resume }
}

fn from_link(
    asked: &Asked,
    mark: &TypeMark,
    wanted: &Wanted<'_>,
    previous: &Watermark,
    warnings: &mut Vec<Warning>,
) -> Start {
    let mut warn =
        |code, message: String| warnings.push(Warning { code, object_type: Some(asked.object_type.name), message });
    if bin_is_unknown(asked, previous) && !mark.is_empty() {
        warn(
            Code::SelectionChanged,
            "memberships now follow the change feed, which needs to know which users are in the recycle bin: imported in full"
                .into(),
        );
        return Start::full();
    }
    // A Full set under way goes on, whatever the link behind it was made for.
    let position = mark.position.as_ref().filter(|position| position.fingerprint == asked.fingerprint);
    if let Some(Position { stage: Stage::Walk, set: Some(set), page: page @ Some(_), since, .. }) = position {
        let place = FullPlace { set: set.clone(), page: page.clone(), since: *since, unread: Vec::new() };
        return Start::Full { resume: Some(place) };
    }
    let Some(link) = mark.link.clone() else { return Start::full() };
    match mark.fingerprint.as_deref() {
        Some(known) if known == asked.fingerprint => {}
        Some(_) => {
            warn(
                Code::SelectionChanged,
                "the configuration asks for something else than the stored delta link was made for: imported in full"
                    .into(),
            );
            return Start::full();
        }
        None if asked.plain => {
            warn(Code::ForeignWatermark, "the watermark holds only links: taken over, on the word of the host that they belong to this tenant and to the default attributes".into());
        }
        None => {
            warn(Code::ForeignWatermark, "the watermark holds only links, and the configuration asks for more than the defaults: imported in full".into());
            return Start::full();
        }
    }
    if let Some(at) = mark.at {
        let age = Duration::from_secs(wanted.now.saturating_sub(at));
        if age >= WARN_AGE {
            let days = age.as_secs() / DAY;
            warn(
                Code::DeltaLinkAge,
                format!("the delta link is {days} days old; Graph keeps them for 7 days: import more often"),
            );
        }
    }
    match position {
        Some(place) if matches!(place.stage, Stage::Members | Stage::Groups) => {
            Start::Reconcile { link, place: Some(place.clone()) }
        }
        // Only the groups themselves still know the memberships of the restored objects that no list names.
        _ if asked.reconciles && previous.lists.restored.lost => Start::Reconcile { link, place: None },
        Some(place) => Start::Delta { link, page: place.page.clone(), stage: place.stage, since: place.since },
        None if is_due(mark, wanted) && asked.reconciles => Start::Reconcile { link, place: None },
        None if is_due(mark, wanted) => Start::full(),
        None => Start::Delta { link, page: None, stage: Stage::Walk, since: None },
    }
}

/// The time of the last Full set where that set was made of lists: they may lag behind the link that was taken before,
/// so the next run reads everything again, whatever `FullReconcileDays` says.
pub const NEXT_RUN_RECONCILES: u64 = 0;

/// Whether everything is to be read again. Where nobody knows when it last was, the count begins with this run.
fn is_due(mark: &TypeMark, wanted: &Wanted<'_>) -> bool {
    if mark.full == Some(NEXT_RUN_RECONCILES) {
        return true;
    }
    let days = u64::from(wanted.reconcile_days);
    days > 0 && mark.full.is_some_and(|full| wanted.now.saturating_sub(full) >= days * DAY)
}

/// Whether the link's path is the feed's function, in any of Graph's spellings.
fn is_of_feed(link: &str, collection: &str) -> bool {
    let path = link.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let collection = format!("{}/", collection.to_ascii_lowercase());
    path.contains(&collection) && path.trim_end_matches("()").ends_with("delta")
}

/// The error for a feed whose delta link Graph refused.
pub(crate) fn expired(error: Error, object_type: &'static str) -> Error {
    Error {
        kind: Kind::WatermarkExpired,
        message: format!("{object_type} cannot be imported by delta: {}", error.message),
        ..error
    }
}

#[cfg(test)]
mod tests;
