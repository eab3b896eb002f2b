//! What is in a `Connectors/` folder.
//!
//! Every dynamic library there is loaded and asked who it is; a file that cannot be used is listed with the reason,
//! since "it is not there" is the worst answer an operator can get. Loading runs a library's initialisers: a connectors
//! folder is trusted ground.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::catalog::Catalog;
use crate::connector::{Connector, DoorKind};

/// A library in a connectors folder.
#[derive(Debug)]
pub struct Found {
    /// The file.
    pub path: PathBuf,
    /// The connector, or why it is none.
    pub verdict: Result<Identified, String>,
}

/// A connector that said who it is.
#[derive(Debug, Clone)]
pub struct Identified {
    /// Ready for use.
    pub connector: Connector,
    /// What it says about itself.
    pub catalog: Catalog,
    /// The same, word for word.
    pub describe: String,
}

impl Identified {
    /// Loads one library and asks it who it is.
    pub fn load(path: &Path, door: DoorKind) -> Result<Identified> {
        let connector = Connector::load_through(path, door).with_context(|| path.display().to_string())?;
        let describe = connector.describe().with_context(|| path.display().to_string())?;
        let catalog = Catalog::parse(&describe).with_context(|| path.display().to_string())?;
        Ok(Identified { connector, catalog, describe })
    }
}

/// Every dynamic library in `folder`, by file name. Libraries of other systems are listed too, as refused.
pub fn discover(folder: &Path, door: DoorKind) -> Result<Vec<Found>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read the connectors folder {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| folder.display().to_string())?.path();
        let library = path.extension().and_then(OsStr::to_str).is_some_and(|it| ["so", "dll", "dylib"].contains(&it));
        if library && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths.into_iter().map(|path| judge(path, door)).collect())
}

/// Loads one library, or says why it is no connector.
pub fn judge(path: PathBuf, door: DoorKind) -> Found {
    let verdict = Identified::load(&path, door).map_err(|error| error.root_cause().to_string());
    Found { path, verdict }
}

/// The connector of that name in `folder`, or the only one there when no name is given.
pub fn choose(folder: &Path, name: Option<&str>, door: DoorKind) -> Result<Identified> {
    let found = discover(folder, door)?;
    let refused: Vec<String> =
        found.iter().filter_map(|it| Some(format!("{}: {}", it.path.display(), it.verdict.as_ref().err()?))).collect();
    let mut usable: Vec<Identified> = found.into_iter().filter_map(|it| it.verdict.ok()).collect();
    let names = usable.iter().map(|it| it.catalog.name.clone()).collect::<Vec<_>>().join(", ");
    if let Some(name) = name {
        usable.retain(|it| it.catalog.name == name);
    }
    match (usable.len(), name) {
        (1, _) => Ok(usable.remove(0)),
        (0, Some(name)) if !names.is_empty() => {
            bail!("no connector is named {name} in {}; there is: {names}", folder.display())
        }
        (0, _) if !refused.is_empty() => {
            bail!("no usable connector in {}:\n  {}", folder.display(), refused.join("\n  "))
        }
        (0, _) => bail!("no connector in {}: put the connector library there", folder.display()),
        (_, None) => bail!("several connectors in {}: choose one with --connector: {names}", folder.display()),
        (_, Some(name)) => bail!("several files in {} call themselves {name}: leave one there", folder.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::fake;

    #[test]
    fn refused_files_are_listed_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        fake::connector(folder.path(), "Good", "");
        fs::write(folder.path().join("libBroken.so"), "no").unwrap();
        fs::write(folder.path().join("notes.txt"), "not looked at").unwrap();
        let found = discover(folder.path(), DoorKind::C).unwrap();
        let verdicts: Vec<bool> = found.iter().map(|it| it.verdict.is_ok()).collect();
        assert_eq!(verdicts, [false, true]);
        assert!(found[0].verdict.as_ref().unwrap_err().starts_with("not a loadable library"));
    }

    #[test]
    fn only_connector_is_chosen_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        fake::connector(folder.path(), "Good", "");
        assert_eq!(choose(folder.path(), None, DoorKind::C).unwrap().catalog.version, "1.2.3");
        assert!(choose(folder.path(), Some("Other"), DoorKind::C).unwrap_err().to_string().contains("there is: Fake"));
    }

    #[test]
    fn empty_folder_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let error = choose(folder.path(), None, DoorKind::C).unwrap_err().to_string();
        assert!(error.contains("put the connector library there"), "{error}");
    }
}
