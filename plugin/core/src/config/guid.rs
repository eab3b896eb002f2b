//! GUIDs as people paste them: any case, with or without braces; kept in lower case without.
//!
//! Portals, PowerShell and registries disagree on both, and Graph answers in lower case.

use schemars::{Schema, json_schema};
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

const BARE: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/// The pattern of [`read`], without anchors.
pub(super) fn pattern() -> String {
    format!(r"({BARE}|\{{{BARE}\}})")
}

/// The GUID in lower case without braces.
pub(super) fn read(text: &str) -> Option<String> {
    let bare = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}')?,
        None => text,
    };
    let fits = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    (bare.len() == 36 && bare.bytes().enumerate().all(fits)).then(|| bare.to_ascii_lowercase())
}

/// `ClientId`: an application's GUID.
#[derive(Debug)]
pub(super) struct ApplicationId(pub(super) String);

impl Shape for ApplicationId {
    fn expected() -> String {
        "the application (client) id, a GUID".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let guid = found.as_str().and_then(read);
        if guid.is_none() {
            place.refuse(found, Self::expected());
        }
        guid.map(ApplicationId)
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^{}$", pattern()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_braces_are_normalised() {
        let bare = "0a1b2c3d-0000-4000-8000-00000000beef";
        assert_eq!(read(&format!("{{{}}}", bare.to_uppercase())).as_deref(), Some(bare));
        assert_eq!(read(bare).as_deref(), Some(bare));
    }

    #[test]
    fn half_a_brace_and_missing_dashes_are_no_guid() {
        for text in ["{0a1b2c3d-0000-4000-8000-00000000beef", "0a1b2c3d00004000800000000000beef", ""] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
