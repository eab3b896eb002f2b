//! The baseline: a page read by `serde_json` into borrowed structs and written out again as NDJSON, and nothing else.
//!
//! Easy to get wrong: serde borrows a `Cow<str>` where it is a field of its own, marked, and copies it inside an
//! `Option`. So texts have a type here; without it the baseline would be slower, and the ratio would flatter the
//! connector.

use std::borrow::Cow;
use std::hint::black_box;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::cpu::Cpu;

/// The attributes that need no key of ConfigJson; they stand first in each shape.
pub(crate) const ALWAYS: usize = 14;

/// A text that lies in the page where it needs no decoding.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// A user with so many attributes.
pub(crate) trait Shape {
    /// The attributes, in the order the connector selects them.
    const NAMES: &'static [&'static str];
    /// Such a user, borrowed from a page.
    type Row<'a>: Serialize + Deserialize<'a>;
}

macro_rules! user {
    ($name:ident texts: $($text:ident $t:literal),*; flags: $($flag:ident $f:literal),*; lists: $($list:ident $l:literal),*;) => {
        #[derive(Debug, Serialize, Deserialize)]
        pub(crate) struct $name<'a> {
            #[serde(borrow)]
            id: Text<'a>,
            $(#[serde(rename = $t, default, borrow)] $text: Option<Text<'a>>,)*
            $(#[serde(rename = $f, default)] $flag: Option<bool>,)*
            $(#[serde(rename = $l, default, borrow)] $list: Option<Vec<Text<'a>>>,)*
        }
    };
}

user!(LeanUser
    texts: display_name "displayName", user_principal_name "userPrincipalName", mail "mail",
        given_name "givenName", surname "surname", job_title "jobTitle", department "department",
        company_name "companyName", office_location "officeLocation", mobile_phone "mobilePhone",
        user_type "userType", usage_location "usageLocation";
    flags: account_enabled "accountEnabled";
    lists: business_phones "businessPhones";
);

user!(AllUser
    texts: display_name "displayName", user_principal_name "userPrincipalName", mail "mail",
        given_name "givenName", surname "surname", job_title "jobTitle", department "department",
        company_name "companyName", office_location "officeLocation", mobile_phone "mobilePhone",
        user_type "userType", usage_location "usageLocation", age_group "ageGroup", city "city",
        consent_provided_for_minor "consentProvidedForMinor", country "country",
        created_date_time "createdDateTime", creation_type "creationType", employee_hire_date "employeeHireDate",
        employee_id "employeeId", employee_leave_date_time "employeeLeaveDateTime", employee_type "employeeType",
        external_user_state "externalUserState",
        external_user_state_change_date_time "externalUserStateChangeDateTime", fax_number "faxNumber",
        identity_parent_id "identityParentId", last_password_change_date_time "lastPasswordChangeDateTime",
        legal_age_group_classification "legalAgeGroupClassification", mail_nickname "mailNickname",
        on_premises_distinguished_name "onPremisesDistinguishedName",
        on_premises_domain_name "onPremisesDomainName", on_premises_immutable_id "onPremisesImmutableId",
        on_premises_last_sync_date_time "onPremisesLastSyncDateTime",
        on_premises_sam_account_name "onPremisesSamAccountName",
        on_premises_security_identifier "onPremisesSecurityIdentifier",
        on_premises_user_principal_name "onPremisesUserPrincipalName", password_policies "passwordPolicies",
        postal_code "postalCode", preferred_data_location "preferredDataLocation",
        preferred_language "preferredLanguage", security_identifier "securityIdentifier",
        sign_in_sessions_valid_from_date_time "signInSessionsValidFromDateTime", state "state",
        street_address "streetAddress";
    flags: account_enabled "accountEnabled", is_resource_account "isResourceAccount",
        on_premises_sync_enabled "onPremisesSyncEnabled";
    lists: business_phones "businessPhones", im_addresses "imAddresses", other_mails "otherMails",
        proxy_addresses "proxyAddresses";
);

/// The attributes that every import selects, then those that `UserAttributes` may name.
const NAMES: &[&str] = &[
    "displayName",
    "userPrincipalName",
    "mail",
    "givenName",
    "surname",
    "jobTitle",
    "department",
    "companyName",
    "officeLocation",
    "mobilePhone",
    "businessPhones",
    "accountEnabled",
    "userType",
    "usageLocation",
    "ageGroup",
    "city",
    "consentProvidedForMinor",
    "country",
    "createdDateTime",
    "creationType",
    "employeeHireDate",
    "employeeId",
    "employeeLeaveDateTime",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "identityParentId",
    "imAddresses",
    "isResourceAccount",
    "lastPasswordChangeDateTime",
    "legalAgeGroupClassification",
    "mailNickname",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName",
    "otherMails",
    "passwordPolicies",
    "postalCode",
    "preferredDataLocation",
    "preferredLanguage",
    "proxyAddresses",
    "securityIdentifier",
    "signInSessionsValidFromDateTime",
    "state",
    "streetAddress",
];

impl Shape for LeanUser<'static> {
    const NAMES: &'static [&'static str] = NAMES.split_at(ALWAYS).0;
    type Row<'a> = LeanUser<'a>;
}

impl Shape for AllUser<'static> {
    const NAMES: &'static [&'static str] = NAMES;
    type Row<'a> = AllUser<'a>;
}

#[derive(Deserialize)]
struct Page<R> {
    value: Vec<R>,
}

/// Reads and writes every page; what was written is thrown away, and its place used again.
pub(crate) fn read_and_write<S: Shape>(pages: &[Vec<u8>], users: u32) -> Result<Cpu> {
    let before = Cpu::of_process()?;
    let (mut rows, mut lines) = (0, Vec::new());
    for page in pages {
        let page: Page<S::Row<'_>> = serde_json::from_slice(page)?;
        lines.clear();
        for row in &page.value {
            serde_json::to_writer(&mut lines, row)?;
            lines.push(b'\n');
            rows += 1;
        }
        black_box(&lines);
    }
    ensure!(rows == users, "{users} users exist, {rows} were read");
    Ok(Cpu::of_process()?.since(before))
}
