//! Who is in which base group: heavy-tailed sizes, and members that are computed instead of listed.
//!
//! A group's members are laid out in slots: first nested groups, then devices, service principals and contacts, then
//! users. Each part is a [`Progression`], so slot k and the question "is X a member" both cost a few multiplications.
//! Only the sizes are kept, four bytes a group.

use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};
use crate::simulator::seed::{Dice, Progression, mix, stream};
use crate::simulator::world::World;

/// The layout of all base memberships.
#[derive(Debug)]
pub(crate) struct Memberships {
    seed: u64,
    sizes: Vec<u32>,
    users: u32,
    groups: u32,
    devices: u32,
    service_principals: u32,
    contacts: u32,
    nested: bool,
}

/// The slots of one group.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    of: &'a Memberships,
    group: u32,
    segments: [Segment; 5],
}

impl Layout<'_> {
    /// The member in a slot below [`Memberships::size`].
    pub(crate) fn member(&self, slot: u32) -> Option<ObjectRef> {
        let mut slot = slot;
        for segment in &self.segments {
            if slot < segment.length {
                let value = segment.walk.at(slot);
                let nested = segment.kind == ObjectKind::Group;
                let number = if nested { (self.group + 1 + value) % self.of.groups } else { value };
                return Some(ObjectRef { kind: segment.kind, number });
            }
            slot -= segment.length;
        }
        None
    }

    /// The slot a member sits in, if it is one.
    pub(crate) fn slot_of(&self, member: ObjectRef) -> Option<u32> {
        let mut before = 0;
        for segment in &self.segments {
            if segment.kind == member.kind && segment.length > 0 {
                let position = segment.walk.position_of(self.of.walk_value(self.group, member)?);
                if position < segment.length {
                    return Some(before + position);
                }
            }
            before += segment.length;
        }
        None
    }
}

/// One run of slots with members of one kind.
#[derive(Debug)]
struct Segment {
    kind: ObjectKind,
    length: u32,
    walk: Progression,
}

impl Memberships {
    pub(crate) fn new(world: &World) -> Memberships {
        let users = world.users + world.deleted_users;
        let groups = world.groups + world.deleted_groups;
        let sizes = sizes(world, users, groups);
        let largest = sizes.iter().copied().max().unwrap_or(0);
        Memberships {
            seed: world.seed,
            sizes,
            users,
            groups,
            // A group larger than the tenant has users is filled up with devices.
            devices: world.devices.max(largest.saturating_sub(users)),
            service_principals: world.service_principals,
            contacts: world.contacts,
            nested: world.nested_groups,
        }
    }

    /// How many devices, service principals or contacts there are to be members.
    pub(crate) fn others(&self, kind: ObjectKind) -> u32 {
        match kind {
            ObjectKind::Device => self.devices,
            ObjectKind::ServicePrincipal => self.service_principals,
            ObjectKind::OrgContact => self.contacts,
            ObjectKind::User | ObjectKind::Group => 0,
        }
    }

    pub(crate) fn size(&self, group: u32) -> u32 {
        self.sizes.get(group as usize).copied().unwrap_or(0)
    }

    /// The slots of one group. Making one costs more than asking it: keep it while walking a group.
    pub(crate) fn layout(&self, group: u32) -> Layout<'_> {
        Layout { of: self, group, segments: self.segments(group) }
    }

    /// Where an object stands in the walk of its kind; nested groups are counted from their parent so that no group
    /// can come out as its own member.
    fn walk_value(&self, group: u32, member: ObjectRef) -> Option<u32> {
        let (value, limit) = match member.kind {
            ObjectKind::Group if member.number >= self.groups => return None,
            ObjectKind::Group => {
                ((member.number + self.groups - group - 1) % self.groups, self.groups.saturating_sub(1))
            }
            ObjectKind::User => (member.number, self.users),
            kind => (member.number, self.others(kind)),
        };
        (value < limit).then_some(value)
    }

    fn segments(&self, group: u32) -> [Segment; 5] {
        let size = self.size(group);
        let mut left = size;
        let mut take = |wanted: u32, available: u32| {
            let taken = wanted.min(available).min(left);
            left -= taken;
            taken
        };
        // The first two groups hold each other: a cycle of length two in every tenant that nests at all.
        let in_cycle = group < 2 && self.groups >= 3;
        let nested = match (self.nested, in_cycle) {
            (true, true) => 1,
            (true, false) if group % 5 == 3 => 1 + group % 3,
            _ => 0,
        };
        let nested = take(nested, self.groups.saturating_sub(1));
        let few = |every: u32, most: u32| if size > 3 && group % every == 1 { 1 + group % most } else { 0 };
        let overflow = size.saturating_sub(self.users);
        let devices = take(few(4, 3).max(overflow), self.devices);
        let principals = take(few(6, 2), self.service_principals);
        let contacts = take(few(7, 2), self.contacts);
        let users = take(u32::MAX, self.users);
        let entropy = |kind: ObjectKind| match (kind, group) {
            (ObjectKind::Group, 0) if in_cycle => 0,
            (ObjectKind::Group, 1) if in_cycle => u64::from(self.groups - 2),
            _ => mix(self.seed, stream(kind.name()), u64::from(group)),
        };
        let segment = |kind: ObjectKind, length: u32, available: u32| Segment {
            kind,
            length,
            walk: Progression::new(if length == 0 { 1 } else { available }, entropy(kind)),
        };
        [
            segment(ObjectKind::Group, nested, self.groups.saturating_sub(1)),
            segment(ObjectKind::Device, devices, self.devices),
            segment(ObjectKind::ServicePrincipal, principals, self.service_principals),
            segment(ObjectKind::OrgContact, contacts, self.contacts),
            segment(ObjectKind::User, users, self.users),
        ]
    }
}

/// Sizes that fall off like 1/rank and add up to about `world.edges`; every ninth group is empty. Or all alike.
fn sizes(world: &World, users: u32, groups: u32) -> Vec<u32> {
    if let Some(size) = world.group_size {
        return vec![size.min(users); groups as usize];
    }
    let mut sizes = vec![0_u32; groups as usize];
    let mut filled: Vec<u32> = (0..groups).filter(|group| groups < 9 || group % 9 != 8).collect();
    let mut dice = Dice::new(world.seed ^ stream("sizes"));
    for at in (1..filled.len()).rev() {
        filled.swap(at, dice.below(at as u32 + 1) as usize);
    }
    let mut wanted = world.edges;
    if let (Some(size), Some(group)) = (world.large_group, filled.first().copied()) {
        sizes[group as usize] = size;
        wanted = wanted.saturating_sub(u64::from(size));
        filled.remove(0);
    }
    let size = |scale: u64, rank: usize| (scale / (rank as u64 + 2)).min(u64::from(users)) as u32;
    let total = |scale: u64| (0..filled.len()).map(|rank| u64::from(size(scale, rank))).sum::<u64>();
    let (mut low, mut high) = (0_u64, u64::from(users).saturating_mul(filled.len() as u64 + 2));
    while low < high {
        let middle = low.midpoint(high);
        if total(middle) < wanted { low = middle + 1 } else { high = middle }
    }
    for (rank, group) in filled.iter().enumerate() {
        sizes[*group as usize] = size(low, rank);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn members_are_unique_and_know_their_slot() {
        let memberships = Memberships::new(&World { edges: 4_000, large_group: Some(1_100), ..World::default() });
        let mut kinds = HashSet::new();
        for group in 0..memberships.groups {
            let mut seen = HashSet::new();
            let layout = memberships.layout(group);
            for slot in 0..memberships.size(group) {
                let member = layout.member(slot).unwrap();
                kinds.insert(member.kind);
                assert_ne!(member, ObjectRef::group(group), "a group in itself");
                assert!(seen.insert(member), "{member:?} twice in group {group}");
                assert_eq!(layout.slot_of(member), Some(slot));
            }
            assert_eq!(layout.slot_of(ObjectRef::user(9_999_999)), None);
        }
        assert_eq!(kinds.len(), 5, "every kind of object is a member somewhere");
    }

    #[test]
    fn groups_nest_in_a_cycle() {
        let memberships = Memberships::new(&World::default());
        assert!(memberships.layout(0).slot_of(ObjectRef::group(1)).is_some());
        assert!(memberships.layout(1).slot_of(ObjectRef::group(0)).is_some());
    }

    #[test]
    fn groups_may_all_be_of_one_size() {
        let world = World { users: 200, groups: 40, deleted_groups: 0, group_size: Some(50), ..World::default() };
        assert_eq!(Memberships::new(&world).sizes, [50; 40]);
    }

    #[test]
    fn sizes_are_heavy_tailed_and_add_up() {
        let world = World { users: 100_000, groups: 5_000, edges: 500_000, large_group: None, ..World::default() };
        let memberships = Memberships::new(&world);
        let total: u64 = memberships.sizes.iter().map(|size| u64::from(*size)).sum();
        assert!(total.abs_diff(500_000) < 5_000, "{total} edges");
        assert!(memberships.sizes.iter().max().is_some_and(|size| *size > 10_000));
        assert!(memberships.sizes.iter().filter(|size| **size == 0).count() > 400);
    }
}
