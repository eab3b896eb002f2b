//! Short names for what tests speak of most: users, groups and members.
//!
//! They stand for entries of the tables and are used by tests and the demonstration; the simulator itself names no
//! kind.

use serde_json::{Map, Value};

use super::Simulator;
use super::change::Change;
use super::kinds::Kind;
use super::relations::Relation;
use super::route::Route;
use super::tenant::truth::{Truth, TruthEdge, TruthObject};

impl Simulator {
    /// The id of the user with a number, whether it exists or not.
    pub fn user_id(&self, number: u32) -> String {
        self.id(Kind::User, number)
    }

    /// The id of the group with a number, whether it exists or not.
    pub fn group_id(&self, number: u32) -> String {
        self.id(Kind::Group, number)
    }
}

#[expect(missing_docs, reason = "the names say it")]
impl Route {
    pub const USERS_DELTA: Route = Route::Delta(Kind::User);
    pub const GROUPS_DELTA: Route = Route::Delta(Kind::Group);
    pub const USERS_LIST: Route = Route::List(Kind::User);
    pub const GROUPS_LIST: Route = Route::List(Kind::Group);
    pub const USER: Route = Route::Object(Kind::User);
    pub const GROUP: Route = Route::Object(Kind::Group);
    pub const DELETED_USERS: Route = Route::Deleted(Kind::User);
    pub const DELETED_GROUPS: Route = Route::Deleted(Kind::Group);
    pub const MEMBERS: Route = Route::Children(Relation::Member);
    pub const OWNERS: Route = Route::Children(Relation::Owner);
    pub const MEMBER_OF: Route = Route::Parents(Relation::Member);
}

#[expect(missing_docs, reason = "the names say it")]
impl Change {
    pub fn add_user(properties: Map<String, Value>) -> Change {
        Change::add(Kind::User, properties)
    }

    pub fn update_user(user: impl Into<String>, properties: Map<String, Value>) -> Change {
        Change::update(Kind::User, user, properties)
    }

    pub fn swap_user_names(user: impl Into<String>, other: impl Into<String>) -> Change {
        Change::swap_names(Kind::User, user, other)
    }

    pub fn delete_user(user: impl Into<String>) -> Change {
        Change::delete(Kind::User, user)
    }

    pub fn restore_user(user: impl Into<String>) -> Change {
        Change::restore(Kind::User, user)
    }

    pub fn purge_user(user: impl Into<String>) -> Change {
        Change::purge(Kind::User, user)
    }

    pub fn add_group(properties: Map<String, Value>) -> Change {
        Change::add(Kind::Group, properties)
    }

    pub fn update_group(group: impl Into<String>, properties: Map<String, Value>) -> Change {
        Change::update(Kind::Group, group, properties)
    }

    pub fn delete_group(group: impl Into<String>) -> Change {
        Change::delete(Kind::Group, group)
    }

    pub fn restore_group(group: impl Into<String>) -> Change {
        Change::restore(Kind::Group, group)
    }

    pub fn purge_group(group: impl Into<String>) -> Change {
        Change::purge(Kind::Group, group)
    }

    pub fn add_member(group: impl Into<String>, member: impl Into<String>, member_kind: Kind) -> Change {
        Change::link(Relation::Member, group, member, member_kind)
    }

    pub fn remove_member(group: impl Into<String>, member: impl Into<String>, member_kind: Kind) -> Change {
        Change::unlink(Relation::Member, group, member, member_kind)
    }
}

impl Truth {
    /// Live users with every property they can have.
    pub fn users(&self) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects(Kind::User)
    }

    /// Live users with these properties only.
    pub fn users_selecting(&self, properties: &[&str]) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects_selecting(Kind::User, properties)
    }

    /// Live groups with every property they can have.
    pub fn groups(&self) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects(Kind::Group)
    }

    /// Live groups with these properties only.
    pub fn groups_selecting(&self, properties: &[&str]) -> impl Iterator<Item = TruthObject> + Send + use<> {
        self.objects_selecting(Kind::Group, properties)
    }

    /// Direct memberships of live groups in live members.
    pub fn members(&self) -> impl Iterator<Item = TruthEdge> + Send + use<> {
        self.edges(Relation::Member)
    }

    /// This truth with the groups for which `keep` holds, and their members.
    #[must_use]
    pub fn with_groups_where(&self, keep: impl Fn(&TruthObject) -> bool) -> Truth {
        self.with_objects_where(Kind::Group, keep)
    }

    /// How many live users there are.
    pub fn user_count(&self) -> u64 {
        self.count(Kind::User)
    }

    /// How many live groups there are.
    pub fn group_count(&self) -> u64 {
        self.count(Kind::Group)
    }

    /// How many memberships there are between live ends.
    pub fn member_count(&self) -> u64 {
        self.members().count() as u64
    }
}
