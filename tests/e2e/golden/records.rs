//! The records of each object type: a full import, a change of the tenant, a delta import; in every way of reading.
//!
//! Records of one type come in one order; how those of several types interleave is left to their threads, so each type
//! has its own file. Random ids are masked.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{assert_a_file_for_each_type, assert_golden, change, tenant};
use crate::world::{Pulled, Tenant};

/// Ways of reading, each with the keys of ConfigJson that ask for it.
fn ways() -> [(&'static str, Value); 4] {
    [
        ("memberships recomputed", json!({})),
        ("memberships by delta", json!({"MembershipMode": "Delta"})),
        (
            "a filter evaluated here",
            json!({"GroupSelectionFilter": "securityEnabled eq true", "UserAttributes": ["employeeId"]}),
        ),
        (
            "a filter evaluated by Graph",
            json!({"GroupSelectionFilter": "displayName ge 'M'", "ExternalIdAttribute": "userPrincipalName"}),
        ),
    ]
}

fn tenant_of(way: &Value) -> Tenant {
    let keys = way.as_object().unwrap().iter();
    keys.fold(tenant(), |tenant, (key, value)| tenant.with(key, value.clone()))
}

/// Adds the records of an import to the texts of their types.
fn add(texts: &mut BTreeMap<String, String>, title: &str, pulled: &Pulled) {
    assert!(pulled.status >= 0, "{title}: {:#}", pulled.result);
    let mut begun = BTreeSet::new();
    for record in &pulled.records {
        let object_type = record["ObjectType"].as_str().unwrap_or("Run").to_owned();
        let text = texts.entry(object_type.clone()).or_default();
        if begun.insert(object_type) {
            writeln!(text, "# {title}").unwrap();
        }
        writeln!(text, "{}", masked(record.clone())).unwrap();
    }
}

/// What is drawn anew for each import.
fn masked(mut record: Value) -> Value {
    for (name, mask) in [("SetId", "a set"), ("RequestId", "a request")] {
        if record.get(name).is_some_and(Value::is_string) {
            record[name] = json!(mask);
        }
    }
    record
}

#[test]
fn records_of_every_object_type_are_what_they_were() {
    let mut texts = BTreeMap::new();
    for (title, way) in ways() {
        let tenant = tenant_of(&way);
        let full = tenant.pull(None);
        add(&mut texts, &format!("{title}: full import"), &full);
        change(&tenant.sim);
        add(&mut texts, &format!("{title}: delta import"), &tenant.pull(Some(full.watermark())));
    }
    for (object_type, text) in &texts {
        assert_golden(&format!("records/{object_type}.ndjson"), text);
    }
    assert_a_file_for_each_type("records");
}
