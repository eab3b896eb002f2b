//! Direct memberships: one edge per group and member.
//!
//! A member is not always a user: groups, service principals, devices and contacts are members too, so the far end's
//! type stands in the record. User.Read.All is not needed here: without it Graph still names each member's id and type.
//!
//! `Recompute` is what Describe says and what happens by default. With `MembershipMode` "Delta" a run is a Delta set of
//! edges instead; an engine learns that from each set's Begin, never from Describe, which knows no configuration.

use super::AttributeType::String;
use super::{Class, End, EndTarget, Lane, ObjectType, OptionalPermission, Preset, Read, Switch, When, always};

/// Direct members of groups.
pub static GROUP_MEMBER: ObjectType = ObjectType {
    name: "GroupMember",
    odata_type: None,
    code: 2,
    link_member: None,
    former_mark: Some("members"),
    class: Class::Edge,
    switch: Switch {
        key: "ImportMemberships",
        help: "Whether direct memberships of groups are imported.",
        presets: Preset::ALL,
    },
    permissions: &["GroupMember.Read.All"],
    accepted_instead: &[("GroupMember.Read.All", &["Group.Read.All", "Directory.Read.All"])],
    // The recycle bin of groups.
    when: &[When { key: "MembershipMode", value: "Delta", permissions: &["Group.Read.All"] }],
    // Optional, since its absence is no failure: such a group answers 200 with no members, and is reported as unread.
    optional_permissions: &[OptionalPermission {
        name: "Member.Read.Hidden",
        purpose: "members of groups whose visibility is HiddenMembership",
    }],
    licence: None,
    delta: "Recompute",
    lane: Lane::Directory,
    read: Read::Members,
    attributes: &[always("groupId", String), always("memberId", String), always("memberType", String)],
    extra: None,
    ends: &[
        End { attribute: "groupId", target: EndTarget::ObjectTypes(&["Group"]) },
        End { attribute: "memberId", target: EndTarget::TypeAttribute("memberType") },
    ],
    scope_attribute: Some("groupId"),
};
