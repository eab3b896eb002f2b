//! Ids of directory objects: one spelling for one object.
//!
//! Graph sends GUIDs in lower case; operators and other systems do not. Ids that are no GUID (those of app-role
//! assignments, for one) are case-sensitive and must stay byte for byte.

use std::borrow::Cow;

/// The id as records carry it: lower case where it is a GUID, unchanged where it is not.
pub fn directory_id(id: &str) -> Cow<'_, str> {
    if is_guid(id) && id.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(id.to_ascii_lowercase())
    } else {
        Cow::Borrowed(id)
    }
}

fn is_guid(id: &str) -> bool {
    id.len() == 36
        && id.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_lower_case_and_other_ids_stay_as_they_are() {
        assert_eq!(directory_id("0F8FAD5B-D9CB-469F-A165-70867728950E"), "0f8fad5b-d9cb-469f-a165-70867728950e");
        assert_eq!(directory_id("aBc-41Z"), "aBc-41Z");
    }
}
