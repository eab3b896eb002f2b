//! Objects read one by one, by id, twenty to a request: where a row of a feed does not say enough.

use serde_json::value::RawValue;

use crate::error::Error;
use crate::graph::{Get, Graph, LARGEST_BATCH, Reason};
use crate::mapping::Selection;
use crate::model::RowSeed;
use crate::sync::unreadable;
use crate::types::ObjectType;

/// Reads that failed in a row after which the rest is not even tried: each has already used up its retries.
pub(super) const GIVE_UP_AFTER: u32 = 40;

/// What such a read found.
#[derive(Debug)]
pub(super) enum Found {
    /// The values of the selection.
    Object(Vec<Option<Box<RawValue>>>),
    /// Nothing of that id, as far as this read sees.
    Nothing(Error),
    /// It could not be read.
    Failed(Error),
}

/// Reads of single objects that failed in a row. During an outage each costs all its retries, so that a round of
/// thousands of changed groups would take hours; after [`GIVE_UP_AFTER`] failures the rest of the round is not asked
/// for.
#[derive(Debug, Default)]
pub(super) struct Outage {
    failures: u32,
    last: Option<Error>,
}

impl Outage {
    /// Takes note of a read: `None` for one that was answered, also with 404.
    pub(super) fn note(&mut self, failed: Option<&Error>) {
        self.failures = if failed.is_some() { self.failures + 1 } else { 0 };
        self.last = failed.cloned();
    }

    /// The error of every further read, once nothing more is asked for.
    pub(super) fn given_up(&self) -> Option<Error> {
        let last = self.last.as_ref().filter(|_| self.failures >= GIVE_UP_AFTER)?;
        let message =
            format!("not asked for, since {} reads before it failed in a row: {}", self.failures, last.message);
        Some(Error { message, ..last.clone() })
    }
}

/// Reads objects of this type by their ids, in their order. An error ends all of it.
pub(super) fn look_up(
    graph: &Graph,
    object_type: &ObjectType,
    ids: &[&str],
    selection: &Selection,
    outage: &mut Outage,
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(LARGEST_BATCH) {
        if let Some(error) = outage.given_up() {
            found.extend(some.iter().map(|_| Found::Failed(error.clone())));
            continue;
        }
        for one in look_up_at_once(graph, object_type, some, selection)? {
            outage.note(if let Found::Failed(error) = &one { Some(error) } else { None });
            found.push(one);
        }
    }
    Ok(found)
}

/// Reads what fits in one `$batch`.
fn look_up_at_once(
    graph: &Graph,
    object_type: &ObjectType,
    ids: &[&str],
    selection: &Selection,
) -> Result<Vec<Found>, Error> {
    let select = selection.select();
    let collection = object_type.feed().map_or("", |feed| feed.collection);
    let requests: Vec<Get> = ids
        .iter()
        .map(|id| Get { link: graph.link(&format!("{collection}/{id}?$select={select}")), advanced: false })
        .collect();
    let read = |answer: &crate::graph::Answer<'_>| {
        use serde::de::DeserializeSeed as _;
        let mut json = serde_json::Deserializer::from_slice(answer.body);
        let row = RowSeed { properties: selection.properties() }.deserialize(&mut json).map_err(unreadable)?;
        Ok(row.values.iter().map(|value| value.map(ToOwned::to_owned)).collect())
    };
    let answers = match requests.as_slice() {
        [] => Vec::new(),
        [only] => vec![graph.get(only, read)],
        many => graph.batch(many, |_, answer| read(answer))?,
    };
    let found = answers.into_iter().map(|answer| match answer {
        Ok(values) => Ok(Found::Object(values)),
        Err(failure) if failure.reason == Reason::Gone => Ok(Found::Nothing(failure.into())),
        Err(failure) => {
            let error = Error::from(failure);
            if error.kind.ends_everything() { Err(error) } else { Ok(Found::Failed(error)) }
        }
    });
    found.collect()
}
