//! `CaFile`: a file of further trusted certificates.
//!
//! The library runs inside somebody else's process, whose working directory means nothing, so a relative path is
//! refused. What counts as absolute is the platform's: on Windows `/certs` still depends on the current drive.

use std::path::PathBuf;

use schemars::{Schema, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::key::Shape;
use super::problems::Place;

/// An absolute path.
#[derive(Debug, Serialize)]
pub(super) struct CaFile(pub(super) PathBuf);

impl Shape for CaFile {
    fn expected() -> String {
        let example = if cfg!(windows) { r"C:\certs\proxy-ca.pem" } else { "/etc/ssl/proxy-ca.pem" };
        format!("an absolute path such as {example}")
    }

    fn read(found: &Value, place: &mut Place<'_>) -> Option<Self> {
        let path = absolute(found);
        if path.is_none() {
            place.refuse(found, Self::expected());
        }
        path.map(CaFile)
    }

    fn schema() -> Schema {
        absolute_schema()
    }
}

/// An absolute path without control characters, for other keys that name a file too.
pub(super) fn absolute(found: &Value) -> Option<PathBuf> {
    let path = found.as_str().filter(|path| is_absolute(path) && !path.bytes().any(|byte| byte < b' '));
    path.map(PathBuf::from)
}

/// The same as [`absolute`], as JSON Schema.
pub(super) fn absolute_schema() -> Schema {
    let absolute = if cfg!(windows) { r"^([A-Za-z]:[\\/]|\\\\)" } else { "^/" };
    json_schema!({ "type": "string", "pattern": absolute, "not": { "pattern": r"[\x00-\x1f]" } })
}

fn is_absolute(path: &str) -> bool {
    if !cfg!(windows) {
        return path.starts_with('/');
    }
    let drive = matches!(path.as_bytes(), [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    drive || path.starts_with(r"\\")
}
