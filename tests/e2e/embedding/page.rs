//! What the page says against what is so: samples byte for byte, every status, one life cycle in two forms.
//!
//! A sample stands on the page between two marks. Do not edit it there; the test that
//! compares it copies it from `tests/hosts/` under `CONNECTOR_WRITE_SAMPLES=1`.

use std::collections::BTreeSet;
use std::path::Path;

use connector_abi::STATUS_NAMES;

use super::PAGE;

const CONTRACT: &str = include_str!("../../../docs/contract.md");
const FROM: &str = "<!-- from ";
const TO: &str = "<!-- to here -->";
const COMMAND: &str = "CONNECTOR_WRITE_SAMPLES=1 cargo test --test e2e the_samples_on_the_page";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The page with every sample as its file is now, and the names of those files.
fn with_samples(page: &str) -> (String, BTreeSet<String>) {
    let mut names = BTreeSet::new();
    let mut written = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once(FROM) {
        let (name, after) = after.split_once(" -->\n").unwrap();
        let (block, after) = after.split_once(TO).unwrap_or_else(|| panic!("{name}: no {TO}"));
        let fence = block.lines().next().unwrap();
        assert!(fence.starts_with("```") && fence.len() > 3, "{name}: a fenced block with a language belongs here");
        let file = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!file.contains("\n```") && !file.contains(TO), "{name} would end its own block");
        let file = file.trim_end_matches('\n');
        written.extend([before, FROM, name, " -->\n", fence, "\n", file, "\n```\n", TO]);
        names.insert(name.to_owned());
        rest = after;
    }
    (written + rest, names)
}

#[test]
fn the_samples_on_the_page_are_the_tested_files() {
    // Read anew: what was compiled in is older than what a rewrite leaves.
    let path = root().join("docs/embedding.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (written, names) = with_samples(&page);
    let mut tested = BTreeSet::new();
    for language in std::fs::read_dir(root().join("tests/hosts")).unwrap().map(|entry| entry.unwrap().path()) {
        // Those two are the tests.
        if language.is_dir() && !language.ends_with("suite") && !language.ends_with("newcomer") {
            tested.extend(
                std::fs::read_dir(language)
                    .unwrap()
                    .map(|file| file.unwrap().path().strip_prefix(root()).unwrap().to_str().unwrap().to_owned()),
            );
        }
    }
    let files: BTreeSet<String> =
        tested.into_iter().filter(|name| root().join(name).is_file() && !name.ends_with("package-lock.json")).collect();
    assert_eq!(names, files, "the page has one block for each file of a host, between `{FROM}FILE -->` and `{TO}`");
    if std::env::var_os("CONNECTOR_WRITE_SAMPLES").is_some() {
        std::fs::write(path, written).unwrap();
    } else {
        assert!(written == page, "a sample is not what its file is now. Copy them anew:\n    {COMMAND}");
    }
    assert!(PAGE.contains(COMMAND), "the page names the command");
}

/// The rows of a table: what stands between bars, without the bars' own spaces.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|-"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
}

fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    page.split_once(&format!("\n## {heading}\n")).unwrap().1.split("\n## ").next().unwrap()
}

/// Number, constant and finality of each row that is about a status.
fn statuses(text: &str, constant: usize, last: usize) -> Vec<(i32, String, String)> {
    // A narrower table says which of several comes first.
    rows(text)
        .filter(|row| row.len() == 5)
        .filter_map(|row| {
            let value = row[0].replace('−', "-").parse().ok()?;
            let name = row.get(constant).filter(|name| STATUS_NAMES.iter().any(|(_, known, _)| known == *name))?;
            Some((value, (*name).to_owned(), row[last].to_owned()))
        })
        .collect()
}

#[test]
fn the_page_says_what_to_do_on_every_status_of_the_header() {
    let here = statuses(section(PAGE, "What to do on each status"), 1, 3);
    let named: Vec<_> = here.iter().map(|(value, name, _)| (*value, name.as_str())).collect();
    let all: Vec<_> = STATUS_NAMES.iter().map(|(value, name, _)| (*value, *name)).collect();
    assert_eq!(named, all, "docs/embedding.md has one row for each status, in the order of the header");
    for row in rows(section(PAGE, "What to do on each status")).filter(|row| row[0].parse::<i32>().is_ok()) {
        assert!(row.len() == 5 && row[4].len() > 20, "{row:?} says nothing");
    }
    // The reference and the guide agree on what ends an operation.
    let there = statuses(section(CONTRACT, "Statuses"), 1, 3);
    assert_eq!(there.len(), all.len());
    for ((_, name, here), (_, _, there)) in here.iter().zip(&there) {
        assert!(
            here == there || (here == "–" && there == "from a start"),
            "{name}: {here} here, {there} in the contract"
        );
    }
}

#[test]
fn the_life_cycle_is_the_same_as_a_picture_and_as_a_table() {
    let life = section(PAGE, "Life of an operation");
    let (_, picture) = life.split_once("stateDiagram-v2\n").unwrap();
    let drawn: Vec<_> = picture
        .lines()
        .take_while(|line| *line != "```")
        .map(|line| {
            let (from, rest) = line.trim().split_once(" --> ").unwrap();
            let (to, when) = rest.split_once(": ").unwrap();
            (from, when, to)
        })
        .collect();
    let told: Vec<_> = rows(life).skip(1).map(|row| (row[0], row[1], row[2])).collect();
    assert!(drawn.len() > 10);
    assert_eq!(drawn, told);
}

#[test]
fn every_function_of_the_contract_has_its_threads_on_the_page() {
    let table = section(PAGE, "Pulling, and threads");
    for function in [
        "ConnectorAbiVersion",
        "Describe",
        "ImportAsync",
        "ExportAsync",
        "CheckAsync",
        "OperationNext",
        "OperationCancel",
        "OperationProgress",
        "OperationResult",
        "OperationRelease",
        "BufferRelease",
    ] {
        let named = table.lines().any(|line| line.starts_with("| `") && line.contains(&format!("`{function}`")));
        assert!(named, "{function}");
    }
}
