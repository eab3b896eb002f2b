//! Objects read one by one, by id, twenty to a request: where a row of a feed does not say enough.

use serde_json::value::RawValue;

use crate::error::Error;
use crate::graph::{Get, Graph, Reason};
use crate::mapping::Selection;
use crate::model::RowSeed;
use crate::sync::unreadable;

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

/// Reads the objects of these ids in `collection` (`users`, `groups`), in their order. An error ends all of it.
pub(super) fn look_up(
    graph: &Graph,
    collection: &str,
    ids: &[&str],
    selection: &Selection,
) -> Result<Vec<Found>, Error> {
    let select = selection.select();
    let requests: Vec<Get> = ids
        .iter()
        .map(|id| Get { link: graph.link(&format!("/{collection}/{id}?$select={select}")), advanced: false })
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
