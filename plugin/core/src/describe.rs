//! What the connector is and can do, as one JSON document: the answer to `Describe`.
//!
//! Nothing is written down here that another place decides: keys, defaults and limits come from the schemas of the two
//! documents, object types and attributes from the schema's table. What stands here alone is what only a reader needs.

use serde_json::{Value, json};

use crate::config;
use crate::types::{self, Attribute, EXTENSION_PATTERN, EndTarget, Extra, ObjectType};

/// The connector's name, as hosts store it beside what they imported.
pub const NAME: &str = "EntraId";

/// Version of the contract; the boundary's tests compare it with the contract's constant.
pub const ABI: &str = "1.0";

/// Days for which Graph promises to accept a delta link.
pub const DELTA_LINK_DAYS: u32 = 7;

const THROTTLING: &str = "Microsoft Graph limits requests per application and tenant. After a 429, and after a \
    503 that names a time, all requests of an operation wait together for as long as Retry-After says; where an answer names \
    no time, that request waits RetryBaseSeconds times the number of attempts. After MaxRetries repetitions the error surfaces. Waits end at once when the operation is cancelled.";

/// The document.
pub fn describe() -> String {
    json!({
        "Name": NAME,
        "Version": env!("CARGO_PKG_VERSION"),
        "Abi": ABI,
        "Direction": "Import",
        "Capabilities": ["Check", "Delta", "Resume", "Partial"],
        "AuthModes": config::auth_modes().collect::<Vec<_>>(),
        "Watermark": { "Style": "DeltaLinkPerObjectType", "LifetimeDays": DELTA_LINK_DAYS },
        "Throttling": THROTTLING,
        "ConfigSchema": config::config_schema(),
        "AuthSchema": config::auth_schema(),
        "ObjectTypes": types::ALL.iter().map(|object_type| describe_type(object_type)).collect::<Vec<_>>(),
    })
    .to_string()
}

fn describe_type(object_type: &ObjectType) -> Value {
    let extras = object_type.extra.map_or(&[] as &[Attribute], |extra| extra.attributes);
    let optional = object_type.optional_permissions.iter();
    json!({
        "Name": object_type.name,
        "Class": object_type.class.name(),
        "Switch": object_type.switch.key,
        "Default": object_type.switch.default(),
        "Presets": object_type.switch.presets.iter().map(|preset| preset.name()).collect::<Vec<_>>(),
        "Permissions": object_type.permissions,
        "AcceptedInstead": object_type
            .accepted_instead
            .iter()
            .map(|(permission, others)| ((*permission).to_owned(), json!(others)))
            .collect::<serde_json::Map<_, _>>(),
        "When": object_type
            .when
            .iter()
            .map(|when| json!({ "Key": when.key, "Value": when.value, "Permissions": when.permissions }))
            .collect::<Vec<_>>(),
        "OptionalPermissions": optional.map(|p| json!({ "Name": p.name, "Purpose": p.purpose })).collect::<Vec<_>>(),
        "Licence": object_type.licence,
        "Delta": object_type.delta,
        "Attributes": object_type.attributes.iter().chain(extras).map(describe_attribute).collect::<Vec<_>>(),
        "ExtraAttributes": object_type.extra.as_ref().map(describe_extra),
        "Ends": object_type.ends.iter().map(|end| match end.target {
            EndTarget::ObjectTypes(names) => json!({ "Attribute": end.attribute, "ObjectTypes": names }),
            EndTarget::TypeAttribute(name) => json!({ "Attribute": end.attribute, "TypeAttribute": name }),
        }).collect::<Vec<_>>(),
        "ScopeAttribute": object_type.scope_attribute,
    })
}

/// `Always: false`: only when the configuration names it.
fn describe_attribute(attribute: &Attribute) -> Value {
    json!({ "Name": attribute.name, "Type": attribute.kind.name(), "Always": attribute.always })
}

/// Where a configuration names them, and which names beyond the listed ones it may use.
fn describe_extra(extra: &Extra) -> Value {
    json!({
        "Key": extra.key,
        "Pattern": EXTENSION_PATTERN,
        "Type": config::EXTENSION_TYPE.name(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const AUTH: &str =
        r#"{"Mode":"ClientSecret","ClientId":"c0ffee00-0000-4000-8000-000000000001","ClientSecret":"x"}"#;

    fn described() -> Value {
        serde_json::from_str(&describe()).unwrap()
    }

    #[test]
    fn describe_has_every_member_of_the_contract() {
        let described = described();
        let members: BTreeSet<&str> = described.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = "Name Version Abi Direction Capabilities AuthModes Watermark Throttling ConfigSchema AuthSchema ObjectTypes";
        assert_eq!(members, expected.split(' ').collect());
        assert_eq!((&described["Name"], &described["Abi"]), (&json!("EntraId"), &json!("1.0")));
        assert_eq!(described["AuthModes"], described["AuthSchema"]["properties"]["Mode"]["enum"]);
        assert_eq!(described["Watermark"], json!({ "Style": "DeltaLinkPerObjectType", "LifetimeDays": 7 }));
    }

    #[test]
    fn both_schemas_are_valid_schemas_of_their_draft() {
        for schema in [config::config_schema(), config::auth_schema()] {
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert!(jsonschema::meta::is_valid(&schema));
        }
    }

    #[test]
    fn a_switch_is_a_key_of_config_json_and_has_its_default() {
        let schema = config::config_schema();
        for object_type in types::ALL {
            assert_eq!(schema["properties"][object_type.switch.key]["default"], json!(object_type.switch.default()));
        }
    }

    #[test]
    fn every_attribute_described_as_extra_can_be_asked_for() {
        for object_type in types::ALL {
            let Some(extra) = object_type.extra else { continue };
            let names: Vec<&str> = extra.attributes.iter().map(|attribute| attribute.name).collect();
            let document = json!({ "TenantId": "contoso.com", extra.key: names });
            let config = config::parse(&document.to_string(), AUTH).unwrap().config;
            let read: Vec<_> =
                config.added_to(object_type).iter().map(|extra| (extra.name.as_str(), extra.kind)).collect();
            assert_eq!(read, extra.attributes.iter().map(|a| (a.name, a.kind)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_membership_is_described_as_the_contract_shows_it() {
        let expected = json!({
            "Name": "GroupMember", "Class": "Edge", "Switch": "ImportMemberships", "Default": true,
            "Presets": ["Basic", "Governance", "Posture", "Wide"],
            "AcceptedInstead": { "GroupMember.Read.All": ["Group.Read.All", "Directory.Read.All"] },
            "When": [{ "Key": "MembershipMode", "Value": "Delta", "Permissions": ["Group.Read.All"] }],
            "Permissions": ["GroupMember.Read.All"],
            "OptionalPermissions": [
                { "Name": "Member.Read.Hidden", "Purpose": "members of groups whose visibility is HiddenMembership" }
            ],
            "Licence": null, "Delta": "Recompute",
            "Attributes": [
                { "Name": "groupId", "Type": "String", "Always": true },
                { "Name": "memberId", "Type": "String", "Always": true },
                { "Name": "memberType", "Type": "String", "Always": true },
            ],
            "ExtraAttributes": null,
            "Ends": [
                { "Attribute": "groupId", "ObjectTypes": ["Group"] },
                { "Attribute": "memberId", "TypeAttribute": "memberType" },
            ],
            "ScopeAttribute": "groupId",
        });
        assert_eq!(describe_type(&types::GROUP_MEMBER), expected);
    }

    #[test]
    fn users_and_groups_are_described_with_what_every_record_carries() {
        let always = |index: usize| {
            let attributes = described()["ObjectTypes"][index]["Attributes"].as_array().unwrap().clone();
            let always = attributes.iter().filter(|attribute| attribute["Always"] == true);
            always.map(|attribute| attribute["Name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            always(0),
            "displayName userPrincipalName mail givenName surname jobTitle department companyName officeLocation \
             mobilePhone businessPhones accountEnabled userType usageLocation"
        );
        assert_eq!(
            always(1),
            "displayName mailNickname mail description groupTypes securityEnabled mailEnabled visibility"
        );
    }
}
