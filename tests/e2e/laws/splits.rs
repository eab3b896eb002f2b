//! Law 1: a full import and any split of the changes into deltas leave the store that one full import leaves.
//!
//! Compared with the tenant's own truth after every run and, at the end, with a store filled in one go.

use super::case::{Case, Size, cases, some_filter};
use super::coverage::{Coverage, Kinds};
use super::stage::{Stage, during};
use super::{MODES, Verdict, law};

fn holds(case: &Case, coverage: &Coverage) -> Verdict {
    let mut stage = Stage::open(&case.tenancy, &case.setup, coverage);
    stage.import("mesh.db", false).map_err(during("the first import"))?;
    stage.equals_truth("mesh.db").map_err(during("after the first import"))?;
    for (nth, round) in case.rounds.iter().enumerate() {
        stage.change(round);
        stage.import("mesh.db", false).map_err(during(format_args!("import {nth}")))?;
        // What lagged behind in this run is read by the next.
        if case.tenancy.lag == 0 {
            stage.equals_truth("mesh.db").map_err(during(format_args!("after import {nth}")))?;
        }
    }
    stage.import("mesh.db", false).map_err(during("an import with no news"))?;
    stage.equals_truth("mesh.db").map_err(during("after an import with no news"))?;
    stage.import("fresh.db", true).map_err(during("one full import"))?;
    stage.equals_truth("fresh.db").map_err(during("after one full import"))
}

#[test]
fn a_full_import_and_any_split_into_deltas_equal_one_full_import() {
    let setups = ["filter", "lag", "a group above 1,000 members", "days pass"];
    law(
        "a full import and any split into deltas equal one full import",
        |size: Size| cases(size, some_filter(), 4),
        &[Kinds::of_changes(), Kinds::of("setup", MODES.iter().copied().chain(setups))],
        holds,
    );
}
