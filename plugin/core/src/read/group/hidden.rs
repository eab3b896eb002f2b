//! Groups that hide who is in them.

use crate::graph::Graph;

/// Whether the token proves that hidden members may be read. Without the proof an empty hidden group may have members:
/// Graph answers 200 with an empty list (docs: group list members, "Hidden memberships").
pub(super) fn sees_hidden(graph: &Graph) -> bool {
    graph.token_has_role("Member.Read.Hidden")
}

/// Whether a group of this `visibility`, as JSON, hides its members.
pub(super) fn is_hidden(visibility: Option<&serde_json::value::RawValue>) -> bool {
    visibility.is_some_and(|value| value.get() == "\"HiddenMembership\"")
}
