//! What each object type of a run starts from: nothing, its delta link, or the place where an interrupted run stopped.
//!
//! The order of the checks is part of the contract. Another tenant or Graph: the whole watermark is refused, since going
//! on would mix two directories. Another selection, filter, mode or external id: the types touched restart as Full, with a
//! warning. A link that leads elsewhere: refused before any request is made.

use std::time::Duration;

use super::notes::Warning;
use super::restored::Gone;
use super::watermark::{FeedMark, Key, Position, Stage, Watermark, invalid};
use crate::code::Code;
use crate::error::{Error, Kind};
use crate::mapping::ObjectId;

const DAY: u64 = 24 * 3600;

/// Graph keeps delta tokens of directory objects for seven days (docs: delta query overview); from this age a run warns.
const WARN_AGE: Duration = Duration::from_secs(5 * DAY);

/// Where a feed starts.
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
    /// The page to go on with.
    pub page: String,
    /// When it began.
    pub since: Option<u64>,
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

/// Where recomputed memberships start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembersStart {
    /// The interrupted run had finished them.
    Done,
    /// With a new set.
    New,
    /// Inside the set of an interrupted run.
    Resume {
        /// Its name.
        set: String,
        /// The page of the list of groups to go on with; `None`: the first.
        page: Option<String>,
        /// Groups before that page that are still to be read.
        unread: Vec<ObjectId>,
    },
}

/// What this run asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Directory GUID.
    pub tenant: &'a str,
    /// Graph origin.
    pub origin: &'a str,
    /// Fingerprint of the users feed; `None`: not read by delta.
    pub users: Option<&'a str>,
    /// Fingerprint of the groups feed, or list; `None`: not read.
    pub groups: Option<&'a str>,
    /// Groups are read as a list on every run.
    pub groups_listed: bool,
    /// Fingerprint of recomputed memberships; `None`: not recomputed.
    pub members: Option<&'a str>,
    /// Fingerprint of all that is asked for, switches included.
    pub all: &'a str,
    /// Memberships follow the groups feed.
    pub follows_members: bool,
    /// Days between Reconciles; 0: never.
    pub reconcile_days: u16,
    /// Whether a watermark of just the two links would fit: no filter, default attributes, memberships recomputed.
    pub defaults: bool,
    /// Seconds since 1970, by Graph's clock.
    pub now: u64,
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The users feed.
    pub users: Start,
    /// The groups feed.
    pub groups: Start,
    /// Recomputed memberships.
    pub members: MembersStart,
    /// For the result.
    pub warnings: Vec<Warning>,
    /// What the run's watermark grows from.
    pub carried: Watermark,
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
    let mut plan =
        Plan { users: Start::full(), groups: Start::full(), members: MembersStart::New, warnings: Vec::new(), carried };
    let Some(previous) = previous else { return Ok(plan) };
    same("/x/tenant", "tenant", previous.tenant.as_deref(), wanted.tenant)?;
    same("/x/origin", "Graph endpoint", previous.origin.as_deref(), wanted.origin)?;
    // What a run was doing says nothing to a run that asks for something else.
    let same_run = previous.asked.as_deref() == Some(wanted.all);
    let done = |name: &str| same_run && previous.done.iter().any(|done| done == name);
    for (key, fingerprint) in [(Key::Users, wanted.users), (Key::Groups, wanted.groups)] {
        let mark = previous.feed(key);
        let start = match fingerprint {
            // Where memberships follow the feed, whoever was deleted meanwhile must be known before groups are read on: the
            // users that were finished are looked at again, by the link they left.
            _ if done(object_type(key)) && !(key == Key::Users && wanted.follows_members) => Start::Done,
            None => Start::full(),
            Some(fingerprint) => start(key, mark, fingerprint, wanted, previous, &mut plan.warnings),
        };
        links_lead_here(mark, key, wanted.origin, &leads_here)?;
        if fingerprint.is_some() {
            // A link that was made for another selection stays until the Begin of the new set: a run that fails before it
            // changes nothing.
            *plan.carried.feed_mut(key) = mark.clone();
            if bin_is_unknown(key, wanted, previous) {
                // The list of soft-deleted users begins with this run, so from now on the link would hide that it was empty.
                *plan.carried.feed_mut(key) = FeedMark::default();
            }
            if same_run || matches!(start, Start::Full { resume: Some(_) }) {
                carry_lacking(&mut plan.carried, previous, object_type(key));
            }
        }
        if key == Key::Groups && wanted.groups_listed {
            // What is read as a list has no delta link, and one made before would miss what happens meanwhile.
            plan.carried.groups = FeedMark { position: mark.position.clone(), ..FeedMark::default() };
        }
        match key {
            Key::Users => plan.users = start,
            Key::Groups => plan.groups = start,
        }
    }
    if let (Some(mark), Some(fingerprint)) = (&previous.members, wanted.members)
        && same_run
        && mark.fingerprint == fingerprint
    {
        if !mark.page.as_deref().is_none_or(&leads_here) {
            return Err(elsewhere("/x/members/page", "pages of groups", wanted.origin));
        }
        let unread = mark.unread.clone();
        plan.members = MembersStart::Resume { set: mark.set.clone(), page: mark.page.clone(), unread };
        plan.carried.members = Some(mark.clone());
    }
    if done("GroupMember") {
        plan.members = MembersStart::Done;
    }
    if same_run {
        plan.carried.done.clone_from(&previous.done);
        carry_lacking(&mut plan.carried, previous, "GroupMember");
    }
    let lists = &mut plan.carried.lists;
    // A list brings every group on each run, and nothing would ever take one of these off.
    if wanted.groups.is_some() && !wanted.groups_listed {
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
fn bin_is_unknown(key: Key, wanted: &Wanted<'_>, previous: &Watermark) -> bool {
    key == Key::Users && wanted.follows_members && previous.lists.gone.is_none()
}

/// What an interrupted run left unread is still unread for the run that resumes it.
fn carry_lacking(carried: &mut Watermark, previous: &Watermark, object_type: &str) {
    if previous.lacking.iter().any(|name| name == object_type) {
        carried.lacks(object_type);
    }
}

fn object_type(key: Key) -> &'static str {
    match key {
        Key::Users => "User",
        Key::Groups => "Group",
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

fn elsewhere(path: &str, what: &str, origin: &str) -> Error {
    invalid(path, "a link that leads elsewhere", format!("a link of {what} at {origin}"))
}

fn links_lead_here(mark: &FeedMark, key: Key, origin: &str, leads_here: &impl Fn(&str) -> bool) -> Result<(), Error> {
    let (path, name) = match key {
        Key::Users => ("u", "users"),
        Key::Groups => ("g", "groups"),
    };
    if mark.link.as_deref().is_some_and(|link| !(leads_here(link) && is_of_feed(link, key))) {
        return Err(elsewhere(&format!("/{path}"), name, origin));
    }
    let page = mark.position.as_ref().and_then(|position| position.page.as_deref());
    if page.is_some_and(|page| !leads_here(page)) {
        return Err(elsewhere(&format!("/x/{name}/now/page"), name, origin));
    }
    Ok(())
}

fn start(
    key: Key,
    mark: &FeedMark,
    fingerprint: &str,
    wanted: &Wanted<'_>,
    previous: &Watermark,
    warnings: &mut Vec<Warning>,
) -> Start {
    let mut warn =
        |code, message: String| warnings.push(Warning { code, object_type: Some(object_type(key)), message });
    if bin_is_unknown(key, wanted, previous) && !mark.is_empty() {
        warn(
            Code::SelectionChanged,
            "memberships now follow the change feed, which needs to know which users are in the recycle bin: imported in full"
                .into(),
        );
        return Start::full();
    }
    // A Full set under way goes on, whatever the link behind it was made for.
    let listed = key == Key::Groups && wanted.groups_listed;
    let position = mark.position.as_ref().filter(|position| position.fingerprint == fingerprint);
    if let Some(Position { stage, set: Some(set), page: Some(page), since, .. }) = position
        && (listed || *stage == Stage::Walk)
    {
        let place = FullPlace { set: set.clone(), page: page.clone(), since: *since };
        return Start::Full { resume: Some(place) };
    }
    if listed {
        return Start::full();
    }
    let Some(link) = mark.link.clone() else { return Start::full() };
    match mark.fingerprint.as_deref() {
        Some(known) if known == fingerprint => {}
        Some(_) => {
            warn(
                Code::SelectionChanged,
                "the configuration asks for something else than the stored delta link was made for: imported in full"
                    .into(),
            );
            return Start::full();
        }
        None if wanted.defaults => {
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
    let follows = key == Key::Groups && wanted.follows_members;
    match position {
        Some(place) if matches!(place.stage, Stage::Members | Stage::Groups) => {
            Start::Reconcile { link, place: Some(place.clone()) }
        }
        // Only the groups themselves still know the memberships of the restored objects that no list names.
        _ if follows && previous.lists.restored.lost => Start::Reconcile { link, place: None },
        Some(place) => Start::Delta { link, page: place.page.clone(), stage: place.stage, since: place.since },
        None if is_due(mark, wanted) && follows => Start::Reconcile { link, place: None },
        None if is_due(mark, wanted) => Start::full(),
        None => Start::Delta { link, page: None, stage: Stage::Walk, since: None },
    }
}

/// The time of the last Full set where that set was made of lists: they may lag behind the link that was taken before, so
/// the next run reads everything again, whatever `FullReconcileDays` says.
pub const NEXT_RUN_RECONCILES: u64 = 0;

/// Whether everything is to be read again. Where nobody knows when it last was, the count begins with this run.
fn is_due(mark: &FeedMark, wanted: &Wanted<'_>) -> bool {
    if mark.full == Some(NEXT_RUN_RECONCILES) {
        return true;
    }
    let days = u64::from(wanted.reconcile_days);
    days > 0 && mark.full.is_some_and(|full| wanted.now.saturating_sub(full) >= days * DAY)
}

/// Whether the link's path is the feed's function, in any of Graph's spellings.
fn is_of_feed(link: &str, key: Key) -> bool {
    let path = link.split('?').next().unwrap_or_default().to_ascii_lowercase();
    let collection = match key {
        Key::Users => "/users/",
        Key::Groups => "/groups/",
    };
    path.contains(collection) && path.trim_end_matches("()").ends_with("delta")
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
