//! The rules of docs/architecture.md, read off the source: which layer may name which, and where `unsafe` may stand.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `folder`, with its path from there and its text without comments and tests.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root().join(folder)).unwrap().to_string_lossy().into_owned();
                found.push((name, code(&fs::read_to_string(&path).unwrap())));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no source: this test would prove nothing");
    found
}

fn code(text: &str) -> String {
    // A test module that stands in the file ends it; one that is only declared (`mod tests;`) does not.
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn layer_of(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap_or_default()
}

/// What a layer of the plug-in's core may use besides itself.
fn allowed(layer: &str) -> &'static [&'static str] {
    const LEAVES: &[&str] = &["cancel", "config", "counters", "error", "filter", "latch", "log", "schema", "threads"];
    match layer {
        "operation" => &[
            "importer",
            "sync",
            "graph",
            "mapping",
            "model",
            "cancel",
            "config",
            "counters",
            "error",
            "filter",
            "log",
            "named_file",
            "schema",
            "threads",
        ],
        "importer" => {
            &["sync", "graph", "mapping", "model", "cancel", "config", "error", "filter", "latch", "schema", "threads"]
        }
        "sync" => &["graph", "mapping", "model", "error", "threads"],
        "graph" => &["cancel", "config", "counters", "error", "guid", "log", "named_file", "percent"],
        "mapping" => &["guid", "model"],
        "model" | "guid" | "log" | "named_file" | "percent" => &[],
        "describe" => &["config", "schema"],
        "config" => &["error", "filter", "guid", "percent", "schema"],
        "filter" => &["guid", "schema"],
        "cancel" | "threads" => &["error"],
        "latch" => &["cancel", "error"],
        // Fuzz targets look at everything; nothing looks at them.
        "fuzz" => &["config", "error", "filter", "graph", "mapping", "model", "sync"],
        _ => LEAVES,
    }
}

#[test]
fn layers_point_one_way() {
    for (name, code) in sources("plugin/core/src") {
        let layer = layer_of(&name);
        if layer == "lib" {
            continue;
        }
        for used in code.split("crate::").skip(1) {
            let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            assert!(
                used == layer || allowed(layer).contains(&used),
                "plugin/core/src/{name} uses {used}, which {layer} must not"
            );
        }
    }
}

#[test]
fn fuzz_targets_are_in_nothing_that_is_shipped() {
    for (name, code) in sources("plugin/core/src") {
        let own = name.starts_with("fuzz/") || name == "graph/fuzzing.rs";
        let named = code.contains("mod fuzz") || code.contains("fuzz::") || code.contains("fuzzing::");
        let behind = ["mod fuzz;", "mod fuzzing;"].iter().any(|declared| {
            code.split("#[cfg(any(test, feature = \"fuzzing\"))]\npub")
                .nth(1)
                .is_some_and(|rest| rest.contains(declared))
        });
        assert!(own || !named || behind, "plugin/core/src/{name} names fuzz targets outside their feature");
    }
    for manifest in ["Cargo.toml", "plugin/Cargo.toml", "host-harness/Cargo.toml"] {
        let text = fs::read_to_string(root().join(manifest)).unwrap();
        assert!(!text.contains("fuzz"), "{manifest} switches the fuzz targets on");
    }
    let core = fs::read_to_string(root().join("plugin/core/Cargo.toml")).unwrap();
    assert!(core.contains("\nfuzzing = []\n") && !core.contains("default ="), "the feature is off unless asked for");
}

#[test]
fn graph_names_no_object_type_and_importers_read_no_status() {
    for (name, code) in sources("plugin/core/src") {
        match layer_of(&name) {
            "graph" => {
                for word in ["\"User\"", "\"Group\"", "GroupMember", "/users", "/groups", "displayName"] {
                    assert!(!code.contains(word), "plugin/core/src/{name} names {word}");
                }
            }
            "importer" => {
                for word in ["sleep", ".wait(", "retry", "StatusCode", ".status", "reqwest"] {
                    // Waiting for another thread is not sleeping: the queue of groups, and users before groups.
                    let own_queue = ["scopes/queue.rs", "group/rounds.rs", "group/reconcile.rs", "importer/over.rs"]
                        .iter()
                        .any(|own| name.ends_with(own));
                    let own_queue = own_queue && word == ".wait(";
                    assert!(own_queue || !code.contains(word), "plugin/core/src/{name} uses {word}");
                }
            }
            "operation" => {
                for word in ["USER", "GROUP", "GroupMember"] {
                    assert!(!code.contains(word), "plugin/core/src/{name} names the object type {word}");
                }
            }
            "mapping" | "model" => {
                for word in ["std::fs", "std::net", "reqwest", "Instant", "SystemTime"] {
                    assert!(!code.contains(word), "plugin/core/src/{name} uses {word}");
                }
            }
            _ => {}
        }
    }
}

#[test]
fn the_core_knows_neither_the_boundary_nor_unsafe_code() {
    for (name, code) in sources("plugin/core/src") {
        assert!(!code.contains("connector_abi"), "plugin/core/src/{name} names the contract");
        assert!(!code.contains("unsafe"), "plugin/core/src/{name} has unsafe code");
        // A peer that a test plays may be slow; what ships may not.
        let plays = name.contains("/tests/");
        assert!(plays || !code.contains("thread::sleep"), "plugin/core/src/{name} sleeps where no cancel can wake it");
        assert!(
            !code.contains("println!") && !code.contains("eprintln!"),
            "plugin/core/src/{name} writes to the host's terminal"
        );
        assert!(name.starts_with("graph") || !code.contains("reqwest"), "plugin/core/src/{name} speaks HTTP");
    }
}

#[test]
fn unsafe_code_stands_at_the_boundaries_only() {
    let harness = ["loader.rs", "connector/c_door.rs", "connector/tests.rs"];
    for (name, code) in sources("host-harness/src") {
        assert!(
            harness.contains(&name.as_str()) || !code.contains("unsafe "),
            "host-harness/src/{name} has unsafe code"
        );
    }
    for (name, code) in sources("plugin/src") {
        let boundary = name.starts_with("ffi/") || ["wiping_allocator.rs", "large_blocks.rs"].contains(&name.as_str());
        assert!(boundary || !code.contains("unsafe"), "plugin/src/{name} has unsafe code");
    }
}

#[test]
fn the_simulator_shares_nothing_with_the_plug_in() {
    let manifest = fs::read_to_string(root().join("host-harness/Cargo.toml")).unwrap();
    assert!(!manifest.contains("entra-id"), "host-harness must not depend on the plug-in");
    for (name, code) in sources("host-harness/src/simulator") {
        for word in ["entra_id", "connector_abi", "crate::connector", "crate::store"] {
            assert!(!code.contains(word), "host-harness/src/simulator/{name} uses {word}");
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_readable() {
    for folder in ["include/abi", "plugin", "host-harness/src", "tests"] {
        for (name, _) in sources(folder) {
            let text = fs::read_to_string(root().join(folder).join(&name)).unwrap();
            assert!(text.starts_with("//!"), "{folder}/{name} does not open with what it is");
            assert!(text.lines().count() <= 600, "{folder}/{name} has more than 600 lines: look for its second idea");
        }
    }
}

#[test]
fn no_file_is_named_after_nothing() {
    for folder in ["include/abi", "plugin", "host-harness/src", "tests"] {
        for (name, _) in sources(folder) {
            for vague in ["utils", "helpers", "common", "manager"] {
                assert!(!name.contains(vague), "{folder}/{name}");
            }
        }
    }
}
