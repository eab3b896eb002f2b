//! Lists of ids as base64 text, a fixed number of bytes for each: five hundred ids cost eleven kilobytes of a
//! watermark.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

use super::restored::{Look, Restored};
use crate::mapping::ObjectId;
use crate::types::of_code;

/// Bits of the byte behind a restored object's id. The number of its object type stands in the others, the lowest bit
/// first.
const LOOKED_UP: u8 = 2;
const LOOK_AGAIN: u8 = 4;
const THIN: u8 = 8;
const FIRST_OF_CODE: u8 = 1;
const REST_OF_CODE: u8 = 4;

pub(super) fn restored_bytes(restored: &Restored) -> [u8; 17] {
    let code = restored.object_type.code;
    let code = code & FIRST_OF_CODE | code >> 1 << REST_OF_CODE;
    let look = match restored.look {
        Look::Pending => 0,
        Look::Done => LOOKED_UP,
        Look::Again => LOOK_AGAIN,
    };
    with(restored.id, code | look | if restored.thin { THIN } else { 0 })
}

/// `None`: an object type that this connector does not know.
pub(super) fn restored_of(bytes: &[u8; 17]) -> Option<Restored> {
    let bits = bytes[16];
    Some(Restored {
        object_type: of_code(bits & FIRST_OF_CODE | bits >> REST_OF_CODE << 1)?,
        id: id_of(bytes),
        look: match (bits & LOOKED_UP, bits & LOOK_AGAIN) {
            (0, 0) => Look::Pending,
            (_, 0) => Look::Done,
            _ => Look::Again,
        },
        thin: bits & THIN != 0,
    })
}

pub(super) fn with(id: ObjectId, byte: u8) -> [u8; 17] {
    let mut bytes = [byte; 17];
    bytes[..16].copy_from_slice(&id.0);
    bytes
}

pub(super) fn id_of(bytes: &[u8]) -> ObjectId {
    let mut id = [0; 16];
    id.copy_from_slice(&bytes[..16]);
    ObjectId(id)
}

pub(super) fn pack<const N: usize>(items: impl Iterator<Item = [u8; N]>) -> String {
    BASE64.encode(items.flatten().collect::<Vec<u8>>())
}

pub(super) fn unpack<const N: usize>(text: &str, places: usize) -> Option<Vec<[u8; N]>> {
    let bytes = BASE64.decode(text).ok()?;
    let (items, rest) = bytes.as_chunks::<N>();
    (rest.is_empty() && items.len() <= places).then(|| items.to_vec())
}
