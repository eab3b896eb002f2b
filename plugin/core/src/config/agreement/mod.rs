//! The promise of the two schemas, tried on thousands of documents: what a schema accepts, the parser accepts, and the
//! reverse.
//!
//! One key is an exception: no schema can say what an OData filter is. Where a schema accepts a document whose filter
//! breaks off, or one that `MembershipMode` "Delta" cannot use, the parser must refuse that and nothing else
//! ([`beyond_schema`]); everywhere else the two must agree to the letter.
//!
//! The documents are made *from* the schemas, so a new key is tried without a line here: values that fit, values that
//! were spoilt by one step, and values that never fitted. Repeated keys and malformed JSON have no place here, since a
//! validator never sees them.

mod documents;
mod odd;

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};
use serde_json::{Value, json};

use self::documents::{document, fitting, spoilt};
use self::odd::odd;
use super::{auth_schema, config_schema, parse};
use crate::filter::Filter;

const CASES: u32 = 3000;
const CONFIG: &str = r#"{"TenantId":"contoso.com"}"#;
const AUTH: &str = r#"{"Mode":"ClientSecret","ClientId":"c0ffee00-0000-4000-8000-000000000001","ClientSecret":"x"}"#;

#[test]
fn config_schema_and_parser_agree() {
    agree(&config_schema(), |text| parses_or_only_a_filter_is_wrong(text, AUTH));
}

#[test]
fn auth_schema_and_parser_agree() {
    agree(&auth_schema(), |text| parse(CONFIG, text).is_ok());
}

#[test]
fn they_agree_on_every_odd_value_in_every_key() {
    let [config, auth]: [Value; 2] = [CONFIG, AUTH].map(|text| serde_json::from_str(text).unwrap());
    let file = if cfg!(windows) { r"C:\x" } else { "/x" };
    let others = [
        json!({ "Mode": "ClientCertificate", "ClientId": auth["ClientId"], "CertificateFile": file, "PrivateKeyFile": file }),
        json!({ "Mode": "ManagedIdentity" }),
        json!({ "Mode": "WorkloadIdentity", "ClientId": auth["ClientId"], "TokenFile": file }),
    ];
    let of_auth = [&auth].into_iter().chain(&others).map(|base| (auth_schema(), base));
    for (schema, base) in [(config_schema(), &config)].into_iter().chain(of_auth) {
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for key in schema["properties"].as_object().unwrap().keys() {
            for value in odd() {
                let mut document = base.clone();
                document[key] = value;
                let text = document.to_string();
                let accepted = if base == &config {
                    parses_or_only_a_filter_is_wrong(&text, AUTH)
                } else {
                    parse(CONFIG, &text).is_ok()
                };
                assert_eq!(accepted, validator.is_valid(&document), "{document}");
            }
        }
    }
}

#[test]
fn the_schema_is_wider_than_the_parser_in_the_filter_alone() {
    let validator = jsonschema::draft202012::new(&config_schema()).unwrap();
    for (filter, mode, path) in [
        ("displayName eq", "Recompute", "/GroupSelectionFilter"),
        ("displayName eq", "Delta", "/GroupSelectionFilter"),
        ("contains(displayName,'x')", "Delta", "/MembershipMode"),
        ("displayName ge 'x'", "Delta", "/MembershipMode"),
    ] {
        let document = json!({ "TenantId": "contoso.com", "GroupSelectionFilter": filter, "MembershipMode": mode });
        assert!(validator.is_valid(&document), "{document}");
        let problems = parse(&document.to_string(), AUTH).unwrap_err().problems;
        assert_eq!(problems.iter().map(|p| p.path.as_str()).collect::<Vec<_>>(), [path], "{document}");
    }
}

#[test]
fn every_example_of_the_schema_is_a_filter_that_every_mode_takes() {
    for example in config_schema()["properties"]["GroupSelectionFilter"]["anyOf"][0]["examples"].as_array().unwrap() {
        let document = json!({ "TenantId": "contoso.com", "GroupSelectionFilter": example, "MembershipMode": "Delta" });
        assert!(parse(&document.to_string(), AUTH).is_ok(), "{example}");
    }
}

/// What a schema has to accept: what the parser accepts, and what it refuses for a reason that no schema can state.
fn parses_or_only_a_filter_is_wrong(config: &str, auth: &str) -> bool {
    let Err(error) = parse(config, auth) else { return true };
    let document: Value = serde_json::from_str(config).unwrap();
    beyond_schema(&document).is_some_and(|path| error.problems.len() == 1 && error.problems[0].path == path)
}

/// The key at which a filter is refused that is text and not blank.
fn beyond_schema(document: &Value) -> Option<&'static str> {
    let filter = document["GroupSelectionFilter"]
        .as_str()
        .filter(|text| !text.trim_matches([' ', '\t', '\r', '\n']).is_empty())?;
    match Filter::parse(filter) {
        Err(_) => Some("/GroupSelectionFilter"),
        Ok(filter) if filter.why_not_here().is_some() && document["MembershipMode"] == "Delta" => {
            Some("/MembershipMode")
        }
        Ok(_) => None,
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
    let mut origin = config_schema()["properties"]["GraphEndpoint"]["anyOf"][0].take();
    // Those are the addresses of the clouds, and of three of them another Cloud would have to be said.
    origin.as_object_mut().unwrap().remove("examples").unwrap();
    let mut runner = runner(1000);
    let strategy = prop_oneof![fitting(&origin), spoilt(&origin)];
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
