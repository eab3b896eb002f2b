//! Law 8: whatever happened before, an import that ends with END leaves what the tenant has in scope. So do two clean
//! imports.
//!
//! The other laws try one thing at a time. Here a host lives through all of them in any order: imports and full
//! imports, a tenant that changes, settings that are changed *and taken back*, stops at any row and checkpoint,
//! faults of every kind at any call, the removal guard, `MaxDeletes`, a Snapshot, lists that lag, and more than 500
//! of everything.
//!
//! A failing history prints its story and the value that repeats it. `kept` holds those that failed once.

mod claims; // what is claimed after an import, and of which types
mod crowd; // more than 500 at once
mod drawn; // how histories are drawn
mod host; // a history under way
mod kept; // histories that failed once
mod limits; // the documented limits that no history crosses
mod steps; // what a history is made of
mod stopper; // stops an import

use self::drawn::{ROUTES, crowded, histories};
use self::host::Host;
use self::steps::{History, Knob};
use super::case::Size;
use super::coverage::{Coverage, Kinds};
use super::faulting::{LASTING, PASSING};
use super::{MODES, Verdict, law_of};

/// Histories in CI.
const HISTORIES: u32 = 300;

fn holds(history: &History, coverage: &Coverage) -> Verdict {
    Host::new(history, coverage).live()
}

/// What must occur, or the law has proved nothing about it.
fn ingredients() -> Vec<Kinds> {
    let knobs = Knob::ALL
        .map(|knob| Kinds::of(knob.name(), ["changed", "taken back", "taken back after an import that did not end"]));
    let others = [
        Kinds::of_changes(),
        Kinds::of("setup", MODES.iter().chain(&["lag", "more than 500 of everything"])),
        Kinds::of("step", ["import", "full import", "resumed import", "Snapshot", "change of the tenant", "days pass"]),
        Kinds::of("stop", ["at a row", "at a checkpoint", "of a resumed import", "by the removal guard"]),
        Kinds::of("stop", ["inside User", "inside Group", "inside GroupMember"]),
        Kinds::of("fault", PASSING.into_iter().chain(LASTING).chain(["for ever"])),
        Kinds::of("fault on", ROUTES.map(|it| format!("{it:?}"))),
        Kinds::of("MaxDeletes", ["kept", "exceeded"]),
        Kinds::of("outcome", ["Succeeded", "Partial", "Failed"]),
        Kinds::of("warning", ["ConfirmOverflow", "RoundRestarted", "SelectionChanged", "FilteredList"]),
        Kinds::of("more than 500", ["UsersDeleted", "UsersRestored", "GroupsTouched", "unread"]),
        Kinds::of("quirk", super::case::Quirks::default().named().map(|(name, _)| name)),
        Kinds::of("quirk", ["hidden groups"]),
        Kinds::of("claimed", ["END and equal", "END and equal where types are older"]),
    ];
    knobs.into_iter().chain(others).collect()
}

#[test]
fn any_history_of_imports_ends_with_the_tenant_in_scope() {
    law_of(
        "any history of imports ends with the tenant in scope",
        HISTORIES,
        |count| {
            let (crowds, middle, small) = (count / 25, count / 20, count * 2 / 5);
            vec![
                (histories(Size::Tiny), count - small - middle - crowds),
                (histories(Size::Small), small),
                (histories(Size::Middle), middle),
                (crowded(), crowds),
            ]
        },
        &ingredients(),
        holds,
    );
}
