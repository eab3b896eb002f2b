//! `docs/semantics.md` is what an auditor reads: every test it names exists and proves its promise, every trap has a
//! row, every code a test. That its codes are those of the connector is a test beside them, in
//! `plugin/core/src/code.rs`.
//!
//! A test that proves less than its name says has a line `/// Weak: what it does not prove` above it. No promise may
//! name it.

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

/// The tests that the page names.
fn named() -> BTreeSet<&'static str> {
    let is_a_test = |word: &str| word.matches('_').count() > 2 && !word.contains(['-', '/', '.']);
    quoted(PAGE).filter(|word| is_a_test(word)).collect()
}

fn tests() -> String {
    ["tests/e2e", "plugin/core/src", "host-harness/src"].map(sources).concat()
}

/// What a line `/// Weak:` above this test says, if there is one.
fn weakness<'s>(source: &'s str, test: &str) -> Option<&'s str> {
    let above = source.split(&format!("fn {test}(")).next()?;
    let lines = above.rsplit('\n').skip(1).map(str::trim_start);
    lines
        .take_while(|line| line.starts_with("///") || line.starts_with("#["))
        .find_map(|line| line.strip_prefix("/// Weak:"))
}

#[test]
fn test_marked_as_weak_holds_no_promise() {
    let tests = tests();
    let weak: Vec<_> =
        named().into_iter().filter_map(|name| Some(format!("{name}:{}", weakness(&tests, name)?))).collect();
    assert!(weak.is_empty(), "the page names tests that prove less than it says: {weak:#?}");
}

#[test]
fn weakness_of_a_test_is_found_above_it_and_not_above_another() {
    let source = "#[test]\nfn strong_one_is() {}\n/// Tries.\n    /// Weak: one row\n    #[test]\n    fn weak_one_is() {}\n\n#[test]\nfn next_one_is() {}\n";
    assert_eq!(weakness(source, "strong_one_is"), None);
    assert_eq!(weakness(source, "weak_one_is"), Some(" one row"));
    assert_eq!(weakness(source, "next_one_is"), None);
}

#[test]
fn every_test_that_the_page_names_exists() {
    let (tests, named) = (tests(), named());
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
    assert_eq!(rows("\n## Host rules", "\n## "), (1..=23).collect::<Vec<_>>());
}

/// The codes of statuses are left out: they are those of `Kind`, which has tests of its own.
#[test]
fn every_code_of_the_page_is_met_by_a_test() {
    let (far, near) = (sources("tests/e2e"), sources("plugin/core/src"));
    let part = PAGE.split("\n## Codes").nth(1).unwrap().split("\n## ").next().unwrap();
    let cells = part.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let codes: BTreeSet<&str> = cells.filter_map(|cell| cell.strip_suffix('`')).collect();
    let met = |code: &str| far.contains(&format!("\"{code}\"")) || near.contains(&format!("\"Code\":\"{code}\""));
    let unmet: Vec<_> = codes.iter().filter(|code| !met(code)).collect();
    assert!(codes.len() > 14 && unmet.is_empty(), "{codes:?}, met by no test: {unmet:?}");
}
