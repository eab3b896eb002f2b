//! `GraphScope`: what the token is asked for.
//!
//! An application's token has every permission it was granted, named together as `<resource>/.default`; a single
//! permission in its place is refused by the token service (AADSTS1002012), so it is refused here.

use schemars::{Schema, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

/// A resource followed by `/.default`.
#[derive(Debug, Serialize)]
pub(super) struct Scope(pub(super) String);

impl Shape for Scope {
    fn expected() -> String {
        "a scope that ends in /.default, such as https://graph.microsoft.com/.default".to_owned()
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let resource = found.as_str().and_then(|scope| scope.strip_suffix("/.default"));
        let fits = resource.is_some_and(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
        if !fits {
            place.refuse(found, Self::expected());
        }
        found.as_str().filter(|_| fits).map(|scope| Scope(scope.to_owned()))
    }

    fn schema() -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[!-~]+/\.default$" })
    }
}
