//! Members of groups: heavy-tailed sizes, and members that are computed instead of listed.
//!
//! A group's slots hold first nested groups, then devices, service principals and contacts, then users. Only the sizes
//! are kept, four bytes a group.

use super::layout::{BaseEdges, Layout, Segment};
use super::{Hidden, Table};
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::deed::Deed;
use crate::simulator::kinds::settings::Settings;
use crate::simulator::seed::{Dice, mix, stream};

pub(super) static TABLE: Table = Table {
    name: "Member",
    object_type: "GroupMember",
    ends: ["groupId", "memberId", "memberType"],
    parent: Kind::Group,
    segment: "members",
    reverse: Some("memberOf"),
    read: &["GroupMember.Read.All", "Directory.Read.All"],
    units: 3,
    reverse_units: 2,
    followed: true,
    few: &[Kind::User, Kind::Group],
    advanced_only: &[Kind::ServicePrincipal],
    hidden: Some(Hidden { property: "visibility", value: "HiddenMembership", permission: "Member.Read.Hidden" }),
    base: |world| Some(Box::new(Memberships::new(world))),
    deeds: &[(Deed::Added, &[0, 1, 2, 3, 4, 5]), (Deed::Removed, &[6, 7, 8, 9])],
    drawn: |mark| match mark % 10 {
        0 | 1 => Kind::Group,
        2 => Kind::Device,
        3 => Kind::ServicePrincipal,
        4 => Kind::OrgContact,
        _ => Kind::User,
    },
};

/// The layout of all base memberships.
#[derive(Debug)]
struct Memberships {
    seed: u64,
    sizes: Vec<u32>,
    users: u32,
    groups: u32,
    devices: u32,
    service_principals: u32,
    contacts: u32,
    nested: bool,
}

impl Memberships {
    fn new(world: &Settings) -> Memberships {
        let users = world.count("users") + world.count("deletedUsers");
        let groups = world.count("groups") + world.count("deletedGroups");
        let sizes = sizes(world, users, groups);
        let largest = sizes.iter().copied().max().unwrap_or(0);
        Memberships {
            seed: world.number("seed").unwrap_or(0),
            sizes,
            users,
            groups,
            // A group larger than the tenant has users is filled up with devices.
            devices: world.count("devices").max(largest.saturating_sub(users)),
            service_principals: world.count("servicePrincipals"),
            contacts: world.count("contacts"),
            nested: world.flag("nestedGroups"),
        }
    }

    fn segments(&self, group: u32, size: u32) -> [Segment; 5] {
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
        let entropy = |kind: Kind| match (kind, group) {
            (Kind::Group, 0) if in_cycle => 0,
            (Kind::Group, 1) if in_cycle => u64::from(self.groups - 2),
            _ => mix(self.seed, stream(kind.name()), u64::from(group)),
        };
        let segment = |kind: Kind, length: u32, available: u32| Segment::new(kind, length, available, entropy(kind));
        [
            Segment::beside(group, Kind::Group, nested, self.groups, entropy(Kind::Group)),
            segment(Kind::Device, devices, self.devices),
            segment(Kind::ServicePrincipal, principals, self.service_principals),
            segment(Kind::OrgContact, contacts, self.contacts),
            segment(Kind::User, users, self.users),
        ]
    }
}

impl BaseEdges for Memberships {
    fn size(&self, group: u32) -> u32 {
        self.sizes.get(group as usize).copied().unwrap_or(0)
    }

    fn layout(&self, group: u32) -> Layout {
        Layout::new(self.segments(group, self.size(group)))
    }

    fn needs(&self) -> Option<(Kind, u32)> {
        Some((Kind::Device, self.devices))
    }
}

/// Sizes that fall off like 1/rank and add up to about `world.edges`; every ninth group is empty. Or all alike.
fn sizes(world: &Settings, users: u32, groups: u32) -> Vec<u32> {
    if world.number("groupSize").is_some() {
        return vec![world.count("groupSize").min(users); groups as usize];
    }
    let mut sizes = vec![0_u32; groups as usize];
    let mut filled: Vec<u32> = (0..groups).filter(|group| groups < 9 || group % 9 != 8).collect();
    let mut dice = Dice::new(world.number("seed").unwrap_or(0) ^ stream("sizes"));
    for at in (1..filled.len()).rev() {
        filled.swap(at, dice.below(at as u32 + 1) as usize);
    }
    let mut wanted = world.number("edges").unwrap_or(0);
    if let (Some(_), Some(group)) = (world.number("largeGroup"), filled.first().copied()) {
        let size = world.count("largeGroup");
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

    use serde_json::{Value, json};

    use super::*;
    use crate::simulator::kinds::identity::ObjectRef;

    /// A tenant of 300 users and 60 groups, where `differs` does not say otherwise.
    fn world(differs: Value) -> Settings {
        let mut world = json!({
            "seed": 1, "users": 300, "deletedUsers": 6, "groups": 60, "deletedGroups": 3, "edges": 3_500, "groupSize": null,
            "largeGroup": 1_200, "devices": 40, "servicePrincipals": 12, "contacts": 10, "nestedGroups": true
        });
        let Value::Object(differs) = differs else { panic!("no object") };
        for (name, value) in differs {
            world[name] = value;
        }
        Settings::of(&world)
    }

    #[test]
    fn members_are_unique_and_know_their_slot() {
        let memberships = Memberships::new(&world(json!({"edges": 4_000, "largeGroup": 1_100})));
        let mut kinds = HashSet::new();
        for group in 0..memberships.groups {
            let mut seen = HashSet::new();
            let layout = memberships.layout(group);
            for slot in 0..memberships.size(group) {
                let member = layout.member(slot).unwrap();
                kinds.insert(member.kind);
                assert_ne!(member, ObjectRef { kind: Kind::Group, number: group }, "a group in itself");
                assert!(seen.insert(member), "{member:?} twice in group {group}");
                assert_eq!(layout.slot_of(member), Some(slot));
            }
            assert_eq!(layout.slot_of(ObjectRef { kind: Kind::User, number: 9_999_999 }), None);
        }
        assert_eq!(kinds.len(), 5, "every kind of object is a member somewhere");
    }

    #[test]
    fn groups_nest_in_a_cycle() {
        let memberships = Memberships::new(&world(json!({})));
        assert!(memberships.layout(0).slot_of(ObjectRef { kind: Kind::Group, number: 1 }).is_some());
        assert!(memberships.layout(1).slot_of(ObjectRef { kind: Kind::Group, number: 0 }).is_some());
    }

    #[test]
    fn groups_may_all_be_of_one_size() {
        let world = world(json!({"users": 200, "groups": 40, "deletedGroups": 0, "groupSize": 50}));
        assert_eq!(Memberships::new(&world).sizes, [50; 40]);
    }

    #[test]
    fn sizes_are_heavy_tailed_and_add_up() {
        let world = world(json!({"users": 100_000, "groups": 5_000, "edges": 500_000, "largeGroup": null}));
        let memberships = Memberships::new(&world);
        let total: u64 = memberships.sizes.iter().map(|size| u64::from(*size)).sum();
        assert!(total.abs_diff(500_000) < 5_000, "{total} edges");
        assert!(memberships.sizes.iter().max().is_some_and(|size| *size > 10_000));
        assert!(memberships.sizes.iter().filter(|size| **size == 0).count() > 400);
    }
}
