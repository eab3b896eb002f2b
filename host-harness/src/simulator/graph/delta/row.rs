//! One row of a feed: which properties it shows, and what of the members.
//!
//! Absent and null differ: absent was never set (or, in minimal rows, did not change), null was cleared.

use serde_json::{Map, Value, json};

use super::cursor::Cursor;
use super::slice;
use crate::simulator::base::Field;
use crate::simulator::catalog::{self, Home, Property, Shape};
use crate::simulator::graph::Context;
use crate::simulator::kinds::identity::{ObjectKind, ObjectRef};
use crate::simulator::tenant::Tenant;
use crate::simulator::tenant::state::{Presence, Step};
use crate::simulator::world::{Delta, MemberTypes};

/// Makes the rows of one page.
pub(super) struct Rows<'a> {
    tenant: &'a Tenant,
    world: &'a Delta,
    properties: Vec<&'static Property>,
    members: bool,
    sees_hidden: bool,
    /// The log window of a later round.
    window: Option<(u32, u32)>,
    minimal: bool,
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        context: &'a Context<'_>,
        tenant: &'a Tenant,
        cursor: &Cursor,
        window: Option<(u32, u32)>,
        minimal: bool,
    ) -> Rows<'a> {
        let valued = |property: &&Property| property.home == Home::Directory && property.shape != Shape::Navigation;
        let properties = match &cursor.select {
            None => catalog::defaults(cursor.kind),
            Some(names) if names.iter().any(|name| name == "*") => catalog::properties(cursor.kind).iter().collect(),
            Some(names) => names.iter().filter_map(|name| catalog::property(cursor.kind, name)).collect(),
        };
        Rows {
            tenant,
            world: &context.service.world.delta,
            properties: properties.into_iter().filter(valued).collect(),
            members: cursor.members,
            sees_hidden: context.service.world.permissions.member_read_hidden,
            window,
            minimal,
        }
    }

    pub(super) fn selects(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name)
    }

    /// Whether the feed lists members of a kind.
    pub(super) fn lists(&self, kind: ObjectKind) -> bool {
        match &self.world.member_types {
            MemberTypes::All => true,
            MemberTypes::UsersAndGroups => matches!(kind, ObjectKind::User | ObjectKind::Group),
            MemberTypes::Only(kinds) => kinds.contains(&kind),
        }
    }

    /// The row of an object with the first slice of its members, and where the next slice starts.
    pub(super) fn first_slice(&self, object: ObjectRef) -> (Value, Option<u32>) {
        let view = self.tenant.now();
        let mut row = Map::new();
        row.insert("id".into(), json!(view.id(object)));
        let reason = match view.presence(object) {
            Some(Presence::Live) => None,
            Some(Presence::SoftDeleted) => Some("changed"),
            Some(Presence::Purged) | None => Some("deleted"),
        };
        if let Some(reason) = reason {
            row.insert("@removed".into(), json!({"reason": reason}));
            return (Value::Object(row), None);
        }
        self.add_properties(object, &mut row);
        let more = self.add_members(object, 0, &mut row);
        (Value::Object(row), more)
    }

    /// A further row of a group; none if its remaining members are gone. A group that is gone itself is told as such: should
    /// it be restored before the next round, nobody would know that entries are missing.
    pub(super) fn further_slice(&self, group: u32, from: u32) -> (Option<Value>, Option<u32>) {
        let view = self.tenant.now();
        let object = ObjectRef::group(group);
        if !view.is_live(object) {
            return (Some(self.first_slice(object).0), None);
        }
        let mut row = Map::new();
        row.insert("id".into(), json!(view.id(object)));
        if !self.world.id_only_slices {
            self.add_properties(object, &mut row);
        }
        let more = self.add_members(object, from, &mut row);
        (row.contains_key("members@delta").then_some(Value::Object(row)), more)
    }

    fn add_properties(&self, object: ObjectRef, row: &mut Map<String, Value>) {
        let view = self.tenant.now();
        let shown = self.shown_properties(object);
        for property in &self.properties {
            if !shown.covers(property.name) {
                continue;
            }
            match view.field(object, property) {
                Field::Set(value) => row.insert(property.name.into(), value),
                Field::Cleared => row.insert(property.name.into(), property.shape.nothing()),
                Field::Never => None,
            };
        }
    }

    fn shown_properties(&self, object: ObjectRef) -> Shown {
        let Some((since, _)) = self.window else { return Shown::All };
        let (mut created, mut restored, mut names) = (false, false, Vec::new());
        for step in self.tenant.log.of(object, since, self.tenant.log.end()) {
            match step {
                Step::Create { .. } => created = true,
                Step::Restore { .. } => restored = true,
                Step::Update { fields, .. } => names.extend(fields.keys().copied()),
                Step::SoftDelete { .. } | Step::Purge { .. } | Step::Join { .. } | Step::Leave { .. } => {}
            }
        }
        let membership_only = !created && !restored && !names.iter().any(|name| self.selects(name));
        let lean = self.minimal
            || self.world.lean_rows
            || self.world.lean_restores && restored
            || self.world.id_only_membership_rows && membership_only;
        let whole = created || restored && !self.world.lean_restores;
        if lean && !whole { Shown::Only(names) } else { Shown::All }
    }

    fn add_members(&self, object: ObjectRef, from: u32, row: &mut Map<String, Value>) -> Option<u32> {
        let view = self.tenant.now();
        let readable = self.sees_hidden || !view.hides_members(object.number);
        if !self.members || object.kind != ObjectKind::Group || !readable {
            return None;
        }
        let length = self.world.member_slice.max(1) as usize;
        let (entries, more) = match self.window {
            None => {
                let with_deleted = self.world.deleted_members_in_first_round;
                slice::present(view, object.number, from, length, |kind| self.lists(kind), with_deleted)
            }
            Some((since, _)) if self.world.membership_history => {
                slice::history(self.tenant, object, since, from, length, |kind| self.lists(kind))
            }
            Some(window) => slice::changed(self.tenant, object, window, from, length, |kind| self.lists(kind)),
        };
        if !entries.is_empty() {
            row.insert("members@delta".into(), Value::Array(entries));
        }
        more
    }
}

enum Shown {
    All,
    Only(Vec<&'static str>),
}

impl Shown {
    fn covers(&self, name: &str) -> bool {
        match self {
            Shown::All => true,
            Shown::Only(names) => names.contains(&name),
        }
    }
}
