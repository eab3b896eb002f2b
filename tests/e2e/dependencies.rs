//! Licences, sources, banned and duplicate dependencies, and what Rust they need: read from `cargo metadata`.
//!
//! The rules that cargo-deny would check, without a tool that takes longer to install than the project takes to build.
//! Advisories need a database and are checked by `.ci/run` where it can be had.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Licences that a connector loaded into somebody else's process can carry. Each alone, or as one side of an OR.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages with a licence outside the list: each with the reason.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("cbindgen", "MPL-2.0, but a build tool: nothing of it is in what is shipped"),
    (
        "generational-arena",
        "MPL-2.0: used unchanged by abi_stable, which the product is fixed to; file-level copyleft allows that",
    ),
];

/// What must never come back into the plug-in.
const BANNED: &[(&str, &str)] = &[
    ("openssl-sys", "binds the host's libssl, whose version is the host's"),
    ("native-tls", "the same by another way"),
    ("aws-lc-sys", "a second crypto library beside ring"),
    ("quick-xml", "azure_core's default features are on again"),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter()
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

/// The packages that the plug-in's library is built from, build scripts and macros, which run while building, left out.
fn shipped(metadata: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|n| (n["id"].as_str().unwrap(), n)).collect();
    let root = packages(metadata).find(|p| name(p) == "entra-id").unwrap()["id"].as_str().unwrap();
    let is_macro: BTreeMap<&str, bool> = packages(metadata)
        .map(|p| (p["id"].as_str().unwrap(), p["targets"].to_string().contains("\"proc-macro\"")))
        .collect();
    let mut found = BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if is_macro[id] || !found.insert(id.to_owned()) {
            continue;
        }
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            let linked = kinds.iter().any(|k| k["kind"].is_null() && !k["target"].as_str().is_some_and(is_elsewhere));
            if linked {
                open.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    found
}

fn is_elsewhere(target: &str) -> bool {
    ["windows", "wasm", "macos", "apple", "android", "hermit", "wasi", "solid_asp3", "uefi", "redox"]
        .iter()
        .any(|os| target.contains(os))
        && !target.contains("not(")
}

fn is_allowed(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ");
    licence.split(" OR ").any(|choice| {
        let choice = choice.trim().trim_matches(['(', ')']);
        choice.split(" AND ").all(|part| ALLOWED.contains(&part.trim().trim_matches(['(', ')'])))
    })
}

#[test]
fn every_dependency_has_a_licence_we_may_ship() {
    let metadata = metadata();
    let odd: Vec<String> = packages(&metadata)
        .filter(|p| !EXCEPTIONS.iter().any(|(excepted, _)| *excepted == name(p)))
        .filter(|p| !p["licence"].as_str().or(p["license"].as_str()).is_some_and(is_allowed))
        .map(|p| format!("{} {}", name(p), p["license"]))
        .collect();
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn every_dependency_comes_from_the_registry() {
    let metadata = metadata();
    for package in packages(&metadata) {
        let source = package["source"].as_str();
        assert!(source.is_none_or(|s| s.starts_with("registry+")), "{} comes from {source:?}", name(package));
    }
}

#[test]
fn the_plug_in_links_nothing_that_is_banned_and_nothing_twice() {
    let metadata = metadata();
    let shipped = shipped(&metadata);
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages(&metadata).filter(|p| shipped.contains(p["id"].as_str().unwrap())) {
        let banned = BANNED.iter().find(|(banned, _)| *banned == name(package));
        assert!(banned.is_none(), "{banned:?}");
        versions.entry(name(package)).or_default().insert(package["version"].as_str().unwrap());
    }
    // Each with the dependency that holds the old version back; take a line out when it is gone.
    let known = DUPLICATES.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
    let twice: BTreeSet<&str> = versions.iter().filter(|(_, v)| v.len() > 1).map(|(n, _)| *n).collect();
    assert_eq!(twice, known, "duplicates in the plug-in: {versions:#?}");
}

/// Packages that the plug-in holds twice, and why.
const DUPLICATES: &[(&str, &str)] =
    &[("base64", "azure_core holds 0.22, hyper-util has 0.23"), ("getrandom", "ring holds 0.2, the rest has 0.4")];

#[test]
fn the_minimum_rust_version_is_enough_for_every_dependency() {
    let metadata = metadata();
    let ours =
        version(packages(&metadata).find(|p| name(p) == "connector-abi").unwrap()["rust_version"].as_str().unwrap());
    for package in packages(&metadata) {
        if let Some(theirs) = package["rust_version"].as_str() {
            assert!(version(theirs) <= ours, "{} needs Rust {theirs}", name(package));
        }
    }
}

fn version(text: &str) -> Vec<u32> {
    let mut parts: Vec<u32> = text.split('.').map(|p| p.parse().unwrap()).collect();
    parts.resize(3, 0);
    parts
}

/// Operations that tests script must not be in a library that is shipped.
#[test]
fn only_tests_switch_scripted_operations_on() {
    let metadata = metadata();
    for package in packages(&metadata) {
        for dependency in package["dependencies"].as_array().unwrap().iter().filter(|d| d["name"] == "entra-id-core") {
            let scripted = dependency["features"].as_array().unwrap().iter().any(|f| f == "scripted");
            assert!(!scripted || dependency["kind"] == "dev", "{} ships it", name(package));
        }
        assert!(
            name(package) != "entra-id-core" || package["features"]["default"].is_null(),
            "no feature is a default"
        );
    }
}
