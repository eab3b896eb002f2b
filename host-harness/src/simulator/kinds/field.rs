//! What a property of one object holds. Three answers are possible and they differ on the wire.

use serde_json::Value;

/// The value of a property.
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
    pub(crate) fn mostly(percent: u64, set: u64, cleared: u64, value: impl FnOnce() -> Value) -> Field {
        match percent {
            _ if percent < set => Field::Set(value()),
            _ if percent < set + cleared => Field::Cleared,
            _ => Field::Never,
        }
    }
}
