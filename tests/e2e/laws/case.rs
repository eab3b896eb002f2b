//! What a case is made of: a tenant, a setup of the connector, and rounds of changes. Generated, small first,
//! shrinkable.
//!
//! Everything is drawn as plain numbers and flags, so that a failing case prints as a few lines and shrinks towards a
//! gentle tenant with one user. Left out, because the product says so in `docs/semantics.md`, and so that a failure
//! here is always a defect:
//!
//! * groups that hide their members: an empty one may be empty or not to be seen, and keeps its edges (`memberships`
//!   has the claims);
//! * rows of restored objects that carry next to nothing (`leanRestores`), but for law 8, which draws them;
//! * purges that no feed shows in the object's groups (`purgeShowsInGroups` off).

use host_harness::simulator::{Change, Deletion, Delta, Kind, Lists, MemberTypes, World};
use proptest::prelude::*;

use super::MODES;
use super::independent_filter::{Filter, filters};

/// How large a tenant is. Most are small, since a small one that fails says more and costs less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Tiny,
    Small,
    Middle,
    /// One group has more than 1,000 members, so that its members take several pages and several slices.
    Large,
}

impl Size {
    pub(super) const ALL: [Size; 4] = [Size::Tiny, Size::Small, Size::Middle, Size::Large];

    /// Its share of so many cases: every tenth has the large group, one in twenty is of the greatest extent.
    pub(super) fn share_of(self, cases: u32) -> u32 {
        let (large, middle, small) = (cases / 10, cases / 20, cases * 2 / 5);
        match self {
            Size::Tiny => cases - small - middle - large,
            Size::Small => small,
            Size::Middle => middle,
            Size::Large => large,
        }
    }

    fn users(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Size::Tiny => 1..=6,
            Size::Small | Size::Large => 1..=40,
            Size::Middle => 1..=300,
        }
    }

    fn groups(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Size::Tiny => 0..=4,
            Size::Small => 0..=12,
            Size::Middle => 0..=60,
            Size::Large => 1..=6,
        }
    }

    fn edges(self) -> std::ops::RangeInclusive<u64> {
        match self {
            Size::Tiny => 0..=12,
            Size::Small | Size::Large => 0..=80,
            Size::Middle => 0..=800,
        }
    }
}

/// A tenant.
#[derive(Debug, Clone)]
pub(super) struct Tenancy {
    pub(super) seed: u64,
    pub(super) users: u32,
    pub(super) groups: u32,
    pub(super) edges: u64,
    pub(super) large_group: Option<u32>,
    /// Lists and member reads do not see the newest this many changes. A law settles them at the end of each run: what
    /// is assumed of Graph is that its lag is shorter than the time between two runs.
    pub(super) lag: u32,
    pub(super) quirks: Quirks,
}

/// Behaviours of Graph that are there or not; by default a gentle tenant.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Quirks {
    pub(super) recycle_bin: bool,
    pub(super) empty_pages: bool,
    pub(super) duplicates: bool,
    pub(super) varying_group_pages: bool,
    pub(super) short_pages: bool,
    pub(super) shuffled_batches: bool,
    pub(super) permanent_deletion: bool,
    pub(super) removed_in_first_round: bool,
    pub(super) replayed_changes: bool,
    pub(super) id_only_rows: bool,
    pub(super) lean_rows: bool,
    pub(super) lean_restores: bool,
    pub(super) deleted_members_in_first_round: bool,
    pub(super) restore_shows_in_groups: bool,
    pub(super) only_users_and_groups_in_feed: bool,
}

impl Quirks {
    /// Each behaviour with its name.
    pub(super) fn named(self) -> [(&'static str, bool); 14] {
        [
            ("recycle bin", self.recycle_bin),
            ("empty pages", self.empty_pages),
            ("duplicates", self.duplicates),
            ("varying group pages", self.varying_group_pages),
            ("short pages", self.short_pages),
            ("shuffled batches", self.shuffled_batches),
            ("permanent deletion", self.permanent_deletion),
            ("removed in first round", self.removed_in_first_round),
            ("replayed changes", self.replayed_changes),
            ("id only rows", self.id_only_rows),
            ("lean rows", self.lean_rows),
            ("lean restores", self.lean_restores),
            ("deleted members in first round", self.deleted_members_in_first_round),
            ("restore shows in groups", self.restore_shows_in_groups),
        ]
    }
}

/// Rows of users on a delta page: small, so that a feed of a small tenant has pages at all.
pub(super) const USER_PAGE: u32 = 7;

impl Tenancy {
    pub(super) fn world(&self) -> World {
        let it = self.quirks;
        World {
            seed: self.seed,
            users: self.users,
            deleted_users: if it.recycle_bin { 3 } else { 0 },
            groups: self.groups,
            deleted_groups: if it.recycle_bin { 2 } else { 0 },
            edges: self.edges,
            large_group: self.large_group.filter(|_| self.groups > 0),
            hidden_membership_groups: false,
            shuffled_batches: it.shuffled_batches,
            security_group_deletion: if it.permanent_deletion { Deletion::Permanent } else { Deletion::Soft },
            delta: Delta {
                user_page: USER_PAGE,
                group_page: 4,
                member_slice: 300,
                varying_group_pages: it.varying_group_pages,
                empty_pages: it.empty_pages,
                duplicates: it.duplicates,
                removed_in_first_round: it.removed_in_first_round,
                replayed_changes: if it.replayed_changes { 3 } else { 0 },
                deleted_members_in_first_round: it.deleted_members_in_first_round,
                id_only_membership_rows: it.id_only_rows,
                id_only_slices: it.id_only_rows,
                lean_rows: it.lean_rows,
                lean_restores: it.lean_restores,
                purge_shows_in_groups: true,
                restore_shows_in_groups: it.restore_shows_in_groups,
                // Refused links are a fault here (`faulting`): an age that refuses would mix with FullReconcileDays.
                link_days: None,
                member_types: if it.only_users_and_groups_in_feed {
                    MemberTypes::UsersAndGroups
                } else {
                    MemberTypes::All
                },
                ..Delta::default()
            },
            // Each read lags on its own, by up to so many changes.
            lists: Lists {
                short_pages: it.short_pages,
                lag_changes: self.lag,
                varying_lag: self.lag > 0,
                ..Lists::default()
            },
            ..World::default()
        }
    }
}

/// How the connector is configured.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    pub(super) mode: &'static str,
    pub(super) filter: Option<Filter>,
    pub(super) page_size: u32,
}

/// One step of a tenant's life: a script of changes, drawn when its turn comes, and days that pass.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) seed: u64,
    pub(super) changes: usize,
    pub(super) days: u64,
}

/// A tenant, a setup, and what happens.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) tenancy: Tenancy,
    pub(super) setup: Setup,
    pub(super) rounds: Vec<Round>,
}

pub(super) fn tenancies(size: Size) -> impl Strategy<Value = Tenancy> {
    let large = if size == Size::Large { (1_001..1_100_u32).prop_map(Some).boxed() } else { Just(None).boxed() };
    let lag = prop_oneof![3 => Just(0_u32), 1 => 1..6_u32];
    (any::<u32>(), size.users(), size.groups(), size.edges(), large, lag, any::<[bool; 13]>()).prop_map(
        |(seed, users, groups, edges, large_group, lag, flags)| {
            let mut flags = flags.into_iter();
            let mut drawn = || flags.next().unwrap_or_default();
            let quirks = Quirks {
                recycle_bin: drawn(),
                empty_pages: drawn(),
                duplicates: drawn(),
                varying_group_pages: drawn(),
                short_pages: drawn(),
                shuffled_batches: drawn(),
                permanent_deletion: drawn(),
                removed_in_first_round: drawn(),
                replayed_changes: drawn(),
                id_only_rows: drawn(),
                lean_rows: drawn(),
                lean_restores: false,
                deleted_members_in_first_round: drawn(),
                restore_shows_in_groups: drawn(),
                only_users_and_groups_in_feed: false,
            };
            Tenancy { seed: u64::from(seed), users, groups, edges, large_group, lag, quirks }
        },
    )
}

pub(super) fn setups(filter: impl Strategy<Value = Option<Filter>>) -> impl Strategy<Value = Setup> {
    (prop::sample::select(MODES), filter, 3..40_u32).prop_map(|(mode, filter, page_size)| {
        // A large group at a page size of 3 is 350 requests and nothing new.
        Setup { mode, filter, page_size }
    })
}

/// None, mostly.
pub(super) fn some_filter() -> impl Strategy<Value = Option<Filter>> {
    prop_oneof![3 => Just(None), 1 => filters().prop_map(Some)]
}

pub(super) fn rounds(most: usize) -> impl Strategy<Value = Vec<Round>> {
    let days = prop_oneof![6 => Just(0_u64), 1 => 1..4_u64, 1 => Just(8_u64)];
    let round = (any::<u32>(), 0..30_usize, days).prop_map(|(seed, changes, days)| Round {
        seed: u64::from(seed),
        changes,
        days,
    });
    prop::collection::vec(round, 1..=most)
}

pub(super) fn cases(
    size: Size,
    filter: impl Strategy<Value = Option<Filter>> + 'static,
    most_rounds: usize,
) -> BoxedStrategy<Case> {
    (tenancies(size), setups(filter), rounds(most_rounds))
        .prop_map(|(tenancy, mut setup, rounds)| {
            if tenancy.large_group.is_some() {
                setup.page_size += 300;
            }
            Case { tenancy, setup, rounds }
        })
        .boxed()
}

/// Whether a change makes a group hide its members.
pub(super) fn hides(change: &Change) -> bool {
    match change {
        Change::Add { kind: Kind::Group, properties } | Change::Update { kind: Kind::Group, properties, .. } => {
            properties.get("visibility").is_some_and(|v| v == "HiddenMembership")
        }
        _ => false,
    }
}
