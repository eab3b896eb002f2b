//! What an engine and an operator get, checked in under `tests/golden/`: a change of the code that changes none of it
//! is a turn of the house, any other shows in the diff of these files.
//!
//! `CONNECTOR_WRITE_GOLDEN=1 cargo test --test e2e golden` rewrites them. Read the diff before it is committed.

mod command_line; // what the program prints
mod described; // Describe
mod records; // the records of each object type of a fixed small tenant

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use host_harness::simulator::{Change, Kind, Simulator, World};
use serde_json::{Value, json};

use crate::world::{Tenant, connector};

const WRITE: &str = "CONNECTOR_WRITE_GOLDEN";

/// A tenant with one of everything, which answers the same each time.
fn tenant() -> Tenant {
    let world = World {
        seed: 7,
        users: 6,
        deleted_users: 1,
        groups: 5,
        deleted_groups: 1,
        edges: 14,
        devices: 1,
        service_principals: 1,
        contacts: 1,
        nested_groups: true,
        hidden_membership_groups: true,
        ..World::gentle()
    };
    Tenant::of(world).with("MaxConcurrency", 1)
}

/// One of each change that a feed tells.
fn change(sim: &Simulator) {
    let properties = |value: Value| value.as_object().cloned().unwrap();
    let mut members: Vec<_> = sim.truth().members().filter(|edge| edge.child_type == "User").collect();
    members.sort_by(|one, other| (&one.parent, &one.child).cmp(&(&other.parent, &other.child)));
    let leaves = members.into_iter().find(|edge| edge.parent == sim.group_id(3)).unwrap();
    sim.apply(&[
        Change::delete_user(sim.user_id(0)),
        Change::restore_user(sim.user_id(6)),
        Change::update_user(sim.user_id(1), properties(json!({"displayName": "Renamed", "mail": null}))),
        Change::delete_group(sim.group_id(1)),
        Change::update_group(
            sim.group_id(2),
            properties(json!({"displayName": "APP-Moved", "securityEnabled": false})),
        ),
        Change::add_member(sim.group_id(0), sim.user_id(1), Kind::User),
        Change::remove_member(leaves.parent, leaves.child, Kind::User),
    ])
    .unwrap();
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Compares a text with the file of this name, line by line, or rewrites the file where that was asked for.
#[track_caller]
fn assert_golden(name: &str, found: &str) {
    let path = folder(name);
    if std::env::var_os(WRITE).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path)
        .unwrap_or_else(|e| panic!("tests/golden/{name} is missing ({e}): write it with {WRITE}=1, and read it"));
    let mut lines = golden.lines().zip(found.lines()).enumerate();
    let differs = lines.find(|(_, (golden, found))| golden != found).map(|(number, lines)| (number + 1, lines));
    if let Some((number, (golden, found))) = differs {
        panic!(
            "tests/golden/{name}, line {number}:\n  was: {golden}\n  now: {found}\nIf that is meant: {WRITE}=1, and read the diff"
        );
    }
    let (before, now) = (golden.lines().count(), found.lines().count());
    assert_eq!(before, now, "tests/golden/{name} has another number of lines now; if that is meant: {WRITE}=1");
}

/// The files of a folder are those of these object types, one each.
fn assert_a_file_for_each_type(name: &str) {
    let described: Value = serde_json::from_str(&connector().describe().unwrap()).unwrap();
    let types = described["ObjectTypes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{}.ndjson", it["Name"].as_str().unwrap()));
    let files = std::fs::read_dir(folder(name)).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    assert_eq!(
        files.collect::<BTreeSet<_>>(),
        types.collect(),
        "an object type and its golden records belong together"
    );
}
