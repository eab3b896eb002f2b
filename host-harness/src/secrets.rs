//! Resolves `secret://name` in AuthJson before the connector sees it.
//!
//! A name is looked up first in the environment (`contoso-secret` is `CONNECTOR_SECRET_CONTOSO_SECRET`), then as a file
//! of that name in the secrets folder (`$CONNECTOR_SECRETS`, else `./secrets`). The one thing to keep in mind when
//! changing this file: a value is never printed, never part of an error and never stored, so [`Resolved`] has no
//! `Display` and a `Debug` that says nothing.

use std::fmt;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

const SCHEME: &str = "secret://";
const VARIABLE: &str = "CONNECTOR_SECRET_";

/// Where secrets come from.
#[derive(Debug, Clone)]
pub struct Secrets {
    folder: PathBuf,
    environment: fn() -> Vec<(String, String)>,
}

/// AuthJson with its secrets in place.
#[derive(Clone)]
pub struct Resolved {
    /// The text for the connector, and for nothing else.
    pub auth_json: String,
    /// What an operator should know, such as a secret file that others can read.
    pub warnings: Vec<String>,
}

/// A secret that exists, without its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// What stands after `secret://`.
    pub name: String,
    /// The variable or file it comes from.
    pub source: String,
    /// Something an operator should know about it.
    pub warning: Option<String>,
}

impl Secrets {
    /// Environment, then this folder. It need not exist.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Secrets {
        Secrets {
            folder: folder.into(),
            environment: || {
                std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect()
            },
        }
    }

    /// The folder used when none is named.
    pub fn default_folder() -> PathBuf {
        std::env::var_os("CONNECTOR_SECRETS").map_or_else(|| PathBuf::from("secrets"), PathBuf::from)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Replaces every string of AuthJson that is a `secret://` reference. A text without references, or one that is not
    /// JSON, goes on to the connector byte for byte.
    pub fn resolve(&self, auth_json: &str) -> Result<Resolved> {
        let mut resolved = Resolved { auth_json: auth_json.to_owned(), warnings: Vec::new() };
        let Ok(mut value) = serde_json::from_str::<Value>(auth_json) else { return Ok(resolved) };
        let mut problems = Vec::new();
        let found = self.replace(&mut value, "", &mut resolved.warnings, &mut problems);
        if !problems.is_empty() {
            bail!("AuthJson refers to secrets that cannot be had:\n  {}", problems.join("\n  "));
        }
        if found {
            resolved.auth_json = value.to_string();
        }
        Ok(resolved)
    }

    /// Writes a secret file: readable by its owner only, and whole or not at all. Answers its path.
    pub fn set(&self, name: &str, value: &str) -> Result<PathBuf> {
        check_name(name)?;
        if value.is_empty() {
            bail!("the value of {name} is empty; nothing was written");
        }
        make_private_folder(&self.folder)?;
        let path = self.folder.join(name);
        let written = tempfile::NamedTempFile::new_in(&self.folder).and_then(|mut file| {
            file.write_all(value.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        });
        written.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// All secrets that can be had, by name.
    pub fn list(&self) -> Result<Vec<Listed>> {
        let variables = (self.environment)().into_iter().filter_map(|(variable, value)| {
            let name = variable.strip_prefix(VARIABLE)?.to_lowercase().replace('_', "-");
            (!value.is_empty()).then(|| Listed { name, source: format!("variable {variable}"), warning: None })
        });
        let mut listed: Vec<Listed> = variables.collect();
        if self.folder.is_dir() {
            for entry in fs::read_dir(&self.folder).with_context(|| format!("cannot read {}", self.folder.display()))? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
                if path.is_file() && check_name(&name).is_ok() && !name.starts_with('.') {
                    listed.push(Listed {
                        name,
                        source: format!("file {}", path.display()),
                        warning: open_to_others(&path),
                    });
                }
            }
        }
        listed.sort();
        Ok(listed)
    }

    fn replace(&self, value: &mut Value, path: &str, warnings: &mut Vec<String>, problems: &mut Vec<String>) -> bool {
        match value {
            Value::String(text) => {
                let Some(name) = text.strip_prefix(SCHEME).map(str::to_owned) else { return false };
                match self.look_up(&name, warnings) {
                    Ok(secret) => *text = secret,
                    Err(error) => problems.push(format!("{path}: {error:#}")),
                }
                true
            }
            Value::Array(items) => items.iter_mut().enumerate().fold(false, |found, (index, item)| {
                self.replace(item, &format!("{path}/{index}"), warnings, problems) || found
            }),
            Value::Object(members) => members.iter_mut().fold(false, |found, (name, member)| {
                self.replace(member, &format!("{path}/{name}"), warnings, problems) || found
            }),
            _ => false,
        }
    }

    fn look_up(&self, name: &str, warnings: &mut Vec<String>) -> Result<String> {
        check_name(name)?;
        let variable = variable(name);
        if let Some((_, value)) =
            (self.environment)().into_iter().find(|(known, value)| *known == variable && !value.is_empty())
        {
            return Ok(value);
        }
        let path = self.folder.join(name);
        if !path.is_file() {
            bail!("{SCHEME}{name} is neither the variable {variable} nor the file {}", path.display());
        }
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // Editors and `echo` put a line end there; no secret of a directory ends with one.
        let value = text.strip_suffix('\n').map_or(&*text, |line| line.strip_suffix('\r').unwrap_or(line));
        if value.is_empty() {
            bail!("{SCHEME}{name}: the file {} is empty", path.display());
        }
        warnings.extend(open_to_others(&path));
        Ok(value.to_owned())
    }
}

/// The variable that holds the secret of that name.
pub fn variable(name: &str) -> String {
    let shout = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    VARIABLE.chars().chain(name.chars().map(shout)).collect()
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&letter);
    if name.is_empty() || name.len() > 128 || !name.chars().all(allowed) || name.starts_with('.') {
        bail!("a secret's name has letters, digits, '.', '_' and '-' only and does not begin with '.'");
    }
    Ok(())
}

#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| format!("{} can be read by others: chmod 600 {}", path.display(), path.display()))
}

#[cfg(not(unix))]
fn open_to_others(_: &Path) -> Option<String> {
    None
}

fn make_private_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved").field("warnings", &self.warnings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> (tempfile::TempDir, Secrets) {
        let folder = tempfile::tempdir().unwrap();
        let environment = || vec![("CONNECTOR_SECRET_FROM_OUTSIDE".to_owned(), "canary-variable".to_owned())];
        let secrets = Secrets { folder: folder.path().join("secrets"), environment };
        (folder, secrets)
    }

    #[test]
    fn reference_anywhere_in_auth_json_is_replaced() {
        let (_folder, secrets) = secrets();
        secrets.set("contoso-secret", "canary-file").unwrap();
        let resolved = secrets
            .resolve(r#"{"A":"secret://contoso-secret","B":[{"C":"secret://from-outside"}],"D":"plain"}"#)
            .unwrap();
        let value: Value = serde_json::from_str(&resolved.auth_json).unwrap();
        assert_eq!(
            (&value["A"], &value["B"][0]["C"], &value["D"]),
            (&"canary-file".into(), &"canary-variable".into(), &"plain".into())
        );
        assert!(resolved.warnings.is_empty());
    }

    #[test]
    fn text_without_references_goes_on_byte_for_byte() {
        let (_folder, secrets) = secrets();
        for text in [r#"{ "b" : 1, "a":2 }"#, "{ not json", ""] {
            assert_eq!(secrets.resolve(text).unwrap().auth_json, text);
        }
    }

    #[test]
    fn every_missing_secret_is_named_and_no_value_is() {
        let (_folder, secrets) = secrets();
        secrets.set("known", "canary-file").unwrap();
        let error =
            secrets.resolve(r#"{"A":"secret://known","B":"secret://gone","C":{"D":"secret://lost"}}"#).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("/B: secret://gone")
                && text.contains("/C/D: secret://lost")
                && text.contains("CONNECTOR_SECRET_GONE"),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }

    #[test]
    fn name_cannot_leave_the_folder() {
        let (_folder, secrets) = secrets();
        for name in ["../x", "a/b", "", ".", "..", "a b", "ä", ".hidden"] {
            assert!(secrets.set(name, "v").is_err(), "{name}");
            assert!(secrets.resolve(&format!(r#"{{"A":"secret://{name}"}}"#)).is_err(), "{name}");
        }
    }

    #[test]
    fn trailing_line_end_of_a_file_is_not_part_of_the_secret() {
        let (_folder, secrets) = secrets();
        let path = secrets.set("s", "x").unwrap();
        for (text, value) in [("v\n", "v"), ("v\r\n", "v"), ("v\n\n", "v\n"), (" v ", " v ")] {
            fs::write(&path, text).unwrap();
            assert_eq!(secrets.look_up("s", &mut Vec::new()).unwrap(), value);
        }
    }

    #[test]
    #[cfg(unix)]
    fn secret_files_are_private_and_others_are_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, secrets) = secrets();
        let path = secrets.set("s", "canary-file").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let resolved = secrets.resolve(r#"{"A":"secret://s"}"#).unwrap();
        assert!(resolved.warnings[0].contains("chmod 600"));
        assert!(!format!("{resolved:?}").contains("canary"));
    }

    #[test]
    fn list_shows_names_and_sources_only() {
        let (_folder, secrets) = secrets();
        secrets.set("s", "canary-file").unwrap();
        let listed = secrets.list().unwrap();
        assert_eq!(listed.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["from-outside", "s"]);
        assert!(!format!("{listed:?}").contains("canary"));
    }
}
