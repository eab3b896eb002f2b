//! The promise of the two schemas, tried on thousands of documents: what a schema accepts, the parser accepts, and the
//! reverse.
//!
//! The documents are made *from* the schemas, so a new key is tried without a line here: values that fit, values that were
//! spoilt by one step, and values that never fitted. Repeated keys and malformed JSON have no place here, since a validator
//! never sees them.

mod documents;
mod odd;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};
use serde_json::{Value, json};

use self::documents::{document, fitting, spoilt};
use self::odd::odd;
use super::{auth_schema, config_schema, parse};

const CASES: u32 = 3000;
const CONFIG: &str = r#"{"TenantId":"contoso.com"}"#;
const AUTH: &str = r#"{"Mode":"ClientSecret","ClientId":"c0ffee00-0000-4000-8000-000000000001","ClientSecret":"x"}"#;

#[test]
fn config_schema_and_parser_agree() {
    agree(&config_schema(), |text| parse(text, AUTH).is_ok());
}

#[test]
fn auth_schema_and_parser_agree() {
    agree(&auth_schema(), |text| parse(CONFIG, text).is_ok());
}

#[test]
fn they_agree_on_every_odd_value_in_every_key() {
    let [config, auth]: [Value; 2] = [CONFIG, AUTH].map(|text| serde_json::from_str(text).unwrap());
    for (schema, base) in [(config_schema(), &config), (auth_schema(), &auth)] {
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for key in schema["properties"].as_object().unwrap().keys() {
            for value in odd() {
                let mut document = base.clone();
                document[key] = value;
                let text = document.to_string();
                let verdict = if base == &auth { parse(CONFIG, &text) } else { parse(&text, AUTH) };
                assert_eq!(verdict.is_ok(), validator.is_valid(&document), "{document}");
            }
        }
    }
}

fn agree(schema: &Value, accepts: impl Fn(&str) -> bool) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let verdicts = [Cell::new(0), Cell::new(0)];
    let outcome = runner(CASES).run(&document(schema), |document| {
        let accepted = validator.is_valid(&document);
        let count = &verdicts[usize::from(accepted)];
        count.set(count.get() + 1);
        prop_assert_eq!(accepts(&document.to_string()), accepted, "the schema's verdict stands on the right");
        Ok(())
    });
    outcome.unwrap();
    let [refused, accepted] = verdicts.map(Cell::into_inner);
    // A generator that only ever fails, or never does, proves nothing.
    assert!(refused > CASES / 5 && accepted > CASES / 5, "{refused} refused, {accepted} accepted");
}

#[test]
fn every_accepted_address_is_a_url_and_its_own_origin() {
    let origin = &config_schema()["properties"]["GraphEndpoint"]["anyOf"][0];
    let mut runner = runner(1000);
    let strategy = prop_oneof![fitting(origin), spoilt(origin)];
    let accepted = Cell::new(0);
    let outcome = runner.run(&strategy, |text| {
        let Ok(setup) = parse(&json!({ "TenantId": "contoso.com", "GraphEndpoint": text }).to_string(), AUTH) else {
            return Ok(());
        };
        accepted.set(accepted.get() + 1);
        let origin = setup.config.graph_origin;
        prop_assert_eq!(url::Url::parse(&origin).unwrap().origin().ascii_serialization(), origin);
        Ok(())
    });
    outcome.unwrap();
    assert!(accepted.get() > 300, "{}", accepted.get());
}

// A failure prints its document, shrunk; no file is kept beside the sources.
fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Runs { cases, failure_persistence: None, ..Runs::default() })
}
