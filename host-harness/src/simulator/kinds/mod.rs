//! The kinds of directory objects: one file each, and the table that everything else loops over.
//!
//! What Graph offers of a kind is data here: its collection, its permissions, what deleting it does. Endpoints, feeds,
//! changes and the truth read it and name no kind. A new kind is a file, its `mod` and its line in the table.

pub(crate) mod deed;
mod device;
pub(crate) mod field;
mod group;
pub(crate) mod identity;
mod names;
mod org_contact;
pub(crate) mod property;
mod role_assignment;
mod role_assignment_instance;
mod role_definition;
mod service_principal;
pub(crate) mod settings;
pub(crate) mod source;
mod user;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::deed::{Deed, Drawing};
use self::field::Field;
use self::property::{EXTENSION_OWNER, Home, Property, Shape};
use self::settings::Settings;
use self::source::Source;
use super::workload::{Licence, Workload};

macro_rules! table {
    ($($(#[$says:meta])* $kind:ident => $file:ident,)+) => {
        /// What a directory object is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
        #[serde(rename_all = "camelCase")]
        pub enum Kind { $($(#[$says])* $kind,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            pub(crate) fn table(self) -> &'static Table {
                match self { $(Kind::$kind => &$file::TABLE,)+ }
            }
        }
    };
}

// Ids are computed from a kind's place in this list: a new kind goes to the end.
table! {
    /// A person or guest.
    #[default]
    User => user,
    /// A group of any flavour.
    Group => group,
    /// A registered device; it exists as a member only.
    Device => device,
    /// An application's presence in the tenant, or a managed identity.
    ServicePrincipal => service_principal,
    /// A mail contact; it exists as a member only.
    OrgContact => org_contact,
    /// A directory role, built-in or custom.
    RoleDefinition => role_definition,
    /// That a principal holds a role somewhere.
    RoleAssignment => role_assignment,
    /// What Privileged Identity Management says of an assignment in force.
    RoleAssignmentScheduleInstance => role_assignment_instance,
}

/// What the simulator knows of a kind.
#[derive(Debug)]
pub(crate) struct Table {
    /// As a directory speaks of it.
    pub(crate) name: &'static str,
    /// The value of `@odata.type`.
    pub(crate) odata_type: &'static str,
    /// The path below the version root.
    pub(crate) collection: &'static str,
    /// The world's keys that say how many there are: live ones, and those in the recycle bin from the start.
    pub(crate) live: &'static [&'static str],
    pub(crate) deleted: Option<&'static str>,
    pub(crate) ids: IdForm,
    /// Set where objects exist because others do.
    pub(crate) mirrors: Option<Mirror>,
    /// Permissions any of which shows the objects; the least one first.
    pub(crate) read: &'static [&'static str],
    /// None for a kind that exists as a child of others only.
    pub(crate) served: Option<Served>,
    pub(crate) properties: &'static [Property],
    /// Directory extensions.
    pub(crate) extensions: &'static [Property],
    /// What comes without `$select`.
    pub(crate) defaults: &'static [&'static str],
    /// A property that finds an object as its id does.
    pub(crate) other_key: Option<&'static str>,
    /// The `@odata.type` of objects that are of a derived type.
    pub(crate) derived: fn(&Source, u32) -> Option<&'static str>,
    /// A property of the base object with a number.
    pub(crate) field: fn(&Source, u32, &str) -> Field,
    /// What a new object has unless its change says otherwise.
    pub(crate) fresh: fn(&Source, u32) -> Vec<(&'static str, Value)>,
    /// What deleting an object does, by its properties and the tenant's rule for security groups.
    pub(crate) deletion: fn(Values<'_>, Deletion) -> Deletion,
    /// What random scripts do to it, and which of twenty turns each has besides the common draw.
    pub(crate) deeds: &'static [(Deed, &'static [u32])],
    /// What an update amounts to.
    pub(crate) amounts_to: fn(&Map<String, Value>) -> Deed,
    /// The properties of a drawn addition or update.
    pub(crate) draw: fn(Deed, &mut Drawing<'_>) -> Option<Map<String, Value>>,
}

/// The properties of one object, by name.
pub(crate) type Values<'a> = &'a dyn Fn(&str) -> Value;

/// The endpoints of a kind: its list, single objects, `$count`, and these.
#[derive(Debug)]
pub(crate) struct Served {
    /// What a page of the list costs.
    pub(crate) units: u32,
    pub(crate) workload: Workload,
    /// What the tenant must have paid for.
    pub(crate) licence: Option<Licence>,
    pub(crate) listed: Listed,
    pub(crate) feed: Option<Feed>,
    /// Permissions any of which shows the recycle bin; none if there is no endpoint for it.
    pub(crate) bin: Option<&'static [&'static str]>,
}

/// How a list is read.
#[derive(Debug)]
pub(crate) enum Listed {
    /// In pages of the client's choice, with `$count`.
    Paged {
        /// `$expand` options that add nothing, since no object has such a relation.
        empty_expands: &'static [&'static str],
    },
    /// In pages of the service's choice.
    Whole {
        /// The world's key of the page size.
        page: &'static str,
        expand: &'static [Expand],
    },
}

/// An object that a row can carry in full.
#[derive(Debug)]
pub(crate) struct Expand {
    pub(crate) name: &'static str,
    /// The property that holds its id.
    pub(crate) id: &'static str,
}

/// What ids look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdForm {
    /// Without regard to case.
    Guid,
    /// Base 64 and `-1`; two that differ in case are two. Numbers 0 and 1 of a kind do.
    CaseSensitive,
}

/// Objects that exist because others do, and show some of their properties.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) of: Kind,
    /// How many each of the others may have.
    pub(crate) per: u32,
    /// Whether the n-th of one is there: by its properties, the kinds of the objects these name, and the world.
    pub(crate) exists: fn(u32, Values<'_>, KindOf<'_>, &Settings) -> bool,
}

/// The kind of the object that an id names.
pub(crate) type KindOf<'a> = &'a dyn Fn(&str) -> Option<Kind>;

/// A delta query.
#[derive(Debug)]
pub(crate) struct Feed {
    /// The world's key of the page size, and of whether pages vary.
    pub(crate) page: &'static str,
    pub(crate) varies: Option<&'static str>,
    /// Relations that `$select` may name.
    pub(crate) tracked: &'static [&'static str],
}

/// What deleting an object does. Microsoft 365 groups are always soft-deleted, distribution lists never.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deletion {
    /// Into the recycle bin; `@removed` says `changed`.
    Soft,
    /// Gone at once; `@removed` says `deleted`.
    Permanent,
}

impl Kind {
    /// The value of `@odata.type`.
    pub fn odata_type(self) -> &'static str {
        self.table().odata_type
    }

    /// The type's name as a directory speaks of it: `User`, `Group`, `ServicePrincipal`, …
    pub fn name(self) -> &'static str {
        self.table().name
    }

    /// The path of its list below the version root.
    pub fn collection(self) -> &'static str {
        self.table().collection
    }

    /// Whether it has endpoints of its own; else it exists as a child of others only.
    pub fn is_served(self) -> bool {
        self.table().served.is_some()
    }

    /// A property by its exact name.
    pub(crate) fn property(self, name: &str) -> Option<&'static Property> {
        let table = self.table();
        let properties = if name.starts_with(EXTENSION_OWNER) { table.extensions } else { table.properties };
        properties.iter().find(|property| property.name == name)
    }

    /// What comes without `$select`.
    pub(crate) fn defaults(self) -> Vec<&'static Property> {
        self.table().defaults.iter().filter_map(|name| self.property(name)).collect()
    }

    /// Every property that can have a value in this tenant: what a truth row shows.
    pub(crate) fn valued(self) -> impl Iterator<Item = &'static Property> {
        let table = self.table();
        let properties = table.properties.iter().chain(table.extensions);
        properties.filter(|property| property.home == Home::Directory && property.shape != Shape::Navigation)
    }
}

/// Of a kind that a script never updates.
fn never_drawn(_: Deed, _: &mut Drawing<'_>) -> Option<Map<String, Value>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_property() {
        for kind in Kind::ALL {
            assert_eq!(kind.defaults().len(), kind.table().defaults.len(), "{}", kind.name());
        }
    }

    #[test]
    fn names_are_unique() {
        for kind in Kind::ALL {
            let mut names: Vec<_> = kind.table().properties.iter().map(|property| property.name).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{}", kind.name());
        }
    }
}
