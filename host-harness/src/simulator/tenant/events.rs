//! The events of a stream: those computed from the seed, and those that scripts appended.
//!
//! Base event k happens somewhere in the k-th interval since 1970, so that the events of any window are found without
//! looking at others. An event becomes visible when it happens or, where it is late, some time after.

use serde_json::{Map, Value};

use super::state::Event;
use super::view::View;
use crate::simulator::clock::format_moment;
use crate::simulator::permissions::Permissions;
use crate::simulator::seed::{mix, stream};
use crate::simulator::streams::Stream;
use crate::simulator::workload::Licences;

const DAY_MS: u64 = 86_400_000;

/// What decides how much a reader sees of an event.
pub(crate) struct Reader<'a> {
    pub(crate) permissions: &'a Permissions,
    pub(crate) licences: &'a Licences,
}

/// The events between two moments, both included, newest first, whether they are visible yet or not.
pub(crate) fn events(view: View<'_>, of: Stream, from: u64, to: u64) -> impl Iterator<Item = Event> + use<'_> {
    let mut base = base(view, of, from, to).peekable();
    let mut appended: Vec<Event> = view.state.appended(of).filter(|event| (from..=to).contains(&event.at)).collect();
    appended.sort_unstable();
    std::iter::from_fn(move || {
        let scripted = match (base.peek(), appended.last()) {
            (Some(next), Some(other)) => other > next,
            (None, other) => other.is_some(),
            (Some(_), None) => false,
        };
        if scripted { appended.pop() } else { base.next() }
    })
}

fn base(view: View<'_>, of: Stream, from: u64, to: u64) -> impl Iterator<Item = Event> + use<> {
    let settings = &view.base.settings;
    let per_day = settings.number(of.table().per_day).unwrap_or(0);
    let interval = DAY_MS.checked_div(per_day).unwrap_or(0).max(1);
    let (percent, late) = (settings.count("events/latePercent"), settings.count("events/lateSeconds"));
    let seed = view.base.seed;
    let numbers =
        if per_day == 0 || from > to { 0..0 } else { from * 1_000 / interval..(to + 1) * 1_000 / interval + 1 };
    let event = move |number: u64| {
        let roll = |purpose: &str| mix(seed, stream(purpose) ^ stream(of.name()), number);
        let at = (number * interval + roll("moment") % interval) / 1_000;
        let delay = if roll("late") % 100 < u64::from(percent) { u64::from(late) } else { 0 };
        Event { at, number, visible: at + delay }
    };
    numbers.rev().map(event).filter(move |event| (from..=to).contains(&event.at))
}

/// An event as a reader sees it.
pub(crate) fn row(view: View<'_>, of: Stream, event: Event, reader: &Reader<'_>) -> Map<String, Value> {
    let table = of.table();
    let mut row = (table.row)(view.base, event.number);
    for fields in [view.state.appended_fields(of, event.number), view.state.rewritten(of, event.number)] {
        row.extend(fields.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    }
    let (hidden, licence) = &table.hidden;
    if !reader.licences.contains(licence) {
        row.extend(hidden.iter().map(|name| ((*name).to_owned(), Value::from("hidden"))));
    }
    let (emptied, permission) = table.emptied;
    if !reader.permissions.allow(&[permission]) {
        row.extend(emptied.iter().map(|name| ((*name).to_owned(), Value::Array(Vec::new()))));
    }
    row.insert("id".to_owned(), Value::from(view.base.ids.event(stream(of.name()), event.number)));
    row.insert(table.time.to_owned(), Value::from(format_moment(event.at)));
    row
}
