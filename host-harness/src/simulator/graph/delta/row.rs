//! One row of a feed: which properties it shows, and what of the members.
//!
//! Absent and null differ: absent was never set (or, in minimal rows, did not change), null was cleared.

use serde_json::{Map, Value, json};

use super::cursor::Cursor;
use super::slice;
use crate::simulator::graph::Context;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::field::Field;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::property::{Home, Property, Shape};
use crate::simulator::permissions::Permissions;
use crate::simulator::relations::Relation;
use crate::simulator::tenant::Tenant;
use crate::simulator::tenant::state::{Presence, Step};
use crate::simulator::world::{Delta, MemberTypes};

/// Makes the rows of one page.
pub(super) struct Rows<'a> {
    kind: Kind,
    tenant: &'a Tenant,
    world: &'a Delta,
    properties: Vec<&'static Property>,
    follows: Option<Relation>,
    permissions: &'a Permissions,
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
            None => cursor.kind.defaults(),
            Some(names) if names.iter().any(|name| name == "*") => cursor.kind.table().properties.iter().collect(),
            Some(names) => names.iter().filter_map(|name| cursor.kind.property(name)).collect(),
        };
        Rows {
            kind: cursor.kind,
            tenant,
            world: &context.service.world.delta,
            properties: properties.into_iter().filter(valued).collect(),
            follows: cursor.follows,
            permissions: &context.service.world.permissions,
            window,
            minimal,
        }
    }

    pub(super) fn selects(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name)
    }

    /// Whether the feed lists members of a kind.
    pub(super) fn lists(&self, kind: Kind) -> bool {
        match &self.world.member_types {
            MemberTypes::All => true,
            MemberTypes::UsersAndGroups => self.follows.is_some_and(|relation| relation.table().few.contains(&kind)),
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
        view.annotate(object, &mut row);
        self.add_properties(object, &mut row);
        let more = self.add_members(object, 0, &mut row);
        (Value::Object(row), more)
    }

    /// A further row of an object; none if its remaining children are gone. An object that is gone itself is told as
    /// such: should it be restored before the next round, nobody would know that entries are missing.
    pub(super) fn further_slice(&self, number: u32, from: u32) -> (Option<Value>, Option<u32>) {
        let view = self.tenant.now();
        let object = ObjectRef { kind: self.kind, number };
        if !view.is_live(object) {
            return (Some(self.first_slice(object).0), None);
        }
        let mut row = Map::new();
        row.insert("id".into(), json!(view.id(object)));
        if !self.world.id_only_slices {
            self.add_properties(object, &mut row);
        }
        let more = self.add_members(object, from, &mut row);
        let carried = self.follows.is_some_and(|relation| row.contains_key(&annotation(relation)));
        (carried.then_some(Value::Object(row)), more)
    }

    fn add_properties(&self, object: ObjectRef, row: &mut Map<String, Value>) {
        let view = self.tenant.now();
        let shown = self.shown_properties(object);
        for property in &self.properties {
            if !shown.covers(property.name) {
                continue;
            }
            let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
            match view.field(object, property) {
                Field::Set(value) if self.world.empty_collections_absent && empty(&value) => None,
                Field::Cleared if self.world.empty_collections_absent && property.shape.is_collection() => None,
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
                Step::SoftDelete { .. }
                | Step::Purge { .. }
                | Step::Link { .. }
                | Step::Unlink { .. }
                | Step::Append { .. }
                | Step::Rewrite { .. } => {}
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
        let relation = self.follows?;
        let hidden = view.hidden_behind(relation, object.number);
        if hidden.is_some_and(|permission| !self.permissions.allow(&[permission])) {
            return None;
        }
        let length = self.world.member_slice.max(1) as usize;
        let (entries, more) = match self.window {
            None => {
                let with_deleted = self.world.deleted_members_in_first_round;
                slice::present(
                    view.children(relation, object.number),
                    view,
                    from,
                    length,
                    |kind| self.lists(kind),
                    with_deleted,
                )
            }
            Some((since, _)) if self.world.membership_history => {
                slice::history(self.tenant, relation, object, since, from, length, |kind| self.lists(kind))
            }
            Some(window) => {
                slice::changed(self.tenant, relation, object, window, from, length, |kind| self.lists(kind))
            }
        };
        if !entries.is_empty() {
            row.insert(annotation(relation), Value::Array(entries));
        }
        more
    }
}

/// Where a row keeps what it says of a relation.
fn annotation(relation: Relation) -> String {
    format!("{}@delta", relation.table().segment)
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
