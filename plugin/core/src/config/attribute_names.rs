//! `UserAttributes`, `GroupAttributes`: properties to deliver beside those that every import delivers.
//!
//! A wrong name is worth stopping for: Graph answers one unselectable property with 400 or 501 for the whole feed,
//! hours after the configuration was written. So names are checked against the schema's table, and directory
//! extensions, which the tenant alone knows, against their form.

use serde_json::{Value, json};

use super::nearest::nearest;
use super::problems::Place;
use crate::types::{Attribute, AttributeType, EXTENSION_PATTERN, ObjectType, extension_name, why_refused};

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

/// The names in a list; those that every import delivers anyway, and repeated ones, are dropped. `None` after a
/// mistake.
pub(super) fn read(
    object_type: &'static ObjectType,
    found: &Value,
    place: &mut Place<'_>,
) -> Option<Vec<ExtraAttribute>> {
    let Some(items) = found.as_array() else {
        place.refuse(found, "an array of attribute names");
        return None;
    };
    let mut extras: Vec<ExtraAttribute> = Vec::new();
    let mut whole = true;
    for (index, item) in items.iter().enumerate() {
        match name(object_type, item, &mut place.item(index)) {
            Some(Name::Extra(extra)) if !extras.contains(&extra) => extras.push(extra),
            Some(_) => {}
            None => whole = false,
        }
    }
    whole.then_some(extras)
}

/// The same as [`read`], as JSON Schema.
pub(super) fn schema(object_type: &'static ObjectType) -> Value {
    let names: Vec<&str> = selectable(object_type).map(|attribute| attribute.name).collect();
    json!({
        "type": "array",
        "items": { "type": "string", "anyOf": [{ "enum": names }, { "pattern": EXTENSION_PATTERN }] }
    })
}

enum Name {
    /// Every import delivers it.
    Always,
    Extra(ExtraAttribute),
}

fn selectable(object_type: &'static ObjectType) -> impl Iterator<Item = &'static Attribute> {
    object_type.attributes.iter().chain(object_type.extra.iter().flat_map(|extra| extra.attributes))
}

fn name(object_type: &'static ObjectType, item: &Value, place: &mut Place<'_>) -> Option<Name> {
    let Some(name) = item.as_str() else {
        place.refuse(item, "an attribute name");
        return None;
    };
    if let Some(known) = selectable(object_type).find(|attribute| attribute.name == name) {
        let extra = ExtraAttribute { name: name.to_owned(), kind: known.kind };
        return Some(if known.always { Name::Always } else { Name::Extra(extra) });
    }
    if let Some(name) = extension_name(name) {
        return Some(Name::Extra(ExtraAttribute { name, kind: EXTENSION_TYPE }));
    }
    if name.starts_with("extension_") {
        place
            .refuse(item, "a directory extension as Graph spells it: extension_<application id without dashes>_<name>");
    } else if let Some(reason) = why_refused(object_type, name) {
        place.refuse(item, format!("a property that the {} feed can carry ({name}: {reason})", object_type.name));
    } else {
        // The nearest name is sought only where it is shown: a list may have hundreds of thousands of wrong ones.
        let known = selectable(object_type).map(|attribute| attribute.name);
        let near = if place.is_counted_only() { None } else { nearest(name, known) };
        place.refuse_near(
            item,
            format!("a {} property that Describe lists, or a directory extension", object_type.name),
            near,
        );
    }
    None
}
