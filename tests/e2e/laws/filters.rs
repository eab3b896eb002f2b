//! Law 5: with a `GroupSelectionFilter` the store is the truth, restricted by that filter.
//!
//! The filter is generated as a tree, printed as OData for the connector and evaluated here by `independent_filter`:
//! the connector, the simulator and the test each have a reading of their own, and all three must agree. Scripts rename
//! groups into the scope and out of it.

use std::collections::BTreeSet;

use host_harness::simulator::Truth;
use proptest::prelude::*;

use super::case::{Case, Size, cases};
use super::coverage::{Coverage, Kinds};
use super::independent_filter::{Filter, SHAPES, filters};
use super::stage::{Stage, during};
use super::{MODES, Verdict, law};

fn ids(truth: &Truth) -> BTreeSet<String> {
    truth.groups_selecting(&[]).map(|group| group.id).collect()
}

fn holds(case: &Case, coverage: &Coverage) -> Verdict {
    let mut stage = Stage::open(&case.tenancy, &case.setup, coverage);
    for shape in case.setup.filter.iter().flat_map(Filter::shapes) {
        coverage.count("filter", shape, 1);
    }
    stage.import("mesh.db", false).map_err(during("the first import"))?;
    stage.equals_truth("mesh.db").map_err(during("after the first import"))?;
    for (nth, round) in case.rounds.iter().enumerate() {
        let before = ids(&stage.truth());
        stage.change(round);
        let (scope, all) = (ids(&stage.truth()), ids(&stage.tenant.sim.truth()));
        coverage.count("scope", "entered by a group", scope.difference(&before).count() as u64);
        coverage.count(
            "scope",
            "left by a live group",
            before.difference(&scope).filter(|id| all.contains(*id)).count() as u64,
        );
        coverage.count("scope", "empty", u64::from(scope.is_empty()));
        coverage.count("scope", "everything", u64::from(scope.len() == all.len()));
        stage.import("mesh.db", false).map_err(during(format_args!("import {nth}")))?;
        if case.tenancy.lag == 0 {
            stage.equals_truth("mesh.db").map_err(during(format_args!("after import {nth}")))?;
        }
    }
    stage.import("mesh.db", false).map_err(during("an import with no news"))?;
    stage.equals_truth("mesh.db").map_err(during("after an import with no news"))
}

#[test]
fn with_a_filter_the_store_equals_the_truth_restricted_by_it() {
    law(
        "with a filter the store equals the truth restricted by it",
        |size: Size| cases(size, filters().prop_map(Some), 3),
        &[
            Kinds::of_changes(),
            Kinds::of("filter", SHAPES),
            Kinds::of("scope", ["entered by a group", "left by a live group", "empty", "everything"]),
            Kinds::of("setup", MODES),
        ],
        holds,
    );
}
