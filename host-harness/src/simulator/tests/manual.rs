//! The manual names every key and every word a world file may hold.

use serde_json::Value;

use crate::simulator::{Change, ChangesDuring, Fault, FaultAction, Refusal, RetryAfter, Throttling, World};

const MANUAL: &str = include_str!("../../../../docs/simulator.md");

/// Names of members at any depth, and texts where `words` is true.
fn names(value: &Value, words: bool, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            into.push(name.clone());
            names(value, words, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, words, into)),
        Value::String(text) if words => into.push(text.clone()),
        _ => {}
    }
}

#[test]
fn the_manual_names_every_switch() {
    let world = World {
        throttling: Some(Throttling::default()),
        faults: vec![Fault::default()],
        changes_during: vec![ChangesDuring { after_requests: 1, changes: Vec::<Change>::new().into() }],
        ..World::default()
    };
    let mut expected = Vec::new();
    names(&serde_json::to_value(world).unwrap(), false, &mut expected);
    let throttled = FaultAction::Throttled { wait_ms: 1, retry_after: RetryAfter::Integer };
    for action in [throttled, FaultAction::MissingItem, FaultAction::SlowDrip { bytes: 1, delay_ms: 1 }] {
        names(&serde_json::to_value(action).unwrap(), true, &mut expected);
    }
    names(&serde_json::to_value(Refusal::ALL).unwrap(), true, &mut expected);
    // Inside an action the manual quotes names as JSON does.
    let named = |name: &&String| MANUAL.contains(&format!("`{name}`")) || MANUAL.contains(&format!("\"{name}\""));
    let missing: Vec<_> = expected.iter().filter(|name| !named(name)).collect();
    assert!(missing.is_empty(), "docs/simulator.md says nothing of {missing:?}");
}
