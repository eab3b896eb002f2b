//! Owners of groups. None has one until a change says so.

use super::Table;
use crate::simulator::kinds::Kind;

pub(super) static TABLE: Table = Table {
    name: "Owner",
    object_type: "GroupOwner",
    ends: ["groupId", "ownerId", "ownerType"],
    parent: Kind::Group,
    segment: "owners",
    reverse: None,
    read: &["GroupMember.Read.All", "Directory.Read.All"],
    units: 1,
    reverse_units: 1,
    followed: false,
    few: &[],
    advanced_only: &[Kind::ServicePrincipal],
    hidden: None,
    base: |_| None,
    deeds: &[],
    drawn: |_| Kind::User,
};
