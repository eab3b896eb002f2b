//! `docs/semantics.md` is what an auditor reads: every test it names exists, every trap has a row, every code a meaning.

use std::collections::BTreeSet;
use std::path::Path;

const PAGE: &str = include_str!("../../../docs/semantics.md");

/// The text of every source file of the workspace.
pub(crate) fn sources(under: &str) -> String {
    let mut text = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(under)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    text
}

/// What stands between backticks in a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn every_test_that_the_page_names_exists() {
    let tests: String = ["tests/e2e", "plugin/core/src", "host-harness/src"].map(sources).concat();
    let is_a_test = |word: &str| word.matches('_').count() > 2 && !word.contains(['-', '/', '.']);
    let named: BTreeSet<&str> = quoted(PAGE).filter(|word| is_a_test(word)).collect();
    let missing: Vec<_> = named.iter().filter(|name| !tests.contains(&format!("fn {name}("))).collect();
    assert!(named.len() > 150 && missing.is_empty(), "{} names, missing: {missing:#?}", named.len());
}

#[test]
fn every_trap_and_every_host_rule_has_a_row() {
    let rows = |from: &str, to: &str| -> Vec<u32> {
        let part = PAGE.split(from).nth(1).unwrap().split(to).next().unwrap();
        part.lines().filter_map(|line| line.strip_prefix("| ")?.split(' ').next()?.parse().ok()).collect()
    };
    assert_eq!(rows("\n## Traps", "\n## "), (1..=48).collect::<Vec<_>>());
    assert_eq!(rows("\n## Host rules", "\n## "), (1..=22).collect::<Vec<_>>());
}

#[test]
fn every_code_that_records_and_results_carry_has_a_meaning() {
    let source = sources("plugin/core/src");
    let carried = source.split("code: \"").skip(1).filter_map(|rest| rest.split('"').next());
    let warned =
        source.split("warn(\n").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let codes: BTreeSet<&str> = carried.chain(warned).filter(|code| code.len() > 2).collect();
    let told: BTreeSet<&str> = quoted(PAGE).collect();
    let missing: Vec<_> = codes.iter().filter(|code| !told.contains(*code)).collect();
    assert!(codes.len() > 11 && missing.is_empty(), "{codes:?}, missing: {missing:?}");
}
