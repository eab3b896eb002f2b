//! The streams of events: one file each, and the table that everything else loops over.
//!
//! Events are computed from the seed and their number, as objects are: 200,000 a day need no memory. Scripts append
//! some and rewrite some.

mod sign_in;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kinds::source::Source;
use super::workload::{Licence, Workload};

macro_rules! table {
    ($($(#[$says:meta])* $stream:ident => $file:ident,)+) => {
        /// What happens in a tenant and is kept as a log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Stream { $($(#[$says])* $stream,)+ }

        impl Stream {
            /// Every stream.
            pub const ALL: &'static [Stream] = &[$(Stream::$stream,)+];

            pub(crate) fn table(self) -> &'static Table {
                match self { $(Stream::$stream => &$file::TABLE,)+ }
            }
        }
    };
}

table! {
    /// An interactive sign-in of a user.
    SignIn => sign_in,
}

/// What the simulator knows of a stream.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The path below the version root.
    pub(crate) path: &'static str,
    /// The property that says when an event happened.
    pub(crate) time: &'static str,
    /// The world's key of how many there are a day.
    pub(crate) per_day: &'static str,
    /// Permissions any of which shows it.
    pub(crate) read: &'static [&'static str],
    pub(crate) licence: Option<Licence>,
    pub(crate) workload: Workload,
    /// What `$top` may ask for at most, and what comes without it.
    pub(crate) most_rows: u32,
    /// The properties of an event with a number, without id and time.
    pub(crate) row: fn(&Source, u64) -> Map<String, Value>,
    /// Properties that say `hidden` without a licence.
    pub(crate) hidden: (&'static [&'static str], Licence),
    /// Collections that are empty without a permission.
    pub(crate) emptied: (&'static [&'static str], &'static str),
}

impl Stream {
    /// As a directory speaks of one event.
    pub fn name(self) -> &'static str {
        self.table().name
    }

    /// The path of its list below the version root.
    pub fn path(self) -> &'static str {
        self.table().path
    }
}
