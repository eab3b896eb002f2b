//! The relations between directory objects: one file each, and the table that everything else loops over.
//!
//! A relation leads from parents of one kind to children of any. Graph shows it below the parent, in the other
//! direction below the child, and in rows of the parent's feed; which of these, with which permission, is data here.

pub(crate) mod layout;
mod member;
mod owner;

use serde::{Deserialize, Serialize};

use self::layout::BaseEdges;
use super::kinds::Kind;
use super::kinds::deed::Deed;
use super::kinds::settings::Settings;

macro_rules! table {
    ($($(#[$says:meta])* $relation:ident => $file:ident,)+) => {
        /// How one directory object belongs to another.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Relation { $($(#[$says])* $relation,)+ }

        impl Relation {
            /// Every relation.
            pub const ALL: &'static [Relation] = &[$(Relation::$relation,)+];

            pub(crate) fn table(self) -> &'static Table {
                match self { $(Relation::$relation => &$file::TABLE,)+ }
            }
        }
    };
}

table! {
    /// A direct member of a group.
    Member => member,
    /// An owner of a group.
    Owner => owner,
}

/// What the simulator knows of a relation.
#[derive(Debug)]
pub(crate) struct Table {
    /// What a child is called.
    pub(crate) name: &'static str,
    /// The object type of its edges in a truth, and the names of parent, child and the child's kind there.
    pub(crate) object_type: &'static str,
    pub(crate) ends: [&'static str; 3],
    pub(crate) parent: Kind,
    /// The path segment below a parent, and the route's name.
    pub(crate) segment: &'static str,
    /// The path segment below a child that lists its parents.
    pub(crate) reverse: Option<&'static str>,
    /// Permissions any of which shows it.
    pub(crate) read: &'static [&'static str],
    /// What a page of children costs, and one of parents.
    pub(crate) units: u32,
    pub(crate) reverse_units: u32,
    /// Whether rows of the parent's feed carry it, in `<segment>@delta`.
    pub(crate) followed: bool,
    /// Kinds that feeds show when they show few.
    pub(crate) few: &'static [Kind],
    /// Kinds that plain reads leave out.
    pub(crate) advanced_only: &'static [Kind],
    pub(crate) hidden: Option<Hidden>,
    /// The world's edges; none when every edge is a change.
    pub(crate) base: fn(&Settings) -> Option<Box<dyn BaseEdges>>,
    /// Which of twenty turns of a random script add and remove edges.
    pub(crate) deeds: &'static [(Deed, &'static [u32])],
    /// The kind of child that a mark draws.
    pub(crate) drawn: fn(u32) -> Kind,
}

/// Parents whose children look absent without a permission.
#[derive(Debug)]
pub(crate) struct Hidden {
    pub(crate) property: &'static str,
    pub(crate) value: &'static str,
    pub(crate) permission: &'static str,
}

impl Relation {
    /// The path segment below a parent.
    pub fn segment(self) -> &'static str {
        self.table().segment
    }

    /// What its edges are called in a truth.
    pub fn object_type(self) -> &'static str {
        self.table().object_type
    }

    /// The relation that rows of a kind's feed carry.
    pub(crate) fn followed_by(parent: Kind) -> Option<Relation> {
        let follows = |relation: &&Relation| relation.table().parent == parent && relation.table().followed;
        Relation::ALL.iter().find(follows).copied()
    }
}
