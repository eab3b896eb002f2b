//! What a row of a feed says about an object's life.

use crate::mapping::ObjectId;
use crate::model::Removed;
use crate::sync::Sign;

/// What the row says, where it says it of an object that has a GUID.
pub(in crate::read) fn sign_of(id: &str, removed: Option<Removed>) -> Option<(ObjectId, Sign)> {
    let sign = match removed {
        Some(Removed::Changed) => Sign::SoftDeleted,
        Some(Removed::Deleted) => Sign::Purged,
        None => Sign::Live,
    };
    ObjectId::parse(id).map(|id| (id, sign))
}
