//! What the connector is and can do, as one JSON document: the answer to `Describe`.
//!
//! Nothing is written down here that another place decides: keys, defaults and limits come from the schemas of the two
//! documents, object types and attributes from the schema's table. What stands here alone is what only a reader needs.

use serde_json::{Value, json};

use crate::config;
use crate::schema::{Attribute, EndTarget, Extra, OBJECT_TYPES, ObjectType};

/// The connector's name, as hosts store it beside what they imported.
pub const NAME: &str = "EntraId";

/// Version of the contract; the boundary's tests compare it with the contract's constant.
pub const ABI: &str = "1.0";

/// Days for which Graph promises to accept a delta link.
pub const DELTA_LINK_DAYS: u32 = 7;

const THROTTLING: &str = "Microsoft Graph limits requests per application and tenant. On 429 and 503 all requests of an \
    operation wait together for as long as Retry-After says, or RetryBaseSeconds times the number of attempts where it \
    says nothing; after MaxRetries repetitions the error surfaces. Waits end at once when the operation is cancelled.";

/// The document.
pub fn describe() -> String {
    json!({
        "Name": NAME,
        "Version": env!("CARGO_PKG_VERSION"),
        "Abi": ABI,
        "Direction": "Import",
        "Capabilities": ["Check", "Delta"],
        "AuthModes": config::auth_modes().collect::<Vec<_>>(),
        "Watermark": { "Style": "DeltaLinkPerObjectType", "LifetimeDays": DELTA_LINK_DAYS },
        "Throttling": THROTTLING,
        "ConfigSchema": config::config_schema(),
        "AuthSchema": config::auth_schema(),
        "ObjectTypes": OBJECT_TYPES.iter().map(|object_type| describe_type(object_type)).collect::<Vec<_>>(),
    })
    .to_string()
}

fn describe_type(object_type: &ObjectType) -> Value {
    let extras = object_type.extra.map_or(&[] as &[Attribute], |extra| extra.attributes);
    let optional = object_type.optional_permissions.iter();
    json!({
        "Name": object_type.name,
        "Class": object_type.class.name(),
        "Switch": object_type.switch,
        "Default": object_type.default,
        "Permissions": object_type.permissions,
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
        "Pattern": config::EXTENSION_PATTERN,
        "Type": config::EXTENSION_TYPE.name(),
    })
}
