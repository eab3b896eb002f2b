//! A document as a list of keys, each written once: the macro makes the struct, the reading of it and its JSON Schema.
//!
//! A key's doc comment becomes its description in the schema, and so in Describe: it is written for operators.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

/// `"Key" => field: Shape` lines, first the required keys, then those with a default. Reading asks for them in this
/// order, which is therefore the order in which mistakes are told.
macro_rules! document {
    (
        $(#[$meta:meta])*
        $name:ident
        required { $($(#[$required_doc:meta])* $required_key:literal => $required:ident: $required_shape:ty,)* }
        optional { $($(#[$optional_doc:meta])* $optional_key:literal => $optional:ident: $optional_shape:ty,)* }
    ) => {
        #[derive(schemars::JsonSchema)]
        #[schemars(deny_unknown_fields, transform = $crate::config::document::tidy)]
        $(#[$meta])*
        pub(super) struct $name {
            $(
                $(#[$required_doc])*
                #[schemars(rename = $required_key, required)]
                pub(super) $required: Option<$crate::config::key::Key<$required_shape>>,
            )*
            $(
                $(#[$optional_doc])*
                #[schemars(rename = $optional_key, default)]
                pub(super) $optional: $crate::config::key::Key<$optional_shape>,
            )*
        }

        impl $name {
            /// Every key, in the order in which they are read.
            pub(super) const KEYS: &'static [&'static str] = &[$($required_key,)* $($optional_key,)*];

            #[allow(dead_code, reason = "AuthJson reads its keys by its mode")]
            pub(super) fn read(fields: &mut $crate::config::fields::Fields<'_>) -> $name {
                // Evaluated in the order written.
                $name {
                    $($required: fields.required($required_key).map($crate::config::key::Key),)*
                    $($optional: $crate::config::key::Key(fields.optional($optional_key)),)*
                }
            }
        }
    };
}

pub(super) use document;

/// The schema of a document, complete in itself.
pub(super) fn schema<T: JsonSchema>() -> Value {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value()
}

/// Joins the lines of doc comments in descriptions.
pub(super) fn tidy(schema: &mut Schema) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for property in properties.values_mut() {
        if let Some(Value::String(description)) = property.get_mut("description") {
            *description = description.replace('\n', " ");
        }
    }
}
