//! A tenant as it is at one moment: the base and an overlay, read together.
//!
//! An edge is *recorded* while neither end is purged; it is *shown* by reads while both ends are live. Soft-deleting an
//! object hides its edges without touching them, so that restoring brings all of them back.

use serde_json::{Map, Value};

use super::state::{Edits, Presence, State};
use crate::simulator::base::Base;
use crate::simulator::clock::format_moment;
use crate::simulator::kinds::field::Field;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::property::Property;
use crate::simulator::kinds::{Kind, Mirror};
use crate::simulator::relations::Relation;
use crate::simulator::relations::layout::Layout;

/// When the base tenant's recycle bin was filled.
const BASE_DELETION: u64 = 1_790_000_000;

/// A readable tenant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) base: &'a Base,
    pub(crate) state: &'a State,
}

impl<'a> View<'a> {
    pub(crate) fn new(base: &'a Base, state: &'a State) -> View<'a> {
        View { base, state }
    }

    /// How many numbers of a kind are taken, whatever became of the objects.
    pub(crate) fn count(&self, kind: Kind) -> u32 {
        match &kind.table().mirrors {
            Some(mirror) => mirror.per.saturating_mul(self.count(mirror.of)),
            None => self.base.count(kind) + self.state.created(kind),
        }
    }

    pub(crate) fn objects(&self, kind: Kind) -> impl Iterator<Item = ObjectRef> + use<> {
        (0..self.count(kind)).map(move |number| ObjectRef { kind, number })
    }

    /// `None` for a number that was never taken.
    pub(crate) fn presence(&self, object: ObjectRef) -> Option<Presence> {
        if object.number >= self.count(object.kind) {
            return None;
        }
        if let Some((mirror, origin)) = mirrored(object) {
            let value = |name: &str| origin.kind.property(name).map_or(Value::Null, |it| self.value(origin, it));
            let kind_of = |id: &str| self.find(id).map(|found| found.kind);
            let exists = (mirror.exists)(object.number % mirror.per, &value, &kind_of, &self.base.settings);
            return if exists { self.presence(origin) } else { Some(Presence::Purged) };
        }
        let altered = self.state.altered(object).and_then(|altered| altered.presence);
        Some(altered.unwrap_or(if self.base.is_deleted(object) && object.number < self.base.count(object.kind) {
            Presence::SoftDeleted
        } else {
            Presence::Live
        }))
    }

    pub(crate) fn is_live(&self, object: ObjectRef) -> bool {
        self.presence(object) == Some(Presence::Live)
    }

    /// An object by its id, if it was ever there.
    pub(crate) fn find(&self, id: &str) -> Option<ObjectRef> {
        self.base.ids.find(id).filter(|object| object.number < self.count(object.kind))
    }

    pub(crate) fn id(&self, object: ObjectRef) -> String {
        self.base.ids.id(object)
    }

    /// The type that rows say an object has, and whether it is another one than its kind's.
    pub(crate) fn odata_type(&self, object: ObjectRef) -> (&'static str, bool) {
        let derived = (object.kind.table().derived)(self.base, object.number);
        (derived.unwrap_or(object.kind.odata_type()), derived.is_some())
    }

    /// What a row of a collection says of an object's type: nothing unless it is derived from the collection's.
    pub(crate) fn annotate(&self, object: ObjectRef, row: &mut Map<String, Value>) {
        if let (odata_type, true) = self.odata_type(object) {
            row.insert("@odata.type".to_owned(), Value::from(odata_type));
        }
    }

    pub(crate) fn field(&self, object: ObjectRef, property: &Property) -> Field {
        if let Some((mirror, origin)) = mirrored(object)
            && let Some(shared) = mirror.of.property(property.name).filter(|shared| shared.name != "id")
        {
            return self.field(origin, shared);
        }
        let altered = self.state.altered(object);
        if property.name == "deletedDateTime" {
            let at = altered.map_or(Some(BASE_DELETION), |altered| altered.deleted_at.or(Some(BASE_DELETION)));
            return match (self.presence(object), at) {
                (Some(Presence::SoftDeleted), Some(at)) => Field::set(format_moment(at)),
                _ => Field::Never,
            };
        }
        match altered.and_then(|altered| altered.fields.get(property.name)) {
            Some(Value::Null) => Field::Cleared,
            Some(value) => Field::Set(value.clone()),
            None if property.name == "id" => Field::set(self.id(object)),
            None if altered.is_some_and(|altered| altered.created) => Field::Never,
            None => self.base.field(object, property.name),
        }
    }

    /// The property as a list shows it: null, or an empty array, where there is no value.
    pub(crate) fn value(&self, object: ObjectRef, property: &Property) -> Value {
        match self.field(object, property) {
            Field::Set(value) => value,
            Field::Cleared | Field::Never => property.shape.nothing(),
        }
    }

    /// An object as a list shows it.
    pub(crate) fn row(&self, object: ObjectRef, properties: &[&'static Property]) -> Map<String, Value> {
        properties.iter().map(|property| (property.name.to_owned(), self.value(object, property))).collect()
    }

    pub(crate) fn children(&self, relation: Relation, parent: u32) -> Roster<'a> {
        Roster {
            view: *self,
            base_slots: self.base.slots(relation, parent),
            layout: self.base.layout(relation, parent),
            edits: self.state.edits(relation, parent),
        }
    }

    /// The permission without which reads show no children of a parent.
    pub(crate) fn hidden_behind(&self, relation: Relation, parent: u32) -> Option<&'static str> {
        let table = relation.table();
        let hidden = table.hidden.as_ref()?;
        let property = table.parent.property(hidden.property)?;
        let value = self.field(ObjectRef { kind: table.parent, number: parent }, property);
        (value == Field::set(hidden.value)).then_some(hidden.permission)
    }

    /// The parents that directly hold an object, by asking each: there is no table to look it up in.
    pub(crate) fn parents(&self, relation: Relation, child: ObjectRef) -> impl Iterator<Item = u32> + use<'a> {
        let view = *self;
        (0..self.count(relation.table().parent)).filter(move |parent| view.children(relation, *parent).holds(child))
    }
}

/// What an object exists because of.
fn mirrored(object: ObjectRef) -> Option<(&'static Mirror, ObjectRef)> {
    let mirror = object.kind.table().mirrors.as_ref()?;
    Some((mirror, ObjectRef { kind: mirror.of, number: object.number / mirror.per }))
}

/// The children of one parent, by slot.
#[derive(Debug)]
pub(crate) struct Roster<'a> {
    view: View<'a>,
    base_slots: u32,
    layout: Option<Layout>,
    edits: Option<&'a Edits>,
}

impl Roster<'_> {
    /// How many slots there are, holes included.
    pub(crate) fn slots(&self) -> u32 {
        self.base_slots + self.edits.map_or(0, Edits::joined_slots)
    }

    /// The recorded child in a slot; `None` for a hole and for a purged child.
    pub(crate) fn recorded(&self, slot: u32) -> Option<ObjectRef> {
        let child = if slot < self.base_slots {
            let child = self.layout.as_ref().and_then(|layout| layout.member(slot));
            child.filter(|child| !self.edits.is_some_and(|edits| edits.has_left(*child)))
        } else {
            self.edits.and_then(|edits| edits.joined(slot - self.base_slots))
        };
        child.filter(|child| self.view.presence(*child) != Some(Presence::Purged))
    }

    /// The child in a slot if reads show it.
    pub(crate) fn shown(&self, slot: u32) -> Option<ObjectRef> {
        self.recorded(slot).filter(|child| self.view.is_live(*child))
    }

    /// Whether the edge is recorded.
    pub(crate) fn holds(&self, child: ObjectRef) -> bool {
        if self.view.presence(child).is_none_or(|presence| presence == Presence::Purged) {
            return false;
        }
        match self.edits {
            Some(edits) if edits.has_joined(child) => true,
            Some(edits) if edits.has_left(child) => false,
            _ => self.layout.as_ref().is_some_and(|layout| layout.slot_of(child).is_some()),
        }
    }

    pub(crate) fn shown_children(&self) -> impl Iterator<Item = ObjectRef> {
        (0..self.slots()).filter_map(|slot| self.shown(slot))
    }
}
