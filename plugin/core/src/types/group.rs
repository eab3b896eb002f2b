//! Groups: what every import selects, and the further properties GroupAttributes may name.
//!
//! The further ones are directory properties that are scalars or string arrays. Exchange's and Teams' own
//! (allowExternalSenders, isArchived, …) can be read for one group at a time only and must not stand here.

use super::AttributeType::{Boolean, DateTime, String, StringArray};
use super::{
    Attribute, Class, Extra, FeedOf, Lane, ObjectType, OptionalPermission, Preset, Read, RecycleBin, Switch, When,
    always, extra,
};

/// Groups of every kind: security, Microsoft 365, distribution.
pub static GROUP: ObjectType = ObjectType {
    name: "Group",
    odata_type: Some("group"),
    code: 1,
    link_member: Some("g"),
    former_mark: Some("groups"),
    class: Class::Object,
    switch: Switch { key: "ImportGroups", help: "Whether groups are imported.", presets: Preset::ALL },
    permissions: &["GroupMember.Read.All"],
    accepted_instead: &[("GroupMember.Read.All", &["Group.Read.All", "Directory.Read.All"])],
    // The recycle bin of groups.
    when: &[When { key: "MembershipMode", value: "Delta", permissions: &["Group.Read.All"] }],
    optional_permissions: &[OptionalPermission {
        name: "Group.Read.All",
        purpose: "groups in the recycle bin, which MembershipMode Delta must know of",
    }],
    licence: None,
    delta: "DeltaLink",
    lane: Lane::Directory,
    read: Read::Groups(&GROUPS),
    attributes: &[
        always("displayName", String),
        always("mailNickname", String),
        always("mail", String),
        always("description", String),
        // An array in Graph; joined by commas in records.
        always("groupTypes", String),
        always("securityEnabled", Boolean),
        always("mailEnabled", Boolean),
        always("visibility", String),
    ],
    extra: Some(Extra {
        key: "GroupAttributes",
        help: "Further group properties to deliver: names that Describe lists, and directory extensions.",
        attributes: GROUP_EXTRA,
    }),
    ends: &[],
    scope_attribute: None,
};

static GROUPS: FeedOf = FeedOf {
    collection: "/groups",
    // Every group has a name; many may have the same.
    sorted_by: Some("displayName"),
    joined: &["groupTypes"],
    external_id: None,
    bin: Some(RecycleBin { cast: "group", permission: "Group.Read.All" }),
};

/// What GroupAttributes may name, directory extensions aside.
pub const GROUP_EXTRA: &[Attribute] = &[
    extra("classification", String),
    extra("createdDateTime", DateTime),
    extra("expirationDateTime", DateTime),
    extra("isAssignableToRole", Boolean),
    extra("isManagementRestricted", Boolean),
    extra("membershipRule", String),
    extra("membershipRuleProcessingState", String),
    extra("onPremisesDomainName", String),
    extra("onPremisesLastSyncDateTime", DateTime),
    extra("onPremisesNetBiosName", String),
    extra("onPremisesSamAccountName", String),
    extra("onPremisesSecurityIdentifier", String),
    extra("onPremisesSyncEnabled", Boolean),
    extra("preferredDataLocation", String),
    extra("preferredLanguage", String),
    extra("proxyAddresses", StringArray),
    extra("renewedDateTime", DateTime),
    extra("resourceBehaviorOptions", StringArray),
    extra("resourceProvisioningOptions", StringArray),
    extra("securityIdentifier", String),
    extra("theme", String),
    extra("uniqueName", String),
];
