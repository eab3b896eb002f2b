//! `Describe` against what records carry. That its schemas and the parser agree is proved beside them, in the core.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{Tenant, connector};

fn described() -> Value {
    serde_json::from_str(&connector().describe().unwrap()).unwrap()
}

fn names(values: &Value) -> BTreeSet<&str> {
    values.as_array().unwrap().iter().map(|v| v.as_str().or(v["Name"].as_str()).unwrap()).collect()
}

#[test]
fn object_types_attributes_and_edge_ends_are_those_that_records_carry() {
    let described = described();
    let pulled = Tenant::new().pull(None);
    let carried: BTreeSet<&str> = pulled.records.iter().map(|r| r["ObjectType"].as_str().unwrap()).collect();
    assert_eq!(carried, names(&described["ObjectTypes"]));
    for object_type in described["ObjectTypes"].as_array().unwrap() {
        let name = object_type["Name"].as_str().unwrap();
        let always: BTreeSet<&str> = object_type["Attributes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|a| a["Always"] == true)
            .map(|a| a["Name"].as_str().unwrap())
            .collect();
        assert_eq!(names(&pulled.of("Begin", name).next().unwrap()["Attributes"]), always, "{name}");
        for upsert in pulled.of("Upsert", name) {
            let attributes: BTreeSet<&str> =
                upsert["Attributes"].as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(attributes, always, "{upsert}");
        }
        for end in object_type["Ends"].as_array().unwrap() {
            assert!(always.contains(end["Attribute"].as_str().unwrap()));
            assert!(end["TypeAttribute"].as_str().is_none_or(|t| always.contains(t)));
        }
        assert_eq!(object_type["Class"], if name == "GroupMember" { "Edge" } else { "Object" });
    }
    let member_types: BTreeSet<&str> =
        pulled.of("Upsert", "GroupMember").map(|e| e["Attributes"]["memberType"].as_str().unwrap()).collect();
    assert_eq!(member_types, BTreeSet::from(["User", "Group", "ServicePrincipal", "Device", "OrgContact"]));
}

#[test]
fn values_have_the_types_that_describe_names() {
    let described = described();
    let all = |name: &str| -> Value {
        let object_type = described["ObjectTypes"].as_array().unwrap().iter().find(|t| t["Name"] == name).unwrap();
        object_type["Attributes"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|a| a["Always"] == false)
            .map(|a| a["Name"].clone())
            .collect()
    };
    let pulled = Tenant::new().with("UserAttributes", all("User")).with("GroupAttributes", all("Group")).pull(None);
    assert_eq!(
        pulled.status,
        connector_abi::CONNECTOR_END,
        "every extra attribute can be asked for: {:#}",
        pulled.result
    );
    let mut seen = 0;
    for object_type in described["ObjectTypes"].as_array().unwrap() {
        for attribute in object_type["Attributes"].as_array().unwrap() {
            let (name, kind) = (attribute["Name"].as_str().unwrap(), attribute["Type"].as_str().unwrap());
            for upsert in pulled.of("Upsert", object_type["Name"].as_str().unwrap()) {
                let value = &upsert["Attributes"][name];
                let fits = match kind {
                    "String" | "DateTime" => value.is_string(),
                    "Boolean" => value.is_boolean(),
                    "Integer" => value.is_i64(),
                    "StringArray" => value.as_array().is_some_and(|a| a.iter().all(Value::is_string)),
                    _ => true,
                };
                assert!(fits || value.is_null(), "{name} is described as {kind}: {value}");
                seen += usize::from(!value.is_null());
            }
        }
    }
    assert!(seen > 1000, "{seen}");
}

#[test]
fn every_key_of_both_documents_is_in_its_schema_with_words() {
    let described = described();
    for (schema, some) in [("ConfigSchema", "GroupSelectionFilter"), ("AuthSchema", "ClientSecret")] {
        let properties = described[schema]["properties"].as_object().unwrap();
        assert!(properties.contains_key(some));
        for (key, property) in properties {
            assert!(
                property["description"].as_str().is_some_and(|d| d.len() > 10),
                "{schema}/{key} has no description"
            );
        }
    }
}

#[test]
fn the_schema_and_the_loaded_parser_agree_on_documents_that_need_no_network() {
    let described = described();
    let validator = jsonschema::validator_for(&described["ConfigSchema"]).unwrap();
    let tenant = Tenant::small();
    let base: Value = serde_json::from_str(&tenant.config()).unwrap();
    let values = [
        json!(0),
        json!(1),
        json!(7),
        json!(999),
        json!(1000),
        json!("x"),
        json!(""),
        json!(null),
        json!(true),
        json!([]),
        json!(["employeeId"]),
        json!(["nope"]),
        json!("Delta"),
        json!({}),
    ];
    let (mut accepted, mut refused) = (0, 0);
    for key in described["ConfigSchema"]["properties"].as_object().unwrap().keys() {
        for value in &values {
            let mut document = base.clone();
            document[key] = value.clone();
            let config = document.to_string();
            let auth = tenant.auth();
            let request = host_harness::connector::StartRequest { config: &config, auth: &auth, ..Default::default() };
            let parser =
                !matches!(connector().check(&request), Err(e) if e.status == connector_abi::CONNECTOR_E_INVALID_CONFIG);
            assert_eq!(validator.is_valid(&document), parser, "{key}: {value}");
            if parser { accepted += 1 } else { refused += 1 }
        }
    }
    assert!(accepted > 20 && refused > 100, "{accepted} accepted, {refused} refused");
}
