//! The base service principals: every property of number n, computed from the seed alone.
//!
//! Sorts repeat in a fixed pattern, so that a tenant of ten has applications of its own and of others, Microsoft's,
//! managed identities of both sorts, and one with many roles.

use serde_json::{Value, json};

use crate::simulator::clock::format_moment;
use crate::simulator::kinds::field::Field;
use crate::simulator::kinds::source::Source;
use crate::simulator::seal::base64;
use crate::simulator::seed::{mix, stream};

/// The directory that Microsoft's own applications belong to.
const MICROSOFT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// The seconds of 2024-01-01.
const ISSUED: u64 = 1_704_067_200;
const YEAR: u64 = 365 * 24 * 3600;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Own,
    Foreign,
    Microsoft,
    SystemAssigned,
    UserAssigned,
}

const PATTERN: [Sort; 7] =
    [Sort::Own, Sort::Microsoft, Sort::SystemAssigned, Sort::Foreign, Sort::Own, Sort::UserAssigned, Sort::Own];

pub(super) fn app_id(source: &Source, number: u32) -> Value {
    json!(source.ids.other(stream("app id"), u64::from(number)))
}

pub(super) fn field(source: &Source, number: u32, property: &str) -> Field {
    let roll = mix(source.seed, stream(property) ^ 0x5E1F, u64::from(number));
    let percent = roll % 100;
    let sort = PATTERN[number as usize % PATTERN.len()];
    let managed = matches!(sort, Sort::SystemAssigned | Sort::UserAssigned);
    let name = format!("ServicePrincipal {number}");
    match property {
        "displayName" => Field::set(name),
        "appDisplayName" if !managed => Field::set(name),
        "appId" => Field::set(app_id(source, number)),
        "accountEnabled" => Field::set(percent < 92),
        "servicePrincipalType" => Field::set(if managed { "ManagedIdentity" } else { "Application" }),
        "alternativeNames" if managed => Field::set(managed_names(source, number, sort)),
        "appOwnerOrganizationId" if !managed => Field::set(match sort {
            Sort::Microsoft => json!(MICROSOFT),
            Sort::Foreign => json!(source.ids.other(stream("other tenant"), roll % 9)),
            Sort::Own | Sort::SystemAssigned | Sort::UserAssigned => json!(source.ids.other(stream("tenant"), 0)),
        }),
        "appRoleAssignmentRequired" => Field::set(percent < 40 && !managed),
        "appRoles" => Field::set((0..roles(number, sort)).map(|nth| role(number, nth)).collect::<Value>()),
        "oauth2PermissionScopes" if sort == Sort::Own => Field::mostly(percent, 50, 0, || json!([scope(number)])),
        "keyCredentials" if !managed => Field::mostly(percent, 45, 10, || keys(source, number)),
        "passwordCredentials" if sort == Sort::Own => Field::mostly(percent, 60, 10, || secrets(number, roll)),
        "preferredSingleSignOnMode" if !managed => Field::mostly(percent, 30, 5, || json!("saml")),
        "preferredTokenSigningKeyThumbprint" if !managed => {
            Field::mostly(percent, 20, 0, || json!(format!("{:040X}", u128::from(roll))))
        }
        "signInAudience" if !managed => {
            Field::set(if sort == Sort::Own { "AzureADMyOrg" } else { "AzureADMultipleOrgs" })
        }
        "tags" if sort == Sort::Own || sort == Sort::Foreign => Field::mostly(percent, 70, 5, || {
            let hidden = percent % 10 == 3;
            if hidden {
                json!(["WindowsAzureActiveDirectoryIntegratedApp", "HideApp"])
            } else {
                json!(["WindowsAzureActiveDirectoryIntegratedApp"])
            }
        }),
        "servicePrincipalNames" => Field::set(json!([app_id(source, number), format!("api://app{number}")])),
        "homepage" if !managed => {
            Field::mostly(percent, 40, 5, || json!(format!("https://app{number}.contoso.com/?a=1,2")))
        }
        "loginUrl" if sort == Sort::Own => {
            Field::mostly(percent, 25, 0, || json!(format!("https://app{number}.contoso.com/login")))
        }
        "replyUrls" if !managed => {
            Field::mostly(percent, 50, 5, || json!([format!("https://app{number}.contoso.com/")]))
        }
        "notes" => Field::mostly(percent, 20, 10, || json!("Owner: \"Finance\", renew yearly\nsee ticket")),
        "description" => Field::mostly(percent, 30, 5, || json!(format!("What application {number} is for"))),
        "notificationEmailAddresses" if !managed => {
            Field::mostly(percent, 30, 5, || json!([format!("admin@{}", source.domain)]))
        }
        "applicationTemplateId" if sort == Sort::Foreign => {
            Field::mostly(percent, 40, 0, || json!(source.ids.other(stream("template"), roll % 20)))
        }
        "createdByAppId" if managed => Field::set(source.ids.other(stream("creator"), 0)),
        "disabledByMicrosoftStatus" if sort == Sort::Foreign => {
            Field::mostly(percent, 5, 0, || json!("DisabledDueToViolationOfServicesAgreement"))
        }
        "isDisabled" => Field::mostly(percent, 50, 0, || json!(percent % 10 == 1)),
        "verifiedPublisher" if sort == Sort::Foreign => Field::mostly(percent, 50, 0, || {
            json!({
                "displayName": "Contoso", "verifiedPublisherId": format!("{}", 1_000_000 + roll % 1_000_000),
                "addedDateTime": format_moment(ISSUED)
            })
        }),
        _ => Field::Never,
    }
}

fn managed_names(source: &Source, number: u32, sort: Sort) -> Value {
    let subscription = source.ids.other(stream("subscription"), 0);
    let explicit = sort == Sort::UserAssigned;
    let resource = if explicit {
        format!("Microsoft.ManagedIdentity/userAssignedIdentities/identity{number}")
    } else {
        format!("Microsoft.Web/sites/site{number}")
    };
    json!([
        format!("isExplicit={}", if explicit { "True" } else { "False" }),
        format!("/subscriptions/{subscription}/resourcegroups/group{}/providers/{resource}", number % 7),
    ])
}

/// The first has many, as Microsoft Graph's own has.
fn roles(number: u32, sort: Sort) -> u32 {
    match sort {
        Sort::Own | Sort::Microsoft if number == 0 => 40,
        Sort::Own | Sort::Foreign => number % 4,
        Sort::Microsoft => 6,
        Sort::SystemAssigned | Sort::UserAssigned => 0,
    }
}

/// Ids of roles are unique only inside one application: the first role of every application has the same.
pub(super) fn role(number: u32, nth: u32) -> Value {
    let id = if nth == 0 { "00000000-0000-4000-8000-0000000000a0".to_owned() } else { guid(0xA0, number, nth) };
    json!({
        "allowedMemberTypes": if nth.is_multiple_of(3) { json!(["Application"]) } else { json!(["User", "Application"]) },
        "description": format!("What role {nth} of \"{number}\" allows"),
        "displayName": format!("Role {nth}"),
        "id": id,
        "isEnabled": nth % 5 != 4,
        "origin": "Application",
        "value": if nth % 7 == 6 { Value::Null } else { json!(format!("Role.{nth}.Read")) },
    })
}

fn scope(number: u32) -> Value {
    json!({
        "adminConsentDescription": "Read on behalf of the user", "adminConsentDisplayName": "Read",
        "id": guid(0xA1, number, 0), "isEnabled": true, "type": "User", "userConsentDescription": null,
        "userConsentDisplayName": null, "value": "user_impersonation"
    })
}

/// One certificate for two usages: two keys, one thumbprint.
fn keys(source: &Source, number: u32) -> Value {
    let bytes = |purpose: &str, words: u64| -> Vec<u8> {
        (0..words).flat_map(|word| mix(source.seed, stream(purpose) ^ word, u64::from(number)).to_be_bytes()).collect()
    };
    let thumbprint = base64(&bytes("thumbprint", 4)[..20]);
    let certificate = base64(&bytes("certificate", 12));
    let key = |nth: u32, usage: &str, kind: &str| {
        json!({
            "customKeyIdentifier": thumbprint, "displayName": "CN=Contoso, \"SAML\"",
            "endDateTime": format_moment(ISSUED + 3 * YEAR), "key": if usage == "Verify" { json!(certificate) } else { Value::Null },
            "keyId": guid(0xA2, number, nth), "startDateTime": format_moment(ISSUED), "type": kind, "usage": usage,
        })
    };
    json!([key(0, "Sign", "X509CertAndPassword"), key(1, "Verify", "AsymmetricX509Cert")])
}

fn secrets(number: u32, roll: u64) -> Value {
    let count = 1 + roll % 3;
    // An end far ahead means never; the oldest has no key id.
    let end = |nth: u64| match nth {
        0 => Some(ISSUED + roll % (4 * YEAR)),
        1 => Some(ISSUED + 200 * YEAR),
        _ => None,
    };
    (0..count as u32).map(|nth| secret(number, nth, end(u64::from(nth)))).collect()
}

pub(super) fn secret(number: u32, nth: u32, end: Option<u64>) -> Value {
    json!({
        "customKeyIdentifier": null,
        "displayName": if nth == 0 { json!(format!("secret {number}")) } else { Value::Null },
        "endDateTime": format_moment(end.unwrap_or(ISSUED + YEAR)),
        "hint": format!("{:03}", number % 1_000),
        "keyId": end.map(|_| guid(0xA3, number, nth)),
        "secretText": null,
        "startDateTime": format_moment(ISSUED),
    })
}

fn guid(sort: u32, number: u32, nth: u32) -> String {
    format!("000000{sort:02x}-{:04x}-4000-8000-{number:012x}", nth & 0xFFFF)
}
