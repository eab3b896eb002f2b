//! The simulator's layers, read off its source: no folder names one above it, and no two files name each other.

use std::collections::{BTreeMap, BTreeSet};

use host_harness::simulator::{Kind, Relation, Stream};

use crate::layering::sources;

const FOLDER: &str = "host-harness/src/simulator";

/// From the bottom up: each may name those before it.
const LAYERS: [&str; 25] = [
    "seed",
    "clock",
    "percent",
    "traffic",
    "seal",
    "workload",
    "kinds",
    "relations",
    "streams",
    "odata",
    "route",
    "throttle",
    "permissions",
    "fault",
    "change",
    "world",
    "base",
    "tenant",
    "journal",
    "service",
    "graph",
    "login",
    "http",
    "shorthand",
    "mod",
];

/// The simulator's files without its tests.
fn files() -> Vec<(String, String)> {
    sources(FOLDER).into_iter().filter(|(name, _)| !name.starts_with("tests/")).collect()
}

fn layer_of(file: &str) -> &str {
    file.split(['/', '.']).next().unwrap_or_default()
}

/// The first names behind `prefix`, those of a group in braces included.
fn named(code: &str, prefix: &str) -> BTreeSet<String> {
    let first =
        |text: &str| text.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("").to_owned();
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(prefix) {
        // `super::super::x` is not `super::x`.
        if code[..at].ends_with("::") || code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + prefix.len()..];
        match rest.strip_prefix('{').and_then(|rest| rest.split('}').next()) {
            Some(group) => names.extend(group.split(',').map(first)),
            None => {
                names.insert(first(rest));
            }
        }
    }
    names
}

/// The layers that a file names.
fn used_layers(file: &str, code: &str) -> BTreeSet<String> {
    let depth = if file.ends_with("/mod.rs") { file.matches('/').count() - 1 } else { file.matches('/').count() };
    let above = "super::".repeat(depth + 1);
    let mut used = named(code, "crate::simulator::");
    if file != "mod.rs" {
        used.extend(named(code, &above));
    }
    used.into_iter().filter(|name| LAYERS.contains(&name.as_str())).collect()
}

#[test]
fn simulator_layers_point_one_way() {
    let place = |layer: &str| LAYERS.iter().position(|known| *known == layer);
    let mut arrows = 0;
    for (file, code) in files() {
        let own = place(layer_of(&file)).unwrap_or_else(|| panic!("{FOLDER}/{file} is in no layer"));
        for used in used_layers(&file, &code) {
            arrows += 1;
            assert!(place(&used) <= Some(own), "{FOLDER}/{file} names {used}, which is above it");
        }
    }
    assert!(arrows > 100, "{arrows} arrows: the test does not see them");
}

#[test]
fn files_of_a_simulator_folder_have_no_circle() {
    let mut arrows: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, code) in files().into_iter().filter(|(file, _)| file.contains('/') && !file.ends_with("/mod.rs")) {
        let (folder, _) = file.rsplit_once('/').unwrap();
        let used = named(&code, "super::").into_iter().map(|name| format!("{folder}/{name}.rs"));
        arrows.insert(file.clone(), used.filter(|used| *used != file).collect());
    }
    assert!(arrows.values().map(BTreeSet::len).sum::<usize>() > 20, "the test does not see the arrows");
    while !arrows.is_empty() {
        let files: BTreeSet<String> = arrows.keys().cloned().collect();
        let free: Vec<_> =
            arrows.iter().filter(|(_, used)| used.is_disjoint(&files)).map(|(file, _)| file.clone()).collect();
        assert!(!free.is_empty(), "a circle is among {arrows:?}");
        for file in &free {
            arrows.remove(file);
        }
    }
}

#[test]
fn only_tables_name_object_types() {
    // What tests and the demonstration are written with, and the caller's own registration, which is no kind yet.
    const EXEMPT: [&str; 3] = ["shorthand.rs", "tenant/demo.rs", "graph/applications.rs"];
    let kinds = Kind::ALL.iter().flat_map(|kind| {
        let path = kind.collection().rsplit('/').next().unwrap();
        [
            format!("Kind::{kind:?}"),
            format!("\"{}\"", kind.name()),
            format!("\"{path}\""),
            format!("\"{}\"", kind.odata_type()),
        ]
    });
    let relations = Relation::ALL.iter().flat_map(|relation| {
        [
            format!("Relation::{relation:?}"),
            format!("\"{}\"", relation.segment()),
            format!("\"{}\"", relation.object_type()),
        ]
    });
    let streams = Stream::ALL.iter().flat_map(|stream| {
        let path = stream.path().rsplit('/').next().unwrap();
        [format!("Stream::{stream:?}"), format!("\"{path}\"")]
    });
    let words: Vec<String> = kinds.chain(relations).chain(streams).collect();
    for (file, code) in files() {
        if ["kinds/", "relations/", "streams/"].iter().any(|table| file.starts_with(table))
            || EXEMPT.contains(&file.as_str())
        {
            continue;
        }
        for word in &words {
            assert!(!code.contains(word.as_str()), "{FOLDER}/{file} names {word}, which belongs to a table");
        }
    }
}
