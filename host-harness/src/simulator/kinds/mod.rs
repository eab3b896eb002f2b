//! What a directory object is, and how it is known by an id.

pub(crate) mod identity;
