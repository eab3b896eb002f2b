//! The base tenant: what exists before the first change, computed and never stored.
//!
//! Objects have numbers. Numbers below `users` (or `groups`) are live, the following `deleted_users` (`deleted_groups`)
//! lie in the recycle bin from the start, so that a change script has something to restore.

pub(crate) mod group;
pub(crate) mod membership;
mod names;
pub(crate) mod user;

use serde_json::Value;

use self::group::Groups;
use self::membership::Memberships;
use self::user::Users;
use super::kinds::identity::{Ids, ObjectKind, ObjectRef};
use super::world::World;

/// What a property of one object holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    Set(Value),
    /// Was set once: null in delta rows.
    Cleared,
    /// Was never set: absent from delta rows.
    Never,
}

impl Field {
    pub(crate) fn set(value: impl Into<Value>) -> Field {
        Field::Set(value.into())
    }

    /// Set for `set` percent of all objects, cleared for `cleared`, never set for the rest.
    fn mostly(percent: u64, set: u64, cleared: u64, value: impl FnOnce() -> Value) -> Field {
        match percent {
            _ if percent < set => Field::Set(value()),
            _ if percent < set + cleared => Field::Cleared,
            _ => Field::Never,
        }
    }
}

/// The computed part of a tenant.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) seed: u64,
    pub(crate) ids: Ids,
    pub(crate) domain: String,
    pub(crate) memberships: Memberships,
    users: Users,
    groups: Groups,
    live_users: u32,
    live_groups: u32,
    deleted_users: u32,
    deleted_groups: u32,
}

impl Base {
    pub(crate) fn new(world: &World) -> Base {
        let ids = Ids::new(world.seed);
        Base {
            seed: world.seed,
            ids,
            domain: world.domain.clone(),
            memberships: Memberships::new(world),
            users: Users { seed: world.seed, ids, domain: world.domain.clone() },
            groups: Groups {
                seed: world.seed,
                ids,
                domain: world.domain.clone(),
                hidden_membership: world.hidden_membership_groups,
            },
            live_users: world.users,
            live_groups: world.groups,
            deleted_users: world.deleted_users,
            deleted_groups: world.deleted_groups,
        }
    }

    /// How many numbers of a kind are taken, the recycle bin included.
    pub(crate) fn count(&self, kind: ObjectKind) -> u32 {
        match kind {
            ObjectKind::User => self.live_users + self.deleted_users,
            ObjectKind::Group => self.live_groups + self.deleted_groups,
            other => self.memberships.others(other),
        }
    }

    /// Whether an object of the base tenant lies in the recycle bin.
    pub(crate) fn is_deleted(&self, object: ObjectRef) -> bool {
        match object.kind {
            ObjectKind::User => object.number >= self.live_users,
            ObjectKind::Group => object.number >= self.live_groups,
            _ => false,
        }
    }

    pub(crate) fn field(&self, object: ObjectRef, property: &str) -> Field {
        match (object.kind, property) {
            (ObjectKind::User, _) => self.users.field(object.number, property),
            (ObjectKind::Group, _) => self.groups.field(object.number, property),
            (_, "id") => Field::set(self.ids.id(object)),
            (kind, "displayName") => Field::set(format!("{} {}", kind.name(), object.number)),
            _ => Field::Never,
        }
    }
}
