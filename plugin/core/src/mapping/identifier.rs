//! Ids of directory objects: one spelling for one object.
//!
//! Graph sends GUIDs in lower case; operators and other systems do not. Ids that are no GUID (those of app-role
//! assignments, for one) are case-sensitive and must stay byte for byte.

use std::borrow::Cow;

use crate::guid::is_guid;

/// The id as records carry it: lower case where it is a GUID, unchanged where it is not.
pub fn directory_id(id: &str) -> Cow<'_, str> {
    if is_guid(id) && id.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        Cow::Borrowed(id)
    }
}

/// A GUID as 16 bytes: how the watermark and lists of many objects keep ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 16]);

impl ObjectId {
    /// `None` where the id is no GUID.
    pub fn parse(id: &str) -> Option<ObjectId> {
        if !is_guid(id) {
            return None;
        }
        let mut bytes = [0; 16];
        let mut digits = id.bytes().filter(|b| *b != b'-').map(|b| (b as char).to_digit(16).unwrap_or(0) as u8);
        for byte in &mut bytes {
            *byte = digits.next()? << 4 | digits.next()?;
        }
        Some(ObjectId(bytes))
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_lower_case_and_other_ids_stay_as_they_are() {
        assert_eq!(directory_id("0F8FAD5B-D9CB-469F-A165-70867728950E"), "0f8fad5b-d9cb-469f-a165-70867728950e");
        assert_eq!(directory_id("aBc-41Z"), "aBc-41Z");
    }

    #[test]
    fn a_guid_survives_as_sixteen_bytes_and_nothing_else_does() {
        let id = ObjectId::parse("0F8FAD5B-D9CB-469F-A165-70867728950E").unwrap();
        assert_eq!(id.to_string(), "0f8fad5b-d9cb-469f-a165-70867728950e");
        assert_eq!(ObjectId::parse("aBc-41Z"), None);
    }
}
