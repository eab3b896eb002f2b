//! A row of a polymorphic collection of directory objects, reduced to its type and id.
//!
//! Without the permission to read the member's type Graph sends exactly this and no more: that is a whole edge.

use std::borrow::Cow;

use serde::Deserialize;

use super::Entries;

/// One member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Member<'a> {
    /// `#microsoft.graph.user`, …
    #[serde(rename = "@odata.type", borrow, default, deserialize_with = "super::text::optional")]
    pub odata_type: Option<Cow<'a, str>>,
    /// The directory object's id.
    #[serde(borrow, default, deserialize_with = "super::text::optional")]
    pub id: Option<Cow<'a, str>>,
}

impl Entries for Member<'_> {}
