//! Users: what every import selects, and the further properties UserAttributes may name.
//!
//! The further ones are directory properties of Graph v1.0 that are scalars or string arrays. What lies outside the
//! directory (aboutMe, skills, …) must not stand here: one such name makes Graph refuse the whole users feed.

use super::AttributeType::{Boolean, DateTime, String, StringArray};
use super::{Attribute, Class, Extra, FeedOf, Lane, ObjectType, Preset, Read, RecycleBin, Switch, always, extra};

/// Users of the tenant, guests included.
pub static USER: ObjectType = ObjectType {
    name: "User",
    odata_type: Some("user"),
    code: 0,
    link_member: Some("u"),
    former_mark: Some("users"),
    class: Class::Object,
    switch: Switch { key: "ImportUsers", help: "Whether users are imported.", presets: Preset::ALL },
    permissions: &["User.Read.All"],
    accepted_instead: &[("User.Read.All", &["Directory.Read.All"])],
    when: &[],
    optional_permissions: &[],
    licence: None,
    delta: "DeltaLink",
    lane: Lane::Directory,
    read: Read::Feed(&USERS),
    attributes: &[
        always("displayName", String),
        always("userPrincipalName", String),
        always("mail", String),
        always("givenName", String),
        always("surname", String),
        always("jobTitle", String),
        always("department", String),
        always("companyName", String),
        always("officeLocation", String),
        always("mobilePhone", String),
        // An array in Graph; joined by commas in records.
        always("businessPhones", String),
        always("accountEnabled", Boolean),
        always("userType", String),
        always("usageLocation", String),
    ],
    extra: Some(Extra {
        key: "UserAttributes",
        help: "Further user properties to deliver: names that Describe lists, and directory extensions.",
        attributes: USER_EXTRA,
    }),
    ends: &[],
    scope_attribute: None,
};

static USERS: FeedOf = FeedOf {
    collection: "/users",
    // Every user has a principal name, and no two have the same.
    sorted_by: Some("userPrincipalName"),
    joined: &["businessPhones"],
    external_id: Some("userPrincipalName"),
    bin: Some(RecycleBin { cast: "user", permission: "User.Read.All" }),
};

/// What UserAttributes may name, directory extensions aside.
pub const USER_EXTRA: &[Attribute] = &[
    extra("ageGroup", String),
    extra("city", String),
    extra("consentProvidedForMinor", String),
    extra("country", String),
    extra("createdDateTime", DateTime),
    extra("creationType", String),
    extra("employeeHireDate", DateTime),
    extra("employeeId", String),
    // Graph shows it only to applications with User-LifeCycleInfo.Read.All.
    extra("employeeLeaveDateTime", DateTime),
    extra("employeeType", String),
    extra("externalUserState", String),
    extra("externalUserStateChangeDateTime", DateTime),
    extra("faxNumber", String),
    extra("identityParentId", String),
    extra("imAddresses", StringArray),
    extra("isResourceAccount", Boolean),
    extra("lastPasswordChangeDateTime", DateTime),
    extra("legalAgeGroupClassification", String),
    extra("mailNickname", String),
    extra("onPremisesDistinguishedName", String),
    extra("onPremisesDomainName", String),
    extra("onPremisesImmutableId", String),
    extra("onPremisesLastSyncDateTime", DateTime),
    extra("onPremisesSamAccountName", String),
    extra("onPremisesSecurityIdentifier", String),
    extra("onPremisesSyncEnabled", Boolean),
    extra("onPremisesUserPrincipalName", String),
    extra("otherMails", StringArray),
    extra("passwordPolicies", String),
    extra("postalCode", String),
    extra("preferredDataLocation", String),
    extra("preferredLanguage", String),
    extra("proxyAddresses", StringArray),
    extra("securityIdentifier", String),
    extra("signInSessionsValidFromDateTime", DateTime),
    extra("state", String),
    extra("streetAddress", String),
];
