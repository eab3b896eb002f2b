//! Interactive sign-ins of users, the only ones that v1.0 lists.

use serde_json::{Map, Value, json};

use super::Table;
use crate::simulator::kinds::Kind;
use crate::simulator::kinds::field::Field;
use crate::simulator::kinds::identity::ObjectRef;
use crate::simulator::kinds::source::Source;
use crate::simulator::seed::{mix, stream};
use crate::simulator::workload::{Licence, Workload};

pub(super) static TABLE: Table = Table {
    name: "SignIn",
    path: "auditLogs/signIns",
    time: "createdDateTime",
    per_day: "events/signInsPerDay",
    read: &["AuditLog.Read.All"],
    licence: Some(Licence::P1),
    workload: Workload::Reports,
    most_rows: 1_000,
    row,
    hidden: (&["riskLevelDuringSignIn", "riskLevelAggregated"], Licence::P2),
    emptied: (&["appliedConditionalAccessPolicies"], "Policy.Read.All"),
};

const APPS: [&str; 4] = ["Azure Portal", "Office 365 Exchange Online", "Contoso HR, \"internal\"", "My Apps"];
const PLACES: [(&str, &str, &str, f64, f64); 3] = [
    ("Zürich", "Zürich", "CH", 47.37, 8.54),
    ("Seattle", "Washington", "US", 47.6, -122.3),
    ("大阪", "", "JP", 34.69, 135.5),
];

fn row(source: &Source, number: u64) -> Map<String, Value> {
    let roll = |purpose: &str| mix(source.seed, stream(purpose) ^ 0x51C1, number);
    let users = source.settings.count("users").max(1);
    let user = (roll("user") % u64::from(users)) as u32;
    let of_user = |name: &str| match (Kind::User.table().field)(source, user, name) {
        Field::Set(value) => value,
        Field::Cleared | Field::Never => Value::Null,
    };
    let app = (roll("app") % APPS.len() as u64) as usize;
    let (city, state, country, latitude, longitude) = PLACES[(roll("place") % PLACES.len() as u64) as usize];
    let failed = roll("failed") % 100 < 7;
    let risky = roll("risk") % 100 < 2;
    let managed = roll("managed") % 100 < 60;
    let (level, risk) = if risky { ("medium", "atRisk") } else { ("none", "none") };
    let row = json!({
        "userId": source.ids.id(ObjectRef { kind: Kind::User, number: user }),
        "userDisplayName": of_user("displayName"),
        "userPrincipalName": of_user("userPrincipalName"),
        "appId": source.ids.other(stream("sign-in app"), app as u64),
        "appDisplayName": APPS[app],
        "resourceId": source.ids.other(stream("sign-in resource"), app as u64),
        "resourceDisplayName": "Microsoft Graph",
        "ipAddress": format!("203.0.113.{}", roll("address") % 254 + 1),
        "clientAppUsed": if roll("client").is_multiple_of(10) { "Exchange ActiveSync" } else { "Browser" },
        "correlationId": source.ids.other(stream("sign-in correlation"), number),
        "conditionalAccessStatus": if failed { "failure" } else { "success" },
        "isInteractive": true,
        "riskDetail": "none",
        "riskLevelAggregated": level,
        "riskLevelDuringSignIn": level,
        "riskState": risk,
        "riskEventTypes": if risky { json!(["unfamiliarFeatures"]) } else { json!([]) },
        "riskEventTypes_v2": if risky { json!(["unfamiliarFeatures"]) } else { json!([]) },
        "status": if failed {
            json!({"errorCode": 50126, "failureReason": "Invalid username or password.", "additionalDetails": null})
        } else {
            json!({"errorCode": 0, "failureReason": "Other.", "additionalDetails": null})
        },
        "deviceDetail": {
            "deviceId": if managed { source.ids.other(stream("sign-in device"), u64::from(user)) } else { String::new() },
            "displayName": if managed { format!("PC-{user}") } else { String::new() },
            "operatingSystem": "Windows 11", "browser": "Edge 130", "isCompliant": managed, "isManaged": managed,
            "trustType": if managed { "Azure AD joined" } else { "" }
        },
        "location": {
            "city": city, "state": state, "countryOrRegion": country,
            "geoCoordinates": {"altitude": null, "latitude": latitude, "longitude": longitude}
        },
        "appliedConditionalAccessPolicies": [{
            "id": source.ids.other(stream("policy"), number % 3), "displayName": "Require MFA",
            "enforcedGrantControls": ["Mfa"], "enforcedSessionControls": [],
            "result": if failed { "failure" } else { "success" }
        }],
    });
    match row {
        Value::Object(row) => row,
        _ => Map::new(),
    }
}
