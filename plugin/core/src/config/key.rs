//! What the type of a key must know: how to read a value, and how JSON Schema says what it reads.
//!
//! The two stand in one `impl`, side by side, because they must agree: every document the schema accepts is accepted
//! here and the reverse (`agreement.rs` tries thousands). Defaults are the types' own `Default`, which the schema
//! prints.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::problems::Place;

/// The type of a key's value.
pub(super) trait Shape: Sized {
    /// What may stand here, in words that end the sentence "expected …".
    fn expected() -> String;

    /// The value, or `None` after a mistake was told to `place`.
    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self>;

    /// The same as [`Shape::read`], as JSON Schema.
    fn schema() -> Schema;
}

/// A nullable key: null is its default.
impl<T: Shape> Shape for Option<T> {
    fn expected() -> String {
        format!("{}, or null", T::expected())
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Option<T>> {
        if found.is_null() { Some(None) } else { T::read(found, place).map(Some) }
    }

    fn schema() -> Schema {
        json_schema!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
}

/// A [`Shape`] as a field of a document, in the form in which schemars knows types.
#[derive(Debug, Default)]
pub(super) struct Key<T>(pub(super) T);

impl<T: Shape> JsonSchema for Key<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

/// The default, as the schema prints it.
impl<T: Serialize> Serialize for Key<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}
