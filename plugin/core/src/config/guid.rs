//! GUIDs as people paste them: any case, with or without braces; kept in lower case without.
//!
//! Portals, PowerShell and registries disagree on both, and Graph answers in lower case.

use schemars::{Schema, json_schema};
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;
use crate::guid::guid;

const BARE: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

/// The pattern of [`guid`], without anchors.
pub(super) fn pattern() -> String {
    format!(r"({BARE}|\{{{BARE}\}})")
}

/// `ClientId`: an application's GUID.
#[derive(Debug)]
pub(super) struct ApplicationId(pub(super) String);

impl Shape for ApplicationId {
    fn expected() -> String {
        "the application (client) id, a GUID".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let id = found.as_str().and_then(guid);
        if id.is_none() {
            place.refuse(found, Self::expected());
        }
        id.map(ApplicationId)
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": format!("^{}$", pattern()) })
    }
}
