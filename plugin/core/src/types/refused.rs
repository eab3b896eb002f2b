//! Properties that Graph has and UserAttributes / GroupAttributes must not name, each with its reason.
//!
//! They are refused by name instead of as "unknown", because an operator has read them in Microsoft's reference and
//! would otherwise look for a typing error. Sent to Graph, most would fail the whole feed with 400 or 501.

use super::ObjectType;

const OUTSIDE: &str = "it is stored outside the directory, and a delta query can neither select nor track it";
const ONE_BY_ONE: &str = "Graph shows it for one object at a time only, never in a feed";
const COMPLEX: &str = "it is not a scalar or string array";
const RELATION: &str = "it is a relation, not an attribute";
const NOT_IN_DELTA: &str = "Graph refuses it in delta queries";
const UNTRACKED: &str = "delta queries do not track it";
const SECRET: &str = "it holds a credential";

/// Names, without their case, that are refused for both users and groups.
const BOTH: &[(&str, &str)] = &[
    ("id", "every record carries it as SourceId"),
    ("deletedDateTime", "Graph never sends it in a feed: it is null for every object that is there"),
    ("appRoleAssignments", RELATION),
    ("assignedLicenses", COMPLEX),
    ("calendar", RELATION),
    ("drive", RELATION),
    ("events", RELATION),
    ("extensions", UNTRACKED),
    ("memberOf", RELATION),
    ("onPremisesExtensionAttributes", COMPLEX),
    ("onPremisesProvisioningErrors", COMPLEX),
    ("photo", UNTRACKED),
    ("photos", UNTRACKED),
    ("serviceProvisioningErrors", COMPLEX),
    ("settings", UNTRACKED),
    ("transitiveMemberOf", RELATION),
];

const USER: &[(&str, &str)] = &[
    ("aboutMe", OUTSIDE),
    ("assignedPlans", COMPLEX),
    ("authentication", RELATION),
    ("authorizationInfo", COMPLEX),
    ("birthday", OUTSIDE),
    ("createdObjects", RELATION),
    ("customSecurityAttributes", UNTRACKED),
    ("deviceEnrollmentLimit", OUTSIDE),
    ("directReports", RELATION),
    ("employeeOrgData", COMPLEX),
    ("hireDate", OUTSIDE),
    ("identities", COMPLEX),
    ("interests", OUTSIDE),
    ("licenseAssignmentStates", COMPLEX),
    ("licenseDetails", UNTRACKED),
    ("mailboxSettings", OUTSIDE),
    ("manager", RELATION),
    ("messages", RELATION),
    ("mySite", OUTSIDE),
    ("oauth2PermissionGrants", RELATION),
    ("ownedDevices", RELATION),
    ("ownedObjects", RELATION),
    ("passwordProfile", SECRET),
    ("pastProjects", OUTSIDE),
    ("preferredName", OUTSIDE),
    ("print", OUTSIDE),
    ("provisionedPlans", COMPLEX),
    ("registeredDevices", RELATION),
    ("responsibilities", OUTSIDE),
    ("schools", OUTSIDE),
    ("signInActivity", NOT_IN_DELTA),
    ("skills", OUTSIDE),
    ("sponsors", RELATION),
];

const GROUP: &[(&str, &str)] = &[
    ("acceptedSenders", RELATION),
    ("accessType", ONE_BY_ONE),
    ("allowExternalSenders", ONE_BY_ONE),
    ("assignedLabels", COMPLEX),
    ("autoSubscribeNewMembers", ONE_BY_ONE),
    ("createdOnBehalfOf", RELATION),
    ("hideFromAddressLists", ONE_BY_ONE),
    ("hideFromOutlookClients", ONE_BY_ONE),
    ("isArchived", ONE_BY_ONE),
    ("isFavorite", ONE_BY_ONE),
    ("isSubscribedByMail", ONE_BY_ONE),
    ("licenseProcessingState", COMPLEX),
    ("members", "it is a relation, and ImportMemberships delivers it"),
    ("membersWithLicenseErrors", RELATION),
    ("owners", RELATION),
    ("rejectedSenders", RELATION),
    ("transitiveMembers", RELATION),
    ("unseenConversationsCount", ONE_BY_ONE),
    ("unseenCount", ONE_BY_ONE),
    ("unseenMessagesCount", ONE_BY_ONE),
    ("welcomeMessageEnabled", ONE_BY_ONE),
];

/// The reason why a feed of `object_type` cannot carry the Graph property `name`, whatever its case; `None` when there
/// is no such reason, which does not yet mean that the property exists.
pub fn why_refused(object_type: &ObjectType, name: &str) -> Option<&'static str> {
    let own = match object_type.name {
        "User" => USER,
        "Group" => GROUP,
        _ => &[],
    };
    let entry = BOTH.iter().chain(own).find(|(refused, _)| refused.eq_ignore_ascii_case(name));
    entry.map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::super as schema;
    use super::*;

    #[test]
    fn the_reason_is_that_of_the_object_type() {
        assert_eq!(why_refused(&schema::USER, "SIGNINACTIVITY"), Some(NOT_IN_DELTA));
        assert_eq!(why_refused(&schema::GROUP, "signInActivity"), None);
        assert!(why_refused(&schema::GROUP, "members").unwrap().contains("ImportMemberships"));
        assert_eq!(why_refused(&schema::USER, "passwordProfile"), Some(SECRET));
    }
}
