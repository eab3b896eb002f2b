//! `UserAttributes`, `GroupAttributes`: properties to deliver beside those that every import delivers.
//!
//! A wrong name is worth stopping for: Graph answers one unselectable property with 400 or 501 for the whole feed, hours
//! after the configuration was written. So names are checked against the schema's table, and directory extensions, which
//! the tenant alone knows, against their form.

use std::marker::PhantomData;

use schemars::{Schema, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::key::Shape;
use super::nearest::nearest;
use super::problems::Place;
use crate::schema::{self, Attribute, AttributeType, EXTENSION_PATTERN, ObjectType, extension_name, why_refused};

/// The type of a directory extension in records: the tenant's own, whatever it is.
pub(crate) const EXTENSION_TYPE: AttributeType = AttributeType::Json;

/// An attribute that this configuration adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraAttribute {
    /// Its name in records and in `$select`.
    pub name: String,
    /// Its type in records.
    pub kind: AttributeType,
}

/// Which object type's attributes.
pub(super) trait Owner {
    /// Its line in the schema's table.
    const OBJECT_TYPE: &'static ObjectType;
}

/// Users.
#[derive(Debug, Default)]
pub(super) struct Users;

/// Groups.
#[derive(Debug, Default)]
pub(super) struct Groups;

impl Owner for Users {
    const OBJECT_TYPE: &'static ObjectType = &schema::USER;
}

impl Owner for Groups {
    const OBJECT_TYPE: &'static ObjectType = &schema::GROUP;
}

/// A list of names; those that every import delivers anyway, and repeated ones, are dropped.
#[derive(Debug, Default)]
pub(super) struct AttributeNames<O>(pub(super) Vec<ExtraAttribute>, PhantomData<O>);

impl<O> Serialize for AttributeNames<O> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|attribute| &attribute.name))
    }
}

impl<O: Owner> Shape for AttributeNames<O> {
    fn expected() -> String {
        "an array of attribute names".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let Some(items) = found.as_array() else {
            place.refuse(found, Self::expected());
            return None;
        };
        let mut extras: Vec<ExtraAttribute> = Vec::new();
        let mut whole = true;
        for (index, item) in items.iter().enumerate() {
            match name::<O>(item, &mut place.item(index)) {
                Some(Name::Extra(extra)) if !extras.contains(&extra) => extras.push(extra),
                Some(_) => {}
                None => whole = false,
            }
        }
        whole.then_some(AttributeNames(extras, PhantomData))
    }

    fn schema() -> Schema {
        let names: Vec<&str> = selectable(O::OBJECT_TYPE).map(|attribute| attribute.name).collect();
        json_schema!({
            "type": "array",
            "items": { "type": "string", "anyOf": [{ "enum": names }, { "pattern": EXTENSION_PATTERN }] }
        })
    }
}

enum Name {
    /// Every import delivers it.
    Always,
    Extra(ExtraAttribute),
}

fn selectable(object_type: &'static ObjectType) -> impl Iterator<Item = &'static Attribute> {
    object_type.attributes.iter().chain(object_type.extra.iter().flat_map(|extra| extra.attributes))
}

fn name<O: Owner>(item: &Value, place: &mut Place<'_>) -> Option<Name> {
    let Some(name) = item.as_str() else {
        place.refuse(item, "an attribute name");
        return None;
    };
    if let Some(known) = selectable(O::OBJECT_TYPE).find(|attribute| attribute.name == name) {
        let extra = ExtraAttribute { name: name.to_owned(), kind: known.kind };
        return Some(if known.always { Name::Always } else { Name::Extra(extra) });
    }
    if let Some(name) = extension_name(name) {
        return Some(Name::Extra(ExtraAttribute { name, kind: EXTENSION_TYPE }));
    }
    if name.starts_with("extension_") {
        place
            .refuse(item, "a directory extension as Graph spells it: extension_<application id without dashes>_<name>");
    } else if let Some(reason) = why_refused(O::OBJECT_TYPE, name) {
        place.refuse(item, format!("a property that the {} feed can carry ({name}: {reason})", O::OBJECT_TYPE.name));
    } else {
        // The nearest name is sought only where it is shown: a list may have hundreds of thousands of wrong ones.
        let known = selectable(O::OBJECT_TYPE).map(|attribute| attribute.name);
        let near = if place.is_counted_only() { None } else { nearest(name, known) };
        place.refuse_near(
            item,
            format!("a {} property that Describe lists, or a directory extension", O::OBJECT_TYPE.name),
            near,
        );
    }
    None
}
