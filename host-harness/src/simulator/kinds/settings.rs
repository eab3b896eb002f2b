//! The numbers and switches of a world by their keys, so that a table can name one.

use serde::Serialize;
use serde_json::Value;

/// A world as its file would have it.
#[derive(Debug, Clone)]
pub(crate) struct Settings(Value);

impl Settings {
    pub(crate) fn of(world: &impl Serialize) -> Settings {
        // A world is plain data: there is nothing in it that could not be written.
        Settings(serde_json::to_value(world).unwrap_or_default())
    }

    /// `key`, or `key/key` for a member of a member.
    fn at(&self, path: &str) -> Option<&Value> {
        path.split('/').try_fold(&self.0, |value, key| value.get(key))
    }

    /// None for an absent key and for null.
    pub(crate) fn number(&self, path: &str) -> Option<u64> {
        self.at(path)?.as_u64()
    }

    /// As a count of objects; 0 where there is none.
    pub(crate) fn count(&self, path: &str) -> u32 {
        self.number(path).map_or(0, |number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub(crate) fn flag(&self, path: &str) -> bool {
        self.at(path).is_some_and(|value| *value == true)
    }
}
