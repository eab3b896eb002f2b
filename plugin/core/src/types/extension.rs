//! Directory extensions: properties that an application has added to a tenant's objects. No table can list them, so
//! their names are known by form alone.
//!
//! Graph takes the application's id in any case and answers it in lower case: whoever looks a property up in an answer
//! needs the name as [`extension_name`] gives it.

/// The form of a directory extension's name: `extension_`, the owning application's id without dashes, `_`, its own
/// name.
pub(crate) const EXTENSION_PATTERN: &str = "^extension_[0-9a-fA-F]{32}_[A-Za-z0-9_]+$";

/// A directory extension's name as Graph answers it: with the application's id in lower case.
pub(crate) fn extension_name(name: &str) -> Option<String> {
    let (application, own) = name.strip_prefix("extension_")?.split_once('_')?;
    let fits = application.len() == 32
        && application.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !own.is_empty()
        && own.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    fits.then(|| format!("extension_{}_{own}", application.to_ascii_lowercase()))
}
