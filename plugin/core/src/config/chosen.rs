//! What the configuration says of each object type: whether it is imported, and which attributes are added.
//!
//! Nothing above the configuration reads a switch by its key. A type that is not in the list is not imported.

use super::attribute_names::ExtraAttribute;
use super::checked::{Config, MembershipMode};
use crate::types::ObjectType;

/// The choice for one object type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The object type's name.
    pub name: &'static str,
    /// Whether it is imported.
    pub on: bool,
    /// Attributes beyond those that every import delivers, none twice.
    pub added: Vec<ExtraAttribute>,
}

impl Config {
    /// Whether the object type is imported.
    pub fn imports(&self, object_type: &ObjectType) -> bool {
        self.chosen(object_type).is_some_and(|chosen| chosen.on)
    }

    /// The attributes that this configuration adds to the object type.
    pub fn added_to(&self, object_type: &ObjectType) -> &[ExtraAttribute] {
        self.chosen(object_type).map_or(&[], |chosen| &chosen.added)
    }

    /// Whether memberships come with the feed of groups.
    pub fn follows_members(&self) -> bool {
        self.membership_mode == MembershipMode::Delta
    }

    fn chosen(&self, object_type: &ObjectType) -> Option<&Chosen> {
        self.object_types.iter().find(|chosen| chosen.name == object_type.name)
    }
}

/// The switches of these choices as words: `A, B and C`.
pub(super) fn listed(switches: &[&str]) -> String {
    match switches {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}
