//! How many requests a run may take, derived from the tenant and from what the simulator served.
//!
//! ```text
//! a feed          opened once; every link it gives called once; a first round shows each object once, and a page at
//!                 most two again (World::delta.duplicates)
//! a list          as many pages as its rows need at the smallest page the simulator serves for that PageSize
//! Recompute       the list of groups once; of each group in scope as many pages of members as it needs; full batches
//!                 of 20 but for the last, and at worst one request for each further page
//! Delta           members are read of groups that the feed mentions (with a filter), that were restored, or that an
//!                 earlier run left to be confirmed or repaired: never of all groups, unless everything is read
//! by id           a group for each row of the feed and each group read again
//! second looks    after a Full set the next run opens each recycle bin once more and asks for the groups of every
//!                 object its feeds mention; a restored object is looked up in two runs
//! ```
//!
//! A retry is a request that was not served; requests are counted where they *were*, so that faults need no allowance
//! but for those that spoil an answer after it was journalled (`Terms::repeats`).

use std::collections::HashMap;

use host_harness::simulator::{Exchange, Kind, Route, Truth};

use super::Verdict;
use super::case::{Setup, Tenancy, USER_PAGE};

/// Requests that one `$batch` holds at most.
const BATCH: u64 = 20;

/// What a bound depends on.
#[derive(Debug)]
pub(super) struct Terms<'a> {
    pub(super) setup: &'a Setup,
    pub(super) tenancy: &'a Tenancy,
    /// The tenant when the run started, restricted to the groups in scope.
    pub(super) truth: Truth,
    /// The same when reads last had caught up: what a read shows that lags lies between the two.
    pub(super) settled: Truth,
    /// Whether everything may be read: no watermark, or a Reconcile that may be due.
    pub(super) from_scratch: bool,
    /// Groups that earlier runs read by id or, with `Delta`, whose members they read, or meant to: they may be read
    /// once more.
    pub(super) carried: u64,
    /// Objects restored since the last run that succeeded.
    pub(super) restores: u64,
    /// Whether the last run that ended read anything in full, so that this one looks again.
    pub(super) second_look: bool,
    /// Objects whose groups were asked for by the last run that ended: each may be asked for once more.
    pub(super) looked_up: u64,
    /// Whether the run before was interrupted.
    pub(super) resumed: bool,
    /// Users that ever were.
    pub(super) users_ever: u64,
    /// Answers that a fault spoils after they were served.
    pub(super) repeats: u64,
}

/// One request that was answered as it should be: alone, or as an item of a batch.
struct Served<'a> {
    route: Route,
    url: &'a str,
}

fn each(journal: &[Exchange]) -> impl Iterator<Item = Served<'_>> {
    let clean = journal.iter().filter(|exchange| exchange.status == Some(200) && !exchange.faulted);
    clean.flat_map(|exchange| {
        let alone = Served { route: exchange.route, url: &exchange.url };
        let items = exchange.items.iter().filter(|item| item.status == Some(200));
        std::iter::once(alone).chain(items.map(|item| Served { route: item.route, url: &item.url }))
    })
}

/// How many requests of a sort were served.
pub(super) fn served(journal: &[Exchange], sort: impl Fn(Route, &str) -> bool) -> u64 {
    each(journal).filter(|request| sort(request.route, request.url)).count() as u64
}

pub(super) fn is_next_link(url: &str) -> bool {
    let url = url.to_ascii_lowercase();
    url.contains("$skiptoken=") || url.contains("%24skiptoken=")
}

/// The first page of a group's members.
pub(super) fn reads_members(route: Route, url: &str) -> bool {
    route == Route::MEMBERS && !is_next_link(url)
}

/// Objects whose groups were asked for, also those that the read did not show yet.
pub(super) fn looked_up(journal: &[Exchange]) -> u64 {
    let alone = journal.iter().map(|it| (it.route, &it.url));
    let items = journal.iter().flat_map(|it| &it.items).map(|item| (item.route, &item.url));
    let asked = alone.chain(items).filter(|(route, url)| *route == Route::MEMBER_OF && !is_next_link(url));
    asked.count() as u64
}

/// Groups that `memberOf` named.
pub(super) fn rows_of_member_of(journal: &[Exchange]) -> u64 {
    let alone = journal.iter().filter(|it| it.route == Route::MEMBER_OF).map(|it| it.rows);
    let items = journal.iter().flat_map(|it| &it.items).filter(|it| it.route == Route::MEMBER_OF).map(|it| it.rows);
    alone.chain(items).map(u64::from).sum()
}

/// The run stayed within its bounds, or these are those it broke.
pub(super) fn check(journal: &[Exchange], terms: &Terms<'_>) -> Verdict {
    let mut broken = Vec::new();
    let mut bound = |what: &str, spent: u64, most: u64| {
        if spent > most {
            broken.push(format!("{what}: {spent} where {most} are enough"));
        }
    };
    let recompute = terms.setup.mode == "Recompute";
    let count = |wanted: Route| served(journal, |route, _| route == wanted);
    let opened = |wanted: Route| served(journal, |route, url| route == wanted && !is_next_link(url));

    for route in [Route::USERS_DELTA, Route::GROUPS_DELTA, Route::DELETED_USERS, Route::DELETED_GROUPS] {
        let most = match route {
            Route::USERS_DELTA | Route::GROUPS_DELTA => 1,
            // Once by a Full walk, once by a Reconcile before it reads members, and once by the run after either.
            _ => (2 * u64::from(terms.from_scratch) + u64::from(terms.second_look)) * u64::from(!recompute),
        };
        bound(&format!("{route:?} opened"), opened(route), most + terms.repeats);
    }
    bound("links called again", repeated(journal, recompute), terms.repeats);
    first_round_of_users(journal, terms, &mut bound);

    // A lagging read shows groups as they were up to `lag` changes ago, each of which moves one group or one member.
    let lag = u64::from(terms.tenancy.lag);
    let sizes = sizes(terms);
    let groups = sizes.len() as u64 + lag;
    let list_pages = pages(groups, terms);
    let lists = if recompute { 1 } else { 2 * u64::from(terms.from_scratch) };
    bound("pages of the list of groups", count(Route::GROUPS_LIST), lists * list_pages + terms.repeats);

    let further_of = |size: &u64| pages(size + lag, terms) - 1;
    let passing_by = sizes.values().map(further_of).max().unwrap_or(0) * lag;
    let further = sizes.values().map(further_of).sum::<u64>() + passing_by;
    let mentioned = rows_of_feed(journal, Kind::Group);
    let woken = if terms.second_look { rows_that_came(journal, Kind::Group) } else { 0 };
    let looked_up = terms.restores + terms.looked_up + woken;
    let read_again = terms.carried + rows_of_member_of(journal) + looked_up;
    let first_pages = match (recompute, terms.from_scratch) {
        (true, _) => groups,
        (false, true) => groups + mentioned + read_again,
        (false, false) if terms.setup.filter.is_some() => mentioned + read_again,
        (false, false) => read_again,
    };
    let read = served(journal, reads_members);
    bound("groups whose members were read", read, first_pages + terms.repeats);
    // A group that is read twice has its further pages twice.
    let rounds = if recompute { 1 } else { 2 + u64::from(terms.second_look) };
    let next_pages = served(journal, |route, url| route == Route::MEMBERS && is_next_link(url));
    bound("further pages of members", next_pages, rounds * further + terms.repeats);
    let partly_filled = if recompute { 1 } else { 1 + count(Route::GROUPS_DELTA) + terms.carried + looked_up };
    let batches = read.div_ceil(BATCH) + next_pages + partly_filled;
    let of_members = |it: &&Exchange| it.items.iter().any(|item| item.route == Route::MEMBERS);
    let clean = journal.iter().filter(|it| it.route == Route::Batch && it.status == Some(200) && !it.faulted);
    let requests = clean.filter(of_members).count() as u64
        + journal.iter().filter(|it| it.route == Route::MEMBERS && it.status == Some(200)).count() as u64;
    bound("requests for members", requests, batches + terms.repeats);

    // A row that does not say enough for the filter is looked up.
    let judged = if terms.setup.filter.is_some() { mentioned } else { 0 };
    // A resumed run that recomputes looks up the groups that the interrupted one could not read whole.
    let left = if recompute && terms.resumed { groups } else { 0 };
    let by_id = judged + not_found(journal) + left + if recompute { terms.carried } else { read_again };
    bound("groups read by id", count(Route::GROUP), by_id + terms.repeats);
    let users = if terms.second_look { rows_that_came(journal, Kind::User) } else { 0 };
    let member_of = if recompute { 0 } else { looked_up + users };
    bound("memberOf read", opened(Route::MEMBER_OF), member_of + terms.repeats);
    // A restored user whose row lacks attributes is read by id.
    let thin = if recompute { 0 } else { terms.restores + terms.looked_up };
    bound("users read by id", count(Route::USER), thin + terms.repeats);
    for route in [Route::USERS_LIST, Route::Count(Kind::User), Route::Count(Kind::Group), Route::OpenId, Route::Unknown]
    {
        bound(&format!("{route:?}"), count(route), 0);
    }
    bound("tokens", count(Route::Token), 1 + terms.repeats);
    if broken.is_empty() { Ok(()) } else { Err(format!("too many requests: {}", broken.join("; "))) }
}

/// Groups whose members answered 404: whether the group is gone is asked once.
fn not_found(journal: &[Exchange]) -> u64 {
    let alone = journal.iter().map(|it| (it.route, it.status));
    let items = journal.iter().flat_map(|it| &it.items).map(|item| (item.route, item.status));
    alone.chain(items).filter(|asked| *asked == (Route::MEMBERS, Some(404))).count() as u64
}

/// Members of each group in scope, now or when reads last had caught up: the greater number.
fn sizes(terms: &Terms<'_>) -> HashMap<String, u64> {
    let mut sizes: HashMap<String, u64> = HashMap::new();
    for truth in [&terms.truth, &terms.settled] {
        let mut now: HashMap<String, u64> = truth.groups_selecting(&[]).map(|group| (group.id, 0)).collect();
        for edge in truth.members() {
            *now.entry(edge.parent).or_default() += 1;
        }
        for (group, size) in now {
            let greatest = sizes.entry(group).or_default();
            *greatest = size.max(*greatest);
        }
    }
    sizes
}

/// Pages that so many rows take at the smallest page the simulator serves for this `PageSize`; an empty list takes one.
fn pages(rows: u64, terms: &Terms<'_>) -> u64 {
    let size = u64::from(terms.setup.page_size);
    let smallest = if terms.tenancy.quirks.short_pages { (size - size / 3 - 1).max(1) } else { size };
    rows.div_ceil(smallest).max(1)
}

/// Calls of one link beyond the first. With `Delta` a group may be read for several reasons, which other bounds count.
fn repeated(journal: &[Exchange], recompute: bool) -> u64 {
    let mut calls: HashMap<&str, u64> = HashMap::new();
    for request in each(journal) {
        let once = match request.route {
            Route::MEMBERS => recompute,
            Route::USERS_DELTA | Route::GROUPS_DELTA | Route::GROUPS_LIST => true,
            _ => false,
        };
        if once {
            *calls.entry(request.url).or_default() += 1;
        }
    }
    calls.values().map(|times| times - 1).sum()
}

/// Rows of a feed, also of pages that a fault may only have delayed.
pub(super) fn rows_that_came(journal: &[Exchange], kind: Kind) -> u64 {
    let pages = journal.iter().filter(|it| it.feed == Some(kind) && it.status == Some(200));
    pages.map(|it| u64::from(it.rows)).sum()
}

fn rows_of_feed(journal: &[Exchange], kind: Kind) -> u64 {
    let pages = journal.iter().filter(|it| it.feed == Some(kind) && it.status == Some(200) && !it.faulted);
    pages.map(|it| u64::from(it.rows)).sum()
}

/// A first round shows each user once, however often the tenant changes: its rows are bounded by the users there ever
/// were, and its pages by its rows. (Groups come in slices and in pages of any size; that their links are called once
/// bounds them.)
fn first_round_of_users(journal: &[Exchange], terms: &Terms<'_>, bound: &mut impl FnMut(&str, u64, u64)) {
    let of_users = journal.iter().filter(|it| it.feed == Some(Kind::User));
    let pages: Vec<_> = of_users.filter(|it| it.status == Some(200) && !it.faulted).collect();
    if pages.is_empty() || pages.iter().any(|it| it.called_delta_link()) {
        return;
    }
    let rows = rows_of_feed(journal, Kind::User);
    bound("rows of the first round of users", rows, terms.users_ever + 2 * pages.len() as u64);
    // A page that repeats two rows has two places less; up to three empty pages stand before a full one.
    let needed = rows.div_ceil(u64::from(USER_PAGE - 2)) + 1;
    bound("pages of the first round of users", pages.len() as u64, 4 * needed + terms.repeats);
}
