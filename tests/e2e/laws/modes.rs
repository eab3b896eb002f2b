//! Law 4: the membership modes agree. One tenant, two stores, the same changes: `Recompute` in the one, `Delta` in the
//! other, and the same users, groups and memberships at the end of each round.
//!
//! Where the feed lists users and groups only (`delta.memberTypes`), `Delta` cannot know of devices, service principals
//! and contacts as members, and the edges of users and groups are compared.

use std::collections::BTreeMap;

use host_harness::store::Mesh;
use proptest::prelude::*;
use serde_json::Value;

use super::case::{Case, Size, cases, some_filter};
use super::coverage::{Coverage, Kinds};
use super::stage::{Stage, during};
use super::{Verdict, law};

/// What is visible: objects by type and id, edges by their ends.
fn visible(mesh: &Mesh, only_users_and_groups: bool) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    for object_type in ["User", "Group"] {
        for object in mesh.objects(object_type).unwrap() {
            rows.insert(format!("{object_type} {}", object.source_id), Value::Object(object.attributes));
        }
    }
    for edge in mesh.edges("GroupMember").unwrap() {
        let member_type = edge.attributes["memberType"].as_str().unwrap_or_default();
        if !only_users_and_groups || matches!(member_type, "User" | "Group") {
            rows.insert(format!("GroupMember {}", edge.source_id), Value::Object(edge.attributes));
        }
    }
    rows
}

fn mode_cases(size: Size) -> BoxedStrategy<Case> {
    (cases(size, some_filter(), 3), any::<bool>())
        .prop_map(|(mut case, only)| {
            case.tenancy.quirks.only_users_and_groups_in_feed = only;
            case
        })
        .boxed()
}

fn holds(case: &Case, coverage: &Coverage) -> Verdict {
    let only = case.tenancy.quirks.only_users_and_groups_in_feed;
    coverage.count("member types in the feed", if only { "users and groups" } else { "all" }, 1);
    let setups = ["Recompute", "Delta"].map(|mode| super::case::Setup { mode, ..case.setup.clone() });
    // Two simulators of one seed are one tenant: each mode has its own journal and its own bounds.
    let [mut recompute, mut delta] = [&setups[0], &setups[1]].map(|setup| Stage::open(&case.tenancy, setup, coverage));
    for (nth, round) in std::iter::once(None).chain(case.rounds.iter().map(Some)).enumerate() {
        for stage in [&mut recompute, &mut delta] {
            round.map(|round| stage.change(round)).unwrap_or_default();
            stage.import("mesh.db", false).map_err(during(format_args!("{} {nth}", stage.setup.mode)))?;
            if case.tenancy.lag > 0 {
                stage
                    .import("mesh.db", false)
                    .map_err(during(format_args!("{} {nth}, once more", stage.setup.mode)))?;
            }
        }
        agree(&recompute, &delta, only).map_err(during(format_args!("after round {nth}")))?;
    }
    Ok(())
}

fn agree(recompute: &Stage<'_>, delta: &Stage<'_>, only: bool) -> Verdict {
    let (one, other) = (visible(&recompute.mesh("mesh.db"), only), visible(&delta.mesh("mesh.db"), only));
    let keys = one.keys().chain(other.keys());
    let differing: Vec<String> = keys
        .filter(|key| one.get(*key) != other.get(*key))
        .take(10)
        .map(|key| format!("{key}: {:?} with Recompute, {:?} with Delta", one.get(key), other.get(key)))
        .collect();
    if differing.is_empty() { Ok(()) } else { Err(differing.join("\n  ")) }
}

#[test]
fn the_membership_modes_agree_on_what_the_feed_lists() {
    law(
        "the membership modes agree on what the feed lists",
        mode_cases,
        &[
            Kinds::of_changes(),
            Kinds::of("member types in the feed", ["users and groups", "all"]),
            Kinds::of("setup", ["Recompute", "Delta", "filter", "lag"]),
        ],
        holds,
    );
}
