//! What `$select` asks for: the attributes of the object type, then the extra ones of the configuration.

use crate::config::ExtraAttribute;
use crate::mapping::Selection;
use crate::types::ObjectType;

/// The selection of an object type. `joined`: arrays in Graph that are one string in records.
pub(super) fn selection(
    object_type: &ObjectType,
    extra: &[ExtraAttribute],
    joined: &[&str],
    external_id: Option<&str>,
) -> Selection {
    let own = object_type.attributes.iter().map(|a| a.name.to_owned());
    Selection::new(own.chain(extra.iter().map(|a| a.name.clone())).collect(), joined, external_id)
}
